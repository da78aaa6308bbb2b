"""Wrappers: what they close, what they add, and propensities that stay exact after all of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.policies.rows import after, answer, batch_of, choices, shown_rooms, told

from giftlive.errors import ConfigError, InputError
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
    PreferenceFloor,
    RandomBucket,
    Slate,
    Softmax,
    TieExploration,
    Uniform,
    is_oracle,
    make_policy,
)
from giftlive.policies.limits import masked
from giftlive.rng import stream
from giftlive.stats.heavy_tails import gini
from giftlive.testing import make_batch, seats_of_rooms
from giftlive.testing.promise import strays
from giftlive.types import Decisions


def test_a_floor_mixes_exactly_and_leaves_who_is_shown_nothing() -> None:
    batch = batch_of([[5.0, 1.0, 1.0, 1.0]])
    assert answer(ExplorationFloor(Greedy(), 0.2), batch).propensities[0].tolist() == (
        pytest.approx([0.85, 0.05, 0.05, 0.05])
    )
    assert answer(ExplorationFloor(Greedy(), 0.0), batch).propensities[0, 0] == 1.0
    silent = ExplorationFloor(FatigueBudget(Greedy(), 0), 0.9)
    assert not answer(silent, batch).propensities.any()
    for seed in range(20):
        open_rows = make_batch(seed)
        chances = answer(ExplorationFloor(Softmax(), 0.3), open_rows, rooms=12).propensities
        count = np.maximum(open_rows.available.sum(axis=1, keepdims=True), 1)
        assert (chances >= np.where(open_rows.available, 0.3 / count - 1e-12, 0.0)).all()


def test_only_eligible_rooms_have_a_chance() -> None:
    policy = Eligibility(Uniform(), ByStreamer(np.array([0.0, 1.0, 0.0, 2.0])))
    assert answer(policy, batch_of([[9.0, 1.0, 9.0, 1.0]])).propensities[0].tolist() == [
        0.0, 0.5, 0.0, 0.5,
    ]  # fmt: skip
    nobody = Eligibility(Uniform(), ByStreamer(np.zeros(4)))
    assert choices(nobody, batch_of([[9.0, 1.0, 9.0, 1.0]])) == [-1]


def test_a_guard_makes_any_policy_keep_to_seats_and_says_why() -> None:
    batch = batch_of([[3.0, 1.0]] * 4, left=[1, 2])
    decisions = answer(CapacityGuard(Greedy()), batch)
    assert decisions.choice.tolist() == [0, 1, 1, -1]
    assert decisions.reason.tolist() == ["", "seat", "seat", "seat"]
    assert decisions.propensities.sum(axis=1).tolist() == [1.0, 1.0, 1.0, 0.0]


def test_a_guard_asks_once_when_nothing_runs_out() -> None:
    for seed in range(20):
        batch = make_batch(seed)
        plenty = batch_of(batch.values, rooms=batch.observation.rooms)
        one = answer(CapacityGuard(Softmax()), plenty, rooms=12)
        two = answer(Softmax(), plenty, rooms=12)
        assert one.choice.tolist() == two.choice.tolist()
        assert (one.propensities == two.propensities).all()


def test_guarded_propensities_are_conditional_on_the_rows_before() -> None:
    batch = batch_of([[1.0, 1.0], [1.0, 1.0]], left=[1, 9])
    for seed in range(20):
        policy = CapacityGuard(Uniform())
        decisions = policy.decide(policy.init(np.full(2, 9)), batch, stream(seed, "guard"))
        expected = [0.5, 0.5] if decisions.choice[0] == 1 else [0.0, 1.0]
        assert decisions.propensities[1].tolist() == expected


def test_caps_count_per_user_and_room_and_per_user() -> None:
    batch = batch_of([[3.0, 2.0]], users=[4])
    capped, other = FrequencyCap(Greedy(), 2), batch_of([[3.0, 2.0]], users=[5])
    assert [choices(capped, batch, after(capped, [batch] * k)) for k in range(5)] == [
        [0], [0], [1], [1], [-1],
    ]  # fmt: skip
    assert choices(capped, other, after(capped, [batch] * 4)) == [0]
    tired = FatigueBudget(Greedy(), 3)
    assert [choices(tired, batch, after(tired, [batch] * k))[0] for k in range(5)] == [
        0, 0, 0, -1, -1,
    ]  # fmt: skip
    twice = batch_of([[3.0, 2.0]] * 3, users=[4, 4, 4])
    assert choices(FrequencyCap(Greedy(), 1), twice) == [0, 1, -1]
    assert choices(FatigueBudget(Greedy(), 2), twice) == [0, 0, -1]
    assert answer(FatigueBudget(Greedy(), 0), batch).reason.tolist() == ["fatigue_budget"]


def test_the_bucket_is_a_fixed_share_served_uniformly_and_not_seen_by_the_policy() -> None:
    policy = RandomBucket(Greedy(), 0.2)
    users = np.arange(20_000)
    inside = policy.contains(users, users)
    assert abs(inside.sum() - 4_000) <= strays(np.array(20_000 * 0.16))
    assert (policy.contains(users, users + 7) == inside).all()
    by_visit = RandomBucket(Greedy(), 0.2, "visit")
    assert (by_visit.contains(users, users) != by_visit.contains(users, users + 1)).mean() > 0.1
    assert (RandomBucket(Greedy(), 0.2, salt=1).contains(users, users) != inside).any()
    decisions = answer(policy, batch_of([[1.0, 3.0, 2.0, 1.0]] * 200))
    rows = inside[:200]
    assert (decisions.propensities[rows] == 0.25).all()
    assert (decisions.choice[~rows] == 1).all()
    assert set(decisions.reason[rows]) == {"random_bucket"}
    assert set(decisions.reason[~rows]) == {""}
    two = np.arange(2), np.zeros(2, dtype=np.int64)
    halves = (RandomBucket(share=0.5, salt=k) for k in range(99))
    salt = next(half.salt for half in halves if half.contains(*two).tolist() == [True, False])
    scarce = batch_of([[1.0, 3.0]] * 2, left=[2, 1])
    guarded = answer(RandomBucket(make_policy("greedy_with_cap"), 0.5, salt=salt), scarce)
    assert guarded.choice[1] == 1  # the bucket's row took no seat in the policy's view


def test_ties_are_explored_within_band_and_money() -> None:
    batch = batch_of([[10.0, 9.6, 9.4, 2.0]], left=5)
    free = answer(TieExploration(Greedy(), 0.05, 1.0), batch)
    assert free.propensities[0] == pytest.approx([0.5, 0.5, 0.0, 0.0])
    assert free.reason.tolist() == ["price_tie"]
    wide = answer(TieExploration(Greedy(), 0.07, 1.0), batch)
    assert wide.propensities[0] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0.0])
    thrifty = answer(TieExploration(Greedy(), 0.05, 0.05), batch)
    assert thrifty.propensities[0] == pytest.approx([0.875, 0.125, 0.0, 0.0])
    assert 10.0 - thrifty.propensities[0] @ batch.values[0] == pytest.approx(0.05)
    broke = answer(TieExploration(Greedy(), 0.05, 0.05, budget=0.0), batch)
    assert broke.propensities[0].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert broke.reason.tolist() == [""]
    equal = answer(TieExploration(Greedy(), 0.0, 0.0), batch_of([[3.0, 3.0, 2.9]]))
    assert equal.propensities[0] == pytest.approx([0.5, 0.5, 0.0])
    full = answer(TieExploration(Greedy(), 0.05, 1.0), batch_of([[10.0, 9.9]], left=[5, 0]))
    assert full.propensities[0].tolist() == [1.0, 0.0]


def test_exploring_ends_when_its_budget_is_spent() -> None:
    policy = TieExploration(Greedy(), 0.5, per_decision=0.1, budget=0.75)
    state, cost, explored = policy.init(np.full(8, 100)), 0.0, 0
    batch = batch_of([[10.0, 9.0]] * 2)
    for _ in range(10):
        decisions = answer(policy, batch, state)
        cost += float((10.0 - (decisions.propensities * batch.values).sum(axis=1)).sum())
        explored += int((decisions.propensities.max(axis=1) < 1.0).sum())
        state = policy.update(state, told(batch, decisions))
    assert explored == 7
    assert cost == pytest.approx(0.7)
    assert state.money == pytest.approx(0.7)


def test_prices_that_tie_are_explored_by_score_not_by_value() -> None:
    class Priced(Greedy):
        def decide(self, state: Any, batch: Any, rng: Any, /) -> Decisions:
            charges = np.array([[5.0, 0.0, 0.0]])
            chosen = np.array([0])
            return Decisions(chosen, np.array([[1.0, 0.0, 0.0]]), charges)

    decisions = answer(TieExploration(Priced(), 0.02, 1.0), batch_of([[10.0, 4.9, 1.0]]))
    assert decisions.propensities[0] == pytest.approx([0.5, 0.5, 0.0])


def test_a_slate_holds_no_room_twice_and_no_group_too_often() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2])
    values = [[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]]
    state = Slate().init(np.full(8, 100))
    for per_group, columns in ((1, [0, 3, 5, -1]), (2, [0, 1, 3, 4]), (3, [0, 1, 2, 3])):
        slate = Slate(Greedy(), 4, groups, per_group)
        found = slate.decide_slates(state, batch_of(values), stream(0, "slate"))
        assert found.columns[0].tolist() == columns
    plain = Slate(Greedy(), 9).decide_slates(state, batch_of(values), stream(0, "slate"))
    assert plain.columns[0].tolist() == [0, 1, 2, 3, 4, 5, -1, -1, -1]
    with pytest.raises(InputError, match=r"slate\.groups"):
        Slate(Greedy(), 2, groups[:3]).decide_slates(state, batch_of(values), stream(0, "slate"))


def test_slates_state_their_propensities_conditional_joint_and_marginal() -> None:
    batch, groups = batch_of([[1.0, 2.0, 0.5, 1.5], [3.0, 1.0, 1.0, 0.0]]), np.array([0, 0, 1, 1])
    slate, rng = Slate(Softmax(1.0, 0.1, 1.0), 2, groups), stream(0, "slates")
    state, draws = slate.init(np.full(8, 100)), 4_000
    marginal = slate.marginals(state, batch, rng)
    assert marginal.sum(axis=2) == pytest.approx(np.ones((2, 2)))
    counts, joint = np.zeros((2, 2, 4)), np.zeros((4, 4))
    for _ in range(draws):
        found = slate.decide_slates(state, batch, rng)
        for place in range(2):
            counts[[0, 1], place, found.columns[:, place]] += 1.0
        one, two = found.columns[0]
        chance = found.conditional[0, 0, one] * found.conditional[0, 1, two]
        assert found.propensity[0] == pytest.approx(chance)
        assert groups[one] != groups[two]
        joint[one, two] = chance
    assert joint.sum() == pytest.approx(1.0)
    assert joint.sum(axis=0) == pytest.approx(marginal[0, 1])
    # Over 16 counts: false alarm 16e-6 by Freedman's inequality.
    assert (np.abs(counts - draws * marginal) <= strays(draws * marginal * (1 - marginal))).all()


def test_the_first_place_is_the_policys_answer() -> None:
    batch, slate = make_batch(3), Slate(Softmax(), 3)
    state = slate.init(seats_of_rooms())
    whole = slate.decide_slates(state, batch, stream(1, "slate")).first
    alone = slate.decide(state, batch, stream(1, "slate"))
    assert whole.choice.tolist() == alone.choice.tolist()
    assert (whole.propensities == alone.propensities).all()


def played(policy: Any, ticks: int = 300) -> tuple[Any, Any]:
    """Return the exposure of 20 rooms of very unequal value, and the last state."""
    draw, state, exposure = stream(5, "ecosystem"), policy.init(np.full(20, 100)), np.zeros(20)
    for tick in range(ticks):
        values = draw.exponential(size=(10, 20)) * np.linspace(0.2, 3.0, 20) ** 2
        batch = batch_of(values, ts=1_000 * tick)
        decisions = policy.decide(state, batch, draw)
        heard = told(batch, decisions, rooms=20)
        np.add.at(exposure, shown_rooms(batch, decisions), 1.0)
        state = policy.update(state, heard)
    return exposure, state


def test_the_ecosystem_guard_meets_its_bounds_and_charges_nothing_when_they_are_slack() -> None:
    free, _ = played(Greedy())
    assert gini(free) > 0.55
    assert (free >= 1.0).mean() < 0.9
    held, state = played(EcosystemGuard(Greedy(), 0.3, 0.0))
    assert gini(held) == pytest.approx(0.3, abs=0.03)
    assert state.gini_price > 0.0 == state.tail_price
    covered, state = played(EcosystemGuard(Greedy(), 1.0, 1.0))
    assert (covered >= 1.0).all()
    assert gini(covered) > 0.5
    slack, state = played(EcosystemGuard(Greedy(), 1.0, 0.0))
    assert slack.tolist() == free.tolist()
    assert state.gini_price == state.tail_price == 0.0
    some = np.arange(20) < 3
    _, tail = played(EcosystemGuard(Greedy(), 1.0, 1.0, tail=some))
    assert (tail.shown.exposure[some] >= 0.5).all()
    with pytest.raises(InputError, match=r"ecosystem_guard\.tail"):
        EcosystemGuard(tail=some).init(np.full(8, 1))


def test_a_live_home_room_keeps_its_slot_and_its_cost_is_told() -> None:
    bonds = ByPair(np.array([[0.1, 0.9, 0.0], [0.4, 0.3, 0.3]]))
    policy = PreferenceFloor(Uniform(), bonds, 0.5)
    batch = batch_of([[9.0, 2.0, 1.0]] * 2)
    decisions = answer(policy, batch)
    assert decisions.choice[0] == 1
    assert decisions.propensities[0].tolist() == [0.0, 1.0, 0.0]
    assert decisions.propensities[1] == pytest.approx([1 / 3] * 3)
    assert decisions.reason.tolist() == ["home_room", ""]
    assert policy.foregone(batch).tolist() == [7.0, 0.0]
    later = batch_of([[9.0, 2.0, 1.0]] * 2, slot=1)
    assert answer(policy, later).propensities[0] == pytest.approx([1 / 3] * 3)
    assert answer(PreferenceFloor(Uniform(), bonds, 0.5, slots=2), later).choice[0] == 1
    offline = masked(batch, np.array([[True, False, True]] * 2))
    assert answer(policy, offline).reason.tolist() == ["", ""]
    seated = PreferenceFloor(Greedy(), bonds, 0.5, respect_seats=True)
    assert choices(seated, batch_of([[9.0, 2.0, 1.0]] * 2, left=[5, 0, 5])) == [0, 0]


@pytest.mark.parametrize(
    ("name", "options", "named"),
    [
        ("exploration_floor", {"floor": 1.5}, "floor"),
        ("random_bucket", {"share": -0.1}, "share"),
        ("random_bucket", {"unit": "day"}, "unit"),
        ("tie_exploration", {"band": -1.0}, "band"),
        ("tie_exploration", {"budget": float("nan")}, "budget"),
        ("frequency_cap", {"cap": 0}, "cap"),
        ("fatigue_budget", {"budget": -1}, "budget"),
        ("ecosystem_guard", {"gini_ceiling": 1.5}, "gini_ceiling"),
        ("ecosystem_guard", {"rate": -1.0}, "rate"),
        ("ecosystem_guard", {"half_life_hours": 0.0}, "half_life"),
        ("preference_floor", {"threshold": 0.0}, "threshold"),
        ("preference_floor", {"slots": 0}, "slots"),
        ("slate", {"places": 0}, "places"),
        ("slate", {"colour": 1}, "policy slate"),
        ("fatigue", {}, "did you mean"),
    ],
)
def test_bad_settings_are_refused_by_name(name: str, options: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        make_policy(name, **options)


def test_an_oracle_is_the_policy_under_another_name() -> None:
    oracle = make_policy("oracle_concave", scale=3.0)
    assert oracle == make_policy("concave", scale=3.0, name="oracle_concave")
    assert is_oracle(oracle.name)
    assert not is_oracle("concave")
    with pytest.raises(ConfigError, match="did you mean 'concave'"):
        make_policy("oracle_concav")
