from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from giftlive import metrics
from giftlive.errors import UsageError
from giftlive.rng import stream

OUTCOMES = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=25)
TAILS = st.floats(0.01, 1.0)


def test_cvar_known_answers_with_a_fractional_tail() -> None:
    x = np.arange(1.0, 41.0)
    assert metrics.cvar(x) == pytest.approx(1.5)
    assert metrics.cvar(x[:30]) == pytest.approx((1.0 + 0.5 * 2.0) / 1.5)
    assert metrics.cvar(x[:10]) == 1.0
    assert metrics.cvar(x, tail=1.0) == pytest.approx(x.mean())
    assert metrics.cvar(np.full(7, 3.0)) == pytest.approx(3.0)
    assert np.isnan(metrics.cvar([]))


@given(OUTCOMES, TAILS)
def test_cvar_is_the_maximum_of_rockafellar_and_uryasev(x: list[float], tail: float) -> None:
    # CVaR = max over q of q − E[(q − X)+] / α, attained at an outcome
    values = np.array(x)
    objective = [q - np.mean(np.maximum(q - values, 0.0)) / tail for q in values]
    assert metrics.cvar(values, tail) == pytest.approx(max(objective), abs=1e-9)


@given(OUTCOMES, TAILS)
def test_cvar_is_coherent(x: list[float], tail: float) -> None:
    values = np.array(x)
    other = values[::-1] ** 2 / 10.0
    base = metrics.cvar(values, tail)
    assert values.min() - 1e-9 <= base <= values.mean() + 1e-9
    assert metrics.cvar(3.0 * values + 7.0, tail) == pytest.approx(3.0 * base + 7.0)
    together = metrics.cvar(values + other, tail)
    assert together >= base + metrics.cvar(other, tail) - 1e-9
    assert metrics.cvar(values, min(1.0, tail + 0.1)) >= base - 1e-9


def test_cvar_of_a_normal_sample() -> None:
    x = stream(70, "cvar").normal(size=200_000)
    assert metrics.cvar(x) == pytest.approx(-norm.pdf(norm.ppf(0.05)) / 0.05, abs=0.02)


def test_a_percentage_as_tail_is_refused() -> None:
    with pytest.raises(UsageError, match="fraction 5"):
        metrics.cvar([1.0], tail=5.0)


def test_variance_matches_numpy_and_one_seed_has_none() -> None:
    x = stream(71, "seeds").normal(size=12)
    assert metrics.seed_variance(x) == pytest.approx(np.var(x, ddof=1))
    assert metrics.seed_variance(8.0 * x) == pytest.approx(64.0 * np.var(x, ddof=1))
    assert metrics.seed_variance([5.0, 5.0]) == 0.0
    assert np.isnan(metrics.seed_variance([5.0]))
    assert np.isnan(metrics.seed_variance([]))


def test_largest_user_known_answers_and_limits() -> None:
    assert metrics.largest_user_share(np.ones(8), np.arange(8)) == pytest.approx(1 / 8)
    assert metrics.largest_user_share([1.0, 4.0], [3, 3]) == 1.0
    assert metrics.largest_user_share([3.0, -3.0, 1.0], [1, 1, 2]) == 1.0
    assert metrics.largest_user_share([-6.0, 2.0], [1, 2]) == 0.75
    assert np.isnan(metrics.largest_user_share([0.0, 0.0], [1, 2]))
    assert np.isnan(metrics.largest_user_share([], []))


def test_largest_user_of_tiny_contributions(columns: Any) -> None:
    user = np.arange(400) % 40
    plain = metrics.largest_user_share(columns.amount, user)
    total = np.bincount(user, columns.amount)
    assert plain == pytest.approx(total.max() / total.sum())
    assert metrics.largest_user_share(1e-25 * columns.amount, user) == pytest.approx(plain)
