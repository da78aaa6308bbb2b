"""The statistics of the coverage table, each with its influence values per user."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from giftlive.evaluation.coverage.populations import PARETO, SHIFTS
from giftlive.evaluation.coverage.sample import Sample
from giftlive.metrics import influence as judged
from giftlive.stats import influence as held
from giftlive.stats.influence import Linearised
from giftlive.stats.quantiles import rank_of
from giftlive.types import Floats

LEVELS = (50, 90, 99)
"""Quantiles that are measured, in per cent."""

Estimator = Callable[[Sample, str], Linearised]
"""Maps a sample and a tail to a statistic with its influence values per user, [G]."""


def estimate(name: str, sample: Sample, tail: str) -> Linearised:
    """Return a statistic of a sample; on the whole population it is the truth."""
    found: Linearised = sample.once((name, tail), partial(ESTIMATORS[name], sample, tail))
    return found


def _mean(sample: Sample, tail: str) -> Linearised:
    return held.mean(sample.total(tail))


def _ratio(sample: Sample, tail: str) -> Linearised:
    return held.ratio(sample.total(tail), sample.total("rows"))


def _difference(sample: Sample, tail: str) -> Linearised:
    """Return a weighted mean minus the plain one: two policies judged from one log."""
    weighted = held.ratio(sample.total(f"{tail} weighted"), sample.total("weight"))
    return weighted - _ratio(sample, tail)


def _off_policy(shift: str) -> Estimator:
    """Return SNIPS: a mean weighted towards a target policy, self-normalised."""

    def weighted(sample: Sample, tail: str) -> Linearised:
        weight = sample.total(f"weight_{shift}")
        return held.ratio(sample.total(f"{tail} weighted {shift}"), weight)

    return weighted


def _paired(sample: Sample, tail: str) -> Linearised:
    return held.mean(sample.total(tail) - sample.total("rows"))


def _money_share(sample: Sample, tail: str) -> Linearised:
    return held.ratio(sample.total("part"), sample.total(tail))


def _calibration(sample: Sample, tail: str) -> Linearised:
    promised = "probability" if tail == "count" else "promised"
    return held.ratio(sample.total(promised), sample.total(tail))


def _of_givers(statistic: Callable[[Floats], Linearised], sample: Sample, tail: str) -> Linearised:
    """Return a statistic of the users with a total above 0; the others have no influence."""
    total = sample.total(tail)
    gave = total > 0.0
    found = statistic(total[gave])
    psi = np.zeros(len(total))
    psi[gave] = found.influence
    return Linearised(found.value, psi)


def _by_user(
    judge: Callable[[Sample, Floats], Linearised], sample: Sample, tail: str
) -> Linearised:
    found = judge(sample, sample.column(tail))
    return Linearised(found.value, sample.by_user(found.influence))


def _gain(sample: Sample, y: Floats) -> Linearised:
    one = judged.revenue_capture(y, sample.score, 0.01)
    return one - judged.revenue_capture(y, sample.rival, 0.01)


def _difference_of(
    judge: Callable[[Floats, Floats], Linearised], score: str, rival: str, sample: Sample, y: Floats
) -> Linearised:
    """Return a metric of one ranking minus that of its rival, on the same rows."""
    return judge(y, sample.column(score)) - judge(y, sample.column(rival))


def _quantile(p: float, sample: Sample, tail: str) -> Linearised:
    """Return a quantile of the rewards, with the influence of the indicator below it.

    The slope of the distribution at the quantile is left out: it scales the influence values and
    changes neither their skewness nor, relative to p, their spread.
    """
    reward = sample.column(tail)
    q = float(np.sort(reward)[rank_of(p, len(reward))])
    within = held.ratio(sample.by_user(reward <= q), sample.by_user(np.ones(len(reward))))
    return Linearised(q, within.influence * q / within.value)


def _tail_index(sample: Sample, tail: str) -> Linearised:
    """Return the known index; Hill's estimator has a Gamma law, whose skewness is 2 / √k."""
    n = len(sample)
    return Linearised(PARETO, np.zeros(n))


OF_SUMS: dict[str, Estimator] = {
    "mean": _mean,
    "ratio": _ratio,
    "difference": _difference,
    "paired_difference": _paired,
    "money_share": _money_share,
    "proportion": _mean,
    "calibration_ratio": _calibration,
    "gini": partial(_of_givers, held.gini),
    "top_share": partial(_of_givers, lambda x: held.top_share(x, 0.01)),
}
"""Statistics of sums over users: no row is needed once they are added up."""

_JUDGED: dict[str, Callable[[Sample, Floats], Linearised]] = {
    "revenue_capture_1pct": lambda s, y: judged.revenue_capture(y, s.score, 0.01),
    "revenue_capture_10pct": lambda s, y: judged.revenue_capture(y, s.score, 0.10),
    "capture_difference": _gain,
    "normalised_gini": lambda s, y: judged.normalised_gini(y, s.score),
    "pr_auc": lambda s, y: judged.pr_auc(y, s.probability),
    "roc_auc": lambda s, y: judged.roc_auc(y, s.probability),
    "ece": lambda s, y: judged.ece(y, s.probability),
    "spearman": lambda s, y: judged.spearman(y, s.score),
    "capture_10pct_difference": partial(
        _difference_of, partial(judged.revenue_capture, fraction=0.10), "score", "rival"
    ),
    "spearman_difference": partial(_difference_of, judged.spearman, "score", "rival"),
    "normalised_gini_difference": partial(_difference_of, judged.normalised_gini, "score", "rival"),
    "pr_auc_difference": partial(_difference_of, judged.pr_auc, "probability", "rival_probability"),
    "log_loss_difference": partial(
        _difference_of, judged.log_loss, "probability", "rival_probability"
    ),
    "log_loss": lambda s, y: judged.log_loss(y, s.column("probability")),
}

RANKED: dict[str, Estimator] = {name: partial(_by_user, judge) for name, judge in _JUDGED.items()}
"""Statistics that order the rows."""

ESTIMATORS: dict[str, Estimator] = (
    OF_SUMS
    | RANKED
    | {f"off_policy_{shift}": _off_policy(shift) for shift in SHIFTS}
    | {f"quantile_p{p}": partial(_quantile, p / 100) for p in LEVELS}
    | {f"unit_quantile_p{p}": partial(_quantile, p / 100) for p in LEVELS}
    | {"tail_index": _tail_index}
)
