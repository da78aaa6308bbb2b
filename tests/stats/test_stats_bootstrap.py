from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from giftlive.errors import InputError
from giftlive.stats import bootstrap
from giftlive.stats.bootstrap import clustered_bootstrap, poisson_sums, poisson_weights
from giftlive.stats.intervals import ratio_delta, ratio_replications
from giftlive.types import Floats

FEW = settings(max_examples=30, deadline=None)


def test_the_rounded_law_has_mean_and_variance_one() -> None:
    cuts = np.concatenate([[0], bootstrap._CUTS, [2**31]]) / 2**31
    chances, k = np.diff(cuts), np.arange(bootstrap.LARGEST_WEIGHT + 1)
    np.testing.assert_allclose(chances, scipy_stats.poisson.pmf(k, 1.0), rtol=0, atol=2.0**-31)
    mean = chances @ k
    assert mean == pytest.approx(1.0, abs=1e-8)
    assert chances @ (k - mean) ** 2 == pytest.approx(1.0, abs=1e-8)


def plain_weight(seed: int, cluster: int, replicate: int) -> int:
    """Poisson's quantile of a chain of SplitMix64 finalisers, written with Python's integers."""

    def finalise(x: int) -> int:
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) % 2**64
        return x ^ (x >> 31)

    gamma = 0x9E3779B97F4A7C15
    hashed = finalise((seed + gamma) % 2**64)
    for word in (0x0B00, cluster, 0, replicate):
        hashed = finalise((hashed + word * gamma + gamma) % 2**64)
    return int(scipy_stats.poisson.ppf(((hashed >> 33) + 0.5) / 2**31, 1.0))


def test_weights_equal_an_independent_implementation() -> None:
    ids = np.array([-3, 0, 1, 17, 2**40 + 5])
    weights = poisson_weights(ids, 60, seed=2**61 + 7)
    plain = [[plain_weight(2**61 + 7, int(g), r) for g in ids] for r in range(60)]
    np.testing.assert_array_equal(weights, plain)


def test_weights_follow_poisson_one() -> None:
    weights = poisson_weights(np.arange(4_000), 500, seed=5).ravel()
    observed = np.bincount(weights.astype(np.int64), minlength=9)
    observed = np.append(observed[:8], observed[8:].sum())
    chances = [math.exp(-1) / math.factorial(k) for k in range(8)]
    chances.append(1.0 - sum(chances))
    assert scipy_stats.chisquare(observed, np.array(chances) * len(weights)).pvalue > 1e-3


NEIGHBOURS = {
    "the next replicate": (0, 0, 1),
    "the same place of the next 64 replicates": (0, 0, 64),
    "the next user": (0, 1, 0),
    "the user whose id differs in bit 32": (0, 1 << 32, 0),
    "the next user in the next replicate": (0, 1, 1),
    "the user before in the next replicate": (0, -1, 1),
    "the next seed": (1, 0, 0),
    "the next seed, the user before": (1, -1, 0),
}


@pytest.mark.parametrize("place", NEIGHBOURS.values(), ids=NEIGHBOURS.keys())
def test_a_weight_is_independent_of_its_neighbour(place: tuple[int, int, int]) -> None:
    seed, cluster, replicate = place
    ids = np.arange(100, 2_100)
    one = poisson_weights(ids, 200, seed=8).astype(np.int64)
    other = poisson_weights(ids + cluster, 200 + replicate, seed=8 + seed).astype(np.int64)
    other = other[replicate:]
    table = np.zeros((4, 4))
    np.add.at(table, (np.minimum(one, 3).ravel(), np.minimum(other, 3).ravel()), 1)
    assert scipy_stats.chi2_contingency(table).pvalue > 1e-4
    correlation = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    assert abs(correlation) < 4.5 / math.sqrt(one.size)


@pytest.mark.parametrize("between", ["clusters", "replicates"])
def test_all_pairs_are_as_uncorrelated_as_independent_ones(between: str) -> None:
    shape = (2_000, 120) if between == "clusters" else (120, 2_000)
    weights = poisson_weights(np.arange(shape[1]), shape[0], seed=6)
    if between == "clusters":
        weights = weights.T
    matrix = np.atleast_2d(np.corrcoef(weights))
    correlations = matrix[np.triu_indices(120, 1)]
    # n r² of independent pairs has mean n/(n-1) and variance about 2
    excess = 2_000 * np.mean(correlations**2) - 1.0
    assert abs(excess) < 5.0 * math.sqrt(2.0 / len(correlations))
    assert np.abs(correlations).max() < 5.5 / math.sqrt(2_000)


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


@pytest.mark.parametrize("threads", [2, 3, 50])
def test_threads_do_not_change_one_bit(threads: int) -> None:
    rng = np.random.default_rng(11)
    ids, columns = np.arange(300), rng.lognormal(0.0, 3.0, (300, 2))
    alone = poisson_sums(ids, columns, 31, seed=2)
    np.testing.assert_array_equal(poisson_sums(ids, columns, 31, seed=2, threads=threads), alone)
    user, x = rng.integers(0, 80, 300), columns[:, 0]
    one = clustered_bootstrap(lambda w: weighted_mean(x, w), user, 31, seed=2)
    assert one == clustered_bootstrap(
        lambda w: weighted_mean(x, w), user, 31, seed=2, threads=threads
    )


def test_an_error_in_a_thread_is_raised() -> None:
    def fails_when_resampled(w: Floats) -> float:
        if not np.all(w == 1.0):
            raise InputError("no")
        return 0.0

    with pytest.raises(InputError, match="no"):
        clustered_bootstrap(fails_when_resampled, np.arange(9), 20, threads=2)


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
    nobody = clustered_bootstrap(lambda w: 0.0, np.zeros(0, dtype=np.int64))
    assert nobody.status == "not_enough_data"
    with pytest.raises(InputError, match="replicates"):
        poisson_weights(np.arange(3), 0, seed=1)
    with pytest.raises(InputError, match="threads"):
        poisson_sums(np.arange(3), np.ones((3, 1)), 5, seed=1, threads=0)
    with pytest.raises(InputError, match="level"):
        clustered_bootstrap(lambda w: 1.0, np.arange(5), level=95.0)


def test_constant_and_zero_statistics_have_width_exactly_zero() -> None:
    user = np.repeat(np.arange(20), 3)
    zeros, ones = np.zeros(60), np.ones(60)
    none = clustered_bootstrap(lambda w: weighted_mean(zeros, w), user, 100)
    assert (none.value, none.low, none.high) == (0.0, 0.0, 0.0)
    same = clustered_bootstrap(lambda w: weighted_mean(ones, w), user, 100)
    assert (same.value, same.low, same.high) == (1.0, 1.0, 1.0)


def test_duplicated_users_do_not_shrink_the_interval() -> None:
    rng = np.random.default_rng(12)
    x, user = rng.exponential(size=200), np.arange(200)
    twice = np.tile(x, 2)
    once = clustered_bootstrap(lambda w: weighted_mean(x, w), user, 400, seed=1)
    kept = clustered_bootstrap(lambda w: weighted_mean(twice, w), np.tile(user, 2), 400, seed=1)
    passed_off = clustered_bootstrap(lambda w: weighted_mean(twice, w), np.arange(400), 400, seed=1)
    assert kept.width == pytest.approx(once.width, rel=1e-12)
    assert (passed_off.width or 0.0) < 0.85 * (kept.width or 0.0)


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
