"""The sections of the configuration of studies that play policies in rounds worlds.

``errors`` is the sd of the log error of the estimated values: of a pair, a streamer, a user
(``evaluation.rollouts.ErrorLaw``). With the default, greedy on the estimates of the ``v1`` world
earns 0.71 of greedy on the truth, as with the value model that is fitted to the logs of ``scarce``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from giftlive.config_studies import FROZEN, Scale

Size = Annotated[float, Field(ge=0)]
Errors = tuple[Size, Size, Size]
Levels = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]


class RolloutsConfig(BaseModel):
    """Who plays cells: a backend of joblib.

    ``dask`` starts ``jobs`` worker processes here, or uses the scheduler at ``scheduler``
    (``tcp://host:8786``); ``ray`` must have been registered.
    """

    model_config = FROZEN
    backend: Literal["loky", "threading", "multiprocessing", "sequential", "dask", "ray"] = "loky"
    """The joblib backend that plays cells; changes no number."""
    scheduler: str | None = None
    """Address of a running Dask scheduler; None: a local cluster of ``jobs`` workers."""


class RoundsConfig(BaseModel):
    """What every study in rounds worlds has: the world, its seeds, the errors of the values."""

    model_config = FROZEN
    preset: str = "v1"
    """The rounds world."""
    scale: Scale | None = "small"
    """Its size; none: that of the preset."""
    seeds: Annotated[int, Field(ge=2)] = 50
    """Paired worlds."""
    errors: Errors = (0.4, 0.25, 0.5)
    """Sd of the log error of the values: of a pair, a streamer, a user."""
    overrides: dict[str, str] = Field(default_factory=dict)
    """Coefficients of the world."""


class ConcaveReturnsConfig(RoundsConfig):
    """Paths of settings between revenue and evenness, and the Gini at which they are compared.

    Caps are multiples of a streamer's mean exposure, scales of his mean income when users are
    spread at random: the same numbers fit a world of any size. The gates ask about log returns, at
    the Gini ``judged`` and at the scale ``scale_of_bound``.
    """

    log: Levels = (1.0, 3.5, 11.0, 35.0, 110.0)
    """Scales of log returns on the path, in mean incomes."""
    sqrt: Levels = (1.0, 5.0, 35.0)
    """Scales of square-root returns."""
    saturating: Levels = (5.0, 20.0, 110.0)
    """Scales of saturating returns."""
    exposure_cap: Levels = (1.2, 1.6, 2.5, 5.0, 10.0)
    """Caps on exposure, in multiples of the mean."""
    head_cap: Levels = (1.2, 2.0, 4.0, 10.0)
    """Caps on the head, in multiples of the mean."""
    levels: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)] = (
        *(0.5, 0.6, 0.7),
    )
    """Income Ginis at which paths are compared."""
    judged: Annotated[float, Field(gt=0, lt=1)] = 0.6
    """The Gini that the gate asks about."""
    scale_of_bound: Annotated[float, Field(gt=0)] = 11.0
    """The scale whose own bound the gate asks about."""


class SeatsConfig(RoundsConfig):
    """Rounds with hard seats: users of the world, streamers, seats of each room, rounds."""

    scale: Scale | None = None
    """Size before users and streamers are set; none: that of the preset."""
    users: Annotated[int, Field(ge=2)] = 400
    """Users of the world."""
    streamers: Annotated[int, Field(ge=2)] = 20
    """Streamers of the world."""
    seats: Annotated[int, Field(ge=1)] = 5
    """Seats of each room."""
    rounds: Annotated[int, Field(ge=1)] = 4
    """Rounds of a world."""

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Users, streamers, seats and rounds."""
        return self.users, self.streamers, self.seats, self.rounds

    @property
    def in_words(self) -> str:
        """The size of the world as a report says it.

        Examples
        --------
        >>> SeatsConfig(preset="v2", users=10_000, streamers=500, seats=1).in_words
        '10,000 users, 500 streamers, 1 seat each'
        """
        seats = "1 seat" if self.seats == 1 else f"{self.seats} seats"
        return f"{self.users:,} users, {self.streamers:,} streamers, {seats} each"


class PhaseDiagramConfig(SeatsConfig):
    """Load x differentiation x errors of the values, and the phase that the gates ask about.

    Load: users of a round over all seats. Differentiation: weight of a streamer's own quality in
    the logit of a gift. ``factors``: multiples of ``errors``; 0 is the truth.
    """

    loads: Levels = (0.5, 0.75, 1.0, 1.25, 1.5)
    """Users of a round over all seats."""
    differentiations: Annotated[tuple[Size, ...], Field(min_length=1)] = (0.0, 0.3, 0.6, 1.0, 1.5)
    """Weights of a streamer's own quality."""
    factors: Annotated[tuple[Size, ...], Field(min_length=1)] = (0.0, 1.0, 2.0)
    """Multiples of ``errors``; 0 is the truth."""
    judged_load: Annotated[float, Field(gt=0)] = 1.25
    """The load that the gates ask about."""
    judged_differentiation: Size = 0.6
    """The differentiation that the gates ask about."""


Caps = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]


class WhaleMatchingConfig(RoundsConfig):
    """Whales spread over rooms with soft seats: first where a cap never binds, then where it does.

    ``null_*``: the published comparison; its whales and ``null_caps`` as published. ``points``:
    share of whales, gamma of their externality, factor on the seats. ``value_cap``: in mean values
    of a whale in his favourite room.
    """

    preset: str = "v2"
    """The rounds world."""
    overrides: dict[str, str] = Field(default_factory=lambda: {"rounds.rounds": "6"})
    """Coefficients of the world."""
    null_scale: Scale | None = "full"
    """Size of the world of the published null."""
    null_seeds: Annotated[int, Field(ge=2)] = 10
    """Worlds of the null."""
    null_rounds: Annotated[int, Field(ge=1)] = 50
    """Rounds of the null."""
    null_users: Annotated[int, Field(ge=1)] = 200
    """Users of a round of the null."""
    null_share: Annotated[float, Field(gt=0, lt=1)] = 0.01
    """Share of users who are whales in the null."""
    null_caps: Caps = (1, 2, 3, 5)
    """Whales per room and round in the null."""
    caps: Caps = (1, 2, 3, 5)
    """Whales per room and round."""
    value_cap: Annotated[float, Field(gt=0)] = 2.0
    """Value of whales per room, in mean values of a whale at his favourite."""
    points: Annotated[tuple[tuple[float, float, float], ...], Field(min_length=1)] = (
        (0.01, 0.2, 1.0),
        (0.05, 0.0, 1.0),
        (0.05, 0.05, 1.0),
        (0.05, 0.2, 1.0),
        (0.05, 0.2, 0.25),
    )
    """Share of whales, gamma of their externality, factor on the seats."""
    judged: tuple[float, float, float] = (0.05, 0.2, 1.0)
    """The point that the gate asks about."""
    congested: tuple[float, float, float] = (0.05, 0.2, 0.25)
    """The point with few seats that its second gate asks about."""


class ColdStartConfig(RoundsConfig):
    """Newcomers of unknown quality, and how much attention each of them is guaranteed.

    ``share`` of the streamers are new; the upper ``good`` of them are to be discovered. ``floor``:
    attention, in longest stays, per round. ``supply``: weight, exposure and income of the chance
    that a streamer comes back.
    """

    scale: Scale | None = "full"
    """Size of the world."""
    overrides: dict[str, str] = Field(
        default_factory=lambda: {
            "sizes.users": "800",
            "sizes.streamers": "40",
            "rounds.rounds": "40",
            "rounds.users_per_round": "100",
            "watch.stay_base": "0.0",
            "watch.stay_match": "1.5",
            "gift.skill": "0.6",
            "externality.donor_gamma": "0.0",
        }
    )
    """Coefficients of the world."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of streamers who are new."""
    good: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Upper share of newcomers that is to be discovered."""
    floor: Annotated[float, Field(gt=0)] = 2.0
    """Attention guaranteed to a newcomer per round, in longest stays."""
    supply: tuple[float, float, float] = (0.7, 40.0, 400.0)
    """Weight, exposure and income in the chance that a streamer comes back."""


class InterferenceConfig(SeatsConfig):
    """Experiments on a treatment whose truth is known: loads, and the one that is judged.

    ``nudge``: what a nudge is taken to add to the logit of a gift.
    """

    users: Annotated[int, Field(ge=2)] = 1_000
    """Users of the world."""
    seats: Annotated[int, Field(ge=2)] = 6
    """Seats of each room."""
    rounds: Annotated[int, Field(ge=2)] = 30
    """Rounds of a world."""
    loads: Levels = (0.5, 0.75, 1.25)
    """Users of a round over all seats."""
    judged_load: Annotated[float, Field(gt=0)] = 1.25
    """The load that the gate asks about."""
    differentiation: Size = 0.6
    """Weight of a streamer's own quality."""
    nudge: Size = 0.5
    """What a nudge is taken to add to the logit of a gift."""


class EstimateVsAllocateConfig(SeatsConfig):
    """Levels of values under several allocators, at one load and differentiation.

    ``factors``: multiples of ``errors``; 1 is the model and 0 the truth.
    """

    users: Annotated[int, Field(ge=2)] = 600
    """Users of the world."""
    seats: Annotated[int, Field(ge=1)] = 6
    """Seats of each room."""
    rounds: Annotated[int, Field(ge=1)] = 20
    """Rounds of a world."""
    load: Annotated[float, Field(gt=0)] = 1.25
    """Users of a round over all seats."""
    differentiation: Size = 0.6
    """Weight of a streamer's own quality."""
    factors: Annotated[tuple[Size, ...], Field(min_length=2)] = (2.0, 1.0, 0.5, 0.0)
    """Multiples of ``errors``; 1 is the model, 0 the truth."""


class ConcurrencyConfig(SeatsConfig):
    """Classes of load, viewers who came before over all seats, and the soft response.

    ``alpha``: in a room with a share c of viewers above its seats gifts fall to 1 / (1 + alpha c).
    """

    users: Annotated[int, Field(ge=2)] = 1_000
    """Users of the world."""
    seats: Annotated[int, Field(ge=1)] = 6
    """Seats of each room."""
    rounds: Annotated[int, Field(ge=2)] = 30
    """Rounds of a world."""
    differentiation: Size = 0.3
    """Weight of a streamer's own quality."""
    alpha: Annotated[float, Field(gt=0)] = 0.5
    """Strength of the soft response."""
    edges: Annotated[tuple[Size, ...], Field(min_length=3)] = (0.0, 0.3, 0.6, 0.9, 1.2, 1.5)
    """Borders of the classes of load."""


class ParetoConfig(RoundsConfig):
    """Weights on five aims, each alone and all together, at several ``strengths``.

    ``margin``: of the range of an aim, what counts as equal.
    """

    scale: Scale | None = "full"
    """Size of the world."""
    overrides: dict[str, str] = Field(
        default_factory=lambda: {
            "sizes.users": "300",
            "sizes.streamers": "30",
            "rounds.rounds": "20",
            "rounds.users_per_round": "100",
            "watch.stay_base": "0.0",
            "watch.stay_match": "1.5",
            "externality.donor_gamma": "0.0",
            "seats.mode": "soft",
            "seats.alpha": "0.5",
            "tiers.shares": "[1.0]",
            "tiers.seats": "[5]",
        }
    )
    """Coefficients of the world."""
    strengths: Levels = (0.5, 2.0, 8.0)
    """Strengths at which each aim is weighed."""
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.02
    """Share of an aim's range that counts as equal."""


class RiskConfig(RoundsConfig):
    """Days of worlds in which a ``share`` of the streamers is known badly.

    ``known``, ``unknown``: sd of the log error of the values of their pairs. ``judged``: which
    policy the gates ask about.
    """

    scale: Scale | None = "full"
    """Size of the world."""
    overrides: dict[str, str] = Field(
        default_factory=lambda: {
            "sizes.users": "300",
            "sizes.streamers": "30",
            "rounds.rounds": "5",
            "rounds.users_per_round": "100",
            "externality.donor_gamma": "0.0",
        }
    )
    """Coefficients of the world."""
    known: Size = 0.3
    """Sd of the log error of a well-known streamer's pairs."""
    unknown: Size = 1.5
    """The same of a badly known one."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of streamers who are badly known."""
    days: Annotated[int, Field(ge=2)] = 40
    """Days of a world."""
    judged: Literal["lcb 0.5", "lcb 1", "cvar 0.05", "ucb 0.5"] = "lcb 0.5"
    """The policy that the gates ask about."""
