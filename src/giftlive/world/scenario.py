"""A scenario: every number that defines a world, named, validated and frozen."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Sizes(_Section):
    """Users and streamers *kept* at scale 1; the factors say how many more are simulated."""

    users: Count
    streamers: Count
    user_factor: Annotated[float, Field(ge=1)]
    streamer_factor: Annotated[float, Field(ge=1)]


class Calendar(_Section):
    """Local days: ``history_days`` of platform logs, then the arena day."""

    start: date
    tz: str
    history_days: Count
    tick_ms: Annotated[int, Field(ge=500, le=5_000)]

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("not an IANA time zone")
        return name


class Visits(_Section):
    """Potential visits of a user: log-normal daily rate, hourly weights, exposures per visit."""

    per_day: Positive
    sigma: NonNegative
    exposures: Annotated[float, Field(ge=1)]
    skip_seconds: Annotated[float, Field(ge=0.5)]
    diurnal: Annotated[tuple[NonNegative, ...], Field(min_length=24, max_length=24)]
    phase_hours: NonNegative

    @model_validator(mode="after")
    def _some_hour_is_open(self) -> Self:
        if sum(self.diurnal) <= 0:
            raise ValueError("at least one hour of diurnal must be positive")
        return self


class People(_Section):
    """Users: wealth w = body LogNormal + tail Pareto, generosity, taste, home streamers.

    Generosity = sigma N + ``generosity_activity`` * log relative activity.
    """

    wealth_mu: float
    wealth_sigma: NonNegative
    tail_share: Share
    tail_shape: Positive
    tail_minimum: Positive
    generosity_sigma: NonNegative
    generosity_activity: float
    taste_focus: NonNegative
    homes: Annotated[int, Field(ge=0, le=32)]
    whale_share: Share


class Stars(_Section):
    """Streamers: vertical quality, monetisation skill, popularity, and their rooms."""

    quality_sigma: NonNegative
    skill_sigma: NonNegative
    popularity_shape: Positive
    popularity_quality: float
    categories: Count
    rooms_per_day: NonNegative
    rooms_popularity: NonNegative
    room_minutes: Positive
    room_sigma: NonNegative
    room_popularity: NonNegative
    fixed_hours: tuple[float, ...] = ()


class Click(_Section):
    """Coefficients of the click logit."""

    base: float
    match: float
    quality: float
    loyal: float
    crowd: float


class Watch(_Section):
    """Bounce or stay, each a log-normal watch time, held between floor and cap."""

    stay_base: float
    stay_match: float
    stay_loyal: float
    stay_activity: float
    bounce_seconds: Positive
    bounce_sigma: Positive
    stay_seconds: Positive
    stay_sigma: Positive
    floor_seconds: Annotated[float, Field(ge=0.5)]
    cap_seconds: Annotated[float, Field(ge=2)]

    @model_validator(mode="after")
    def _floor_below_cap(self) -> Self:
        if self.floor_seconds >= self.cap_seconds:
            raise ValueError("floor_seconds must be below cap_seconds")
        return self


class Gift(_Section):
    """Coefficients of the gift logit and the Weibull law of the gift's time in a viewing."""

    base: float
    wealth: float
    match: float
    skill: float
    loyal: float
    crowd: float
    delay_seconds: NonNegative
    delay_shape: Positive
    delay_power: float


class Amount(_Section):
    """Log-normal amount moved to the nearest price; without ``prices`` it stays continuous."""

    base: float
    wealth: float
    match: float
    sigma: Positive
    prices: tuple[Positive, ...]


class Seats(_Section):
    """``none``; ``soft`` crowding above capacity; ``hard`` seats, refused when full."""

    mode: Literal["none", "soft", "hard"]
    load: Positive
    exponent: NonNegative
    alpha: NonNegative
    background: Share


class Externality(_Section):
    """Effect of co-present whales on gifts (clocked), of big donors on amounts (rounds)."""

    whale_gamma: float
    donor_gamma: NonNegative


class Retention(_Section):
    """A visit happens with probability 1 - weight*(1 - satisfaction), an average at ``rate``."""

    weight: Share
    rate: Share


class Candidates(_Section):
    """Rooms offered per decision: live homes, then ``popular`` draws, then random ones."""

    total: Count
    popular: Annotated[int, Field(ge=0)]


class Platform(_Section):
    """The platform's own ranking: softmax of a score (part of the truth, not a policy)."""

    popularity: float
    loyal: float
    match: float
    quality: float


class Social(_Section):
    """Comments and likes: probability in a viewing that stays, per unit of generosity."""

    comment_base: float
    like_base: float
    generosity: float


class Rounds(_Section):
    """Rounds mode: no clock, rooms empty each round."""

    rounds: Count
    users_per_round: Count


class Recorder(_Section):
    """What the log hides; every defect can be switched off."""

    select_active: bool
    entry_stamped: Share
    orphans: Share
    outage_days: tuple[int, ...]
    outage_drop: tuple[Share, ...]
    grid_ms: Count
    title_dim: Count

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        if self.entry_stamped + self.orphans > 1:
            raise ValueError("entry_stamped + orphans must be <= 1")
        if len(self.outage_days) != len(self.outage_drop):
            raise ValueError("outage_days and outage_drop must have the same length")
        return self


class Scenario(_Section):
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
    retention: Retention
    candidates: Candidates
    platform: Platform
    social: Social
    rounds: Rounds
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
