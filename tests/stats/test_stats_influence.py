from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import InputError
from giftlive.rng import stream
from giftlive.stats import heavy_tails, influence
from giftlive.stats.influence import Linearised, transformed
from giftlive.stats.intervals import coverage, influence_t, ratio_delta, student_t
from giftlive.types import Floats

One = Callable[[Floats], Linearised]
Weighted = Callable[[Floats, Floats], float]

STATISTICS: dict[str, tuple[One, Weighted]] = {
    "mean": (influence.mean, lambda x, w: float(w @ x / w.sum())),
    "gini": (influence.gini, heavy_tails.gini),
    "top_share": (
        lambda x: influence.top_share(x, 0.13),
        lambda x, w: heavy_tails.top_share(x, 0.13, w),
    ),
    "top_share between units": (
        lambda x: influence.top_share(x, 0.1),
        lambda x, w: heavy_tails.top_share(x, 0.1, w),
    ),
}


def amounts(seed: int, n: int = 120) -> Floats:
    g = stream(seed, "influence")
    return np.where(g.random(n) < 0.6, np.ceil(np.exp(g.normal(1.0, 1.5, n))), 0.0)


def derivative(x: Floats, metric: Weighted, step: float = 1e-5) -> Floats:
    """Return [n] the central difference by every weight at equal weights."""
    slopes = np.empty(len(x))
    for i in range(len(x)):
        up, down = np.ones(len(x)), np.ones(len(x))
        up[i], down[i] = 1.0 + step, 1.0 - step
        slopes[i] = (metric(x, up) - metric(x, down)) / (2.0 * step)
    return slopes


@pytest.mark.parametrize("name", list(STATISTICS))
@pytest.mark.parametrize("seed", [0, 1])
def test_influence_is_the_derivative_by_the_weights(name: str, seed: int) -> None:
    linearised, metric = STATISTICS[name]
    x = amounts(seed)
    found, slopes = linearised(x), derivative(x, metric)
    assert found.value == pytest.approx(metric(x, np.ones(120)), rel=1e-12)
    assert found.influence == pytest.approx(slopes, abs=1e-7 * float(np.abs(slopes).max()))


@pytest.mark.parametrize("name", list(STATISTICS))
def test_influence_sums_to_zero(name: str) -> None:
    psi = STATISTICS[name][0](amounts(2)).influence
    assert abs(psi.sum()) < 1e-12 * np.abs(psi).sum()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=20), st.integers(0, 99))
def test_shares_ignore_the_unit_and_follow_a_permutation(values: list[int], seed: int) -> None:
    x = np.array(values, dtype=np.float64) + np.eye(1, len(values))[0]
    order = stream(seed, "order").permutation(len(x))
    for linearised in (influence.gini, lambda v: influence.top_share(v, 0.3)):
        plain, scaled, moved = linearised(x), linearised(4.0 * x), linearised(x[order])
        assert scaled.value == plain.value
        assert np.array_equal(scaled.influence, plain.influence)
        assert moved.value == pytest.approx(plain.value, abs=1e-12)
        again = linearised(4.0 * x[order]).influence
        assert np.array_equal(again, moved.influence)


def test_gini_influence_follows_a_permutation() -> None:
    x = amounts(3)
    order = stream(9, "order").permutation(120)
    plain, moved = influence.gini(x).influence, influence.gini(x[order]).influence
    assert moved == pytest.approx(plain[order], rel=1e-9)


def test_equal_amounts_cannot_be_told_apart() -> None:
    equal = np.full(8, 3.0)
    assert influence.gini(equal).value == 0.0
    assert not influence.gini(equal).influence.any()
    assert influence.top_share(equal, 0.5).value == 0.5
    assert influence.mean(equal).influence.tolist() == [0.0] * 8


def test_one_unit_holds_everything() -> None:
    one = np.array([7.0])
    assert influence.gini(one).value == 0.0
    assert influence.top_share(one, 1.0).value == 1.0
    assert influence.top_share(one, 1.0).influence.tolist() == [0.0]
    assert influence.mean(one).influence.tolist() == [0.0]


@pytest.mark.parametrize("x", [np.zeros(0), np.zeros(4)])
def test_where_nothing_is_held_there_is_no_influence(x: Floats) -> None:
    for found in (influence.gini(x), influence.top_share(x, 0.1), influence.ratio(x, x)):
        assert np.isnan(found.value)
        assert found.influence.shape == x.shape
        assert np.isnan(found.influence).all()


def test_a_value_that_cannot_be_used_is_refused() -> None:
    for bad in (np.array([1.0, np.nan]), np.array([1.0, -1.0]), np.ones((2, 2))):
        with pytest.raises(InputError):
            influence.gini(bad)
    with pytest.raises(InputError):
        influence.mean(np.array([np.inf]))
    with pytest.raises(InputError, match="fraction"):
        influence.top_share(np.ones(3), 10.0)


def test_rows_of_one_cluster_add_up() -> None:
    found = influence.mean(np.array([1.0, 2.0, 6.0]))
    assert found.by_cluster(np.array([9, 4, 9])).tolist() == pytest.approx([-1 / 3, 1 / 3])


def test_identical_statistics_differ_by_exactly_nothing() -> None:
    x = amounts(4)
    difference = influence.gini(x) - influence.gini(x.copy())
    assert difference.value == 0.0
    assert not difference.influence.any()


def test_influence_of_a_mean_gives_the_interval_of_student() -> None:
    x = amounts(5)
    found = influence.mean(x)
    mine, theirs = influence_t(found.value, found.influence), student_t(x)
    for a, b in ((mine.value, theirs.value), (mine.low, theirs.low), (mine.high, theirs.high)):
        assert a == pytest.approx(b, rel=1e-12)


def test_influence_of_a_ratio_gives_its_delta_interval() -> None:
    g = stream(6, "ratio")
    num, den, user = g.random(90), 1.0 + g.random(90), g.integers(0, 12, 90)
    found = influence.ratio(num, den)
    mine = influence_t(found.value, found.influence, user)
    theirs = ratio_delta(num, den, user)
    assert mine.low == pytest.approx(theirs.low, rel=1e-12)
    assert mine.n == theirs.n == 12


def test_every_scale_gives_the_same_interval_in_the_limit() -> None:
    psi = 1e-6 * stream(7, "limit").normal(size=500)
    plain = influence_t(0.3, psi)
    assert plain.width is not None
    for found in (transformed(0.3, psi, "log"), transformed(0.3, psi, "logit")):
        assert found.low == pytest.approx(plain.low, abs=1e-3 * plain.width)
        assert found.high == pytest.approx(plain.high, abs=1e-3 * plain.width)


def test_a_scale_keeps_its_interval_in_its_range() -> None:
    wide = np.array([5.0, -5.0, 4.0, -4.0])
    logit, log = transformed(0.9, wide, "logit"), transformed(0.9, wide, "log")
    assert logit.low is not None
    assert logit.high is not None
    assert log.low is not None
    assert log.high is not None
    assert 0.0 <= logit.low < 0.9 < logit.high <= 1.0
    assert 0.0 < log.low < 0.9 < log.high < np.inf


def test_the_logit_interval_is_symmetric_between_a_share_and_its_rest() -> None:
    psi = stream(8, "rest").normal(size=40) / 400.0
    share, rest = transformed(0.2, psi), transformed(0.8, -psi)
    assert share.low == pytest.approx(1.0 - (rest.high or 0.0), rel=1e-12)
    assert share.high == pytest.approx(1.0 - (rest.low or 0.0), rel=1e-12)


def test_no_spread_means_no_width() -> None:
    assert transformed(0.25, np.zeros(5), "log").width == 0.0
    assert transformed(0.25, np.zeros(5), "logit").width == 0.0


def test_a_scale_clusters_the_rows() -> None:
    user = np.array([3, 3, 8, 8, 5])
    found = influence.mean(np.array([0.0, 1.0, 1.0, 1.0, 0.0]))
    rows = transformed(found.value, found.influence, cluster=user)
    users = transformed(found.value, found.by_cluster(user))
    assert rows == users
    assert rows.n == 3


@pytest.mark.parametrize(
    ("value", "psi", "status"),
    [
        (np.nan, np.full(4, np.nan), "undefined"),
        (0.5, np.array([0.1, np.nan]), "undefined"),
        (0.0, np.zeros(4), "undefined"),
        (1.0, np.zeros(4), "undefined"),
        (0.5, np.array([0.1]), "not_enough_data"),
        (0.5, np.zeros(0), "not_enough_data"),
    ],
)
def test_a_share_without_an_interval_says_why(value: float, psi: Floats, status: str) -> None:
    found = transformed(value, psi)
    assert found.status == status
    assert found.reason
    assert found.value is found.low is found.high is None


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["log", "logit"])
def test_gini_of_a_light_tail_covers_its_truth(scale: influence.Scale) -> None:
    """Theory: exponential amounts have a Gini index of exactly one half."""
    g = stream(10, "coverage")
    found = [influence.gini(g.exponential(size=300)) for _ in range(1500)]
    intervals = [transformed(f.value, f.influence, scale) for f in found]
    low, high = (np.array([getattr(i, end) for i in intervals]) for end in ("low", "high"))
    share = coverage(0.5, low, high)
    assert share.low is not None
    assert share.high is not None
    assert share.low < 0.95 < share.high + 0.01
