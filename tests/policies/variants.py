"""Every policy with settings under which its rules fire, in any unit of money.

A maker takes the unit: what is worth 1 in the batches of ``giftlive.testing`` is worth ``unit``;
settings in money scale with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from giftlive.allocation import Prices
from giftlive.policies import (
    BatchOptimal,
    ByPair,
    ByStreamer,
    CapacityGuard,
    Concave,
    DevanurJain,
    DualPrice,
    EcosystemGuard,
    Eligibility,
    EpsilonGreedy,
    ExplorationFloor,
    FatigueBudget,
    FrequencyCap,
    Greedy,
    GreedyWithRules,
    LastLayer,
    LinUCB,
    MultiObjective,
    Policy,
    Popularity,
    PreferenceFloor,
    RandomBucket,
    RoomThompson,
    RoomUCB,
    RoundRobin,
    ShareOfValue,
    Slate,
    Softmax,
    Thompson,
    TieExploration,
    Uniform,
    WhaleTier,
    cvar,
    lcb,
    ucb,
)
from giftlive.rng import stream
from giftlive.testing import ROOMS

Maker = Callable[[float], Policy[Any]]

USERS = 200
_DRAW = stream(5, "variants")
UNCERTAINTY = _DRAW.exponential(0.5, (USERS, ROOMS))
BONDS = _DRAW.random((USERS, ROOMS)) ** 3
NEWCOMERS = (np.arange(ROOMS) % 3 == 0).astype(np.float64)
WHALES = np.arange(USERS) % 3 == 1
FEATURES = _DRAW.normal(size=(USERS, 2))
GROUPS = np.arange(ROOMS) % 4
DUALS = _DRAW.exponential(0.01, (ROOMS, 30))


def prices(unit: float) -> Prices:
    """Return prices of a stay in the testing batches."""
    return Prices(DUALS * unit, 0, 5_000, np.array([0.7, 0.3]), "estimated")


def sd(unit: float) -> ByPair:
    """Return an uncertainty that differs from pair to pair."""
    return ByPair(UNCERTAINTY * unit)


def some_rules(unit: float) -> GreedyWithRules:
    """Return every rule at once."""
    return GreedyWithRules(
        exposure_cap=9,
        frequency_cap=2,
        cooldown_ms=12_000,
        newcomer_bonus=0.7 * unit,
        newcomers=ByStreamer(NEWCOMERS),
        head_cap=0.2,
        warm_up=5,
        congestion=0.5,
    )


ALONE: dict[str, Maker] = {
    "round_robin": lambda _: RoundRobin(),
    "round_robin within seats": lambda _: RoundRobin(respect_seats=True),
    "popularity": lambda _: Popularity(),
    "popularity that fades, within seats": lambda _: Popularity(0.01, respect_seats=True),
    "concave": lambda unit: Concave("log", 2.0 * unit),
    "concave, saturating, within seats": lambda unit: Concave("saturating", unit, True),
    "concave, sqrt": lambda unit: Concave("sqrt", 3.0 * unit),
    "devanur_jain": lambda unit: DevanurJain("log", 2.0 * unit, respect_seats=True),
    "greedy_with_rules": some_rules,
    "whale_tier": lambda _: WhaleTier(1, whales=WHALES),
    "whale_tier by value": lambda unit: WhaleTier(2, 1.5 * unit, whales=WHALES, rest=Softmax()),
    "batch_optimal": lambda _: BatchOptimal(),
    "multi_objective": lambda _: MultiObjective(
        1.0, 0.3, 0.4, 0.5, 0.6, signals=((0.2, ByStreamer(NEWCOMERS)),)
    ),
}
"""Policies that stand on their own."""

UNCERTAIN: dict[str, Maker] = {
    "ucb": lambda unit: ucb(1.5, sd(unit)),
    "lcb": lambda unit: lcb(0.5, sd(unit), respect_seats=True),
    "cvar": lambda unit: cvar(0.1, sd(unit)),
    "thompson": lambda unit: Thompson(sd(unit)),
    "thompson, gamma, within seats": lambda unit: Thompson(sd(unit), "gamma", 0.1, True),
    "room_thompson": lambda _: RoomThompson(),
    "room_thompson, gaussian": lambda unit: RoomThompson(
        1.0, 0.5 * unit, "gaussian", 0.05, respect_seats=True
    ),
    "room_ucb": lambda unit: RoomUCB(dispersion=0.5 * unit, respect_seats=True),
    "epsilon_greedy": lambda _: EpsilonGreedy(0.2),
    "epsilon_greedy within seats": lambda unit: EpsilonGreedy(0.2, True, 1.0, unit, True),
    "last_layer": lambda _: LastLayer(FEATURES, floor=0.1, respect_seats=True),
    "lin_ucb": lambda _: LinUCB(FEATURES, respect_seats=True),
}
"""Policies that reckon with what they do not know, or learn it."""

WRAPPED: dict[str, Maker] = {
    "dual_price, euclidean": lambda unit: DualPrice(prices(unit), 500.0, geometry="euclidean"),
    "dual_price, pooled": lambda unit: DualPrice(prices(unit), 500.0, pooled=True),
    "exploration_floor": lambda unit: ExplorationFloor(DualPrice(prices(unit)), 0.2),
    "random_bucket": lambda _: RandomBucket(Softmax(), 0.3),
    "random_bucket by visit": lambda _: RandomBucket(Greedy(), 0.5, "visit", respect_seats=True),
    "tie_exploration": lambda unit: TieExploration(DualPrice(prices(unit)), 0.5, 0.1 * unit, unit),
    "tie_exploration of softmax": lambda unit: TieExploration(Softmax(), 0.5, 0.1 * unit),
    "eligibility": lambda _: Eligibility(Softmax(), ByStreamer(1.0 - NEWCOMERS)),
    "capacity_guard": lambda _: CapacityGuard(ExplorationFloor(Softmax(), 0.3)),
    "frequency_cap": lambda _: FrequencyCap(Softmax(), 1),
    "fatigue_budget": lambda _: FatigueBudget(Softmax(), 2),
    "ecosystem_guard": lambda _: EcosystemGuard(Softmax(), 0.1, 0.9),
    "preference_floor": lambda _: PreferenceFloor(Softmax(), ByPair(BONDS), 0.3),
    "preference_floor within seats": lambda _: PreferenceFloor(
        CapacityGuard(Uniform()), ByPair(BONDS), 0.3, respect_seats=True
    ),
    "slate": lambda _: Slate(Softmax(), 3, GROUPS),
    "exploration_floor of whale_tier": lambda _: ExplorationFloor(WhaleTier(1, whales=WHALES), 0.4),
    "random_bucket of whale_tier": lambda unit: RandomBucket(
        WhaleTier(2, 1.5 * unit, whales=WHALES), 0.4, "visit"
    ),
    "five deep": lambda unit: CapacityGuard(
        FrequencyCap(
            RandomBucket(EcosystemGuard(Thompson(ShareOfValue(0.4)), 0.2, 0.5), 0.3, "visit"), 2
        )
    ),
}
"""Policies with prices, and around another one."""

GUARDED = {
    *(name for name in (*ALONE, *UNCERTAIN, *WRAPPED) if "within seats" in name),
    *("concave, saturating, within seats", "devanur_jain", "greedy_with_rules", "whale_tier"),
    *("batch_optimal", "multi_objective", "lcb", "room_thompson, gaussian", "lin_ucb", "room_ucb"),
    *("last_layer", "dual_price, euclidean", "dual_price, pooled", "capacity_guard", "five deep"),
}
"""Those that promise never to show a room without a free seat."""

SILENT_WITHOUT_SEATS = GUARDED | {
    "exploration_floor", "tie_exploration", "exploration_floor of whale_tier",
}  # fmt: skip
"""Those, and what only adds chance to a policy that does."""

BY_ROOM = {
    "dual_price, euclidean", "dual_price, pooled",
    "greedy_with_rules", "ucb", "lcb", "cvar", "thompson", "thompson, gamma, within seats",
    "multi_objective", "exploration_floor", "tie_exploration", "eligibility", "preference_floor",
    "preference_floor within seats",
}  # fmt: skip
"""Those configured room by room; renaming the rooms changes them."""

__all__ = [
    "ALONE",
    "BY_ROOM",
    "GUARDED",
    "SILENT_WITHOUT_SEATS",
    "UNCERTAIN",
    "WRAPPED",
    "Maker",
    "prices",
]
