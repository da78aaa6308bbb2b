"""Tables and figures of study 1.1: the story, the gate's differences, true parts, the ceiling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from giftlive.evaluation.behavioural import Reading, by_cell
from giftlive.evaluation.results import Estimate, Figure, Series, Table
from giftlive.evaluation.rules import RELATIVE
from giftlive.evaluation.stages import (
    BOTH,
    BOUND,
    GIFT_ONLY,
    PUBLISHED,
    PUBLISHED_ECE_RULE,
    TRUE_AMOUNT,
    TRUE_CHANCE,
)
from giftlive.stats.intervals import (
    Interval,
    no_interval,
    paired_t,
    ratio_delta,
    student_t,
    withheld,
)
from giftlive.studies.context import Kind, estimate
from giftlive.types import Floats, Message

Cell = tuple[str, str, str]
"""Table, row, column, as in the readings."""

_LEVEL, _DIFFERENCE, _RATIO = (
    Kind(name, "light") for name in ("mean", "paired_difference", "ratio")
)
_NOT_SHARES = frozenset({"MAE(log)", "RMSE(log)", "log-loss", "Spearman", "norm. Gini"})
_KEY = "study.two_stage"
SWAPPED = ("capture@1 %", "NDCG@100", "norm. Gini")


@dataclass(frozen=True)
class Stages:
    """Every number over worlds.

    Attributes
    ----------
    seeds : one world each. scale : of each, 1 = full size. direct, staged : the models.
    """

    readings: tuple[Reading, ...]
    seeds: tuple[int, ...]
    scale: float
    direct: str
    staged: tuple[str, ...]

    @cached_property
    def values(self) -> dict[Cell, list[float | None]]:
        """Return the values of every cell, in the order of the seeds."""
        return by_cell(self.readings)

    def column(self, *cell: str) -> Floats | None:
        """Return [seeds] the values of a cell, None where a seed has none."""
        table, row, column = cell
        values = [v for v in self.values.get((table, row, column), ()) if v is not None]
        return np.array(values) if len(values) == len(self.seeds) else None

    def arm(self, arm: str, metric: str, version: str = "clean") -> Floats | None:
        """Return [seeds] a metric of the story."""
        return self.column("story", f"{arm}, {metric}", version)

    def mean(self, name: str, x: Floats | None, unit: str) -> Estimate:
        """Return the mean over worlds as it may be printed."""
        if x is None:
            found = _nothing("student_t")
        else:
            found = _inside(_spread(student_t(x, n_unit="worlds")), unit)
        return self._made(name, found, _LEVEL, unit)

    def change(self, name: str, one: Floats | None, other: Floats | None, unit: str) -> Estimate:
        """Return the mean difference over worlds, paired by world."""
        if one is None or other is None:
            return self._made(name, _nothing("paired_t"), _DIFFERENCE, unit)
        return self._made(name, _spread(paired_t(one, other, n_unit="worlds")), _DIFFERENCE, unit)

    def ratio(self, name: str, part: Floats | None, whole: Floats | None, unit: str) -> Estimate:
        """Return Σ part / Σ whole over worlds."""
        if part is None or whole is None:
            return self._made(name, _nothing("ratio_delta"), _RATIO, unit)
        return self._made(name, _spread(ratio_delta(part, whole, n_unit="worlds")), _RATIO, unit)

    def _made(self, name: str, found: Interval, kind: Kind, unit: str) -> Estimate:
        return estimate(
            name,
            found,
            kind,
            unit=unit,
            denominator="the same sum for the reference" if kind is _RATIO else "worlds",
            population="sessions of the pooled test days of the calibrated world",
        )


def _nothing(method: str) -> Interval:
    return no_interval("undefined", "a world has no such number", method, 0, "worlds")


def _spread(found: Interval) -> Interval:
    same = found.low is not None and found.low == found.high
    return withheld(found, "equal on every world") if same else found


def _inside(found: Interval, unit: str) -> Interval:
    """Withhold bounds of a share outside [0, 1]: so uneven a mean has no normal limit near."""
    if unit != "share" or found.low is None or found.high is None:
        return found
    inside = found.low >= 0.0 and found.high <= 1.0
    return found if inside else withheld(found, "too uneven over worlds: a bound beyond 0 or 1")


def _unit(metric: str) -> str:
    return "ratio" if metric in _NOT_SHARES else "share"


def gate_estimates(found: Stages, staged: str) -> tuple[Estimate, ...]:
    """Return what the gate asks of one two-stage model."""
    one = {m: found.arm(staged, m) for m in ("PR-AUC", "log-loss", "ECE")}
    other = {m: found.arm(found.direct, m) for m in one}
    auc, base = one["PR-AUC"], other["PR-AUC"]
    gained = None if auc is None or base is None else auc - base
    return (
        found.ratio("pr_auc_relative_gain", gained, base, RELATIVE),
        found.change("log_loss_change", one["log-loss"], other["log-loss"], "nats"),
        found.change("ece_change", one["ECE"], other["ECE"], "share difference"),
    )


def tables(found: Stages) -> tuple[Table, ...]:
    """Return the tables in the order of the page; those without rows are left out."""
    made = (_story(found), _differences(found), _swap(found), _closed(found), _ceiling(found))
    return tuple(table for table in made if table.rows)


def _params(found: Stages) -> dict[str, object]:
    return {"seeds": len(found.seeds), "scale": found.scale}


def _story(found: Stages) -> Table:
    arms = (found.direct, *found.staged, GIFT_ONLY, BOUND)
    rows = []
    for arm in arms:
        metrics = [r.split(", ", 1)[1] for t, r, c in found.values if _of(t, r, c, arm)]
        for metric in metrics:
            cells = [
                found.mean(f"{arm}_{metric}_{v}", found.arm(arm, metric, v), _unit(metric))
                for v in ("leaky", "clean")
            ]
            rows.append((arm, metric, *cells, _published(found, arm, metric)))
    return Table(
        name="story",
        columns=("arm", "metric", "leaky", "clean", "published"),
        units=("", "", "mean of worlds", "mean of worlds", "the leak in it"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.story", _params(found)),
    )


def _of(table: str, row: str, column: str, arm: str) -> bool:
    return table == "story" and column == "clean" and row.startswith(f"{arm}, ")


def _published(found: Stages, arm: str, metric: str) -> float | str:
    side = {found.direct: "direct", found.staged[0]: "staged"}.get(arm, "")
    return PUBLISHED.get((side, metric), "")


def _differences(found: Stages) -> Table:
    rows = []
    for name in found.staged:
        made = gate_estimates(found, name)
        rate = "NOT ANSWERABLE: more than the share of positives"
        rows.append((name, *made, rate))
    return Table(
        name="differences",
        columns=("two stages", "PR-AUC", "log-loss", "ECE", f"ECE down by {PUBLISHED_ECE_RULE:g}"),
        units=("", "relative change", "nats", "difference", "as published"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.differences", {"direct": found.direct}),
    )


def _versions(found: Stages) -> Iterator[str]:
    yield found.direct
    for name in found.staged:
        yield from (name, f"{name}, {TRUE_CHANCE}", f"{name}, {TRUE_AMOUNT}")
    yield BOTH


def _swap(found: Stages) -> Table:
    rows = tuple(
        (
            row,
            *(found.mean(f"{row}_{m}", found.column("swap", row, m), _unit(m)) for m in SWAPPED),
        )
        for row in _versions(found)
        if found.column("swap", row, SWAPPED[0]) is not None
    )
    return Table(
        name="swap",
        columns=("order", *SWAPPED),
        units=("", *("of expected amounts" for _ in SWAPPED)),
        rows=rows,
        caption=Message(f"{_KEY}.table.swap", _params(found)),
    )


def _closed(found: Stages) -> Table:
    rows = [
        (name, part, *(closed(found, name, part, m) for m in SWAPPED))
        for name in found.staged
        for part in (TRUE_CHANCE, TRUE_AMOUNT)
    ]
    return Table(
        name="closed",
        columns=("two stages", "swapped in", *SWAPPED),
        units=("", "", *("share of the gap" for _ in SWAPPED)),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.closed", _params(found)),
    )


def closed(found: Stages, name: str, part: str, metric: str) -> Estimate:
    """Return how much of the gap from a model to both true parts one true part closes."""
    own, one, best = (found.column("swap", row, metric) for row in (name, f"{name}, {part}", BOTH))
    label = f"closed_{part}_{metric}".replace(" ", "_")
    if own is None or one is None or best is None:
        return found.ratio(label, None, None, "share of the gap")
    return found.ratio(label, one - own, best - own, "share of the gap")


def _ceiling(found: Stages) -> Table:
    bayes = found.column("ceiling", "Bayes order", "capture@1 %")
    rows = []
    if bayes is not None:
        for row in (found.direct, *found.staged, BOTH):
            own = found.column("swap", row, "capture@1 %")
            rows.append((row, found.ratio(f"share_{row}", own, bayes, "share of the ceiling")))
    return Table(
        name="ceiling",
        columns=("order", "share of the Bayes ceiling"),
        units=("", "capture@1 % of expected amounts"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.ceiling", _params(found)),
    )


def figures(found: Stages) -> tuple[Figure, ...]:
    """Return the figures in the order of the page."""
    return (_story_figure(found), _swap_figure(found))


def _dots(name: str, points: dict[str, Estimate]) -> Series:
    whole = all(e.low is not None and e.high is not None for e in points.values())
    return Series(
        name=name,
        x=tuple(points),
        y=tuple(e.value or 0.0 for e in points.values()),
        style="dots",
        low=tuple(e.low or 0.0 for e in points.values()) if whole else None,
        high=tuple(e.high or 0.0 for e in points.values()) if whole else None,
        n=tuple(e.n for e in points.values()),
    )


def _story_figure(found: Stages) -> Figure:
    metric = "overlap@1 %"
    arms = (found.direct, *found.staged, GIFT_ONLY, BOUND)
    made = {
        v: {a: found.mean(a, found.arm(a, metric, v), "share") for a in arms}
        for v in ("leaky", "clean")
    }
    beside = {a: p for a in arms if isinstance(p := _published(found, a, metric), float)}
    leaky, clean = (made[v][found.direct].value or 0.0 for v in ("leaky", "clean"))
    return Figure(
        name="story",
        title=f"With the leak {leaky:.0%} of the top 1 % is right, without {clean:.0%}",
        subtitle=f"overlap of the two tops; mean of {len(found.seeds)} calibrated worlds",
        x_label="arm",
        y_label="share of the top 1 % that is in the realised top 1 %",
        series=(
            *(_dots(v, points) for v, points in made.items()),
            Series("published", tuple(beside), tuple(beside.values()), style="dots"),
        ),
        shows=Message(f"{_KEY}.figure.story.shows", {}),
        follows=Message(f"{_KEY}.figure.story.follows", {}),
        x_scale="category",
        horizontal=True,
    )


def _swap_figure(found: Stages) -> Figure:
    metric = "norm. Gini"
    points = {
        row: found.mean(row, x, "ratio")
        for row in _versions(found)
        if (x := found.column("swap", row, metric)) is not None and row != BOTH
    }
    own = points[found.staged[0]].value or 0.0
    return Figure(
        name="swap",
        title=f"{found.staged[0]} orders expected amounts with a normalised Gini of {own:.2f}",
        subtitle=f"1 is the order by the true values; mean of {len(found.seeds)} calibrated worlds",
        x_label="order",
        y_label="normalised Gini against expected amounts",
        series=(_dots("expected amounts", points),),
        shows=Message(f"{_KEY}.figure.swap.shows", {}),
        follows=Message(f"{_KEY}.figure.swap.follows", {}),
        x_scale="category",
        horizontal=True,
    )


def listed(found: Stages) -> tuple[Estimate, ...]:
    """Return the estimates that the gate and the page name."""
    first = found.staged[0]
    gini = (closed(found, first, part, "norm. Gini") for part in (TRUE_CHANCE, TRUE_AMOUNT))
    levels = {
        "pr_auc_staged": found.mean("pr_auc", found.arm(first, "PR-AUC"), "share"),
        "pr_auc_direct": found.mean("pr_auc", found.arm(found.direct, "PR-AUC"), "share"),
    }
    named = zip(("gap_closed_by_true_chance", "gap_closed_by_true_amount"), gini, strict=True)
    return (
        *gate_estimates(found, first),
        *(replace(e, name=name) for name, e in levels.items()),
        *(replace(e, name=name) for name, e in named),
    )
