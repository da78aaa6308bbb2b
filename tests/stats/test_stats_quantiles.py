"""Quantiles of clustered rows and of independent values."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.errors import InputError
from giftlive.rng import stream
from giftlive.stats.quantiles import order_statistics, rank_of, woodruff
from giftlive.types import Floats


def test_one_row_per_user_has_the_binomial_width() -> None:
    x = np.random.default_rng(3).permutation(4_000).astype(float)
    found = woodruff(x, np.arange(4_000), 0.5)
    assert found.value == 1_999
    assert found.width == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 4_000) * 4_000, rel=0.02)


@pytest.mark.parametrize(("ones", "value"), [(49, 2.0), (51, 1.0)])
def test_an_atom_at_the_median_does_not_hide_its_neighbour(ones: int, value: float) -> None:
    x = np.where(np.arange(200) % 100 < ones, 1.0, 2.0)
    for found in (woodruff(x, np.arange(200), 0.5), order_statistics(x, 0.5)):
        assert (found.value, found.low, found.high) == (value, 1.0, 2.0)


def test_rows_of_one_user_are_not_independent() -> None:
    x = np.random.default_rng(4).normal(size=300)
    alone, copied = (
        woodruff(x, np.arange(300), 0.5),
        woodruff(np.repeat(x, 9), np.arange(2_700) // 9, 0.5),
    )
    passed_off = woodruff(np.repeat(x, 9), np.arange(2_700), 0.5)
    assert (copied.value, copied.low, copied.high) == (alone.value, alone.low, alone.high)
    assert (passed_off.width or 0.0) < 0.6 * (alone.width or 0.0)


def test_order_scale_and_names_do_not_matter() -> None:
    g = stream(1, "quantiles")
    x, user = g.normal(size=500), g.integers(0, 80, 500)
    turn = g.permutation(500)
    one = woodruff(x, user, 0.9)
    assert woodruff(x[turn], user[turn] + 10**9, 0.9) == one
    scaled = woodruff(4.0 * x, user, 0.9)
    assert (scaled.value, scaled.low, scaled.high) == tuple(
        4.0 * (v or 0.0) for v in (one.value, one.low, one.high)
    )


@pytest.mark.parametrize("x", [np.zeros(50), np.full(50, 7.0)])
def test_equal_values_have_one_quantile(x: Floats) -> None:
    for found in (woodruff(x, np.arange(50), 0.9), order_statistics(x, 0.9)):
        assert (found.value, found.low, found.high) == (x[0], x[0], x[0])


@pytest.mark.parametrize(
    ("x", "status"),
    [
        (np.array([]), "undefined"),
        (np.array([1.0, np.nan]), "undefined"),
        (np.array([1.0, np.inf]), "undefined"),
        (np.array([1.0]), "not_enough_data"),
    ],
)
def test_without_an_interval_there_is_a_status(x: Floats, status: str) -> None:
    assert woodruff(x, np.zeros(len(x), dtype=np.int64), 0.5).status == status
    assert order_statistics(x, 0.5).status in {status, "not_enough_data"}


@pytest.mark.parametrize("p", [0.0, 1.0, -0.5, 90.0, np.nan, np.inf])
def test_a_level_outside_is_refused(p: float) -> None:
    with pytest.raises(InputError, match="quantile: level"):
        woodruff(np.arange(3.0), np.arange(3), p)
    with pytest.raises(InputError, match="quantile: level"):
        order_statistics(np.arange(3.0), p)


def test_ranks_by_hand() -> None:
    assert [rank_of(p, 10) for p in (0.01, 0.1, 0.11, 0.9, 1.0)] == [0, 0, 1, 8, 9]


@pytest.mark.slow
def test_woodruff_covers_the_median_of_clustered_rows() -> None:
    """Theory: users differ in level, yet about 95 % of the intervals hold the true median."""
    g, hits, runs = stream(4, "woodruff"), 0, 2_000
    for _ in range(runs):
        sizes = g.integers(1, 15, 150)
        user = np.repeat(np.arange(150), sizes)
        found = woodruff(g.normal(size=150)[user] + g.normal(size=len(user)), user, 0.5)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.0 <= found.high
    assert 0.93 <= hits / runs <= 0.97
