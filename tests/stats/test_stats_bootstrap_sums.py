from __future__ import annotations

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import InputError
from giftlive.stats import bootstrap, bootstrap_sums
from giftlive.stats.bootstrap import poisson_sums, poisson_weights
from giftlive.stats.bootstrap_sums import SumsBootstrap, ratio_interval
from giftlive.stats.cluster_sums import ClusterSums, cluster_sums
from giftlive.stats.intervals import Interval, ratio_delta
from giftlive.types import Floats, Ints

FEW = settings(max_examples=25, deadline=None)
AMOUNTS = st.floats(-1e9, 1e9) | st.floats(-2.0, 2.0) | st.integers(-5, 5).map(float)
ROWS = st.lists(st.tuples(st.integers(-3, 12), AMOUNTS, AMOUNTS), min_size=1, max_size=40)


def of(user: Ints, terms: Floats, replicates: int = 25, seed: int = 4) -> SumsBootstrap:
    return SumsBootstrap.init(terms.shape[1], replicates, seed).update(user, terms)


def arrays(rows: list[tuple[int, float, float]]) -> tuple[Ints, Floats]:
    return np.array([row[0] for row in rows]), np.array([row[1:] for row in rows])


def assert_same(a: SumsBootstrap, b: SumsBootstrap) -> None:
    np.testing.assert_array_equal(a.sums.whole, b.sums.whole)
    np.testing.assert_array_equal(a.sums.part, b.sums.part)
    assert (a.seed, a.unusable) == (b.seed, b.unusable)


def skewed(users: int, rows: int, seed: int = 1) -> tuple[Ints, Floats]:
    rng = np.random.default_rng(seed)
    user = rng.integers(0, users, rows)
    return user, np.column_stack([rng.lognormal(0.0, 2.0, rows), np.ones(rows)])


@FEW
@given(st.integers(2, 30), st.floats(-1e3, 1e3), st.integers(0, 10_000))
def test_a_constant_reward_has_width_0_however_few_the_clusters(
    clusters: int, reward: float, seed: int
) -> None:
    """Of resamples of three users 5 % are empty: there is no ratio to differ in."""
    reward = round(reward * 2.0**20) / 2.0**20
    user = np.arange(clusters)
    state = of(user, np.column_stack([np.full(clusters, reward), np.ones(clusters)]), 200, seed)
    found = ratio_interval(state, clusters)
    assert (found.value, found.low, found.high, found.status) == (reward, reward, reward, "ok")


def test_few_clusters_that_differ_are_refused_with_the_reason() -> None:
    state = of(np.arange(2), np.array([[1.0, 1.0], [2.0, 1.0]]), 200)
    found = ratio_interval(state, 2)
    assert found.status == "undefined"
    assert "(at most 5 % allowed); 2 clusters leave about 14% of them empty" in found.reason


@FEW
@given(ROWS)
def test_sums_are_exact(rows: list[tuple[int, float, float]]) -> None:
    """Golden: rational arithmetic on the weights that ``poisson_weights`` gives."""
    user, terms = arrays(rows)
    terms = np.round(terms * 2.0**20) / 2.0**20  # on the grid, so that nothing is rounded away
    state = of(user, terms)
    ids, index = np.unique(user, return_inverse=True)
    weights = np.vstack([np.ones(len(ids)), poisson_weights(ids, 25, seed=4)])
    units = state.sums.whole.astype(object) * 2**60 + state.sums.part.astype(object)
    for r, row in enumerate(weights):
        for k in range(2):
            expected = sum(
                Fraction(row[g]) * Fraction(x) for g, x in zip(index, terms[:, k], strict=True)
            )
            assert Fraction(int(units[r, k]), 2**60) == expected


@FEW
@given(ROWS, st.integers(1, 7), st.randoms(use_true_random=False))
def test_merged_chunks_in_any_order_equal_the_whole_to_the_bit(
    rows: list[tuple[int, float, float]], size: int, random: Random
) -> None:
    whole = of(*arrays(rows))
    random.shuffle(rows)
    parts = [of(*arrays(rows[i : i + size])) for i in range(0, len(rows), size)]
    random.shuffle(parts)
    assert_same(reduce(SumsBootstrap.merge, parts), whole)
    streamed = SumsBootstrap.init(2, 25, seed=4)
    for i in range(0, len(rows), size):
        streamed = streamed.update(*arrays(rows[i : i + size]), threads=1 + i % 2)
    assert_same(streamed, whole)


def test_blocks_threads_and_sums_made_before_do_not_change_one_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user, terms = skewed(300, 2_000)
    whole = of(user, terms)
    nothing = SumsBootstrap.init(2, 25, seed=4)
    assert_same(nothing.update(user, terms, threads=3), whole)
    assert_same(nothing.add(cluster_sums(user, terms), threads=2), whole)
    monkeypatch.setattr(bootstrap_sums, "_BLOCK", 17)
    assert_same(of(user, terms), whole)
    assert_same(nothing.add(cluster_sums(user, terms)), whole)


def test_draws_are_the_weighted_sums_and_depend_on_the_seed_alone() -> None:
    user, terms = skewed(50, 400)
    state, sums = of(user, terms), cluster_sums(user, terms)
    assert (state.replicates, state.draws.shape) == (25, (25, 2))
    np.testing.assert_allclose(state.totals, terms.sum(axis=0), rtol=1e-13)
    expected = poisson_sums(sums.keys, sums.values, 25, seed=4)
    np.testing.assert_allclose(state.draws, expected, rtol=1e-13)
    few = of(user, terms, replicates=7)
    np.testing.assert_array_equal(few.draws, state.draws[:7])
    assert not np.array_equal(of(user, terms, seed=5).draws, state.draws)


def test_memory_does_not_grow_with_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap_sums, "_BLOCK", 2_000)

    def peak(rows: int) -> int:
        user, terms = np.arange(rows), np.ones((rows, 2))
        tracemalloc.start()
        of(user, terms, replicates=40)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    assert peak(40_000) < 1.3 * peak(4_000)


def test_sums_of_the_largest_pieces_are_exact() -> None:
    assert bootstrap.LARGEST_WEIGHT * 2**31 * bootstrap_sums._BLOCK < 2**53
    ids, ones = np.arange(3_000), np.ones((3_000, 1), dtype=np.int64)
    largest = ClusterSums(ids, ones * (2**46 - 1), ones * (2**60 - 1))
    state = SumsBootstrap.init(1, 25, seed=4).add(largest)
    units = state.sums.whole.astype(object) * 2**60 + state.sums.part.astype(object)
    drawn = [len(ids), *poisson_weights(ids, 25, seed=4).sum(axis=1).astype(np.int64).tolist()]
    assert units[:, 0].tolist() == [times * (2**106 - 1) for times in drawn]


def ratio_of(user: Ints, num: Floats, den: Floats, level: float = 0.95) -> Interval:
    state = of(user, np.column_stack([num, den]), replicates=200)
    return ratio_interval(state, len(np.unique(user)), level, "users")


def test_ratio_agrees_with_the_delta_method() -> None:
    rng = np.random.default_rng(2)
    user = rng.integers(0, 400, 1_500)
    x = rng.random(1_500) + rng.random(400)[user]
    state = of(user, np.column_stack([x, np.ones(1_500)]), replicates=2_000)
    boot, delta = ratio_interval(state, 400), ratio_delta(x, np.ones(1_500), user)
    assert boot.value == pytest.approx(delta.value, rel=1e-12)
    assert boot.width == pytest.approx(delta.width, rel=0.08)
    assert (boot.method, boot.n, boot.n_unit) == ("poisson_bootstrap(2000)", 400, "clusters")


@FEW
@given(st.integers(-20, 20))
def test_ratio_is_scale_equivariant(power: int) -> None:
    user, terms = skewed(40, 200)
    num, den = np.round(terms[:, 0] * 2**20) / 2**20, terms[:, 1]
    one, scaled = ratio_of(user, num, den), ratio_of(user, num * 2.0**power, den)
    for bound in ("value", "low", "high"):
        assert getattr(scaled, bound) == getattr(one, bound) * 2.0**power
    both = ratio_of(user, num * 3.0, den * 3.0)
    assert (both.value, both.low, both.high) == (one.value, one.low, one.high)


@FEW
@given(st.floats(2.0**-8, 1e6) | st.floats(-1e6, -(2.0**-8)) | st.just(0.0))
def test_a_constant_ratio_has_width_exactly_zero(constant: float) -> None:
    user = np.arange(90) // 3
    same = ratio_of(user, np.full(90, constant), np.ones(90))
    assert (same.value, same.low, same.high) == (constant, constant, constant)


def test_duplicated_users_do_not_shrink_the_interval() -> None:
    user, terms = skewed(300, 900)
    num, den = terms.T
    once = ratio_of(user, num, den)
    kept = ratio_of(np.tile(user, 2), np.tile(num, 2), np.tile(den, 2))
    passed_off = ratio_of(np.concatenate([user, user + 1_000]), np.tile(num, 2), np.tile(den, 2))
    assert (kept.value, kept.low, kept.high) == (once.value, once.low, once.high)
    assert (passed_off.width or 0.0) < 0.85 * (kept.width or 0.0)


def test_what_has_no_interval_says_why() -> None:
    user, ones = np.arange(30), np.ones(30)
    zeros = ratio_of(user, 0.0 * ones, ones)
    assert (zeros.status, zeros.value, zeros.width) == ("ok", 0.0, 0.0)
    assert ratio_of(user, ones, 0.0 * ones).reason == "the denominator sums to 0"
    assert ratio_of(user * 0, ones, ones).status == "not_enough_data"
    assert ratio_of(user[:0], ones[:0], ones[:0]).status == "not_enough_data"
    rarely = ratio_of(user, ones, np.where(user == 7, 1.0, 0.0))
    assert (rarely.status, rarely.value) == ("undefined", None)
    assert "of 200 resamples" in rarely.reason


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_counted_however_they_are_chunked(bad: float) -> None:
    user, terms = skewed(30, 100)
    good = of(user, terms)
    terms[[5, 60], 0], terms[60, 1] = bad, np.nan
    state = of(user, terms)
    assert state.unusable == 2
    answer = ratio_interval(state, 30)
    assert (answer.status, answer.value) == ("undefined", None)
    assert answer.reason == "2 rows are not finite"
    assert_same(of(user[:50], terms[:50]).merge(of(user[50:], terms[50:])), state)
    streamed = of(user[:50], terms[:50]).update(user[50:], terms[50:])
    assert_same(streamed, state)
    kept = np.isfinite(terms).all(axis=1)
    assert_same(replace(state, unusable=0), of(user[kept], terms[kept]))
    assert ratio_interval(good, 30).status == "ok"


def test_what_cannot_be_added_is_refused() -> None:
    user, terms = skewed(5, 20)
    state = of(user, terms)
    with pytest.raises(InputError, match="shape"):
        state.update(user, terms[:, :1])
    with pytest.raises(InputError, match="shape"):
        state.update(user[:3], terms)
    with pytest.raises(InputError, match="seed"):
        state.merge(of(user, terms, seed=5))
    with pytest.raises(InputError, match="replicates"):
        state.merge(of(user, terms, replicates=5))
    with pytest.raises(InputError, match="0 replicates"):
        SumsBootstrap.init(2, 0, seed=1)
    with pytest.raises(InputError, match="numerator"):
        ratio_interval(of(user, terms[:, :1]), 5)
    with pytest.raises(InputError, match="level"):
        ratio_interval(state, 5, level=95.0)


@pytest.mark.parametrize("amount", [2.0**60, -(2.0**60), 2.0**59])
def test_a_sum_that_could_wrap_around_is_refused(amount: float) -> None:
    with pytest.raises(InputError, match=r"2\^60"):
        of(np.array([3]), np.array([[amount]]), replicates=200)
    large = of(np.arange(4), np.full((4, 1), 2.0**54))
    with pytest.raises(InputError, match=r"2\^61"):
        reduce(SumsBootstrap.merge, [large] * 40)
