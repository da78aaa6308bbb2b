"""Falling returns: slopes, conjugates and what is left of them during a day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.allocation.returns import CODES, Kind, Returns, slope_at
from giftlive.errors import InputError

CONCAVE: list[Kind] = ["log", "saturating", "sqrt"]
KINDS: list[Kind] = ["linear", *CONCAVE]


def test_known_values_at_the_scale() -> None:
    money = np.array([50.0])
    assert Returns("log", 50.0).value(money) == pytest.approx(50.0 * np.log(2.0))
    assert Returns("saturating", 50.0).value(money) == pytest.approx(50.0 * (1.0 - np.exp(-1.0)))
    assert Returns("sqrt", 50.0).value(money) == pytest.approx(100.0 * (np.sqrt(2.0) - 1.0))
    assert Returns("linear", 50.0).value(money) == 50.0


@pytest.mark.parametrize("kind", KINDS)
def test_slope_is_the_derivative_and_agrees_with_the_kernel(kind: Kind) -> None:
    returns, money = Returns(kind, 30.0), np.linspace(0.5, 400.0, 50)
    numeric = (returns.value(money + 1e-4) - returns.value(money - 1e-4)) / 2e-4
    np.testing.assert_allclose(returns.slope(money), numeric, rtol=1e-6, atol=1e-9)
    compiled = [slope_at(CODES[kind], v, 30.0) for v in money]
    np.testing.assert_allclose(compiled, returns.slope(money), rtol=1e-14)


@pytest.mark.parametrize("kind", CONCAVE)
def test_conjugate_is_the_supremum_on_a_fine_grid(kind: Kind) -> None:
    returns, money = Returns(kind, 10.0), np.concatenate([[0.0], np.geomspace(1e-4, 1e6, 200_001)])
    for p in (0.02, 0.3, 0.9, 1.0, 1.5):
        best = float((returns.value(money) - p * money).max())
        assert returns.conjugate(np.array([p]))[0] == pytest.approx(best, rel=1e-6, abs=1e-9)


@given(
    kind=st.sampled_from(CONCAVE),
    price=st.floats(1e-6, 2.0),
    money=st.floats(0.0, 1e9),
    scale=st.floats(1e-3, 1e6),
)
def test_young_fenchel(kind: Kind, price: float, money: float, scale: float) -> None:
    returns = Returns(kind, scale)
    g, bound = (
        returns.value(np.array([money])),
        returns.conjugate(np.array([price])) + price * money,
    )
    assert g[0] <= bound[0] * (1 + 1e-9) + 1e-9 * scale


@pytest.mark.parametrize("kind", CONCAVE)
def test_at_slope_inverts_the_slope(kind: Kind) -> None:
    returns, money = Returns(kind, np.array([1.0, 20.0, 300.0])), np.array([0.0, 5.0, 900.0])
    np.testing.assert_allclose(returns.at_slope(returns.slope(money)), money, atol=1e-9)


def test_the_edge_of_the_domain() -> None:
    zero = np.array([0.0])
    assert Returns("saturating", 7.0).conjugate(zero)[0] == 7.0  # all there ever is to earn
    assert np.isinf(Returns("log", 7.0).conjugate(zero)[0])
    assert np.isinf(Returns("sqrt", 7.0).conjugate(zero)[0])
    assert Returns().conjugate(np.array([0.999, 1.0, 2.0])).tolist() == [np.inf, 0.0, 0.0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_rest_of_a_day_has_the_slopes_of_the_whole(kind: Kind) -> None:
    returns, so_far, ahead = Returns(kind, 40.0), np.array([0.0, 30.0]), np.array([500.0, 90.0])
    weight, rest = returns.after(so_far, 0.25)
    expected = returns.slope(so_far + 0.25 * ahead)
    np.testing.assert_allclose(weight * rest.slope(weight * ahead), expected, rtol=1e-12)


def test_a_room_that_has_more_than_ever_counts_does_no_harm() -> None:
    weight, rest = Returns("saturating", 1.0).after(np.array([1e4]), 0.5)
    assert 0.0 < weight[0] < 1e-90
    assert np.isfinite(rest.value(weight * 1e4)).all()


@pytest.mark.parametrize(
    ("kind", "scale"), [("cubic", 1.0), ("log", 0.0), ("log", np.nan), ("log", np.ones((2, 2)))]
)
def test_bad_returns_are_refused(kind: Any, scale: Any) -> None:
    with pytest.raises(InputError, match=r"Returns\."):
        Returns(kind, scale)
