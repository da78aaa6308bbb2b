"""Concave returns: differences and not slopes, in batch order, and the guarantee of a discount."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policies.rows import after, answer, batch_of, choices, told

from giftlive.errors import ConfigError, UsageError
from giftlive.policies import Concave, DevanurJain, Greedy, GreedyWithCap
from giftlive.policies.concave import KINDS, ConcaveKind, gain
from giftlive.policies.devanur_jain import _discount
from giftlive.rng import stream
from giftlive.testing import make_batch, seats_of_rooms

RETURNS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda x: x,
    "log": np.log1p,
    "saturating": lambda x: -np.expm1(-x),
    "sqrt": lambda x: 2.0 * (np.sqrt(1.0 + x) - 1.0),
}
SLOPES: dict[str, Callable[[Any], Any]] = {
    "log": lambda x: 1.0 / (1.0 + x),
    "saturating": lambda x: np.exp(-x),
    "sqrt": lambda x: (1.0 + x) ** -0.5,
}
CURVED = tuple(SLOPES)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(have=st.floats(0, 50), more=st.floats(0, 50), scale=st.floats(0.1, 100))
def test_a_gain_is_the_difference_of_the_return(
    kind: str, have: float, more: float, scale: float
) -> None:
    g = RETURNS[kind]
    expected = scale * (g((have + more) / scale) - g(have / scale))
    assert gain(KINDS[kind], scale, have, more) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("kind", CURVED)
def test_small_gains_do_not_cancel_and_losses_count_at_the_slope(kind: str) -> None:
    slope = float(SLOPES[kind](3.0))
    assert gain(KINDS[kind], 1.0, 3.0, 1e-13) == pytest.approx(slope * 1e-13, rel=1e-9, abs=0.0)
    assert gain(KINDS[kind], 1.0, 3.0, -2.0) == pytest.approx(-2.0 * slope)


def test_the_difference_spans_the_bend_where_the_slope_does_not() -> None:
    policy = Concave("saturating", 1.0)
    state = after(policy, [batch_of([[1.0, 0.5]])])
    assert state.value[:2].tolist() == [1.0, 0.0]
    assert 30.0 * SLOPES["saturating"](1.0) > 4.0  # by the slope: room 0
    assert choices(policy, batch_of([[30.0, 4.0]]), state) == [1]


def test_rows_before_count_within_the_batch_and_only_the_admitted_after_it() -> None:
    policy = Concave("log", 1.0)
    batch = batch_of([[3.0, 2.0]] * 3)
    assert choices(policy, batch) == [0, 1, 0]
    decisions = answer(policy, batch)
    assert decisions.charges[0] == pytest.approx([3.0 - np.log(4.0), 2.0 - np.log(3.0)])
    heard = told(batch, decisions)
    heard.admitted[0] = False
    state = policy.update(policy.init(np.full(8, 100)), heard)
    assert state.value[:2].tolist() == [3.0, 2.0]


@pytest.mark.parametrize("policy", [Concave("log", 5.0), DevanurJain("log", 5.0)])
def test_what_a_wrapper_charges_is_given_to_no_room_within_a_batch_nor_after_it(
    policy: Any,
) -> None:
    """The second user meets what the first one is worth, in his batch or in the next."""
    values, charges = np.array([[8.0, 3.0], [8.0, 3.0]]), np.array([[4.0, 0.0], [0.0, -1.0]])
    both = answer(policy, batch_of(values).priced(charges))
    first, second = (batch_of(values[i : i + 1]) for i in range(2))
    early = answer(policy, first.priced(charges[:1]))
    state = policy.update(policy.init(np.full(8, 100)), told(first, early))
    assert state.value[0] == 8.0
    later = answer(policy, second.priced(charges[1:]), state)
    assert both.choice.tolist() == [*early.choice, *later.choice]
    assert both.charges[1].tolist() == later.charges[0].tolist()


def test_a_large_scale_is_greedy() -> None:
    for seed in range(20):
        batch, state = make_batch(seed), Concave().init(seats_of_rooms())
        flat, greedy = Concave("log", 1e9), Greedy()
        assert choices(flat, batch, state) == choices(greedy, batch, state)
        guarded = Concave("saturating", 1e9, respect_seats=True)
        assert choices(guarded, batch, state) == choices(GreedyWithCap(), batch, state)
        assert choices(Concave("linear", 1.0), batch, state) == choices(greedy, batch, state)


@pytest.mark.parametrize("kind", CURVED)
def test_concave_rules_earn_more_of_their_own_aim_than_greedy(kind: ConcaveKind) -> None:
    draw = stream(3, "market")
    batches = [
        batch_of(draw.lognormal(0.0, 1.0, (10, 8)) * np.linspace(1.0, 8.0, 8)) for _ in range(40)
    ]
    worth = {}
    every: tuple[Any, ...] = (Greedy(), Concave(kind, 400.0), DevanurJain(kind, 400.0))
    for policy in every:
        state = policy.init(np.full(8, 100))
        earned = np.zeros(8)
        for batch in batches:
            decisions = policy.decide(state, batch, draw)
            heard = told(batch, decisions)
            assert heard.value is not None
            np.add.at(earned, heard.room, heard.value)
            state = policy.update(state, heard)
        worth[policy.name] = float(RETURNS[kind](earned / 400.0).sum())
    assert worth["concave"] > 1.01 * worth["greedy"]
    assert worth["devanur_jain"] > 1.01 * worth["greedy"]


@pytest.mark.parametrize("kind", CURVED)
def test_the_discount_solves_its_equation_and_stays_payable(kind: str) -> None:
    ratio, factors = _discount(kind)
    share = np.arange(len(factors)) / len(factors)
    x = share / (1.0 - share)
    assert factors[0] == pytest.approx(1.0)
    assert (np.diff(factors) <= 0.0).all()
    assert (factors < SLOPES[kind](x) / ratio + 1e-9).all()
    inner = (x > 0.2) & (x < 5.0)
    inverse = {"log": 1 / factors - 1, "saturating": -np.log(factors), "sqrt": factors**-2.0 - 1}
    rate = (factors - SLOPES[kind](x) / ratio) / np.maximum(inverse[kind], 1e-12)
    assert np.gradient(factors, x)[inner] == pytest.approx(rate[inner], rel=1e-2)
    assert 0.6 < ratio < 0.75


@pytest.mark.parametrize("kind", CURVED)
@pytest.mark.parametrize("order", ["falling", "rising", "mixed"])
def test_small_bids_earn_the_guaranteed_share_in_any_order(kind: ConcaveKind, order: str) -> None:
    """The dual at prices f(V) bounds the optimum: Σ g*(p_s) + Σ_u max_s p_s v_us."""
    draw, rooms, users = stream(4, "bids"), 6, 3000
    values = draw.lognormal(0.0, 0.5, (users, rooms)) * 0.004
    if order != "mixed":
        spread = np.argsort(values.max(axis=1) / values.mean(axis=1))
        values = values[spread if order == "rising" else spread[::-1]]
    policy = DevanurJain(kind, 1.0)
    state = after(policy, [batch_of(values)], rooms)
    ratio, factors = _discount(kind)
    share = np.arange(len(factors)) / len(factors)
    p = np.interp(state.value, share / (1.0 - share), factors)
    conjugate = {
        "log": p - 1.0 - np.log(p),
        "saturating": 1.0 - p + p * np.log(p),
        "sqrt": (1.0 - p) ** 2 / p,
    }[kind]
    bound = conjugate.sum() + (values * p).max(axis=1).sum()
    earned = RETURNS[kind](state.value).sum()
    assert ratio * 0.995 <= earned / bound < 1.0


def test_bad_settings_and_silent_feedback_are_refused() -> None:
    assert set(get_args(ConcaveKind)) == set(KINDS)
    with pytest.raises(ConfigError, match=r"concave\.kind"):
        Concave("cubic")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"devanur_jain\.scale"):
        DevanurJain("log", 0.0)
    batch, policy = batch_of([[1.0]]), Concave()
    heard = told(batch, answer(policy, batch))
    silent = type(heard)(
        heard.ts, heard.user, heard.room, heard.admitted, heard.clicked, heard.amount,
        heard.occupancy, heard.seats,
    )  # fmt: skip
    with pytest.raises(UsageError, match="hear"):
        policy.update(policy.init(np.full(8, 100)), silent)
