"""Which interval is measured for which statistic, on which population, at which sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from giftlive.evaluation.coverage import methods, populations
from giftlive.evaluation.coverage.methods import Maker
from giftlive.evaluation.coverage.populations import SHIFTS, TAILS, Population
from giftlive.evaluation.coverage.statistics import LEVELS
from giftlive.stats.intervals import paired_t, ratio_delta, ratio_difference, student_t
from giftlive.stats.likelihood import cressie_read, empirical_likelihood
from giftlive.stats.skewed import skew_t

POPULATIONS: dict[str, Callable[[int, int], Population]] = {
    "gifts": populations.gifts,
    "givers": lambda _, turn: populations.givers(turn),
    "evenings": lambda _, turn: populations.evenings(turn),
    "pareto": lambda *_: populations.pareto(),
}
"""Population by name, given the mean number of rows of a user and which draw of the law."""

FEW = (8, 20, 50, 200)
SOME = (20, 50, 200, 500, 1_000, 3_000)
MANY = (100, 300, 1_000, 3_000, 10_000, 30_000)
BOUNDED = ("count", "capped")


class Where(Protocol):
    """A population at a size."""

    @property
    def population(self) -> str:
        """Name of the population."""

    @property
    def rows_per_user(self) -> int:
        """Mean rows of a user."""

    @property
    def clusters(self) -> int:
        """Users in a sample."""


@dataclass(frozen=True)
class Case:
    """An interval method for a statistic, and where it is measured.

    Attributes
    ----------
    statistic, method : as in the coverage table. maker : makes the interval on a sample.
    population, rows, clusters, tails : every combination is measured.
    """

    statistic: str
    method: str
    maker: Maker
    population: str = "gifts"
    rows: tuple[int, ...] = (1, 10, 60)
    clusters: tuple[int, ...] = MANY
    tails: tuple[str, ...] = TAILS

    def sizes(self) -> Iterator[tuple[str, int, int]]:
        """Yield (population, rows per user, clusters) of every cell of this case."""
        for rows in self.rows:
            for clusters in self.clusters:
                yield self.population, rows, clusters

    def runs_in(self, cell: Where) -> bool:
        """Return whether the case is measured in ``cell``."""
        return (cell.population, cell.rows_per_user, cell.clusters) in set(self.sizes())


def _linear(statistic: str, *kinds: str, **where: Any) -> tuple[Case, ...]:
    return tuple(Case(statistic, kind, methods.linear(statistic, kind), **where) for kind in kinds)


_ROWS: dict[str, Any] = {"rows": (1, 10), "clusters": MANY[:-1]}
_ONE_ROW: dict[str, Any] = {"rows": (1,), "clusters": MANY}
_NOISE: dict[str, Any] = {"rows": (1, 10), "clusters": MANY[:-2]}
_LESS: dict[str, Any] = {"clusters": MANY[:-1]}
_WHO_GAVE: dict[str, Any] = {
    "population": "givers",
    "rows": (1,),
    "clusters": MANY,
    "tails": ("gift",),
}
_KINDS = _WHO_GAVE | {"tails": ("gift_kind",)}
_NIGHTS: dict[str, Any] = {"population": "evenings", "rows": (1,), "tails": ("light",)}

_SUMS = (
    Case("mean", "student_t", methods.of_totals(student_t)),
    Case("mean", "skew_t", methods.of_totals(skew_t)),
    Case("mean", "empirical_likelihood", methods.of_totals(empirical_likelihood), **_LESS),
    Case("mean", "empirical_bernstein", methods.bernstein, tails=BOUNDED, **_ONE_ROW),
    Case("mean", "betting", methods.bet, tails=BOUNDED, **_ONE_ROW),
    Case("proportion", "wilson", methods.wilson, tails=("count",), **_ONE_ROW),
    Case("ratio", "ratio_delta", methods.of_sums(ratio_delta)),
    Case("ratio", "skew_t", methods.of_sums(skew_t)),
    Case("ratio", "empirical_likelihood", methods.of_sums(empirical_likelihood), **_LESS),
    Case("ratio", "cressie_read", methods.of_sums(cressie_read), **_LESS),
    Case("ratio", "poisson_bootstrap", methods.resampled, **_LESS),
    Case("difference", "ratio_difference", methods.of_log(ratio_difference)),
    *_linear("calibration_ratio", "influence_t", "influence_t(log)"),
)

_EVENINGS = (
    Case("mean", "student_t", methods.of_totals(student_t), clusters=FEW, **_NIGHTS),
    Case("ratio", "ratio_delta", methods.of_sums(ratio_delta), clusters=FEW, **_NIGHTS),
    Case("paired_difference", "paired_t", methods.of_sums(paired_t), clusters=FEW, **_NIGHTS),
    *(
        Case(
            f"unit_quantile_p{p}",
            "order_statistics",
            methods.ordered(p / 100),
            clusters=SOME,
            **_NIGHTS,
        )
        for p in LEVELS
    ),
    Case("proportion", "wilson", methods.wilson, "evenings", (1,), SOME, ("common",)),
)

_RANKED = (
    *_linear("revenue_capture_1pct", "influence_t", "influence_t(logit)", **_ROWS),
    *_linear("revenue_capture_10pct", "influence_t", "influence_t(logit)", **_ROWS),
    *_linear("capture_difference", "influence_t", **_ROWS),
    *_linear("normalised_gini", "influence_t", **_ROWS),
    *_linear("spearman", "influence_t", tails=("full",), **_ROWS),
    *_linear("pr_auc", "influence_t", "influence_t(logit)", tails=("count",), **_ROWS),
    *_linear("roc_auc", "influence_t", "influence_t(logit)", tails=("count",), **_ROWS),
    *_linear("ece", "influence_t", tails=("count",), **_ROWS),
    Case("ece", "influence_t(debiased)", methods.without_noise, tails=("count",), **_NOISE),
)

_SINGLE: dict[str, Any] = {"rows": (1,), "clusters": MANY[:-2]}
_REPEATED: dict[str, Any] = {"rows": (10,), "clusters": MANY[:2]}
"""Differences at ten rows a user are measured on small samples only: large ones take hours."""

_PAIRED = tuple(
    case
    for where in (_SINGLE, _REPEATED)
    for case in (
        *_linear("capture_10pct_difference", "influence_t", **where),
        *_linear("normalised_gini_difference", "influence_t", **where),
        *_linear("spearman_difference", "influence_t", tails=("full",), **where),
        *_linear("pr_auc_difference", "influence_t", tails=("count",), **where),
        *_linear("log_loss_difference", "influence_t", tails=("count",), **where),
        *_linear("log_loss", "influence_t", tails=("count",), **where),
    )
)
_GATED = _linear(
    "pr_auc_difference", "influence_t", rows=(10,), clusters=MANY[2:4], tails=("count",)
)
"""The difference that Gate-1 (c) judges, on samples as large as it needs."""

_GIVERS = (
    Case("mean", "skew_t", methods.of_totals(skew_t), **_WHO_GAVE),
    Case("mean", "student_t", methods.of_totals(student_t), **_WHO_GAVE),
    Case("ratio", "skew_t", methods.of_sums(skew_t), **_WHO_GAVE),
    Case("ratio", "ratio_delta", methods.of_sums(ratio_delta), **_WHO_GAVE),
    Case("ratio", "skew_t", methods.of_sums(skew_t), **_KINDS),
    Case("ratio", "ratio_delta", methods.of_sums(ratio_delta), **_KINDS),
    Case("money_share", "skew_t", methods.part_of(skew_t), **_WHO_GAVE),
    Case("money_share", "ratio_delta", methods.part_of(ratio_delta), **_WHO_GAVE),
    *(Case(f"quantile_p{p}", "woodruff", methods.of_gifts(p / 100), **_WHO_GAVE) for p in LEVELS),
    *_linear("gini", "influence_t", "influence_t(logit)", **_WHO_GAVE),
    *_linear("top_share", "influence_t", "influence_t(log)", **_WHO_GAVE),
    *_linear("revenue_capture_1pct", "influence_t", "influence_t(logit)", **_WHO_GAVE),
    *_linear("revenue_capture_10pct", "influence_t", "influence_t(logit)", **_WHO_GAVE),
    *_linear("capture_difference", "influence_t", **_WHO_GAVE),
    *_linear("normalised_gini", "influence_t", **_WHO_GAVE),
    *_linear("spearman", "influence_t", **_WHO_GAVE),
    *_linear("calibration_ratio", "influence_t", "influence_t(log)", **_WHO_GAVE),
)

_OFF_POLICY = tuple(
    Case(f"off_policy_{shift}", method, methods.of_weighted(make, shift), **_ROWS)
    for shift in SHIFTS
    for method, make in (("ratio_delta", ratio_delta), ("skew_t", skew_t))
)
"""SNIPS by distance of the target: weights far from even make few users carry the estimate."""

CASES: tuple[Case, ...] = (
    *_SUMS,
    *_OFF_POLICY,
    *_EVENINGS,
    *_RANKED,
    *_PAIRED,
    *_GATED,
    *_GIVERS,
    Case("tail_index", "hill", methods.tail_of, "pareto", (1,), MANY, ("pareto",)),
)
