"""A scenario: every number that defines a world, named, validated and frozen."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from giftlive.world.behaviour import (
    Amount,
    Budget,
    Churn,
    Click,
    Fatigue,
    Gift,
    Newcomers,
    People,
    Retention,
    Social,
    Stars,
    Supply,
    Visits,
    Watch,
)
from giftlive.world.section import Coefficient, Count, NonNegative, Positive, Section, Share


class Sizes(Section):
    """Users and streamers *kept* at scale 1; the factors say how many more are simulated."""

    users: Count
    streamers: Count
    user_factor: Annotated[float, Field(ge=1, le=1_000)]
    streamer_factor: Annotated[float, Field(ge=1, le=1_000)]


class Calendar(Section):
    """Local days: ``history_days`` of platform logs, then the arena day."""

    start: Annotated[date, Field(strict=False, ge=date(1970, 1, 1), le=date(2999, 12, 31))]
    tz: str
    history_days: Annotated[int, Field(ge=1, le=3_650)]
    tick_ms: Annotated[int, Field(ge=500, le=5_000)]

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is not an IANA time zone")
        return name


class Seats(Section):
    """``none``; ``soft`` crowding above capacity; ``hard`` seats, refused when full.

    Seats follow from ``load`` (own demand over seats) or, given ``tiers.seats``, from the tiers.
    ``background``: mean seats that strangers ask for, over the seats (0.3 … 1.5 in a thin sample).
    """

    mode: Literal["none", "soft", "hard"]
    load: Positive
    exponent: Annotated[float, Field(ge=0, le=2)]
    alpha: NonNegative
    background: NonNegative


class Externality(Section):
    """Effect of co-present whales on gifts (clocked), of big donors on amounts (rounds)."""

    whale_gamma: Coefficient
    donor_gamma: NonNegative


class Candidates(Section):
    """Rooms offered per decision: live homes, then ``popular`` draws, then random ones."""

    total: Count
    popular: Annotated[int, Field(ge=0, le=1_000_000_000)]


class Platform(Section):
    """The platform's own ranking: softmax of a score (part of the truth, not a policy)."""

    popularity: Coefficient
    loyal: Coefficient
    match: Coefficient
    quality: Coefficient


class Rounds(Section):
    """Rounds mode: no clock, rooms empty each round."""

    rounds: Count
    users_per_round: Count


class Tiers(Section):
    """Rounds mode: price tiers with base ``chances``, and seats by rank of popularity.

    With ``prices`` the location of the amount is their tilt. ``shares`` of the streamers, most
    popular first, have ``seats`` each, which act in ``seats.mode`` within a round. Empty is off.
    """

    prices: tuple[Positive, ...] = ()
    chances: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    shares: tuple[Share, ...] = ()
    seats: tuple[Count, ...] = ()

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        for whole, part in (("prices", "chances"), ("seats", "shares")):
            sizes, weights = getattr(self, whole), getattr(self, part)
            if len(sizes) != len(weights):
                raise ValueError(f"tiers.{whole} and tiers.{part} must have the same length")
            if weights and abs(sum(weights) - 1.0) > 1e-9:
                raise ValueError(f"tiers.{part} must add up to 1")
        return self


class Recorder(Section):
    """What the log hides; every defect has its own switch, and its own draws.

    - ``select_users``, ``select_streamers``: keep users with at least one click, skip, comment,
      like and gift, and streamers whom one of them clicked
    - ``entry_stamped``, ``lagged``: shares of gifts whose row carries the time of the entry, or
      that of the viewer's leaving, instead of the gift's own
    - ``orphans``: share of (user, room) with a gift that lose every click row
    - ``viewing_totals``: one row per viewing with the total, instead of one per press;
      ``presses`` is the mean of their (geometric) number
    - ``snapshot``: profile counts as of the last day instead of the first
    - ``outage_days``, ``outage_drop``: share of that day's clicks without a gift that is lost
    - ``arrival_lag``: records of gifts arrive an exponential time late, of mean 0 (``none``),
      ``fast_seconds``, ``slow_seconds``, or (``amount``) the smaller of ``slow_seconds`` and
      ``fast_seconds`` * amount^``lag_power``, and say when they arrived (``known_ts``); later
      than the window, they are not in the log
    - ``censored_rooms``: rooms that outlast the window end with it
    - ``grid_ms``: times are rounded down to it (ends of rooms up); 1 = exact
    """

    select_users: bool
    select_streamers: bool
    entry_stamped: Share
    lagged: Share
    orphans: Share
    viewing_totals: bool
    presses: Annotated[float, Field(ge=1, le=1_000)]
    snapshot: bool
    outage_days: tuple[Annotated[int, Field(ge=0)], ...]
    outage_drop: tuple[Share, ...]
    arrival_lag: Literal["none", "fast", "slow", "amount"]
    fast_seconds: Positive
    slow_seconds: Positive
    lag_power: NonNegative
    censored_rooms: bool
    grid_ms: Annotated[int, Field(ge=1, le=3_600_000)]
    title_dim: Annotated[int, Field(ge=1, le=1_024)]

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        if self.entry_stamped + self.lagged > 1:
            raise ValueError("recorder.entry_stamped + recorder.lagged must be <= 1")
        if len(self.outage_days) != len(self.outage_drop):
            raise ValueError("recorder.outage_days and outage_drop must have the same length")
        if len(set(self.outage_days)) < len(self.outage_days):
            raise ValueError("recorder.outage_days must differ")
        return self


class Scenario(Section):
    """Everything that defines a world except its seed."""

    name: str
    mode: Literal["clocked", "rounds"]
    scale: Positive
    scales: dict[str, Positive]
    sizes: Sizes
    calendar: Calendar
    visits: Visits
    people: People
    stars: Stars
    match_scale: NonNegative
    click: Click
    watch: Watch
    gift: Gift
    amount: Amount
    seats: Seats
    externality: Externality
    budget: Budget
    fatigue: Fatigue
    retention: Retention
    churn: Churn
    supply: Supply
    newcomers: Newcomers
    candidates: Candidates
    platform: Platform
    social: Social
    rounds: Rounds
    tiers: Tiers = Tiers()
    recorder: Recorder

    @model_validator(mode="after")
    def _crowding_acts_once(self) -> Self:
        if self.gift.crowd and (self.seats.alpha or self.externality.donor_gamma):
            raise ValueError("crowding acts in the gift logit or as a multiplier, never both")
        return self

    @model_validator(mode="after")
    def _continuous_amounts_have_no_delay(self) -> Self:
        if not self.amount.prices and self.gift.delay_seconds:
            raise ValueError("without amount.prices gift.delay_seconds must be 0")
        return self

    @model_validator(mode="after")
    def _money_of_a_log_is_whole(self) -> Self:
        if self.mode == "rounds":
            return self
        if not self.amount.prices:
            raise ValueError("a clocked world needs amount.prices")
        for price in self.amount.prices:
            if price < 1 or price != int(price):
                raise ValueError(f"amount.prices must be whole numbers >= 1, not {price:g}")
        return self

    @model_validator(mode="after")
    def _outages_lie_in_the_window(self) -> Self:
        days = self.calendar.history_days
        for day in self.recorder.outage_days:
            if day >= days:
                raise ValueError(
                    f"recorder.outage_days: day {day} is not one of the {days} history days, "
                    f"0 to {days - 1}"
                )
        return self

    @model_validator(mode="after")
    def _arrays_can_be_as_long(self) -> Self:
        most = 10**15
        for name, count in (("users", self.users), ("streamers", self.streamers)):
            if count > most:
                raise ValueError(f"sizes.{name}: {count:,} are too many, at most {most:,}")
        return self

    @model_validator(mode="after")
    def _rounds_have_no_memory(self) -> Self:
        weights = {
            "budget.per_wealth": self.budget.per_wealth,
            "gift.satiety": self.gift.satiety,
            "gift.again": self.gift.again,
            "fatigue.click": self.fatigue.click,
            "fatigue.stay": self.fatigue.stay,
            "fatigue.visit": self.fatigue.visit,
            "retention.weight": self.retention.weight,
            "churn.hazard": self.churn.hazard,
            "supply.weight": self.supply.weight,
            "newcomers.share": self.newcomers.share,
        }
        acting = [key for key, weight in weights.items() if weight]
        if self.mode == "rounds" and acting:
            raise ValueError(f"rounds have no memory: {acting[0]} must be 0")
        return self

    @model_validator(mode="after")
    def _rounds_have_no_clock(self) -> Self:
        times = {"gift.leaving": self.gift.leaving, "gift.delay_loyal": self.gift.delay_loyal}
        acting = [key for key, weight in times.items() if weight]
        if self.mode == "rounds" and acting:
            raise ValueError(f"rounds have no clock to leave by: {acting[0]} must be 0")
        return self

    @model_validator(mode="after")
    def _budgets_need_prices(self) -> Self:
        if self.budget.per_wealth and not self.amount.prices:
            raise ValueError("budget.per_wealth needs amount.prices")
        return self

    @model_validator(mode="after")
    def _seats_have_a_source(self) -> Self:
        if self.mode == "rounds":
            return self
        if self.tiers.seats and self.seats.mode == "none":
            raise ValueError("tiers.seats need seats.mode soft or hard")
        if self.seats.mode != "none" and not self.tiers.seats and self.visits.exposures > 1:
            raise ValueError("seats by seats.load need visits.exposures = 1; give tiers.seats")
        return self

    @model_validator(mode="after")
    def _tiers_belong_to_rounds(self) -> Self:
        in_rounds = self.mode == "rounds"
        if not in_rounds and self.tiers.prices:
            raise ValueError("tiers.prices need mode = rounds")
        if self.tiers.prices and self.amount.prices:
            raise ValueError("amounts come from amount.prices or from tiers.prices, never both")
        if in_rounds and (self.seats.mode != "none") != bool(self.tiers.seats):
            raise ValueError("in rounds seats.mode soft or hard and tiers.seats need each other")
        if in_rounds and self.seats.alpha and self.seats.mode == "none":
            raise ValueError("in rounds seats.alpha needs seats.mode soft or hard")
        return self

    @property
    def kept_users(self) -> int:
        """Users that a twin keeps."""
        return max(1, round(self.sizes.users * self.scale))

    @property
    def users(self) -> int:
        """Users that are simulated."""
        return max(1, round(self.sizes.users * self.scale * self.sizes.user_factor))

    @property
    def streamers(self) -> int:
        """Streamers that are simulated."""
        return max(1, round(self.sizes.streamers * self.scale * self.sizes.streamer_factor))

    @property
    def fingerprint(self) -> str:
        """A hash of every value, 32 hex digits."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
