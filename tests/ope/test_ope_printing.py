"""Weighted intervals are printed where they were measured under weights as uneven."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.ope.printing import MEASURED, Printing, distance, unevenness
from giftlive.rng import stream
from giftlive.stats.coverage_table import groups_for
from giftlive.stats.intervals import Interval
from giftlive.types import Floats


def sums(users: int, sd: float, rows: int = 1, seed: int = 1) -> Floats:
    """Return the users' sums of log-normal weights of mean 1."""
    z = stream(seed, "weights").normal(size=(users, rows))
    return np.column_stack([np.full(users, rows), np.exp(sd * z - sd * sd / 2).sum(axis=1)])


def interval(n: int, method: str) -> Interval:
    return Interval(1.0, 0.5, 1.5, f"snips, {method}", n, "users")


@pytest.mark.parametrize("rows", [1, 10])
def test_unevenness_is_the_cv_of_a_decision_whatever_the_users(rows: int) -> None:
    for sd in (0.3, 0.5, 1.0):
        found = unevenness(sums(200_000 // rows, sd, rows))
        assert found == pytest.approx(np.sqrt(np.expm1(sd * sd)), rel=0.05)


def test_weights_that_go_together_within_users_are_more_uneven() -> None:
    one = sums(20_000, 0.5)
    together = np.column_stack([10.0 * one[:, 0], 10.0 * one[:, 1]])
    assert unevenness(together) == pytest.approx(np.sqrt(10.0) * unevenness(one), rel=1e-9)


def test_the_distances_are_those_of_the_table() -> None:
    from giftlive.evaluation.coverage.populations import SHIFTS

    assert list(MEASURED) == list(SHIFTS)
    for name, sd in SHIFTS.items():
        assert MEASURED[name] == pytest.approx(np.sqrt(np.exp(sd * sd) - 1.0))
        assert groups_for(f"off_policy_{name}", "skew_t", "count", 1.0)
    assert distance(0.2) == "near"
    assert distance(0.6) == "middle"
    assert distance(2.9) == "far"
    assert distance(3.0) is None


def test_the_farther_the_target_the_more_users_it_takes() -> None:
    rule = Printing(tail="count")
    printed = {
        (sd, users): rule.of(interval(users, "skew_t"), sums(users, sd)).low is not None
        for sd in (0.0, 0.45, 0.9)
        for users in (400, 2_000, 12_000)
    }
    assert [printed[0.45, n] for n in (400, 2_000, 12_000)] == [False, True, True]
    assert [printed[0.9, n] for n in (400, 2_000, 12_000)] == [False, False, True]
    assert printed[0.0, 2_000]  # equal weights are an ordinary ratio


def test_beyond_what_was_measured_nothing_is_printed() -> None:
    shown = Printing(tail="count").of(interval(50_000, "skew_t"), sums(50_000, 2.0))
    assert shown.low is None
    assert "coverage is measured up to 2.9; judge a nearer policy" in shown.reason
    none = Printing(tail="count").of(interval(500, "skew_t"), np.tile([1.0, 0.0], (500, 1)))
    assert none.low is None
