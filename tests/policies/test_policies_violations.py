"""Policies with limits break none of them: counted decision by decision, a million times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.policies.violations import Ledger, Promised, blind, play_evenings

from giftlive.allocation import Prices
from giftlive.policies import (
    BatchOptimal,
    CapacityGuard,
    Concave,
    DevanurJain,
    DualPrice,
    EcosystemGuard,
    ExplorationFloor,
    FatigueBudget,
    FrequencyCap,
    Greedy,
    GreedyWithCap,
    GreedyWithRules,
    LinUCB,
    Policy,
    RandomBucket,
    RoundRobin,
    Softmax,
    Thompson,
    TieExploration,
    Uniform,
    WhaleTier,
)

USERS, ROOMS = 400, 60
WHALES = np.arange(USERS) % 9 == 0
PRICES = Prices(np.full((ROOMS, 2), 0.004), 0, 40_000, np.array([0.8, 0.2]), "estimated")

LIMITED: dict[str, tuple[Callable[[], Policy[Any]], Promised]] = {
    "greedy_with_cap": (GreedyWithCap, Promised()),
    "dual_price": (lambda: DualPrice(PRICES, 50.0), Promised()),
    "greedy_with_rules": (lambda: GreedyWithRules(congestion=0.5, head_cap=0.1), Promised()),
    "concave": (lambda: Concave("log", 5.0, True), Promised()),
    "devanur_jain": (lambda: DevanurJain("log", 5.0, respect_seats=True), Promised()),
    "softmax": (lambda: Softmax(respect_seats=True), Promised()),
    "uniform": (lambda: Uniform(respect_seats=True), Promised()),
    "round_robin": (lambda: RoundRobin(respect_seats=True), Promised()),
    "thompson": (lambda: Thompson(respect_seats=True), Promised()),
    "lin_ucb": (lambda: LinUCB(respect_seats=True), Promised()),
    "random_bucket, guarded": (
        lambda: CapacityGuard(RandomBucket(GreedyWithCap(), 0.2)), Promised(),
    ),
    "capacity_guard": (lambda: CapacityGuard(Greedy()), Promised()),
    "frequency_cap": (
        lambda: FrequencyCap(GreedyWithCap(), 2), Promised(per_pair=2),
    ),
    "fatigue_budget": (
        lambda: FatigueBudget(GreedyWithCap(), 9), Promised(per_user=9),
    ),
    "whale_tier": (
        lambda: WhaleTier(3, whales=WHALES), Promised(whales=3, whale=WHALES),
    ),
    "whale_tier by value": (
        lambda: WhaleTier(6, 9.0, whales=WHALES),
        Promised(whales=6, whale_value=9.0, whale=WHALES),
    ),
    "batch_optimal": (BatchOptimal, Promised()),
    "exploration_floor of whale_tier": (
        lambda: ExplorationFloor(WhaleTier(3, whales=WHALES), 0.7),
        Promised(seats=False, whales=3, whale=WHALES),
    ),
    "random_bucket of whale_tier by value": (
        lambda: CapacityGuard(RandomBucket(WhaleTier(6, 9.0, whales=WHALES), 0.7, "visit")),
        Promised(whales=6, whale_value=9.0, whale=WHALES),
    ),
    "ecosystem_guard of whale_tier by value": (
        lambda: EcosystemGuard(WhaleTier(6, 9.0, whales=WHALES), 0.1, 0.9, rate=9.0),
        Promised(whales=6, whale_value=9.0, whale=WHALES),
    ),
    "ecosystem_guard of exploration_floor of whale_tier by value": (
        lambda: EcosystemGuard(
            ExplorationFloor(WhaleTier(6, 9.0, whales=WHALES), 0.7), 0.1, 0.9, rate=9.0
        ),
        Promised(seats=False, whales=6, whale_value=9.0, whale=WHALES),
    ),
    "tie_exploration of whale_tier": (
        lambda: TieExploration(WhaleTier(1, whales=WHALES), 0.9, 9.0),
        Promised(seats=False, whales=1, whale=WHALES),
    ),
    "exploration_floor of guards": (
        lambda: ExplorationFloor(CapacityGuard(FrequencyCap(Greedy(), 2)), 0.7),
        Promised(per_pair=2),
    ),
    "random_bucket of fatigue_budget": (
        lambda: RandomBucket(FatigueBudget(GreedyWithCap(), 3), 0.7, "visit"),
        Promised(seats=False, per_user=3),
    ),
}  # fmt: skip
"""Policies with the limits they promise to keep."""

_SLOW_PER_DECISION = {
    "random_bucket, guarded", "capacity_guard", "frequency_cap", "fatigue_budget", "batch_optimal",
    *(name for name in LIMITED if " of " in name),
}  # fmt: skip
"""Ask again where a resource ends, or solve a flow: they play a smaller part of the million."""


def played(name: str, decisions: int) -> Ledger:
    make, promised = LIMITED[name]
    return play_evenings(make, promised, decisions, rooms=ROOMS, users=USERS)


@pytest.mark.parametrize("name", LIMITED)
def test_no_limit_is_broken(name: str) -> None:
    ledger = play_evenings(*LIMITED[name], 600, rows=50, batches=12, rooms=ROOMS, users=USERS)
    assert ledger.violations == {}
    assert ledger.shown > 0.2 * ledger.decisions  # not because nothing happened


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("greedy_with_cap", "seats"), ("frequency_cap", "per_pair"),
        ("fatigue_budget", "per_user"), ("whale_tier", "whales"),
        ("whale_tier by value", "whale_value"),
    ],
)  # fmt: skip
def test_a_planted_violation_of_each_limit_is_counted(name: str, limit: str) -> None:
    """Every other row takes their first room, whatever the policy said."""
    make, promised = LIMITED[name]
    ledger = play_evenings(lambda: blind(make(), 2), promised, 600, rows=50, users=20, rooms=12)
    assert ledger.violations.get(limit, 0) > 0


@pytest.mark.parametrize("name", [name for name in LIMITED if " of " in name])
def test_what_explores_keeps_the_limits_of_the_policy_where_they_bind(name: str) -> None:
    """Few users and rooms: most limits are used up, many of them within a batch."""
    make, promised = LIMITED[name]
    ledger = play_evenings(make, promised, 600, rows=50, users=40, rooms=12)
    assert ledger.violations == {}
    assert 0.1 * ledger.decisions < ledger.shown < ledger.decisions


@pytest.mark.parametrize("name", ["frequency_cap", "fatigue_budget", "capacity_guard"])
def test_a_wrapper_that_asks_again_remembers_the_seats_of_the_answers_that_stand(name: str) -> None:
    """Few users use up their caps within a batch: the rest of it is asked with fewer seats."""
    make, promised = LIMITED[name]
    ledger = play_evenings(make, promised, 600, rows=50, users=20, rooms=12)
    assert ledger.violations == {}
    assert ledger.shown < 0.7 * ledger.decisions  # caps were used up


def test_who_promises_no_seats_breaks_nothing_else() -> None:
    ledger = play_evenings(Greedy, Promised(), 600, rows=50, rooms=ROOMS, users=USERS)
    assert set(ledger.violations) == {"seats"}


@pytest.mark.slow
def test_a_million_decisions_break_no_limit() -> None:
    many = {name: 15_000 if name in _SLOW_PER_DECISION else 85_000 for name in LIMITED}
    counts = {name: played(name, decisions) for name, decisions in many.items()}
    assert {name: ledger.violations for name, ledger in counts.items() if ledger.total} == {}
    assert sum(ledger.decisions for ledger in counts.values()) >= 1_000_000
    assert sum(ledger.shown for ledger in counts.values()) >= 350_000
