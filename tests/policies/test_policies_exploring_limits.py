"""What explores keeps the limits of the policy it stands around, with exact propensities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.policies.rows import batch_of, shown_rooms, told

from giftlive.evaluation.what_if.knobs import NewcomerShare
from giftlive.policies import (
    ByPair,
    ByStreamer,
    CapacityGuard,
    EcosystemGuard,
    Eligibility,
    ExplorationFloor,
    FatigueBudget,
    FrequencyCap,
    Greedy,
    Policy,
    PreferenceFloor,
    RandomBucket,
    Slate,
    TieExploration,
    Uniform,
    WhaleTier,
)
from giftlive.policies.limits import Limited, limits_of, masked, rows_of
from giftlive.rng import stream
from giftlive.testing.promise import strays

ALL = np.ones(20, dtype=np.bool_)
TWO_WHALES = batch_of([[3.0, 1.0], [3.0, 2.0]])  # the flow shows 0 to the first, 1 to the other


def test_parts_of_a_priced_batch_know_what_was_estimated() -> None:
    priced = TWO_WHALES.priced(np.array([[1.0, 0.0], [0.0, 2.0]]))
    assert rows_of(priced, slice(1, None)).worth.tolist() == [[3.0, 2.0]]
    assert rows_of(priced, slice(1, None)).values.tolist() == [[3.0, 0.0]]
    kept = masked(priced, np.array([[True, False], [True, True]]))
    assert kept.worth.tolist() == [[3.0, 0.0], [3.0, 2.0]]


def asked(policy: Policy[Any], seed: int, batch: Any = TWO_WHALES) -> Any:
    return policy.decide(policy.init(np.full(8, 100)), batch, stream(seed, "explored"))


@pytest.mark.parametrize(
    ("policy", "first"),
    [
        (ExplorationFloor(WhaleTier(1, whales=ALL), 0.5), [0.75, 0.25]),
        (RandomBucket(WhaleTier(1, whales=ALL), 1.0), [0.5, 0.5]),
        (TieExploration(WhaleTier(1, whales=ALL), 0.9, 0.5), [0.75, 0.25]),
    ],
)
def test_an_explored_row_closes_its_room_to_the_whales_after_it(policy: Any, first: Any) -> None:
    """The stated chances are those of the draws, and row 1 is certain given row 0."""
    draws, counts = 400, np.zeros(2)
    for seed in range(draws):
        decisions = asked(policy, seed)
        one, other = decisions.choice.tolist()
        assert decisions.propensities[0] == pytest.approx(first)
        assert other == 1 - one
        assert decisions.propensities[1].tolist() == [float(other == 0), float(other == 1)]
        counts[one] += 1.0
    chances = np.array(first)
    assert (np.abs(counts - draws * chances) <= strays(draws * chances * (1 - chances))).all()


def test_a_whale_without_an_open_room_is_shown_nothing_and_others_explore_every_room() -> None:
    whales = np.array([True, True, True, False])
    policy = RandomBucket(WhaleTier(1, whales=whales), 1.0)
    decisions = asked(policy, 0, batch_of([[3.0, 1.0]] * 4))
    assert decisions.choice[2] == -1
    assert decisions.propensities[2].tolist() == [0.0, 0.0]
    assert decisions.propensities[3].tolist() == [0.5, 0.5]
    assert decisions.reason[3] == "random_bucket"
    state = policy.update(policy.init(np.full(8, 100)), told(TWO_WHALES, asked(policy, 0)))
    later = policy.decide(state, batch_of([[3.0, 1.0, 1.0]]), stream(0, "explored"))
    assert later.propensities[0].sum() == pytest.approx(1.0)  # nobody stays: all are open again


def test_whales_inside_count() -> None:
    policy = ExplorationFloor(WhaleTier(1, whales=ALL), 1.0)
    held = told(batch_of([[3.0, 1.0, 1.0]]), asked(Greedy(), 0, batch_of([[3.0, 1.0, 1.0]])),
                ready=10**9)  # fmt: skip
    state = policy.update(policy.init(np.full(8, 100)), held)
    decisions = policy.decide(state, batch_of([[3.0, 1.0, 1.0]]), stream(0, "explored"))
    assert decisions.propensities[0].tolist() == [0.0, 0.5, 0.5]


def test_by_value_only_what_still_fits_is_explored() -> None:
    policy = RandomBucket(WhaleTier(9, 4.0, whales=ALL), 1.0)
    batch = batch_of([[3.0], [2.0], [1.0], [0.5]])
    assert asked(policy, 0, batch).choice.tolist() == [0, -1, 0, -1]


BETWEEN = {
    "ecosystem_guard": EcosystemGuard,
    "slate": Slate,
    "preference_floor": PreferenceFloor,
    "newcomer_share": lambda policy: NewcomerShare(policy, ALL, 0.0),
    "capacity_guard": CapacityGuard,
    "eligibility": Eligibility,
    "frequency_cap": FrequencyCap,
    "fatigue_budget": FatigueBudget,
    "random_bucket": RandomBucket,
    "exploration_floor": ExplorationFloor,
    "tie_exploration": TieExploration,
    "whale_tier": lambda policy: WhaleTier(9, whales=~ALL, rest=policy),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_a_limit_is_kept_through_whatever_stands_between(name: str) -> None:
    make: Any = BETWEEN[name]
    batch = batch_of([[3.0, 2.0, 1.0]] * 5)
    for seed in range(5):
        decisions = asked(ExplorationFloor(make(WhaleTier(1, whales=ALL)), 0.9), seed, batch)
        rooms = shown_rooms(batch, decisions)
        assert sorted(rooms.tolist()) == [-1, -1, 0, 1, 2]
        sums = decisions.propensities.sum(axis=1)
        assert sums == pytest.approx((rooms >= 0).astype(float))


@pytest.mark.parametrize("name", BETWEEN)
def test_a_wrapper_of_a_policy_without_limits_adds_none_but_its_own(name: str) -> None:
    make: Any = BETWEEN[name]
    policy = make(Greedy())
    own = {"capacity_guard": ["seat"], "eligibility": [""], "frequency_cap": ["frequency_cap"],
           "fatigue_budget": ["fatigue_budget"], "whale_tier": ["whale_tier"]}  # fmt: skip
    found = limits_of(policy, policy.init(np.full(8, 100)), TWO_WHALES)
    assert [limit.code for limit in found] == own.get(name, [])
    assert not isinstance(Greedy(), Limited)


def test_who_is_not_eligible_is_not_explored() -> None:
    some = Eligibility(Uniform(), ByStreamer(np.array([0.0, 1.0, 1.0])))
    batch = batch_of([[9.0, 1.0, 1.0]])
    assert asked(ExplorationFloor(some, 1.0), 0, batch).propensities[0].tolist() == [0.0, 0.5, 0.5]
    assert asked(RandomBucket(some, 1.0), 0, batch).propensities[0].tolist() == [0.0, 0.5, 0.5]


def test_a_home_room_keeps_its_place_above_a_limit_and_uses_none_of_it() -> None:
    bonds = ByPair(np.array([[0.9, 0.0], [0.9, 0.0], [0.0, 0.0]]))
    policy = ExplorationFloor(PreferenceFloor(WhaleTier(1, whales=ALL), bonds, 0.5), 0.0)
    decisions = asked(policy, 0, batch_of([[1.0, 2.0]] * 2 + [[2.0, 1.0]]))
    assert decisions.choice.tolist() == [0, 0, 0]
    assert decisions.reason.tolist() == ["home_room", "home_room", "whale_tier"]


def test_asking_again_spends_no_more_money_on_ties() -> None:
    """Each row closes a room and the rest is asked again: the money counts the rows before."""
    policy = TieExploration(WhaleTier(1, whales=ALL), 0.9, per_decision=0.1, budget=0.2)
    decisions = asked(policy, 1, batch_of([[10.0, 9.0, 8.0, 7.0, 6.0, 5.0]] * 6))
    assert (decisions.propensities.max(axis=1) < 1.0).tolist() == [True] * 2 + [False] * 4


def test_a_guard_keeps_what_the_policy_counts_within_a_batch() -> None:
    """Room 0 has one seat: the rest is asked again, and whales shown before it still count."""
    batch = batch_of([[-1.0, 3.0], [3.0, 1.0], [-1.0, 2.0]], left=[1, 9])
    whales = np.array([True, False, True])
    decisions = asked(CapacityGuard(WhaleTier(1, whales=whales, respect_seats=False)), 0, batch)
    assert decisions.choice.tolist() == [1, 0, -1]
