from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import InputError
from giftlive.stats.cluster_sums import ClusterSums, cluster_sums, merge, no_sums

FEW = settings(max_examples=80, deadline=None)
TERM = st.floats(-1e9, 1e9, allow_nan=False)
ROWS = st.lists(st.tuples(st.integers(-3, 3), TERM), max_size=40)


def summed(rows: list[tuple[int, float]]) -> ClusterSums:
    keys = np.array([k for k, _ in rows], dtype=np.int64)
    return cluster_sums(keys, np.array([[x] for _, x in rows]).reshape(len(rows), 1))


def assert_same(a: ClusterSums, b: ClusterSums) -> None:
    np.testing.assert_array_equal(a.keys, b.keys)
    np.testing.assert_array_equal(a.whole, b.whole)
    np.testing.assert_array_equal(a.part, b.part)


@FEW
@given(ROWS, st.integers(0, 40), st.randoms(use_true_random=False))
def test_chunks_and_orders_give_the_same_bits(
    rows: list[tuple[int, float]], cut: int, random: object
) -> None:
    whole = summed(rows)
    assert_same(merge(summed(rows[:cut]), summed(rows[cut:])), whole)
    assert_same(merge(summed(rows[cut:]), summed(rows[:cut])), whole)
    assert_same(summed(rows[::-1]), whole)
    assert_same(merge(whole, no_sums(1)), whole)


@FEW
@given(ROWS)
def test_sums_equal_exact_rationals(rows: list[tuple[int, float]]) -> None:
    state = summed(rows)
    for key, value in zip(state.keys, state.values[:, 0], strict=True):
        terms = [Fraction(x) for k, x in rows if k == key]
        assert math.isclose(value, float(sum(terms)), rel_tol=1e-15, abs_tol=1e-16)


def test_where_floating_point_sums_disagree_these_do_not() -> None:
    terms = [0.1, 0.2, 0.3, 1e9, -1e9]
    assert sum(terms) != sum(terms[::-1])
    rows = [(1, x) for x in terms]
    assert_same(summed(rows), summed(rows[::-1]))


def test_small_negative_sums_keep_their_digits() -> None:
    assert summed([(1, -0.001)]).values[0, 0] == pytest.approx(-0.001, rel=1e-15)


@pytest.mark.parametrize("term", [math.nan, math.inf, 1e19])
def test_terms_that_cannot_be_summed_are_refused(term: float) -> None:
    with pytest.raises(InputError, match="cluster sums"):
        summed([(1, term)])


def test_a_merge_that_would_overflow_is_refused() -> None:
    half = summed([(1, 2.0**60)])
    with pytest.raises(InputError, match="merged"):
        merge(half, half)
