"""The sections of a scenario that say how users and streamers behave."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from giftlive.world.section import Count, NonNegative, Positive, Section, Share


class Visits(Section):
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


class People(Section):
    """Users: wealth w = body LogNormal + tail Pareto, generosity, taste, home streamers.

    Generosity = sigma N + ``generosity_activity`` * log relative activity; the sensitivity to
    prices = ``price_sigma`` N is taken from the location of the log amount.
    """

    wealth_mu: float
    wealth_sigma: NonNegative
    tail_share: Share
    tail_shape: Positive
    tail_minimum: Positive
    generosity_sigma: NonNegative
    generosity_activity: float
    price_sigma: NonNegative
    taste_focus: NonNegative
    homes: Annotated[int, Field(ge=0, le=32)]
    whale_share: Share


class Stars(Section):
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


class Click(Section):
    """Coefficients of the click logit."""

    base: float
    match: float
    quality: float
    loyal: float
    crowd: float


class Watch(Section):
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


class Gift(Section):
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


class Amount(Section):
    """Log-normal amount moved to the nearest price; without ``prices`` it stays continuous."""

    base: float
    wealth: float
    match: float
    sigma: Positive
    prices: tuple[Positive, ...]


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
    quality_sigma: NonNegative


class Social(Section):
    """Comments and likes: probability in a viewing that stays, per unit of generosity."""

    comment_base: float
    like_base: float
    generosity: float
