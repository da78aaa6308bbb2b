"""Quantiles of rows that belong to users: Woodruff's interval, without storing the rows.

The levels at which the bounds are read come from ``stats.quantiles``; they need two counts per
user and quantile, and the database reads the values at them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from giftlive.facts.estimates import stated, undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Fact, Quantity
from giftlive.stats.intervals import Interval, no_interval
from giftlive.stats.print_rule import printed
from giftlive.stats.quantiles import measured_level, woodruff_levels
from giftlive.types import Ints

_METHOD = "woodruff"
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
    facts = []
    for i, (quantity, p) in enumerate(levels):
        interval = _interval(evidence, relation, column, p, values[i], below, i)
        # It counts rows, however large they are: the tail of the values is not asked for.
        shown = printed(interval, f"quantile_{measured_level(p)}", "gift")
        scaled = replace(shown, low=_scaled(shown.low, scale), high=_scaled(shown.high, scale))
        facts.append(stated(evidence, quantity, values[i] / scale, scaled, n, n_unit))
    return facts


def _scaled(bound: float | None, scale: float) -> float | None:
    return None if bound is None else bound / scale


def _interval(
    evidence: Evidence,
    relation: str,
    column: str,
    p: float,
    value: float,
    below: dict[str, Ints],
    i: int,
) -> Interval:
    """Return Woodruff's interval of the ``p`` quantile ``value``, in units of the column."""
    names = (f"under_{i}", f"upto_{i}", "n")
    under, upto, rows = (below[name].astype(np.float64) for name in names)
    levels, users = woodruff_levels(p, under, upto, rows), len(below["user_id"])
    if isinstance(levels, str):
        return no_interval("not_enough_data", levels, _METHOD, users, "users")
    low, high = _at(evidence, relation, column, list(levels))
    return Interval(value, low, high, _METHOD, users, "users")


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
