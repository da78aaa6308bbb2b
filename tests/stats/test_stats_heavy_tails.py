from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import InputError
from giftlive.stats.heavy_tails import gini, hill, lorenz, top_share

FEW = settings(max_examples=50, deadline=None)
AMOUNTS = st.lists(st.integers(0, 10_000), min_size=1, max_size=40).filter(any)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([5, 5, 5], 0.0),
        ([0, 0, 0, 1], 0.75),
        ([1, 3], 0.25),
        ([1, 2, 3, 4], 0.25),
        ([7], 0.0),
    ],
)
def test_gini_known_answers(x: list[int], expected: float) -> None:
    assert gini(np.array(x, dtype=float)) == pytest.approx(expected, abs=1e-12)


@FEW
@given(AMOUNTS)
def test_gini_equals_mean_absolute_difference(x: list[int]) -> None:
    a = np.array(x, dtype=float)
    golden = np.abs(a[:, None] - a).mean() / (2 * a.mean())
    assert gini(a) == pytest.approx(golden, abs=1e-12)


@FEW
@given(AMOUNTS, st.floats(1e-3, 1e6), st.floats(0.01, 1.0))
def test_scale_and_order_change_nothing(x: list[int], scale: float, fraction: float) -> None:
    a = np.array(x, dtype=float)
    moved = scale * a[::-1]
    assert gini(moved) == pytest.approx(gini(a), abs=1e-9)
    assert top_share(moved, fraction) == pytest.approx(top_share(a, fraction), abs=1e-9)


@FEW
@given(AMOUNTS, st.data())
def test_whole_weights_are_repeated_rows(x: list[int], data: st.DataObject) -> None:
    sizes = st.lists(st.integers(0, 3), min_size=len(x), max_size=len(x))
    weights = np.array(data.draw(sizes.map(lambda w: [1, *w[1:]])))
    a = np.array(x, dtype=float)
    repeated = np.repeat(a, weights)
    if not repeated.any():
        return
    w = weights.astype(float)
    assert gini(a, w) == pytest.approx(gini(repeated), abs=1e-9)
    assert top_share(a, 0.3, w) == pytest.approx(top_share(repeated, 0.3), abs=1e-9)


def test_top_share_known_answers() -> None:
    x = np.array([4.0, 1.0, 3.0, 2.0])
    assert top_share(x, 0.5) == pytest.approx(0.7)
    assert top_share(x, 0.1) == pytest.approx(0.16)  # 0.4 of the unit that holds 4 of 10
    assert top_share(x, 1.0) == 1.0
    assert top_share(np.ones(10), 0.2) == pytest.approx(0.2)


@FEW
@given(AMOUNTS)
def test_lorenz_is_convex_and_below_the_diagonal(x: list[int]) -> None:
    p, share = lorenz(np.array(x, dtype=float))
    assert (p[0], share[0], p[-1], share[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert (share <= p + 1e-12).all()
    assert (np.diff(share, n=2) >= -1e-12).all()


def test_concentration_of_nothing_is_nan() -> None:
    for nothing in (np.zeros(3), np.zeros(0)):
        assert math.isnan(gini(nothing))
        assert math.isnan(top_share(nothing, 0.1))
    p, share = lorenz(np.zeros(2))
    assert p.tolist() == [0.0, 0.5, 1.0]
    assert np.isnan(share).all()


def test_wrong_amounts_and_fractions_are_named() -> None:
    with pytest.raises(InputError, match=r"row 1: amount -2"):
        gini(np.array([1.0, -2.0]))
    with pytest.raises(InputError, match="amount nan"):
        top_share(np.array([1.0, 2.0]), 0.5, np.array([1.0, np.nan]))
    for fraction in (0.0, 1.5):
        with pytest.raises(InputError, match="fraction"):
            top_share(np.ones(3), fraction)


def test_hill_known_answer() -> None:
    x = np.concatenate([[1.0], np.full(10, math.e), np.zeros(5)])
    tail = hill(x, k=10)  # ten logs of e over the threshold 1
    assert tail.value == pytest.approx(1.0)
    assert tail.n == 10


@FEW
@given(st.integers(0, 10_000), st.floats(1e-3, 1e6))
def test_hill_is_scale_invariant(seed: int, scale: float) -> None:
    x = np.random.default_rng(seed).pareto(1.5, 400) + 1.0
    assert hill(scale * x).value == pytest.approx(hill(x).value)


@pytest.mark.parametrize("alpha", [0.8, 1.5, 3.0])
def test_hill_interval_covers_the_index_of_a_pareto_tail(alpha: float) -> None:
    rng = np.random.default_rng(11)
    tails = [hill(rng.pareto(alpha, 900) + 1.0) for _ in range(1_000)]
    hits = [t.low is not None and t.high is not None and t.low <= alpha <= t.high for t in tails]
    assert 0.93 <= np.mean(hits) <= 0.97


def test_hill_refuses_small_or_flat_tails() -> None:
    assert hill(np.arange(1.0, 50.0)).status == "not_enough_data"
    assert hill(np.arange(1.0, 50.0), k=49).status == "not_enough_data"
    assert hill(np.full(400, 3.0)).status == "undefined"


def test_hill_of_an_amount_that_is_not_finite_is_undefined() -> None:
    amounts = np.append(np.random.default_rng(12).pareto(1.5, 400), math.nan)
    assert hill(amounts).status == "undefined"
    assert "1 of 401" in hill(amounts).reason
    with pytest.raises(InputError, match="level"):
        hill(amounts, level=95)
