"""Properties every interval method shares, each method in the same harness.

A method is given rows: amounts x >= 0, sizes d > 0 and the user of every row, and estimates
something per user. Methods without clusters of their own get one value per user, which is how
they must be used.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import InputError
from giftlive.stats.bernstein import (
    bernstein_replications,
    empirical_bernstein,
    empirical_bernstein_of,
    moments,
)
from giftlive.stats.betting import betting, betting_replications
from giftlive.stats.bootstrap import clustered_bootstrap, percentile_interval
from giftlive.stats.bootstrap_sums import SumsBootstrap, ratio_interval
from giftlive.stats.cluster_errors import per_cluster
from giftlive.stats.heavy_tails import hill
from giftlive.stats.influence import transformed
from giftlive.stats.intervals import (
    Interval,
    coverage,
    influence_replications,
    influence_t,
    paired_t,
    proportion,
    ratio_delta,
    ratio_difference,
    ratio_replications,
    student_t,
)
from giftlive.stats.likelihood import (
    cressie_read,
    cressie_read_replications,
    empirical_likelihood,
    empirical_likelihood_replications,
)
from giftlive.stats.quantiles import order_statistics, woodruff
from giftlive.stats.skewed import (
    skew_t,
    skew_t_of,
    skew_t_of_replications,
    skew_t_replications,
)
from giftlive.types import Floats, Ints

FEW = settings(max_examples=12, deadline=None)
CAP = 1_000.0


@dataclass(frozen=True)
class Rows:
    x: Floats
    d: Floats
    user: Ints
    scale: float = 1.0

    @property
    def per_user(self) -> tuple[Floats, Floats]:
        sums = per_cluster(self.user, self.x, self.d)
        return sums[0], sums[1]

    @property
    def means(self) -> Floats:
        """One value per user, the same however often the user's rows are copied."""
        total, size = self.per_user
        return total / size

    @property
    def other(self) -> Floats:
        """A second model that is right about everybody but the rich."""
        return np.minimum(self.means, 2.0 * self.scale)


Estimate = Callable[[Rows, float], Interval]


def influence(r: Rows) -> tuple[float, Floats]:
    """The ratio and the influence of every row; nan where the ratio is not defined."""
    if len(r.x) == 0 or not np.isfinite(r.x).all():
        return math.nan, np.full(len(r.x), math.nan)
    value = float(r.x.sum() / r.d.sum())
    return value, (r.x - value * r.d) / r.d.sum()


def by_influence(r: Rows, level: float) -> Interval:
    value, psi = influence(r)
    return influence_t(value, psi, r.user, level)


def by_skewed_influence(r: Rows, level: float) -> Interval:
    value, psi = influence(r)
    return skew_t_of(value, per_cluster(r.user, psi)[0], level)


def by_difference(r: Rows, level: float) -> Interval:
    total, size = r.per_user
    return ratio_difference(total, size, r.other * size, size, level)


def by_bootstrap(r: Rows, level: float) -> Interval:
    def ratio(weights: Floats) -> float:
        size = float(weights @ r.d)
        defined = size > 0 and np.isfinite(r.x).all()
        return float(weights @ r.x) / size if defined else math.nan

    return clustered_bootstrap(ratio, r.user, replicates=200, level=level)


METHODS: dict[str, Estimate] = {
    "student_t": lambda r, level: student_t(r.means, level),
    "paired_t": lambda r, level: paired_t(r.means, r.other, level),
    "ratio_delta": lambda r, level: ratio_delta(r.x, r.d, r.user, level),
    "ratio_difference": by_difference,
    "influence_t": by_influence,
    "skew_t": lambda r, level: skew_t(r.x, r.d, r.user, level),
    "skew_t_of": by_skewed_influence,
    "empirical_likelihood": lambda r, level: empirical_likelihood(r.x, r.d, r.user, level),
    "cressie_read": lambda r, level: cressie_read(r.x, r.d, r.user, level),
    "poisson_bootstrap": by_bootstrap,
    "empirical_bernstein": lambda r, level: empirical_bernstein(r.means, 0.0, CAP * r.scale, level),
    "betting": lambda r, level: betting(r.means, 0.0, CAP * r.scale, level),
    "wilson": lambda r, level: proportion(
        int((r.means > math.pi / 3 * r.scale).sum()), len(r.means), level
    ),
    "hill": lambda r, level: hill(r.means, level=level),
}
UNITLESS = {"wilson", "hill"}  # the estimate does not change with the unit of money
LIKELIHOODS = ("empirical_likelihood", "cressie_read")
KNOWN_RANGE = {"empirical_bernstein", "betting"}
COUNTS = {"wilson"}  # takes counts: there is no place for a nan

every_method = pytest.mark.parametrize("name", METHODS)


def rows(seed: int, users: int = 200) -> Rows:
    """Users with several rows each; amounts in cents, a third of the users give nothing."""
    rng = np.random.default_rng(seed)
    user = rng.permutation(np.concatenate([np.arange(users), rng.integers(0, users, 2 * users)]))
    giver = rng.random(users) < 0.67
    x = np.minimum(np.ceil(100 * rng.pareto(1.5, len(user))) / 100, CAP) * giver[user]
    return Rows(x, rng.integers(1, 4, len(user)).astype(np.float64), 11 * user + 5)


def bounds(interval: Interval) -> Floats:
    assert interval.status == "ok", interval.reason
    assert interval.value is not None
    assert interval.low is not None
    assert interval.high is not None
    found = np.array([interval.value, interval.low, interval.high])
    assert np.isfinite(found).all()
    rounding = 1e-12 * np.abs(found).max() if interval.method.startswith("poisson") else 0.0
    assert interval.low - rounding <= interval.value <= interval.high + rounding
    return found


def relative_width(interval: Interval) -> float:
    value, low, high = bounds(interval)
    return float((high - low) / abs(value))


@every_method
@FEW
@given(st.integers(0, 10_000))
def test_the_order_of_the_rows_does_not_matter(name: str, seed: int) -> None:
    r = rows(seed)
    order = np.random.default_rng(seed + 1).permutation(len(r.x))
    shuffled = Rows(r.x[order], r.d[order], r.user[order])
    np.testing.assert_allclose(
        bounds(METHODS[name](shuffled, 0.95)), bounds(METHODS[name](r, 0.95)), rtol=1e-9
    )


@every_method
@FEW
@given(st.integers(0, 10_000), st.floats(1e-3, 1e6))
def test_another_unit_of_money_rescales_the_interval(name: str, seed: int, scale: float) -> None:
    r = rows(seed)
    scaled = Rows(scale * r.x, r.d, r.user, scale)
    factor = 1.0 if name in UNITLESS else scale
    expected = factor * bounds(METHODS[name](r, 0.95))
    tolerance = 1e-9 * np.abs(expected).max()
    np.testing.assert_allclose(bounds(METHODS[name](scaled, 0.95)), expected, atol=tolerance)


@every_method
@FEW
@given(st.integers(0, 10_000))
def test_copied_rows_of_a_user_teach_nothing_copied_users_would(name: str, seed: int) -> None:
    r = rows(seed)
    x, d = np.tile(r.x, 2), np.tile(r.d, 2)
    once = METHODS[name](r, 0.95)
    copied = METHODS[name](Rows(x, d, np.tile(r.user, 2)), 0.95)
    np.testing.assert_allclose(bounds(copied), bounds(once), rtol=1e-9)
    assert copied.n == once.n
    mistaken = METHODS[name](Rows(x, d, np.concatenate([r.user, r.user + 10_000])), 0.95)
    assert relative_width(mistaken) < 0.95 * relative_width(once)


@every_method
@FEW
@given(st.integers(0, 10_000))
def test_a_higher_level_contains_the_lower(name: str, seed: int) -> None:
    found = [bounds(METHODS[name](rows(seed), level)) for level in (0.5, 0.8, 0.95, 0.99)]
    for (_, low, high), (_, lower, higher) in itertools.pairwise(found):
        assert lower <= low < high <= higher


@every_method
@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, -0.5, math.nan])
def test_a_level_is_a_share(name: str, level: float) -> None:
    with pytest.raises(InputError, match="level"):
        METHODS[name](rows(1), level)


def degenerate(kind: str) -> Rows:
    n = {"one user": 1, "nothing": 0}.get(kind, 150)
    x, d, user = np.full(n, 3.7), np.ones(n), np.arange(n)
    if kind == "all zeros":
        x = np.zeros(n)
    elif kind in ("nan", "inf"):
        x[7] = float(kind)
    return Rows(x, d, user)


def expected_status(name: str, kind: str) -> str:
    if kind in ("nan", "inf"):
        return "undefined"
    if kind == "nothing":
        return "not_enough_data"
    if name == "hill":
        return "undefined" if kind == "all equal" else "not_enough_data"
    if kind == "one user":
        return "ok" if name in ("betting", "wilson") else "not_enough_data"
    return "ok"


@every_method
@pytest.mark.parametrize("kind", ["nan", "inf", "one user", "nothing", "all zeros", "all equal"])
def test_degenerate_data_has_a_defined_status(name: str, kind: str) -> None:
    """Warnings are errors in this suite, so none of these may warn either."""
    if kind in ("nan", "inf") and name in COUNTS:
        return  # a count has no place for them
    interval = METHODS[name](degenerate(kind), 0.95)
    assert interval.status == expected_status(name, kind)
    if interval.status != "ok":
        assert (interval.value, interval.low, interval.high) == (None, None, None)
        assert interval.reason
        return
    width = float(np.ptp(bounds(interval)))
    if name in KNOWN_RANGE | COUNTS:
        assert width > 0.0  # they never trust that the rest of the range is empty
    elif name == "poisson_bootstrap":
        assert width <= 1e-12  # it cannot tell its statistic's rounding from spread
    else:
        assert width == 0.0


MAGNITUDES = [0.0, 5e-324, 1e-300, 1e-160, 1e-20, 1.0, 3.0, 1e20, 1e149, 1e160, 1e200, 1.7e308]
WILD = st.sampled_from([*MAGNITUDES, *(-m for m in MAGNITUDES), math.inf, -math.inf, math.nan])
FINITE = st.sampled_from([m * sign for m in MAGNITUDES if m <= 1e150 for sign in (1.0, -1.0)])
FINITE_ROWS = st.lists(st.tuples(FINITE, FINITE | st.just(1.0)), min_size=2, max_size=14)
WILD_ROWS = st.lists(st.tuples(WILD, WILD), max_size=14)
TINY_ROWS = st.lists(st.tuples(st.floats(0.0, 1e-290), st.floats(1e-300, 1.0)), max_size=14)


def several(columns: tuple[Floats, Floats, Floats]) -> list[Interval]:
    """The R = 3 rows of a ``*_replications`` function as intervals; nan bounds are no interval."""
    kept = [(float(v), float(a), float(b)) for v, a, b in zip(*columns, strict=True)]
    made = [row for row in kept if not any(map(math.isnan, row))]
    return [Interval(value, low, high, "several", 2, "rows") for value, low, high in made]


def repeated(x: Floats) -> Floats:
    return np.tile(x, (3, 1))


PUBLIC: dict[str, Callable[[Floats, Floats], Interval | list[Interval]]] = {
    "student_t": lambda x, d: student_t(x),
    "paired_t": paired_t,
    "ratio_delta": ratio_delta,
    "ratio_delta, clusters": lambda x, d: ratio_delta(x, d, np.arange(len(x)) // 2),
    "ratio_difference": lambda x, d: ratio_difference(x, d, d, np.ones_like(d)),
    "ratio_replications": lambda x, d: several(ratio_replications(repeated(x), repeated(d))),
    "influence_t": lambda x, d: influence_t(float(x.max(initial=0.0)), d),
    "influence_replications": lambda x, d: several(influence_replications(x[:3], repeated(d))),
    "skew_t": skew_t,
    "skew_t_of": lambda x, d: skew_t_of(float(x.max(initial=0.0)), d),
    "skew_t_replications": lambda x, d: several(skew_t_replications(repeated(x), repeated(d))),
    "skew_t_of_replications": lambda x, d: several(skew_t_of_replications(x[:3], repeated(d))),
    "empirical_likelihood": empirical_likelihood,
    "empirical_likelihood_replications": lambda x, d: several(
        empirical_likelihood_replications(repeated(x), repeated(d))
    ),
    "cressie_read": cressie_read,
    "cressie_read_replications": lambda x, d: several(
        cressie_read_replications(repeated(x), repeated(d))
    ),
    "transformed, log": lambda x, d: transformed(float(x.max(initial=0.0)), d, "log"),
    "transformed, logit": lambda x, d: transformed(float(x.min(initial=0.5)), d, "logit"),
    "clustered_bootstrap": lambda x, d: clustered_bootstrap(
        lambda w: float(x[int(w.sum()) % len(x)]), np.arange(len(x)), 20
    ),
    "percentile_interval": lambda x, d: percentile_interval(
        float(x.max(initial=0.0)), d, "bootstrap", len(x), "users"
    ),
    "ratio_interval": lambda x, d: ratio_interval(
        SumsBootstrap.init(2, 20, 1).update(np.arange(len(x)), np.column_stack([x, d])), len(x)
    ),
    "empirical_bernstein": lambda x, d: empirical_bernstein(x, -1.0, 3.0),
    "empirical_bernstein, wide": lambda x, d: empirical_bernstein(x, -1e150, 1e150),
    "empirical_bernstein_of": lambda x, d: empirical_bernstein_of(moments(x), 0.0, 1e150),
    "bernstein_replications": lambda x, d: several(
        bernstein_replications(repeated(x), -1e150, 1e150)
    ),
    "betting": lambda x, d: betting(x, 0.0, 1.0),
    "betting, wide": lambda x, d: betting(x, -1e150, 1e150),
    "betting_replications": lambda x, d: several(betting_replications(repeated(x), 0.0, 1.0)),
    "woodruff": lambda x, d: woodruff(x, np.arange(len(x)) // 2, 0.9),
    "order_statistics": lambda x, d: order_statistics(x, float(d.max(initial=0.0))),
    "hill": lambda x, d: hill(np.tile(x, 12), 10),
    "coverage": lambda x, d: coverage(1.0, x, d),
}


@pytest.mark.parametrize("name", PUBLIC)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(WILD_ROWS | FINITE_ROWS | TINY_ROWS)
def test_numbers_of_every_size_give_an_interval_a_status_or_a_refusal(
    name: str, pairs: list[tuple[float, float]]
) -> None:
    """Warnings are errors here: none of these may warn, divide by 0 or return what is no number."""
    columns = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    try:
        found = PUBLIC[name](columns[:, 0].copy(), columns[:, 1].copy())
    except InputError:
        return
    for interval in found if isinstance(found, list) else [found]:
        if interval.status == "ok":
            quantiles = name in {"clustered_bootstrap", "percentile_interval"}
            bounds(replace(interval, value=interval.low) if quantiles else interval)
        else:
            assert interval.reason


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-800, 2.0**300])
@pytest.mark.parametrize("name", ["student_t", "ratio_delta", "skew_t", *LIKELIHOODS])
def test_a_tiny_unit_changes_no_digit(name: str, scale: float) -> None:
    """Known trap: squares of 1e-300 are 0, and so was the width."""
    r = rows(3, users=20)
    scaled = bounds(METHODS[name](Rows(scale * r.x, r.d, r.user, scale), 0.95))
    assert (scaled / scale).tolist() == bounds(METHODS[name](r, 0.95)).tolist()


@every_method
def test_the_method_is_named(name: str) -> None:
    named = METHODS[name](rows(2), 0.95).method.split("(")[0]
    assert named == {"skew_t_of": "skew_t"}.get(name, name)
