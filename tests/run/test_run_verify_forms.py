"""The second computations agree with the first ones on data that neither was written for."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats as laws

from giftlive import metrics
from giftlive.evaluation.gates import load_rules
from giftlive.metrics import influence as influence_metrics
from giftlive.run.verify import calibration, concentration, gates, ranking, recomputed
from giftlive.run.verify.intervals import NoOtherFormError, bounds
from giftlive.run.verify.recomputed import Recomputed
from giftlive.stats import heavy_tails, influence, quantiles, skewed
from giftlive.stats.bootstrap import clustered_bootstrap
from giftlive.stats.intervals import Interval, influence_t, proportion, ratio_delta, student_t
from giftlive.types import Floats

RNG = np.random.default_rng(5)
N = 400
Y = np.where(RNG.random(N) < 0.2, np.exp(RNG.normal(2.0, 1.5, N)).round(), 0.0)
SCORE = (Y + RNG.exponential(20.0, N)).round(-1)  # rounded, so that scores tie
CHANCE = np.clip(SCORE / 100.0, 0.0, 1.0)
HIT = (Y > 0).astype(np.float64)
WEIGHTS = RNG.poisson(1.0, N).astype(np.float64)
RANKINGS: dict[str, tuple[ranking.Metric, ranking.Metric]] = {
    "capture": (
        ranking.capture(Y, SCORE, 0.03),
        lambda w: metrics.revenue_capture(Y, SCORE, 0.03, w),
    ),
    "pr_auc": (ranking.average_precision(HIT, CHANCE), lambda w: metrics.pr_auc(Y, CHANCE, w)),
    "ece": (ranking.calibration_error(HIT, CHANCE), lambda w: metrics.ece(Y, CHANCE, weights=w)),
    "spearman": (ranking.rank_correlation(Y, SCORE), lambda w: metrics.spearman(Y, SCORE, w)),
    "ndcg": (ranking.discounted_gain(Y, SCORE, 50), lambda w: metrics.ndcg(Y, SCORE, 50, w)),
    "gini": (
        ranking.concentration_found(Y, SCORE),
        lambda w: metrics.normalised_gini(Y, SCORE, w),
    ),
}


@pytest.mark.parametrize("name", RANKINGS)
@pytest.mark.parametrize("weights", [np.ones(N), WEIGHTS], ids=["once", "resampled"])
def test_a_ranking_metric_has_two_forms_and_one_value(name: str, weights: Floats) -> None:
    second, first = RANKINGS[name]
    assert second(weights) == pytest.approx(first(weights), rel=1e-11)


def test_libraries_agree_with_the_blocks() -> None:
    from sklearn.metrics import average_precision_score, ndcg_score

    one = np.ones(N)
    assert RANKINGS["pr_auc"][0](one) == pytest.approx(average_precision_score(HIT, CHANCE))
    assert RANKINGS["ndcg"][0](one) == pytest.approx(ndcg_score([Y], [SCORE], k=50))
    assert RANKINGS["spearman"][0](one) == pytest.approx(laws.spearmanr(Y, SCORE).statistic)


def test_concentration_has_two_forms_and_one_value() -> None:
    whole = np.ones((1, N))
    for found, first in (
        (concentration.gini(Y), heavy_tails.gini),
        (concentration.top_share(Y, 0.05), lambda x, w: heavy_tails.top_share(x, 0.05, w)),
    ):
        assert isinstance(found.basis, recomputed.Clustered)
        weights = RNG.poisson(1.0, (1, N)).astype(np.float64)
        assert found.value == pytest.approx(first(Y, None), rel=1e-12)
        assert found.basis.at(whole)[0] == pytest.approx(found.value, rel=1e-12)
        assert found.basis.at(weights)[0] == pytest.approx(first(np.sort(Y), weights[0]), abs=0.2)
    p, share = heavy_tails.lorenz(Y)
    assert concentration.held_by_poorest(Y, p) == pytest.approx(share, abs=1e-12)
    assert concentration.gini_of_counts(np.array([1, 3]), np.array([2, 1])) == pytest.approx(
        heavy_tails.gini(np.array([1.0, 1.0, 3.0]))
    )


def printed(interval: Interval) -> dict[str, Any]:
    return {"method": interval.method, "low": interval.low, "high": interval.high}


def inside(interval: Interval, found: Recomputed) -> bool:
    ranges, _ = bounds(printed(interval), found)
    assert interval.low is not None
    assert interval.high is not None
    return ranges[0][0] <= interval.low <= ranges[0][1] and (
        ranges[1][0] <= interval.high <= ranges[1][1]
    )


def closed_forms() -> dict[str, tuple[Interval, Recomputed]]:
    x, den = RNG.exponential(1.0, 60), RNG.exponential(1.0, 60)
    tail = RNG.pareto(1.3, 900) + 1.0
    hill = heavy_tails.hill(tail)
    assert hill.value is not None
    return {
        "student_t": (student_t(x), recomputed.mean(x)),
        "ratio_delta": (ratio_delta(x, den), recomputed.ratio(x, den)),
        "skew_t": (skewed.skew_t(x, den), recomputed.ratio(x, den)),
        "wilson": (proportion(7, 40), recomputed.share(7, 40)),
        "hill": (hill, Recomputed(hill.value, recomputed.Tail(hill.n))),
    }


@pytest.mark.parametrize("name", closed_forms())
def test_a_closed_form_agrees_to_nine_digits_and_sees_the_eighth(name: str) -> None:
    interval, found = closed_forms()[name]
    assert inside(interval, found)
    assert interval.low is not None
    moved = replace(interval, low=interval.low * (1 + 1e-7))
    assert not inside(moved, found)


@pytest.mark.parametrize("scale", ["log", "logit"])
def test_nudged_weights_measure_the_error_of_an_influence_interval(scale: Any) -> None:
    held = influence.top_share(Y + 1.0, 0.05)
    interval = influence.transformed(held.value, held.influence, scale)
    found = concentration.top_share(Y + 1.0, 0.05)
    assert inside(interval, found)
    narrow = influence.transformed(held.value, held.influence * 0.7, scale)
    assert not inside(narrow, found)


def test_nudged_weights_measure_a_plain_influence_interval() -> None:
    held = influence.gini(Y + 1.0)
    found = concentration.gini(Y + 1.0)
    assert inside(influence_t(held.value, held.influence), found)
    assert not inside(influence_t(held.value, held.influence * 1.3), found)
    exact = recomputed.ratio(Y, np.ones(N))
    mean = influence.mean(Y)
    assert inside(influence_t(mean.value, mean.influence), exact)
    assert not inside(influence_t(mean.value, mean.influence * (1 + 1e-7)), exact)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_an_error_without_its_noise_has_two_forms_and_one_value(noise: float) -> None:
    rng = np.random.default_rng(11)
    chance = rng.beta(1.0, 3.0, 3_000).round(2)
    hit = (rng.random(3_000) < np.clip(chance + noise, 0.0, 1.0)).astype(np.float64)
    user = rng.integers(0, 300, 3_000)
    first = influence_metrics.debiased_ece(hit, chance, user)
    found = calibration.debiased_error(hit, chance, user)
    assert found.value == pytest.approx(first.value, rel=1e-10)
    assert (first.low == 0.0) == (noise == 0.0)
    assert inside(first, found)
    assert first.high is not None
    assert found.value is not None
    assert not inside(replace(first, high=2 * first.high - found.value), found)


def test_resamples_agree_with_resamples() -> None:
    found = recomputed.ratio(HIT, np.ones(N))
    interval = clustered_bootstrap(lambda w: float(w @ HIT / w.sum()), np.arange(N), seed=3)
    assert interval.low is not None
    assert inside(interval, found)
    assert not inside(replace(interval, low=0.5 * interval.low), found)


def test_quantiles_of_rows_and_of_units_agree() -> None:
    cluster = np.repeat(np.arange(80), 5)
    interval = quantiles.woodruff(Y, cluster, 0.9)
    assert interval.value is not None
    assert interval.high is not None
    value, counts = np.unique(Y, return_counts=True)
    under, upto, rows = (
        np.bincount(cluster, x).astype(np.float64)
        for x in (interval.value > Y, interval.value >= Y, np.ones(N))
    )
    basis = recomputed.RowQuantile(value, np.cumsum(counts) / N, 90, under, upto, rows)
    found = Recomputed(interval.value, basis)
    assert inside(interval, found)
    assert not inside(replace(interval, high=interval.high + 1), found)
    units = quantiles.order_statistics(SCORE, 0.9)
    assert inside(units, recomputed.quantile(SCORE, 90))
    assert units.value == recomputed.quantile(SCORE, 90).value


def test_nudged_weights_measure_the_skewness_of_an_influence_interval() -> None:
    held = influence.gini(Y + 1.0)
    found = concentration.gini(Y + 1.0)
    assert inside(skewed.skew_t_of(held.value, held.influence), found)
    assert not inside(skewed.skew_t_of(held.value, held.influence * 1.6), found)


def test_a_method_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(NoOtherFormError, match="'tea_leaves'"):
        bounds({"method": "tea_leaves"}, recomputed.share(1, 2))
    with pytest.raises(NoOtherFormError, match="no ordered form"):
        bounds({"method": "order_statistics"}, recomputed.share(1, 2))


@pytest.mark.parametrize(
    ("kind", "low", "high", "verdict"),
    [
        ({"kind": "above", "threshold": 0.0}, 0.1, 0.2, "PASS"),
        ({"kind": "above", "threshold": 0.0}, 0.0, 0.2, "INCONCLUSIVE"),
        ({"kind": "below", "threshold": 0.0}, 0.1, 0.2, "FAIL"),
        ({"kind": "within", "low": 0.0, "high": 0.3}, 0.1, 0.2, "PASS"),
        ({"kind": "within", "low": 0.0, "high": 0.1}, 0.2, 0.3, "FAIL"),
        ({"kind": "not_down", "margin": 0.01}, -0.005, 0.2, "PASS"),
        ({"kind": "not_down", "margin": 0.01}, None, None, "NOT ANSWERABLE"),
    ],
)
def test_a_verdict_is_reached_from_the_rule_and_the_bounds(
    kind: dict[str, Any], low: float | None, high: float | None, verdict: str
) -> None:
    rule = kind | {"estimate": "e", "checks": {"a_a": {}}}
    evidence = {"e": {"value": 0.1, "low": low, "high": high}}
    assert gates.verdict_of(rule, evidence, {"a_a": True}) == verdict
    assert gates.verdict_of(rule, evidence, {"a_a": False}) == "NOT ANSWERABLE"
    assert gates.verdict_of(rule, evidence, {}) == "NOT ANSWERABLE"
    twice = {"checks": {"a_a": {}}, "parts": [kind | {"estimate": "e"}, kind | {"estimate": "no"}]}
    assert gates.verdict_of(twice, evidence, {"a_a": True}) in {"FAIL", "NOT ANSWERABLE"}


def test_the_second_path_borrows_no_estimator() -> None:
    for path in Path(recomputed.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            if module and module.startswith("giftlive."):
                layer = module.split(".")[1]
                assert layer in {"run", "errors", "rng", "types"}, f"{path.name}: {module}"


def test_every_rule_is_read_alike() -> None:
    rules, _ = gates.rules_of()
    for name, rule in load_rules().items():
        regions = [(c.estimate, c.low, c.high) for c in rule.conditions]
        assert list(gates.regions(rules[name])) == regions
        assert set(rules[name]["checks"]) == set(rule.checks)


@pytest.mark.parametrize("method", ["betting", "empirical_bernstein"])
def test_an_always_valid_interval_is_compared_with_the_bounds_that_were_kept(method: str) -> None:
    found = Recomputed(0.2, recomputed.Given(0.1, 0.5))
    (low, high), exact = bounds({"method": method}, found)
    assert exact
    assert (low[0] < 0.1 < low[1], high[0] < 0.5 < high[1]) == (True, True)
    assert max(low[1] - low[0], high[1] - high[0]) < 1e-8
    with pytest.raises(NoOtherFormError, match="no given form"):
        bounds({"method": method}, Recomputed(0.2))
