"""Tables of study 0.2: rankings, levels, differences, slices, truth, origins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from giftlive.evaluation import leaderboard
from giftlive.evaluation.leaderboard import COMPARED, METRICS, TRIVIAL, Cut
from giftlive.evaluation.results import Estimate, Table
from giftlive.stats.intervals import paired_t
from giftlive.stats.print_rule import method_of, need
from giftlive.studies.board import SECOND, Board, measured
from giftlive.studies.context import Kind, estimate
from giftlive.tables.splits import Fold
from giftlive.types import Floats, Message

_KEY = "study.baseline.table"


def tables(board: Board, unit: str, folds: tuple[Fold, ...]) -> tuple[Table, ...]:
    """Return the tables in the order of the page; those without anything to say are left out."""
    found = [
        _metrics_table(board, unit, "leaderboard", "head"),
        _metrics_table(board, unit, "levels", "level"),
        _difference_table(board, unit),
        _resampled_table(board),
        _slice_table(board, unit),
        *_truth_tables(board, unit),
        _fold_table(board, folds),
        *_event_tables(board, unit, folds),
        _size_table(board),
    ]
    return tuple(table for table in found if table.rows)


def _metrics_table(board: Board, unit: str, name: str, group: str) -> Table:
    ordered = sorted(board.scored, key=lambda s: -s.validation)
    shown = [m for m in METRICS if m in ordered[0].metrics and METRICS[m].group == group]
    small = "_small" if board.printed_gain.low is None and name == "leaderboard" else ""
    return Table(
        name=name,
        columns=("model", "validation capture@1 %", *(METRICS[m].title for m in shown)),
        units=("", "chooses", *("95 %" for _ in shown)),
        rows=(
            *(
                (s.name, round(s.validation, 4), *(board.metric(s, m, unit) for m in shown))
                for s in ordered
            ),
            ("users for an interval", "", *(_needed(board, m) for m in shown)),
        ),
        caption=Message(f"{_KEY}.{name}{small}", {}),
    )


def _needed(board: Board, metric: str) -> str:
    """Return how many users the interval of a metric needs, in words."""
    found = board.scored[0].metrics[metric]
    if metric == leaderboard.BARE:
        return "never"
    kind = board.kind(metric)
    if found.method == "none" or not measured(kind, found):
        return "unmeasured"
    needed = need(kind.statistic, method_of(found), kind.tail, kind.rows_per_cluster)
    return needed.words if needed.clusters else "unknown tail"


def _difference_table(board: Board, unit: str) -> Table:
    shown = [m for m in COMPARED if m in {gap.metric for gap in board.gaps}]
    cells: dict[tuple[str, str], dict[str, Estimate]] = {}
    for gap in board.gaps:
        cells.setdefault((gap.model, gap.reference), {})[gap.metric] = board.gap(gap, unit)
    return Table(
        name="differences",
        columns=("model", "minus", *(METRICS[m].title for m in shown)),
        units=("", "", *("95 %, paired" for _ in shown)),
        rows=tuple((*who, *(found[m] for m in shown)) for who, found in cells.items()),
        caption=Message(f"{_KEY}.differences", {}),
    )


def _resampled_table(board: Board) -> Table:
    rows = tuple(
        (METRICS[r.metric].title, _rounded(r.drawn), _rounded(r.linear), _rounded(r.ratio))
        for r in board.again
    )
    return Table(
        name="resampled",
        columns=("difference", "drawn again", "influence values", "ratio"),
        units=("", "standard error", "standard error", ""),
        rows=rows,
        caption=Message(
            f"{_KEY}.resampled",
            {
                "model": board.learned.name,
                "trivial": board.trivial.name,
                "replicates": leaderboard.REPLICATES,
            },
        ),
    )


def _rounded(value: float) -> float | str:
    return float(f"{value:.3g}") if value == value else ""


def _slice_table(board: Board, unit: str) -> Table:
    return Table(
        name="slices",
        columns=("slice", "model", "rows", "amount", "capture@1 %", "Σ pred / Σ actual"),
        units=("", "", "share", "share", "95 %", "ratio"),
        rows=tuple(_cut_row(board, cut, unit) for cut in board.cuts),
        caption=Message(f"{_KEY}.slices", {}),
    )


def _cut_row(board: Board, cut: Cut, unit: str) -> tuple[object, ...]:
    capture = estimate(
        f"{cut.slice}_{cut.model}_capture",
        cut.capture,
        board.kind("revenue_capture_1pct"),
        unit="share",
        denominator="amount of the slice",
        population=f"{unit}s of the slice on the pooled test days",
    )
    return (
        cut.slice,
        cut.model,
        round(cut.rows, 4),
        round(cut.amount, 4),
        capture,
        round(cut.level, 4),
    )


def _truth_tables(board: Board, unit: str) -> Iterator[Table]:
    """Yield the orders of expected amounts, where a world knows them."""
    if board.truth is None:
        return
    found = leaderboard.against_truth(board.truth, board.predictions)
    columns = next(iter(found.values()))
    yield Table(
        name="truth",
        columns=("model", *columns),
        units=("", *("" for _ in columns)),
        rows=tuple(
            (name, *(_true(board, c, v, unit) for c, v in values.items()))
            for name, values in found.items()
        ),
        caption=Message(
            f"{_KEY}.truth",
            {"matched": float(board.test.y.sum() / board.truth.value.sum())},
        ),
    )


def _true(board: Board, column: str, value: float, unit: str) -> Estimate:
    shown = leaderboard.bare(value, board.users, "one world: see study two_stage for its spread")
    made = estimate(
        column,
        shown,
        Kind("mean", "light"),
        unit="share" if "capture" in column or "share" in column else "ratio",
        denominator="expected amount, or the ideal order",
        population=f"{unit}s of the pooled test days",
    )
    return replace(made, name=f"true_{column}")


def _fold_table(board: Board, folds: tuple[Fold, ...]) -> Table:
    return Table(
        name="stability",
        columns=("model", *(fold.name for fold in folds)),
        units=("", *("capture@1 %" for _ in folds)),
        rows=tuple((p.name, *(round(value, 4) for value in p.by_fold)) for p in board.predictions),
        caption=Message(f"{_KEY}.stability", {}),
    )


def _event_tables(board: Board, unit: str, folds: tuple[Fold, ...]) -> Iterator[Table]:
    """Yield every learned model minus the trivial rankers and ridge, where folds are events.

    Paired by event: the unit is then an event with its own donors and days, not a donor.
    """
    if not all(fold.name.startswith("event-") for fold in folds):
        return
    captured = {p.name: np.array(p.by_fold) for p in board.predictions}
    references = [name for name in (*TRIVIAL, SECOND) if name in captured]
    yield Table(
        name="events",
        columns=("model", "minus", "capture@1 %"),
        units=("", "", "mean of events, 95 %"),
        rows=tuple(
            (who, other, _event_gap(captured, who, other, unit))
            for who in captured
            for other in references
            if who not in (*TRIVIAL, other)
        ),
        caption=Message(f"{_KEY}.events", {"events": len(folds)}),
    )


def _event_gap(captured: dict[str, Floats], who: str, other: str, unit: str) -> Estimate:
    return estimate(
        f"{who}_over_{other}_by_event",
        paired_t(captured[who], captured[other], n_unit="events"),
        Kind("paired_difference", "light"),
        unit="share difference",
        denominator="total amount of an event",
        population=f"{unit}s of the test events",
    )


def _size_table(board: Board) -> Table:
    return Table(
        name="sizes",
        columns=("model", "training rows", "saved"),
        units=("", "last origin", "bytes"),
        rows=tuple((p.name, p.cost.fit_rows, p.cost.bytes) for p in board.predictions),
        caption=Message(f"{_KEY}.sizes", {}),
    )
