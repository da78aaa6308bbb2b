from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive import ope
from giftlive.errors import InputError
from giftlive.ope.bounded import Bounds, bounded_ratio
from giftlive.ope.estimators import Estimator
from giftlive.stats.bernstein import empirical_bernstein
from giftlive.stats.betting import betting
from giftlive.stats.intervals import Interval

Guaranteed = Literal["empirical_bernstein", "betting"]
METHODS: tuple[Guaranteed, ...] = ("empirical_bernstein", "betting")
FLOOR = np.array([0.5, 0.25, 0.25])  # weights of an even target are at most 4/3
BOUNDS = Bounds(reward=1.0, weight=4.0 / 3.0)
TRUTH = (0.2 + 0.4 + 0.9) / 3


def log(seed: int, n: int, users: int | None = None) -> ope.Interactions:
    rng = np.random.default_rng(seed)
    action = rng.choice(3, n, p=FLOOR)
    return ope.Interactions(
        user=np.arange(n) if users is None else np.arange(n) % users,
        action=action,
        propensity=FLOOR[action],
        reward=(rng.random(n) < np.array([0.2, 0.4, 0.9])[action]).astype(np.float64),
        target=np.full((n, 3), 1 / 3),
    )


def interval(
    estimator: Estimator, of: ope.Interactions, bounds: Bounds, method: Guaranteed
) -> Interval:
    return bounded_ratio(estimator, estimator.update(estimator.init(), of), bounds, method)


def test_one_row_a_user_is_the_plain_interval_of_the_terms() -> None:
    few = log(1, 300)
    terms = few.weight * few.reward
    for method, plain in zip(METHODS, (empirical_bernstein, betting), strict=True):
        expected = plain(terms, 0.0, 4.0 / 3.0)
        found = interval(ope.IPS, few, BOUNDS, method)
        assert (found.value, found.low) == pytest.approx((expected.value, expected.low))
        assert found.high == pytest.approx(min(expected.high or 9.0, 1.0))
        assert found.method == f"ips, {method}"


@pytest.mark.parametrize("method", METHODS)
def test_a_bound_of_the_interval_is_a_claim_just_not_rejected(method: Guaranteed) -> None:
    """By the definition: at the bounds of SNIPS the test of num - v den is at its limit."""
    few = log(2, 400)
    found = interval(ope.SNIPS, few, BOUNDS, method)
    assert found.low is not None
    assert found.high is not None
    assert 0.0 < found.low < TRUTH < found.high < 1.0
    for v in (found.low, found.high):
        x = few.weight * (few.reward - v)
        low, high = -v * 4.0 / 3.0, 4.0 / 3.0
        if method == "empirical_bernstein":
            at_limit = empirical_bernstein(x, low, high)
            edges = (at_limit.low, at_limit.high)
            assert min(abs(e or 0.0) for e in edges) < 1e-9
        else:
            at_limit = betting(x, low, high)
            edges = (at_limit.low, at_limit.high)
            assert min(abs(e or 0.0) for e in edges) < 1e-6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 60))
def test_the_interval_holds_the_estimate_and_stays_in_the_range(seed: int, users: int) -> None:
    few = log(seed, 120, users)
    rows = -(-120 // users)
    for method in METHODS:
        for estimator in (ope.IPS, ope.SNIPS, ope.clipped_ips(1.2)):
            found = interval(estimator, few, replace(BOUNDS, rows=rows), method)
            assert found.low is not None
            assert found.high is not None
            assert found.value is not None
            assert 0.0 <= found.low <= found.value <= found.high <= 1.0


@pytest.mark.parametrize("method", METHODS)
def test_more_users_narrow_it_and_looser_bounds_widen_it(method: Guaranteed) -> None:
    widths = [interval(ope.SNIPS, log(3, n), BOUNDS, method).width for n in (500, 2_000, 8_000)]
    assert None not in widths
    a, b, c = (w or 0.0 for w in widths)
    assert 0.35 < b / a < 0.65
    assert 0.35 < c / b < 0.65
    loose = interval(ope.SNIPS, log(3, 500), Bounds(1.0, 10.0), method).width
    assert loose is not None
    assert loose > a


def test_what_exceeds_the_bounds_is_refused() -> None:
    few = log(4, 100)
    for bounds in (Bounds(0.5, 4.0 / 3.0), Bounds(1.0, 1.0)):
        with pytest.raises(InputError, match="bounds"):
            interval(ope.SNIPS, few, bounds, "betting")
    with pytest.raises(InputError, match="numerator"):
        interval(ope.IPS, log(4, 100, 10), BOUNDS, "betting")
    for wrong in ((0.0, 1.0, 1), (1.0, np.inf, 1), (1.0, 1.0, 0)):
        with pytest.raises(InputError, match="Bounds"):
            Bounds(*wrong)


def test_estimators_of_another_kind_have_a_status() -> None:
    few = replace(log(5, 100), q=np.full((100, 3), 9.0))
    for estimator in (ope.DR, ope.SNDR, ope.log_sum_exp(1.0)):
        found = interval(estimator, few, BOUNDS, "betting")
        assert (found.status, found.value) == ("undefined", None)
    assert interval(ope.IPS, replace(few, user=few.user * 0), BOUNDS, "betting").value is None


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [ope.IPS, ope.SNIPS], ids=lambda e: e.name)
@pytest.mark.parametrize("method", METHODS)
def test_they_cover_at_small_n(estimator: Estimator, method: Guaranteed) -> None:
    """At 30 users, where the delta method is not sure to; far more than 95 % is no fault."""
    hits = 0
    for seed in range(600):
        found = interval(estimator, log(seed, 30), BOUNDS, method)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= TRUTH <= found.high
    assert hits / 600 >= 0.95
