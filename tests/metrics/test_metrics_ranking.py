from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import ndcg_score

from giftlive import metrics
from giftlive.errors import UsageError
from giftlive.rng import stream

Y = np.array([0.0, 10.0, 30.0, 0.0, 60.0])


def test_capture_counts_the_border_row_in_part() -> None:
    score = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert metrics.revenue_capture(Y, score, 0.2) == pytest.approx(0.6)
    assert metrics.revenue_capture(Y, score, 0.5) == pytest.approx(0.75)
    assert metrics.revenue_capture(Y, score, 1.0) == 1.0


def test_capture_of_a_tie_is_its_expectation() -> None:
    assert metrics.revenue_capture(Y, np.zeros(5), 0.4) == pytest.approx(0.4)
    half_tied = np.array([0.0, 7.0, 7.0, 0.0, 9.0])
    assert metrics.revenue_capture(Y, half_tied, 0.4) == pytest.approx((60 + 20) / 100)


def test_capture_of_a_tie_matches_random_orders() -> None:
    g = stream(1, "ties")
    y, score = np.floor(g.exponential(5.0, 60)), np.round(g.random(60) * 4)
    draws = [metrics.revenue_capture(y, score + 1e-6 * g.random(60), 0.25) for _ in range(4000)]
    error = 4.0 * np.std(draws) / np.sqrt(len(draws))
    assert metrics.revenue_capture(y, score, 0.25) == pytest.approx(np.mean(draws), abs=error)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), min_size=1, max_size=30))
def test_capture_is_bounded_monotone_and_best_in_the_realised_order(
    rows: list[tuple[int, int]],
) -> None:
    y = np.array([float(a) for a, _ in rows]) + np.eye(1, len(rows))[0]
    score = np.array([float(s) for _, s in rows])
    fractions = [0.01, 0.3, 0.7, 1.0]
    got = [metrics.revenue_capture(y, score, f) for f in fractions]
    oracle = [metrics.revenue_capture(y, y, f) for f in fractions]
    assert got == sorted(got)
    assert all(a <= b + 1e-12 for a, b in zip(got, oracle, strict=True))


def test_prepared_capture_is_the_plain_one(columns: Any) -> None:
    ranked = metrics.RankedCapture.of(columns.amount, columns.score)
    plain = metrics.revenue_capture(columns.amount, columns.score, 0.05, columns.copies)
    assert ranked.at(0.05, columns.copies) == plain


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.5])
def test_a_percentage_passed_as_a_fraction_is_refused(fraction: float) -> None:
    with pytest.raises(UsageError, match="fraction"):
        metrics.revenue_capture(Y, Y, fraction)
    with pytest.raises(UsageError, match="fraction"):
        metrics.topk_overlap(Y, Y, fraction)


def test_overlap_known_answers() -> None:
    assert metrics.topk_overlap(Y, Y, 0.4) == pytest.approx(1.0)
    assert metrics.topk_overlap(Y, -Y, 0.2) == 0.0
    assert metrics.topk_overlap(Y, np.zeros(5), 0.4) == pytest.approx(0.4)


def test_normalised_gini_known_answers() -> None:
    assert metrics.normalised_gini(Y, Y) == 1.0
    assert metrics.normalised_gini(Y, -Y) == pytest.approx(-1.0)
    assert metrics.normalised_gini(Y, np.zeros(5)) == pytest.approx(0.0)
    assert np.isnan(metrics.normalised_gini(np.ones(4), np.arange(4.0)))


def test_normalised_gini_matches_the_pairwise_formula() -> None:
    g = stream(2, "gini")
    y, score = g.exponential(size=80), np.round(g.normal(size=80), 1)
    pairs = np.sign(score[:, None] - score[None, :]) * (y[:, None] - y[None, :])
    expected = pairs.sum() / np.abs(y[:, None] - y[None, :]).sum()
    assert metrics.normalised_gini(y, score) == pytest.approx(expected, rel=1e-12)


def test_ndcg_matches_scikit_learn_with_ties(columns: Any) -> None:
    for n in (1, 7, 50, 400):
        expected = ndcg_score([columns.amount], [columns.score], k=n)
        assert metrics.ndcg(columns.amount, columns.score, n) == pytest.approx(expected)


def test_spearman_matches_scipy_with_ties(columns: Any) -> None:
    expected = spearmanr(columns.amount, columns.score).statistic
    assert metrics.spearman(columns.amount, columns.score) == pytest.approx(expected)
    assert np.isnan(metrics.spearman(columns.amount, np.ones(400)))
