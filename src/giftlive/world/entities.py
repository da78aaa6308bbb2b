"""Who lives in a world: structures of arrays that the compiled kernel reads.

Latent quantities stay here; a policy only ever sees an ``Observation``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

from giftlive.types import Bools, Floats, Ints
from giftlive.world.law import Law
from giftlive.world.scenario import Scenario


class Users(NamedTuple):
    """[U] each; ``taste`` [U, 16] unit rows, ``homes`` [U, L] dense streamers.

    ``wealth`` is log1p of wealth, ``activity`` potential visits a day, ``log_activity`` its
    logarithm relative to the median, ``phase`` a shift of the daily rhythm in days,
    ``devotion`` multiplies what loyalty to a home does to clicks and stays,
    ``price_sensitivity`` is taken from the log amount, ``budget`` the most given in a period
    (infinite: no limit).
    """

    taste: Floats
    wealth: Floats
    generosity: Floats
    activity: Floats
    log_activity: Floats
    phase: Floats
    price_sensitivity: Floats
    budget: Floats
    homes: Ints
    devotion: Floats
    whale: Bools


class Streamers(NamedTuple):
    """[S] each; ``taste`` [S, 16] unit rows, ``weight`` = popularity as a positive integer.

    ``first_day`` is 0 for those who were there before the window, else the newcomer's first day.
    """

    taste: Floats
    quality: Floats
    skill: Floats
    popularity: Floats
    log_popularity: Floats
    weight: Ints
    category: Ints
    first_day: Ints


class Rooms(NamedTuple):
    """[R] each. The arena day's rooms come first, then the history's, day by day.

    ``seats`` is the capacity (soft or hard), ``UNLIMITED_SEATS`` where there is none.
    """

    streamer: Ints
    start: Ints
    end: Ints
    seats: Ints
    title: Ints
    kind: Ints


class Rhythm(NamedTuple):
    """How time passes: the local day's cumulative intensity ``diurnal`` [25], and steps."""

    diurnal: Floats
    tick_ms: int
    skip_seconds: float
    patience_ms: int
    exposures: float


class Habits(NamedTuple):
    """What the past does (see ``habits`` and ``supply``); a weight of 0 switches its part off.

    ``recovery_ms``, ``satiety_ms`` and ``budget_ms`` are 0 where there is no fatigue, no satiety
    and no budget.
    """

    budget_ms: int
    recovery_ms: float
    satiety_ms: float
    visit_fatigue: float
    visit_weight: float
    joy_rate: float
    dwell_seconds: float
    joy_comment: float
    churn_hazard: float
    churn_below: float
    supply_weight: float
    supply_exposure: float
    supply_income: float


class Talk(NamedTuple):
    """Comments and likes: the logit of either in a viewing that lasts."""

    comment_base: float
    like_base: float
    generosity: float


class Seating(NamedTuple):
    """Whether seats are refused when taken, and the mean share that strangers fill."""

    hard: bool
    background: float


class Choices(NamedTuple):
    """Candidate retrieval and the platform's ranking."""

    total: int
    popular: int
    popularity: float
    loyal: float
    match: float
    quality: float


class Scene(NamedTuple):
    """Everything the compiled kernel reads and never writes."""

    users: Users
    streamers: Streamers
    rooms: Rooms
    law: Law
    rhythm: Rhythm
    habits: Habits
    talk: Talk
    seating: Seating
    choices: Choices


Profile = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class World:
    """A scenario and a seed, grown into entities.

    Attributes
    ----------
    scene : what the kernel reads. user_ids [U], streamer_ids [S], live_ids [R] : public ids,
        random permutations, so that no order leaks. user_profile, streamer_profile : observable
        columns by name, one value per dense index. origin_ms : first instant of day 0.
    """

    scenario: Scenario
    seed: int
    scene: Scene
    user_ids: Ints
    streamer_ids: Ints
    live_ids: Ints
    user_profile: Profile
    streamer_profile: Profile
    origin_ms: int

    @property
    def room_streamer(self) -> Ints:
        """[R] dense streamer of each room."""
        return self.scene.rooms.streamer

    @property
    def room_start(self) -> Ints:
        """[R] first ms of each room."""
        return self.scene.rooms.start

    @property
    def room_end(self) -> Ints:
        """[R] ms at which each room closes."""
        return self.scene.rooms.end

    @property
    def arena_day(self) -> int:
        """The first day after the history."""
        return self.scenario.calendar.history_days
