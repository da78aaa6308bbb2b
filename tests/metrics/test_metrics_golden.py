"""Golden values of metrics no library has: sums over all orders of the ties, written by hand."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import metrics as sk

from giftlive import metrics
from giftlive.metrics import influence
from giftlive.rng import stream
from giftlive.types import Floats

Y = np.array([0.0, 3.0, 3.0, 0.0, 7.0, 1.0])
SCORE = np.array([2.0, 2.0, 1.0, 2.0, 3.0, 1.0])


def orders(score: Floats) -> list[list[int]]:
    """Return every order of the rows in which no lower score stands before a higher one."""
    n = len(score)
    return [
        list(p)
        for p in permutations(range(n))
        if all(score[p[i]] >= score[p[i + 1]] for i in range(n - 1))
    ]


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_capture_is_the_mean_over_all_orders_of_the_ties(k: int) -> None:
    expected = np.mean([Y[order[:k]].sum() / Y.sum() for order in orders(SCORE)])
    assert metrics.revenue_capture(Y, SCORE, k / 6) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_overlap_is_the_mean_over_all_pairs_of_orders(k: int) -> None:
    expected = np.mean(
        [len(set(one[:k]) & set(other[:k])) / k for one in orders(SCORE) for other in orders(Y)]
    )
    assert metrics.topk_overlap(Y, SCORE, k / 6) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_the_level_of_a_top_is_a_ratio_of_expectations(k: int) -> None:
    inside = np.mean([np.isin(np.arange(6), order[:k]) for order in orders(SCORE)], axis=0)
    expected = np.sum(inside * SCORE) / np.sum(inside * Y)
    assert metrics.calibration_at(Y, SCORE, k / 6) == pytest.approx(expected)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_whales_found_is_the_mean_over_all_orders(k: int) -> None:
    whale = Y >= 3.0
    hits = [whale[order[:k]].sum() for order in orders(SCORE)]
    found = metrics.whale_search(Y, SCORE, whale, k / 6)
    assert found.recall == pytest.approx(np.mean(hits) / whale.sum())
    assert found.precision == pytest.approx(np.mean(hits) / k)


def test_ndcg_shares_the_discount_of_a_tie() -> None:
    discount = 1.0 / np.log2(2.0 + np.arange(4))
    best = np.sort(Y)[::-1][:4] @ discount
    expected = np.mean([Y[order[:4]] @ discount for order in orders(SCORE)]) / best
    assert metrics.ndcg(Y, SCORE, 4) == pytest.approx(expected)
    assert metrics.ndcg(Y, SCORE, 4) == pytest.approx(sk.ndcg_score([Y], [SCORE], k=4))


def test_oracle_and_ceilings_are_captures_of_their_own_order() -> None:
    g = stream(6, "ceilings")
    value = g.exponential(1.0, 200)
    seen = value * np.exp(g.normal(0.0, 0.5, 200))
    assert metrics.oracle_at(value, 0.1) == pytest.approx(np.sort(value)[-20:].sum() / value.sum())
    top = np.argsort(-seen)[:20]
    assert metrics.bayes_ceiling(value, seen, 0.1) == pytest.approx(value[top].sum() / value.sum())
    assert metrics.bayes_ceiling(value, seen, 0.1) <= metrics.latent_ceiling(value, 0.1)


def test_ece_is_that_of_bins_cut_by_hand() -> None:
    g = stream(7, "ece")
    p = np.sort(g.random(150))
    gift = (g.random(150) < p).astype(np.float64)
    parts = zip(np.split(p, 15), np.split(gift, 15), strict=True)
    expected = np.mean([abs(a.mean() - b.mean()) for a, b in parts])
    assert metrics.ece(gift, p) == pytest.approx(expected)


def test_deciles_are_sums_of_tenths_cut_by_hand() -> None:
    g = stream(8, "deciles")
    guess = np.sort(g.exponential(1.0, 200))
    y = g.exponential(1.0, 200)
    table = metrics.calibration_by_decile(y, guess)
    assert_allclose(table.predicted, guess.reshape(10, 20).sum(axis=1))
    assert_allclose(table.actual, y.reshape(10, 20).sum(axis=1))


@pytest.mark.parametrize("rows", [1, 2])
def test_one_row_is_a_limit_and_no_accident(rows: int) -> None:
    y, score = np.full(rows, 4.0), np.full(rows, 2.0)
    assert metrics.revenue_capture(y, score, 0.01) == pytest.approx(0.01)
    assert metrics.topk_overlap(y, score, 1.0) == 1.0
    assert metrics.ndcg(y, score, 100) == pytest.approx(1.0)
    assert metrics.calibration_ratio(y, score) == 0.5
    assert np.isnan(metrics.spearman(y, score))
    assert np.isnan(metrics.normalised_gini(y, score))


def ranking_metrics(y: Floats, score: Floats) -> list[float]:
    return [
        metrics.revenue_capture(y, score, 0.05),
        metrics.topk_overlap(y, score, 0.05),
        metrics.ndcg(y, score, 50),
        metrics.spearman(y, score),
        metrics.normalised_gini(y, score),
        metrics.pr_auc(y, score),
    ]


def test_amounts_in_other_units_change_no_ranking_metric() -> None:
    g = stream(9, "units")
    y, score = np.floor(g.exponential(3.0, 300)), np.round(g.random(300), 1)
    assert_allclose(ranking_metrics(1_000.0 * y, score), ranking_metrics(y, score))


def test_log_loss_has_the_influence_of_a_mean() -> None:
    g = stream(10, "loss")
    p = np.clip(g.random(60), 0.01, 0.99)
    gift = (g.random(60) < p).astype(np.float64)
    found = influence.log_loss(gift, p)
    assert found.value == pytest.approx(sk.log_loss(gift, p))
    for k in (0, 17):
        up = np.ones(60)
        up[k] += 1e-5
        down = np.ones(60)
        down[k] -= 1e-5
        slope = (metrics.log_loss(gift, p, up) - metrics.log_loss(gift, p, down)) / 2e-5
        assert found.influence[k] == pytest.approx(slope, rel=1e-5)
