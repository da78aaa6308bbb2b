"""The sections of the configuration of studies that play policies in rounds worlds.

``errors`` is the sd of the log error of the estimated values: of a pair, a streamer, a user
(``evaluation.rollouts.ErrorLaw``). With the default, greedy on the estimates of the ``v1`` world
earns 0.71 of greedy on the truth, as with the value model that is fitted to the logs of ``scarce``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from giftlive.config_studies import FROZEN

Scale = Annotated[str, BeforeValidator(lambda v: str(v) if type(v) in (int, float) else v)]
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
    scheduler: str | None = None


class RoundsConfig(BaseModel):
    """What every study in rounds worlds has: the world, its seeds, the errors of the values."""

    model_config = FROZEN
    preset: str = "v1"
    scale: Scale | None = "small"
    seeds: Annotated[int, Field(ge=2)] = 50
    errors: Errors = (0.4, 0.25, 0.5)
    overrides: dict[str, str] = Field(default_factory=dict)


class ConcaveReturnsConfig(RoundsConfig):
    """Paths of settings between revenue and evenness, and the Gini at which they are compared.

    Caps are multiples of a streamer's mean exposure, scales of his mean income when users are
    spread at random: the same numbers fit a world of any size. The gates ask about log returns, at
    the Gini ``judged`` and at the scale ``scale_of_bound``.
    """

    log: Levels = (1.0, 3.5, 11.0, 35.0, 110.0)
    sqrt: Levels = (1.0, 5.0, 35.0)
    saturating: Levels = (5.0, 20.0, 110.0)
    exposure_cap: Levels = (1.2, 1.6, 2.5, 5.0, 10.0)
    head_cap: Levels = (1.2, 2.0, 4.0, 10.0)
    levels: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)] = (
        *(0.5, 0.6, 0.7),
    )
    judged: Annotated[float, Field(gt=0, lt=1)] = 0.6
    scale_of_bound: Annotated[float, Field(gt=0)] = 11.0


class SeatsConfig(RoundsConfig):
    """Rounds with hard seats: users of the world, streamers, seats of each room, rounds."""

    scale: Scale | None = None
    users: Annotated[int, Field(ge=2)] = 400
    streamers: Annotated[int, Field(ge=2)] = 20
    seats: Annotated[int, Field(ge=1)] = 5
    rounds: Annotated[int, Field(ge=1)] = 4

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Users, streamers, seats and rounds."""
        return self.users, self.streamers, self.seats, self.rounds


class PhaseDiagramConfig(SeatsConfig):
    """Load x differentiation x errors of the values, and the phase that the gates ask about.

    Load: users of a round over all seats. Differentiation: weight of a streamer's own quality in
    the logit of a gift. ``factors``: multiples of ``errors``; 0 is the truth.
    """

    loads: Levels = (0.5, 0.75, 1.0, 1.25, 1.5)
    differentiations: Annotated[tuple[Size, ...], Field(min_length=1)] = (0.0, 0.3, 0.6, 1.0, 1.5)
    factors: Annotated[tuple[Size, ...], Field(min_length=1)] = (0.0, 1.0, 2.0)
    judged_load: Annotated[float, Field(gt=0)] = 1.25
    judged_differentiation: Size = 0.6


Caps = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]


class WhaleMatchingConfig(RoundsConfig):
    """Whales spread over rooms with soft seats: first where a cap never binds, then where it does.

    ``null_*``: the published comparison; its whales and ``null_caps`` as published. ``points``:
    share of whales, gamma of their externality, factor on the seats. ``value_cap``: in mean values
    of a whale in his favourite room.
    """

    preset: str = "v2"
    overrides: dict[str, str] = Field(default_factory=lambda: {"rounds.rounds": "6"})
    null_scale: Scale | None = "full"
    null_seeds: Annotated[int, Field(ge=2)] = 10
    null_rounds: Annotated[int, Field(ge=1)] = 50
    null_users: Annotated[int, Field(ge=1)] = 200
    null_share: Annotated[float, Field(gt=0, lt=1)] = 0.01
    null_caps: Caps = (1, 2, 3, 5)
    caps: Caps = (1, 2, 3, 5)
    value_cap: Annotated[float, Field(gt=0)] = 2.0
    points: Annotated[tuple[tuple[float, float, float], ...], Field(min_length=1)] = (
        (0.01, 0.2, 1.0),
        (0.05, 0.0, 1.0),
        (0.05, 0.05, 1.0),
        (0.05, 0.2, 1.0),
        (0.05, 0.2, 0.25),
    )
    judged: tuple[float, float, float] = (0.05, 0.2, 1.0)
    congested: tuple[float, float, float] = (0.05, 0.2, 0.25)


class ColdStartConfig(RoundsConfig):
    """Newcomers of unknown quality, and how much attention each of them is guaranteed.

    ``share`` of the streamers are new; the upper ``good`` of them are to be discovered. ``floor``:
    attention, in longest stays, per round. ``supply``: weight, exposure and income of the chance
    that a streamer comes back.
    """

    scale: Scale | None = "full"
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
    share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    good: Annotated[float, Field(gt=0, lt=1)] = 0.5
    floor: Annotated[float, Field(gt=0)] = 2.0
    supply: tuple[float, float, float] = (0.7, 40.0, 400.0)


class InterferenceConfig(SeatsConfig):
    """Experiments on a treatment whose truth is known: loads, and the one that is judged.

    ``nudge``: what a nudge is taken to add to the logit of a gift.
    """

    users: Annotated[int, Field(ge=2)] = 1_000
    seats: Annotated[int, Field(ge=2)] = 6
    rounds: Annotated[int, Field(ge=2)] = 30
    loads: Levels = (0.5, 0.75, 1.25)
    judged_load: Annotated[float, Field(gt=0)] = 1.25
    differentiation: Size = 0.6
    nudge: Size = 0.5


class EstimateVsAllocateConfig(SeatsConfig):
    """Levels of values under several allocators, at one load and differentiation.

    ``factors``: multiples of ``errors``; 1 is the model and 0 the truth.
    """

    users: Annotated[int, Field(ge=2)] = 600
    seats: Annotated[int, Field(ge=1)] = 6
    rounds: Annotated[int, Field(ge=1)] = 20
    load: Annotated[float, Field(gt=0)] = 1.25
    differentiation: Size = 0.6
    factors: Annotated[tuple[Size, ...], Field(min_length=2)] = (2.0, 1.0, 0.5, 0.0)


class ConcurrencyConfig(SeatsConfig):
    """Classes of load, viewers who came before over all seats, and the soft response.

    ``alpha``: in a room with a share c of viewers above its seats gifts fall to 1 / (1 + alpha c).
    """

    users: Annotated[int, Field(ge=2)] = 1_000
    seats: Annotated[int, Field(ge=1)] = 6
    rounds: Annotated[int, Field(ge=2)] = 30
    differentiation: Size = 0.3
    alpha: Annotated[float, Field(gt=0)] = 0.5
    edges: Annotated[tuple[Size, ...], Field(min_length=3)] = (0.0, 0.3, 0.6, 0.9, 1.2, 1.5)


class ParetoConfig(RoundsConfig):
    """Weights on five aims, each alone and all together, at several ``strengths``.

    ``margin``: of the range of an aim, what counts as equal.
    """

    scale: Scale | None = "full"
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
    strengths: Levels = (0.5, 2.0, 8.0)
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.02


class RiskConfig(RoundsConfig):
    """Days of worlds in which a ``share`` of the streamers is known badly.

    ``known``, ``unknown``: sd of the log error of the values of their pairs. ``judged``: which
    policy the gates ask about.
    """

    scale: Scale | None = "full"
    overrides: dict[str, str] = Field(
        default_factory=lambda: {
            "sizes.users": "300",
            "sizes.streamers": "30",
            "rounds.rounds": "5",
            "rounds.users_per_round": "100",
            "externality.donor_gamma": "0.0",
        }
    )
    known: Size = 0.3
    unknown: Size = 1.5
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    days: Annotated[int, Field(ge=2)] = 40
    judged: Literal["lcb 0.5", "lcb 1", "cvar 0.05", "ucb 0.5"] = "lcb 0.5"
