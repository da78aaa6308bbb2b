"""The sections of a scenario that say how users and streamers behave."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from giftlive.world.section import (
    Coefficient,
    Count,
    NonNegative,
    Positive,
    Section,
    Share,
    Spread,
    TailShape,
)

_MINUTE = 1 / 60
"""In hours."""


class Visits(Section):
    """Potential visits of a user: log-normal daily rate, hourly weights, exposures per visit."""

    per_day: Annotated[float, Field(ge=1e-9, le=1_000)]
    sigma: Annotated[float, Field(ge=0, le=4)]
    exposures: Annotated[float, Field(ge=1, le=1_000)]
    patience_seconds: NonNegative
    skip_seconds: Annotated[float, Field(ge=0.5, le=86_400)]
    diurnal: Annotated[tuple[NonNegative, ...], Field(min_length=24, max_length=24)]
    phase_hours: Annotated[float, Field(ge=0, le=24)]

    @model_validator(mode="after")
    def _some_hour_is_open(self) -> Self:
        if sum(self.diurnal) <= 0:
            raise ValueError("at least one hour of visits.diurnal must be positive")
        return self


class People(Section):
    """Users: wealth w = body LogNormal + tail Pareto, generosity, taste, home streamers.

    Generosity = sigma N + ``generosity_activity`` * log relative activity; the sensitivity to
    prices = ``price_sigma`` N is taken from the location of the log amount.
    """

    wealth_mu: Annotated[float, Field(ge=-100, le=100)]
    wealth_sigma: Spread
    tail_share: Share
    tail_shape: TailShape
    tail_minimum: Positive
    generosity_sigma: Spread
    generosity_activity: Coefficient
    price_sigma: Spread
    taste_focus: NonNegative
    homes: Annotated[int, Field(ge=0, le=32)]
    home_decay: Share
    devotion_sigma: Spread
    devotion_activity: Coefficient
    home_popularity: Annotated[float, Field(ge=0, le=4)]
    whale_share: Share


class Stars(Section):
    """Streamers: vertical quality, monetisation skill, popularity, and their rooms.

    With ``fixed_hours`` everybody has one room a day from the first to the second of them.
    """

    quality_sigma: Spread
    skill_sigma: Spread
    popularity_shape: TailShape
    popularity_sigma: Spread
    popularity_quality: Annotated[float, Field(ge=-5, le=5)]
    categories: Annotated[int, Field(ge=1, le=10_000)]
    rooms_per_day: Annotated[float, Field(gt=0, le=48)]
    rooms_popularity: Annotated[float, Field(ge=0, le=2)]
    room_minutes: Annotated[float, Field(gt=0, le=100_000)]
    room_sigma: Spread
    room_popularity: Annotated[float, Field(ge=0, le=2)]
    fixed_hours: tuple[Annotated[float, Field(ge=0, le=24)], ...] = ()

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        hours = self.fixed_hours
        if hours and (len(hours) != 2 or hours[1] - hours[0] < _MINUTE):
            raise ValueError(
                "stars.fixed_hours must be empty or two hours of a day, the second at least a "
                f"minute after the first, not {list(hours)}"
            )
        return self


class Click(Section):
    """Coefficients of the click logit."""

    base: Coefficient
    match: Coefficient
    quality: Coefficient
    loyal: Coefficient
    crowd: Coefficient


class Watch(Section):
    """Bounce, stay or settle, each a log-normal watch time, held between floor and cap."""

    stay_base: Coefficient
    stay_match: Coefficient
    stay_loyal: Coefficient
    stay_activity: Coefficient
    bounce_seconds: Positive
    bounce_sigma: Annotated[float, Field(gt=0, le=5)]
    stay_seconds: Positive
    stay_sigma: Annotated[float, Field(gt=0, le=5)]
    settle_base: Coefficient
    settle_loyal: Coefficient
    settle_seconds: Positive
    settle_sigma: Annotated[float, Field(gt=0, le=5)]
    floor_seconds: Annotated[float, Field(ge=0.5, le=1e9)]
    cap_seconds: Annotated[float, Field(ge=2, le=1e9)]

    @model_validator(mode="after")
    def _floor_below_cap(self) -> Self:
        if self.floor_seconds >= self.cap_seconds:
            raise ValueError("watch.floor_seconds must be below watch.cap_seconds")
        return self


class Gift(Section):
    """Coefficients of the gift logit and the Weibull law of the gift's time in a viewing.

    ``leaving``: one intent ends viewings early and spares gifts; ``delay_loyal``: at a home gifts
    come sooner.
    """

    base: Coefficient
    wealth: Coefficient
    match: Coefficient
    skill: Coefficient
    loyal: Coefficient
    home_decay: Share
    satiety: NonNegative
    satiety_hours: Positive
    again: NonNegative
    popularity: Coefficient
    crowd: Coefficient
    leaving: Coefficient = 0.0
    delay_seconds: NonNegative
    delay_shape: Annotated[float, Field(gt=0, le=10)]
    delay_power: Annotated[float, Field(ge=-5, le=5)]
    delay_loyal: Annotated[float, Field(ge=-10, le=10)] = 0.0


class Amount(Section):
    """Log-normal amount moved to the nearest price; without ``prices`` it stays continuous."""

    base: Coefficient
    wealth: Coefficient
    match: Coefficient
    sigma: Annotated[float, Field(gt=0, le=5)]
    prices: tuple[Positive, ...]

    @model_validator(mode="after")
    def _prices_increase(self) -> Self:
        for cheaper, dearer in pairwise(self.prices):
            if dearer <= cheaper:
                raise ValueError(
                    f"amount.prices must increase: {dearer:g} does not come after {cheaper:g}"
                )
        return self


class Budget(Section):
    """What a user may give in a period of ``days``: ``per_wealth`` times wealth, 0 = no limit."""

    per_wealth: NonNegative
    days: Count


class Fatigue(Section):
    """Hours watched, forgotten at ``recovery_hours``: taken from two logits, and thins visits."""

    click: NonNegative
    stay: NonNegative
    visit: NonNegative
    recovery_hours: Positive


class Retention(Section):
    """A visit happens with probability 1 - weight*(1 - satisfaction), an average at ``rate``.

    The joy of a decision: 0 unless clicked, else 1 - exp(-watched/``dwell_seconds``) (1 where
    that is 0), plus ``comment`` where the user comments, at most 1.
    """

    weight: Share
    rate: Share
    dwell_seconds: NonNegative
    comment: Share


class Churn(Section):
    """Leaving for good at a potential visit: ``hazard`` * (1 - satisfaction/``below``), if > 0."""

    hazard: Share
    below: Annotated[float, Field(gt=0, le=1)]


class Supply(Section):
    """A streamer's next day is lost with probability weight / (1 + exposures/e + income/i).

    Both are those of the last day on air, in units of ``exposure`` and ``income``.
    """

    weight: Share
    exposure: Positive
    income: Positive


class Newcomers(Section):
    """A ``share`` of streamers starts inside the window, with no popularity and no followers.

    Their quality is N(0, ``quality_sigma``), which nothing on the platform shows yet.
    """

    share: Share
    quality_sigma: Spread


class Social(Section):
    """Comments and likes: probability in a viewing that stays, per unit of generosity."""

    comment_base: Coefficient
    like_base: Coefficient
    generosity: Coefficient
