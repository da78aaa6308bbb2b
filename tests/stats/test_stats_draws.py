"""The expected share of the most frequent of n draws: by enumeration, by limit, by symmetry."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.stats.draws import expected_top_share


def enumerated(weights: list[int], n: int) -> float:
    """Return E[largest count] / n over every sequence of draws."""
    p = np.array(weights) / sum(weights)
    total = 0.0
    for drawn in product(range(len(p)), repeat=n):
        total += float(np.prod(p[list(drawn)])) * max(drawn.count(s) for s in set(drawn)) / n
    return total


@given(weights=st.lists(st.integers(1, 20), min_size=1, max_size=4))
def test_every_sequence_was_counted(weights: list[int]) -> None:
    share = expected_top_share(np.array(weights), 5)
    assert share.tolist() == pytest.approx([enumerated(weights, n) for n in range(1, 6)], rel=1e-12)


def test_many_equal_things_are_all_different() -> None:
    share = expected_top_share(np.ones(10**6), 8)
    assert share.tolist() == pytest.approx([1 / n for n in range(1, 9)], abs=1e-4)


def test_zeros_and_scale_do_not_matter() -> None:
    some = expected_top_share(np.array([3.0, 0.0, 1.0]), 6)
    assert some.tolist() == pytest.approx(expected_top_share(np.array([9, 3]), 6).tolist())


def test_draws_agree_with_it() -> None:
    rng = np.random.default_rng(3)
    weights = rng.zipf(1.5, 500).astype(np.float64)
    drawn = rng.choice(500, size=(20_000, 6), p=weights / weights.sum())
    counts = [np.bincount(row).max() / 6 for row in drawn]
    error = np.std(counts) / np.sqrt(len(counts))
    assert abs(np.mean(counts) - expected_top_share(weights, 6)[5]) < 4 * error
