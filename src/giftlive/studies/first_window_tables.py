"""Tables and figures of study 1.4: what a group teaches, the ranking, and scoring again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from giftlive.evaluation.first_window import (
    ALL,
    ARMS,
    AT_ENTRY,
    CAPTURE,
    CLOCK,
    CLOCK_ONLY,
    FIRST_WINDOW,
    FULL,
    LOG_LOSS,
    METRICS,
    NOISE,
    PR_AUC,
    REAL,
    RESCORED,
    SNAPSHOT,
    STAYED,
    WATCHING,
    plus,
    rest,
    whole,
)
from giftlive.evaluation.results import Estimate, Figure, Table
from giftlive.studies.over_worlds import OverWorlds, dots
from giftlive.types import Floats, Message

_KEY = "study.first_window"
UNITS = {PR_AUC: "share difference", CAPTURE: "share difference", LOG_LOSS: "nats"}
_ALONE, _LAST = "to the clock", "to the rest"


@dataclass(frozen=True)
class Groups:
    """Every number over worlds, and what they are about.

    Attributes
    ----------
    scale : of each world, 1 = full size. model : that was fitted. dwell : seconds after entry.
    """

    over: OverWorlds
    scale: float
    model: str
    dwell: tuple[int, ...]

    def variant(self, name: str, metric: str) -> Floats | None:
        """Return [seeds] a metric of one variant."""
        return self.over.column("variant", name, metric)

    def adds(self, group: str, metric: str, to: str) -> Estimate:
        """Return what a group adds to the clock alone, or to everything else."""
        pair = (plus(group), CLOCK_ONLY) if to == _ALONE else (whole(group), rest(group))
        one, other = (self.variant(name, metric) for name in pair)
        return self.over.change(f"{group}, {to}, {metric}", one, other, UNITS[metric])

    def size(self, group: str) -> int | None:
        """Return how many columns a group has; None where none of them varies on every world."""
        columns, varying = (
            self.over.column("group", group, name) for name in ("columns", "varying")
        )
        if columns is None or varying is None or not (varying > 0).all():
            return None
        return int(columns[0])

    @cached_property
    def ranked(self) -> tuple[str, ...]:
        """Return the groups and noise by what they add to the clock in PR-AUC, most first.

        Equal means keep the order of the declaration.
        """
        known = [g for g in (*REAL, NOISE) if self.variant(plus(g), PR_AUC) is not None]
        gains = {g: self.variant(plus(g), PR_AUC) for g in known}
        return tuple(sorted(known, key=lambda g: -_mean(gains[g])))

    def lead(self, name: str, one: str, other: str) -> Estimate:
        """Return by how much more one group adds to the clock than another, paired by world."""
        a, b = (self.variant(plus(group), PR_AUC) for group in (one, other))
        return self.over.change(name, a, b, UNITS[PR_AUC])


def _mean(x: Floats | None) -> float:
    assert x is not None
    return float(x.mean())


def gate_estimates(found: Groups) -> tuple[Estimate, ...]:
    """Return what the gate asks: the lead of the first, and noise against the weakest group."""
    order = found.ranked
    real = [group for group in order if group != NOISE]
    if len(order) < 2 or not real or NOISE not in order:
        missing = found.over.change("lead_of_first", None, None, UNITS[PR_AUC])
        return missing, replace(missing, name="noise_over_weakest")
    return (
        found.lead("lead_of_first", order[0], order[1]),
        found.lead("noise_over_weakest", NOISE, real[-1]),
    )


def listed(found: Groups) -> tuple[Estimate, ...]:
    """Return the estimates that the gate and the page name."""
    first = f"{found.dwell[0]} s"
    named = {
        "pr_auc_full": found.over.mean("", found.variant(FULL, PR_AUC), "share"),
        "pr_auc_clock": found.over.mean("", found.variant(CLOCK_ONLY, PR_AUC), "share"),
        "noise_adds_to_clock": found.adds(NOISE, PR_AUC, _ALONE),
        "first_window_adds_to_rest": found.adds(FIRST_WINDOW, PR_AUC, _LAST),
        "rescoring_gain": _gain(found, f"{first}, {ALL}", RESCORED, PR_AUC),
        "staying_gain": _gain(found, f"{first}, {ALL}", STAYED, PR_AUC),
        "rescoring_gain_capture": _gain(found, f"{first}, {ALL}", RESCORED, CAPTURE),
    }
    return (*gate_estimates(found), *(replace(e, name=name) for name, e in named.items()))


def tables(found: Groups) -> tuple[Table, ...]:
    """Return the tables in the order of the page; those without rows are left out."""
    made = (
        _learning(found),
        _ranking(found),
        _levels(found),
        _rescoring(found),
        _rows(found),
    )
    return tuple(table for table in made if table.rows)


def _params(found: Groups) -> dict[str, object]:
    return {
        "seeds": len(found.over.seeds),
        "scale": found.scale,
        "model": found.model,
        "seconds": found.dwell[0],
    }


def _learning(found: Groups) -> Table:
    rows: list[tuple[object, ...]] = []
    for group in (*REAL, CLOCK, SNAPSHOT, NOISE):
        size = found.size(group)
        if size is None:
            rows.append((group, *("not available" for _ in range(2 * len(METRICS))), 0))
            continue
        alone = [
            None if group == CLOCK else found.adds(group, metric, _ALONE) for metric in METRICS
        ]
        rows.append((group, *alone, *(found.adds(group, m, _LAST) for m in METRICS), size))
    return Table(
        name="learning",
        columns=(
            *("group", *(f"{m} {_ALONE}" for m in METRICS)),
            *(*(f"{m} {_LAST}" for m in METRICS), "columns"),
        ),
        units=("", *(UNITS[m] for m in METRICS), *(UNITS[m] for m in METRICS), "columns"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.learning", _params(found)),
    )


def _ranking(found: Groups) -> Table:
    order = found.ranked
    rows = [
        (
            f"{place + 1}",
            group,
            found.adds(group, PR_AUC, _ALONE),
            found.lead(f"{group}_next", group, order[place + 1])
            if place + 1 < len(order)
            else None,
            found.lead(f"first_{group}", order[0], group) if place else None,
        )
        for place, group in enumerate(order)
    ]
    return Table(
        name="ranking",
        columns=(
            "rank",
            "group",
            "adds to the clock",
            "ahead of the next",
            "the first is ahead by",
        ),
        units=("", "", *(UNITS[PR_AUC] for _ in range(3))),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.ranking", _params(found)),
    )


def _levels(found: Groups) -> Table:
    names = [name for t, name, c in found.over.values if t == "variant" and c == PR_AUC]
    rows = tuple(
        (
            name,
            *(
                found.over.mean(f"{name}, {m}", found.variant(name, m), _unit_of_level(m))
                for m in METRICS
            ),
        )
        for name in names
    )
    return Table(
        name="levels",
        columns=("features", *METRICS),
        units=("", "share", "share", "nats"),
        rows=rows,
        caption=Message(f"{_KEY}.table.levels", _params(found)),
    )


def _unit_of_level(metric: str) -> str:
    return "nats" if metric == LOG_LOSS else "share"


def _gain(found: Groups, table: str, arm: str, metric: str) -> Estimate:
    one, other = (found.over.column(table, name, metric) for name in (arm, AT_ENTRY))
    return found.over.change(f"{table}, {arm}, {metric}", one, other, UNITS[metric])


def _rescoring(found: Groups) -> Table:
    rows: list[tuple[object, ...]] = []
    for seconds in found.dwell:
        for who in (WATCHING, ALL):
            table = f"{seconds} s, {who}"
            for arm in ARMS:
                if arm == AT_ENTRY:
                    cells = [
                        found.over.mean(arm, found.over.column(table, arm, m), _unit_of_level(m))
                        for m in METRICS
                    ]
                else:
                    cells = [_gain(found, table, arm, m) for m in METRICS]
                rows.append((table, arm, *cells))
    return Table(
        name="rescoring",
        columns=("sessions", "scored", *METRICS),
        units=("", "entry: level, else change", "share", "share", "nats"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.rescoring", _params(found)),
    )


def _rows(found: Groups) -> Table:
    names = ("share still watching", "share of the amount still to come")
    rows = tuple(
        (
            f"{seconds} s",
            *(
                found.over.mean(n, found.over.column("rows", f"{seconds} s", n), "share")
                for n in names
            ),
        )
        for seconds in found.dwell
    )
    return Table(
        name="rows",
        columns=("after", *names),
        units=("", "of the sessions", "of what the entry's label holds"),
        rows=rows,
        caption=Message(f"{_KEY}.table.rows", _params(found)),
    )


def figures(found: Groups) -> tuple[Figure, ...]:
    """Return the figures in the order of the page."""
    return (_learning_figure(found), _rescoring_figure(found))


def _learning_figure(found: Groups) -> Figure:
    def points(to: str) -> dict[str, Estimate]:
        return {group: found.adds(group, PR_AUC, to) for group in found.ranked}

    alone, first = points(_ALONE), found.ranked[0]
    most = alone[first].value or 0.0
    return Figure(
        name="learning",
        title=f"{first[:1].upper()}{first[1:]} teaches most: {most:+.3f} PR-AUC",
        subtitle=f"change of PR-AUC when a group is added, {found.model}, sessions still watching "
        f"{found.dwell[0]} s after entry; {len(found.over.seeds)} calibrated worlds",
        x_label="group of features",
        y_label="change of PR-AUC",
        series=(dots(f"added {_ALONE}", alone), dots(f"added {_LAST}", points(_LAST))),
        shows=Message(f"{_KEY}.figure.learning.shows", {}),
        follows=Message(f"{_KEY}.figure.learning.follows", {}),
        x_scale="category",
        horizontal=True,
    )


def _rescoring_figure(found: Groups) -> Figure:
    points = {
        arm: {
            f"{seconds} s, {who}": _gain(found, f"{seconds} s, {who}", arm, PR_AUC)
            for seconds in found.dwell
            for who in (WATCHING, ALL)
        }
        for arm in (STAYED, RESCORED)
    }
    again, stayed = (
        points[a][f"{found.dwell[0]} s, {ALL}"].value or 0.0 for a in (RESCORED, STAYED)
    )
    return Figure(
        name="rescoring",
        title=f"Scoring again after {found.dwell[0]} s changes PR-AUC by {again:+.3f}, "
        f"of which {stayed:+.3f} is knowing who stayed",
        subtitle="against the score of the entry, gifts still to come; "
        f"{len(found.over.seeds)} calibrated worlds",
        x_label="sessions that are ordered",
        y_label="change of PR-AUC",
        series=tuple(dots(arm, places) for arm, places in points.items()),
        shows=Message(f"{_KEY}.figure.rescoring.shows", {}),
        follows=Message(f"{_KEY}.figure.rescoring.follows", {}),
        x_scale="category",
        horizontal=True,
    )
