from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from giftlive.errors import InputError
from giftlive.stats.bootstrap import clustered_bootstrap, poisson_sums, poisson_weights
from giftlive.stats.intervals import ratio_delta, ratio_replications
from giftlive.types import Floats

FEW = settings(max_examples=30, deadline=None)


def test_weights_follow_poisson_one() -> None:
    weights = poisson_weights(np.arange(2_000), 100, seed=5).ravel()
    observed = np.bincount(weights.astype(np.int64), minlength=7)
    observed = np.append(observed[:6], observed[6:].sum())
    chances = [math.exp(-1) / math.factorial(k) for k in range(6)]
    chances.append(1.0 - sum(chances))
    assert scipy_stats.chisquare(observed, np.array(chances) * len(weights)).pvalue > 1e-3


def test_weights_of_clusters_and_replicates_are_uncorrelated() -> None:
    weights = poisson_weights(np.arange(1_000), 50, seed=6)
    between_replicates = np.corrcoef(weights) - np.eye(50)
    assert np.abs(between_replicates).max() < 0.2
    neighbours = np.corrcoef(weights[:, :-1].ravel(), weights[:, 1:].ravel())[0, 1]
    assert abs(neighbours) < 0.02


@FEW
@given(st.lists(st.integers(-5, 50), min_size=1, max_size=30), st.integers(0, 2**62))
def test_a_cluster_has_the_same_weights_in_every_chunk(ids: list[int], seed: int) -> None:
    whole = poisson_weights(np.array(ids), 6, seed)
    distinct = sorted(set(ids))
    assert whole.shape == (6, len(distinct))
    for column, key in enumerate(distinct):
        alone = poisson_weights(np.array([key, key]), 6, seed)
        np.testing.assert_array_equal(alone[:, 0], whole[:, column])


def test_weights_do_not_depend_on_how_many_replicates_are_asked() -> None:
    ids = np.arange(20)
    few, many = poisson_weights(ids, 3, seed=1), poisson_weights(ids, 9, seed=1)
    np.testing.assert_array_equal(few, many[:3])
    assert not np.array_equal(few, poisson_weights(ids, 3, seed=2))


def test_sums_equal_the_weights_times_the_columns_and_chunks_add_up() -> None:
    rng = np.random.default_rng(1)
    ids, columns = rng.permutation(1_000)[:40], rng.integers(0, 100, (40, 3)).astype(float)
    order = np.argsort(ids)
    whole = poisson_sums(ids, columns, 25, seed=4)
    np.testing.assert_array_equal(whole, poisson_weights(ids, 25, seed=4) @ columns[order])
    first = poisson_sums(ids[:11], columns[:11], 25, seed=4)
    rest = poisson_sums(ids[11:], columns[11:], 25, seed=4)
    np.testing.assert_array_equal(first + rest, whole)


def weighted_mean(x: Floats, w: Floats) -> float:
    return float(w @ x / w.sum()) if w.any() else math.nan


def test_bootstrap_of_a_mean_agrees_with_the_delta_method() -> None:
    rng = np.random.default_rng(2)
    user = rng.integers(0, 400, 1_500)
    x = rng.random(1_500) + rng.random(400)[user]
    boot = clustered_bootstrap(lambda w: weighted_mean(x, w), user, 1_000, seed=3)
    delta = ratio_delta(x, np.ones(1_500), user)
    assert boot.value == pytest.approx(delta.value)
    assert boot.width == pytest.approx(delta.width, rel=0.12)
    assert boot.n == delta.n


def test_the_same_seed_gives_the_same_interval_in_any_row_order() -> None:
    rng = np.random.default_rng(3)
    user, x = rng.integers(0, 30, 100), rng.integers(0, 50, 100).astype(float)
    order = rng.permutation(100)
    one = clustered_bootstrap(lambda w: weighted_mean(x, w), user, seed=9)
    other = clustered_bootstrap(lambda w: weighted_mean(x[order], w), user[order], seed=9)
    assert one == other


def test_paired_difference_of_a_model_with_itself_is_exactly_zero() -> None:
    x = np.random.default_rng(4).random(50)
    same = clustered_bootstrap(
        lambda w: weighted_mean(x, w) - weighted_mean(x, w), np.arange(50), seed=1
    )
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


def test_rarely_undefined_resamples_are_left_out_and_frequent_ones_refuse() -> None:
    ids, x = np.arange(4), np.array([1.0, 2.0, 3.0, 4.0])
    fine = clustered_bootstrap(lambda w: weighted_mean(x, w), ids, 200, seed=3)
    assert fine.status == "ok"
    needs_first = clustered_bootstrap(lambda w: 1.0 if w[0] else math.nan, ids, 200, seed=3)
    assert needs_first.status == "undefined"
    assert needs_first.value is None
    assert "of 200 resamples" in needs_first.reason


def test_without_two_clusters_or_a_value_there_is_no_interval() -> None:
    one = clustered_bootstrap(lambda w: float(w.sum()), np.zeros(5, dtype=np.int64))
    assert one.status == "not_enough_data"
    undefined = clustered_bootstrap(lambda w: math.nan, np.arange(5))
    assert undefined.status == "undefined"
    with pytest.raises(InputError, match="replicates"):
        poisson_weights(np.arange(3), 0, seed=1)


@pytest.mark.slow
def test_bootstrap_covers_at_light_tails() -> None:
    rng = np.random.default_rng(5)
    hits, replications, users = 0, 1_000, 200
    for seed in range(replications):
        x = rng.random(users)
        draws = poisson_sums(np.arange(users), np.stack([x, np.ones(users)], axis=1), 400, seed)
        low, high = np.quantile(draws[:, 0] / draws[:, 1], [0.025, 0.975])
        hits += bool(low <= 0.5 <= high)
    assert 0.925 <= hits / replications <= 0.97


def test_replicated_delta_agrees_with_the_spread_of_bootstrap_draws() -> None:
    x = np.random.default_rng(6).random((1, 500))
    _, low, high = ratio_replications(x, np.ones_like(x), level=0.6827)
    draws = poisson_sums(np.arange(500), np.stack([x[0], np.ones(500)], axis=1), 2_000, seed=8)
    assert (draws[:, 0] / draws[:, 1]).std() == pytest.approx(float(high[0] - low[0]) / 2, rel=0.06)
