"""Whales spread exactly by count and by value, and whole batches at their optimum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from tests.policies.rows import answer, batch_of, choices, shown_rooms, told

from giftlive.errors import ConfigError, InputError
from giftlive.policies import (
    BatchOptimal,
    CapacityGuard,
    Eligibility,
    FrequencyCap,
    GreedyWithCap,
    Softmax,
    WhaleTier,
)
from giftlive.rng import stream
from giftlive.testing import make_batch, seats_of_rooms
from giftlive.types import DecisionBatch

EVERYBODY = np.ones(50, dtype=np.bool_)


def best_value(values: Any, seats: int) -> float:
    """Return the optimum by SciPy: every room as ``seats`` columns."""
    places = np.repeat(values, seats, axis=1)
    row, column = linear_sum_assignment(places, maximize=True)
    return float(places[row, column].sum())


def value_of(batch: DecisionBatch, decisions: Any) -> float:
    shown = np.flatnonzero(decisions.choice >= 0)
    return float(batch.values[shown, decisions.choice[shown]].sum())


def test_whales_are_assigned_at_the_optimum_of_scipy() -> None:
    for seed in range(60):
        draw = stream(seed, "whales")
        n, m, k = (int(draw.integers(1, high)) for high in (12, 8, 4))
        batch = batch_of(draw.integers(1, 100, (n, m)))
        decisions = answer(WhaleTier(k, whales=EVERYBODY), batch)
        assert value_of(batch, decisions) == best_value(batch.values, k)
        assert np.bincount(shown_rooms(batch, decisions)[decisions.choice >= 0]).max() <= k


def test_a_whole_batch_is_assigned_at_the_optimum_and_greedy_is_not() -> None:
    ahead = 0
    for seed in range(60):
        batch = batch_of(stream(seed, "batch").integers(1, 100, (9, 5)), left=2)
        best = value_of(batch, answer(BatchOptimal(), batch))
        assert best == best_value(batch.values, 2)
        ahead += best > value_of(batch, answer(GreedyWithCap(), batch))
    assert ahead > 30


def test_without_seats_the_batch_optimum_is_greedy_and_worthless_rooms_stay_empty() -> None:
    batch = batch_of([[1.0, 2.0], [3.0, 1.0], [-1.0, 0.0]], left=0)
    assert choices(BatchOptimal(respect_seats=False), batch) == [1, 0, -1]
    assert choices(BatchOptimal(), batch) == [-1, -1, -1]


def test_the_cap_binds_exactly_when_more_than_k_whales_want_one_room() -> None:
    values = np.tile([[9.0, 1.0, 1.0]], (6, 1)) * (1.0 + 0.01 * np.arange(6))[:, None]
    for k in range(1, 8):
        rooms = shown_rooms(*_asked(WhaleTier(k, whales=EVERYBODY), values))
        assert (rooms == 0).sum() == min(k, 6)
        displaced = (rooms != 0).any()
        assert displaced == (k < 6)


def test_nobody_is_a_whale_and_the_other_policy_decides_alone() -> None:
    for seed in range(20):
        batch = make_batch(seed, rows=9)
        state, rest = WhaleTier(0).init(seats_of_rooms()), GreedyWithCap()
        assert choices(WhaleTier(0), batch, state) == choices(rest, batch, rooms=12)


def test_others_see_the_seats_that_whales_left_and_keep_their_propensities() -> None:
    whales = np.array([False, True, False])
    batch = batch_of([[5.0, 1.0], [6.0, 1.0], [5.0, 1.0]], left=[1, 5])
    decisions = answer(WhaleTier(1, whales=whales), batch)
    assert decisions.choice.tolist() == [1, 0, 1]
    assert decisions.reason.tolist() == ["", "whale_tier", ""]
    soft = answer(WhaleTier(1, whales=whales, rest=Softmax(respect_seats=True)), batch)
    assert soft.propensities[1].tolist() == [1.0, 0.0]
    assert soft.propensities[0].tolist() == [0.0, 1.0]


def test_whales_hold_their_place_until_they_leave() -> None:
    policy, batch = WhaleTier(1, whales=EVERYBODY), batch_of([[5.0, 1.0]], ts=1_000)
    state = policy.init(np.full(8, 100))
    state = policy.update(state, told(batch, answer(policy, batch), ready=9_000))
    assert choices(policy, batch, state) == [1]
    none = batch_of(np.zeros((0, 2)))
    for ts, choice in ((8_999, 1), (9_000, 0)):
        quiet = told(none, answer(policy, none))
        later = policy.update(state, type(quiet)(ts, *_rest(quiet)))
        assert choices(policy, batch, later) == [choice]
    gone = policy.update(policy.init(np.full(8, 100)), told(batch, answer(policy, batch)))
    assert choices(policy, batch, gone) == [0]  # rounds: rooms empty after each batch


def test_value_per_room_stays_below_its_limit_and_the_largest_come_first() -> None:
    policy = WhaleTier(9, 10.0, whales=EVERYBODY)
    batch = batch_of([[6.0, 5.0, 1.0], [7.0, 4.0, 1.0], [4.0, 3.0, 2.0], [11.0, 12.0, 13.0]])
    decisions = answer(policy, batch)
    assert decisions.choice.tolist() == [1, 0, 1, -1]
    for seed in range(40):
        draw = stream(seed, "by value")
        batch = batch_of(draw.exponential(3.0, (12, 5)))
        decisions = answer(policy, batch)
        shown = decisions.choice >= 0
        value = batch.values[np.arange(12), decisions.choice.clip(0)]
        load = np.bincount(decisions.choice[shown], value[shown], 5)
        assert load.max() <= 10.0
        left = batch.values[~shown] + load
        assert (left > 10.0).all()  # nobody was dropped who would have fitted


@pytest.mark.parametrize(("charge", "shown"), [(0.0, 1), (3.0, 1), (-5.0, 1), (7.0, 0)])
def test_value_per_room_is_the_models_whatever_a_wrapper_charges(charge: float, shown: int) -> None:
    """Of three whales worth 6 one fits into 10, be they priced at 3 or 11; at -1 none wants it."""
    policy, batch = WhaleTier(9, 10.0, whales=EVERYBODY), batch_of([[6.0]] * 3)
    seen = batch.priced(np.full((3, 1), charge))
    state = policy.init(np.full(8, 100))
    decisions = answer(policy, seen, state)
    assert (decisions.choice >= 0).sum() == shown
    _, by_value = policy.limits(state, seen)
    assert by_value.amount is not None
    assert by_value.amount.tolist() == [[6.0]] * 3
    later = policy.update(state, told(batch, decisions, ready=50_000))
    assert later.inside.value.tolist() == [6.0] * shown
    assert answer(policy, seen, later).choice.tolist().count(0) == 0


@pytest.mark.parametrize("around", [Eligibility, CapacityGuard, lambda who: FrequencyCap(who, 5)])
def test_what_masks_or_cuts_a_batch_keeps_what_the_model_estimated(around: Any) -> None:
    """Three whales priced at 3 would fit into 10 together; each is worth 6."""
    priced = batch_of([[6.0]] * 3).priced(np.full((3, 1), 3.0))
    decisions = answer(around(WhaleTier(9, 10.0, whales=EVERYBODY)), priced)
    assert (decisions.choice >= 0).sum() == 1


def test_a_price_of_value_comes_on_top_of_what_a_wrapper_charges() -> None:
    policy, batch = WhaleTier(9, 10.0, whales=EVERYBODY), batch_of([[6.0, 4.5]])
    dear = replace(policy.init(np.full(8, 100)), price=np.array([0.2, *np.zeros(7)]))
    assert answer(policy, batch, dear).choice.tolist() == [0]  # 4.8 against 4.5
    seen = batch.priced(np.array([[1.0, 0.0]]))
    decisions = answer(policy, seen, dear)
    assert decisions.choice.tolist() == [1]  # 3.8 against 4.5
    assert decisions.charges[0] == pytest.approx([1.2, 0.0])  # a fifth of 6, not of 5


def test_the_price_of_value_rises_where_it_is_scarce_and_falls_to_nothing() -> None:
    policy = WhaleTier(9, 4.0, learning_rate=0.5, whales=EVERYBODY)
    batch = batch_of([[3.9, 3.0]])
    state = policy.init(np.full(8, 100))
    heard = told(batch, answer(policy, batch), ready=50_000)
    for _ in range(3):
        state = policy.update(state, heard)
    assert state.price[0] > 0.5
    assert state.price[1] == 0.0
    priced = answer(policy, batch, state)
    assert priced.charges[0] == pytest.approx([3.9 * state.price[0], 0.0])
    assert not answer(WhaleTier(2, whales=EVERYBODY), batch).charges.any()


def test_no_cap_is_broken_over_many_batches() -> None:
    """k whales and K of their value per room at any time, over 24,000 decisions."""
    draw, rng = stream(11, "evening"), stream(12, "policy")
    whales = draw.random(400) < 0.3
    policy = WhaleTier(2, 5.0, whales=whales)
    state, present = policy.init(np.full(8, 100)), np.zeros((0, 3))
    binding = 0
    for tick in range(2_000):
        ts = 1_000 * tick
        users = draw.choice(400, 12, replace=False)
        batch = batch_of(draw.exponential(1.0, (12, 8)), users=users, ts=ts)
        present = present[present[:, 2] > ts - 1_000]
        decisions = policy.decide(state, batch, rng)
        rooms = shown_rooms(batch, decisions)
        ready = ts + draw.integers(1, 4_000, 12)
        mine = whales[users] & (rooms >= 0)
        value = batch.values[np.arange(12), decisions.choice]
        came = np.column_stack([rooms[mine], value[mine], ready[mine]])
        present = np.concatenate([present, came])
        inside = np.bincount(present[:, 0].astype(np.int64), minlength=8)
        assert inside.max() <= 2
        assert np.bincount(present[:, 0].astype(np.int64), present[:, 1], 8).max() <= 5.0 + 1e-9
        binding += int(inside.max() == 2)
        state = policy.update(state, told(batch, decisions, ready=ready))
    assert binding > 1_000


def test_bad_caps_and_unknown_users_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"whale_tier\.k"):
        WhaleTier(-1)
    with pytest.raises(ConfigError, match="largest_value"):
        WhaleTier(largest_value=0.0)
    with pytest.raises(ConfigError, match="learning_rate"):
        WhaleTier(learning_rate=-1.0)
    with pytest.raises(InputError, match=r"whale_tier\.whales"):
        answer(WhaleTier(whales=np.ones(1, dtype=np.bool_)), batch_of([[1.0], [1.0]]))


def _asked(policy: Any, values: Any) -> tuple[DecisionBatch, Any]:
    batch = batch_of(values)
    return batch, answer(policy, batch)


def _rest(heard: Any) -> tuple[Any, ...]:
    return (
        heard.user, heard.room, heard.admitted, heard.clicked, heard.amount, heard.occupancy,
        heard.seats, heard.reward_ts, heard.value,
    )  # fmt: skip
