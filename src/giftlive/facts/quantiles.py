"""Quantiles of rows that belong to users: Woodruff's interval, without storing the rows.

The estimate is q = the smallest value x with F(x) >= p, F the share of rows at or below x. Rows
of one user are alike, so the uncertainty of F comes from resampling users: the lower bound of q
is the value at level p - a, a what F(q-) may be short of its truth, the upper bound the value
at p + b, b what F(q) may exceed it by (Woodruff 1952, "Confidence intervals for medians and
other position measures"). Taking each side at its own side of q keeps price atoms honest: F(q)
alone says nothing about values below q. It needs two counts per user and quantile.
"""

from __future__ import annotations

import numpy as np

from giftlive.facts.estimates import ratio_of, stated, undefined, withholding
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Fact, Quantity
from giftlive.stats.bootstrap import percentile_interval
from giftlive.stats.intervals import Interval
from giftlive.types import Ints

WOODRUFF = "Woodruff, users resampled"
Levels = tuple[tuple[Quantity, float], ...]


def quantile_facts(
    evidence: Evidence, relation: str, column: str, levels: Levels, scale: float, n_unit: str
) -> list[Fact]:
    """Estimate quantiles of ``column`` over the rows of ``relation``.

    Parameters
    ----------
    relation : a view with ``user_id`` and the whole-number ``column``.
    levels : each quantity with its level p in (0, 1). scale : units of the column per printed
        unit (1000 for ms printed as seconds).
    """
    reason = evidence.lacks(levels[0][0].needs)
    (n,) = evidence.row(f"SELECT count(*) FROM {relation}")
    if reason or not n:
        why = reason or f"there are no {levels[0][0].denominator}"
        return [undefined(evidence, quantity, why) for quantity, _ in levels]
    values = _at(evidence, relation, column, [p for _, p in levels])
    below = _rows_below(evidence, relation, column, values)
    clusters = len(below["user_id"])
    facts = []
    for i, (quantity, p) in enumerate(levels):
        answer: Interval | str = withholding(evidence, quantity, clusters, "users")
        if not answer:
            sides = [_share(evidence, below, f"{side}_{i}") for side in ("under", "upto")]
            answer = _invert(evidence, relation, column, p, sides, values[i], scale)
        facts.append(stated(evidence, quantity, values[i] / scale, answer, n, n_unit))
    return facts


def _at(evidence: Evidence, relation: str, column: str, levels: list[float]) -> list[float]:
    (found,) = evidence.row(f"SELECT quantile_disc({column}, {levels}) FROM {relation}")
    return [float(value) for value in found]


def _rows_below(
    evidence: Evidence, relation: str, column: str, values: list[float]
) -> dict[str, Ints]:
    counts = ", ".join(
        f"count(*) FILTER ({column} < {value:.0f}) AS under_{i}, "
        f"count(*) FILTER ({column} <= {value:.0f}) AS upto_{i}"
        for i, value in enumerate(values)
    )
    return evidence.columns(
        f"SELECT user_id, count(*) AS n, {counts} FROM {relation} GROUP BY user_id"
    )


def _share(evidence: Evidence, below: dict[str, Ints], name: str) -> Interval:
    """Return the interval of the share of rows counted by the column ``name``."""
    counts = np.stack([below[name], below["n"]], axis=1).astype(np.float64)
    value = float(ratio_of(counts.sum(axis=0)))
    draws = ratio_of(evidence.resampler.totals(below["user_id"], counts))
    return percentile_interval(value, draws, WOODRUFF, len(counts), "users")


def _invert(
    evidence: Evidence,
    relation: str,
    column: str,
    p: float,
    sides: list[Interval],
    value: float,
    scale: float,
) -> Interval | str:
    under, upto = sides
    if under.value is None or under.high is None or upto.value is None or upto.low is None:
        return under.reason or upto.reason
    levels = [max(p - (under.high - under.value), 0.0), min(p + (upto.value - upto.low), 1.0)]
    low, high = _at(evidence, relation, column, levels)
    return Interval(value / scale, low / scale, high / scale, WOODRUFF, under.n, under.n_unit)
