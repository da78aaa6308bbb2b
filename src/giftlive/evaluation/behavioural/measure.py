"""One log, its clicks with day-frozen features: every number of the comparison.

Days are cut in three. The *late* test days are the last third, trained on everything before; the
*early* ones the second third, trained on the first. The first day trains nothing: frozen at its
midnight, every history is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.errors import NotEnoughDataError
from giftlive.evaluation.behavioural.labels import every_click
from giftlive.evaluation.behavioural.rankers import LEARNED, RANKERS, predicted
from giftlive.metrics import capture_curve
from giftlive.tables.matrix import Matrix
from giftlive.types import Bools, Floats, Ints

FEATURES = (
    *("pair_gift_count", "pair_gift_sum", "pair_gift_recency_seconds", "pair_gift_7d"),
    *("pair_click_count", "pair_click_recency_seconds", "pair_watch_seconds"),
    *("user_gift_count", "user_gift_sum", "user_gift_mean", "user_gift_recency_seconds"),
    *("user_gift_7d", "user_click_count", "user_watch_seconds", "user_gift_rate"),
    *("streamer_gift_count", "streamer_gift_sum", "streamer_gift_mean", "streamer_gift_7d"),
    *("streamer_click_count", "streamer_watch_seconds", "streamer_gift_rate"),
    *("pair_gift_share", "pair_watch_share", "hour", "weekday"),
)
"""Plain histories of pair, user and streamer, and the clock: what day-frozen tables hold."""

TOPS = {"capture@1 %": 0.01, "capture@5 %": 0.05, "capture@10 %": 0.10}
RELABELLED = ("user_past_spend", "ridge")
"""The rankers with a published number, fitted and scored on the published labels as well."""

SLICES = ("pair with a gift", "pair without a gift", "user without a gift")
"""By what was known at midnight before the click."""


@dataclass(frozen=True)
class Number:
    """One number and the cell it is printed in; ``value`` None: there is none in this log."""

    table: str
    row: str
    column: str
    value: float | None


@dataclass(frozen=True)
class Split:
    """Rows [n] that train and rows that are ranked."""

    train: Bools
    test: Bools


def thirds(day: Ints) -> dict[str, Split]:
    """Return the early and the late split of local days ``day`` [n].

    Raises
    ------
    NotEnoughDataError
        Fewer than six days: the first third would be one day without a history.

    Examples
    --------
    >>> [int(s.test.sum()) for s in thirds(np.arange(21)).values()]
    [7, 7]
    """
    first, last = (int(day.min()), int(day.max())) if len(day) else (0, -1)
    span = last + 1 - first
    if span < 6:
        raise NotEnoughDataError(
            f"{span} days", "behavioural fidelity", "six or more", "use longer logs"
        )
    third = span // 3
    found = {}
    for name, end in (("early", last + 1 - third), ("late", last + 1)):
        start = end - third
        train = (day > first) & (day < start)
        found[name] = Split(train, (day >= start) & (day < end))
    return found


def numbers_of(matrix: Matrix, names: Sequence[str] = RANKERS) -> tuple[Number, ...]:
    """Return every number of one log.

    Parameters
    ----------
    matrix : clicks with the day-frozen :data:`FEATURES`, all rows. names : rankers.

    Raises
    ------
    NotEnoughDataError
        Too few days, or training days without a gift.
    """
    splits = thirds(matrix.day)
    late, y = splits["late"], matrix.y
    scores = {name: _scores(matrix, late, y, name) for name in names}
    doubled = every_click(matrix.user, matrix.live, y)
    return (
        *_order(y[late.test], scores),
        *_periods(matrix, splits, scores),
        *_slices(matrix, late, scores),
        *_labels(matrix, late, doubled, scores),
        *_double(matrix, doubled),
    )


def _scores(matrix: Matrix, split: Split, y: Floats, name: str) -> Floats:
    train = split.train
    return predicted(name, matrix.X[train], y[train], matrix.names, matrix.X[split.test])


def _captures(y: Floats, score: Floats) -> dict[str, float | None]:
    """Return the captures at every top, None where there is no amount."""
    found = capture_curve(y, score, tuple(TOPS.values()))
    return {top: finite(value) for top, value in zip(TOPS, found, strict=True)}


def finite(value: float | None) -> float | None:
    """Return a metric as a number's value: None where it is not defined."""
    return float(value) if value is not None and np.isfinite(value) else None


def _order(y: Floats, scores: dict[str, Floats]) -> Iterator[Number]:
    """Yield the captures of every ranker, and how much the learned ones promise."""
    total = float(y.sum())
    for name, score in scores.items():
        for top, value in _captures(y, score).items():
            yield Number("order", name, top, value)
    for name in (n for n in LEARNED if n in scores):
        level = float(scores[name].sum()) / total if total > 0.0 else None
        yield Number("levels", name, "Σ predicted / Σ actual", level)


def _periods(matrix: Matrix, splits: dict[str, Split], late: dict[str, Floats]) -> Iterator[Number]:
    """Yield the capture at 1 % on early and on late days, each with what was known by then."""
    top, early = "capture@1 %", splits["early"]
    for name, score in late.items():
        before = _scores(matrix, early, matrix.y, name)
        yield Number("periods", name, "early", _captures(matrix.y[early.test], before)[top])
        yield Number("periods", name, "late", _captures(matrix.y[splits["late"].test], score)[top])


def _slices(matrix: Matrix, late: Split, scores: dict[str, Floats]) -> Iterator[Number]:
    """Yield the captures within every slice of the late test days, and how large it is."""
    y = matrix.y[late.test]
    for name, rows in _sliced(matrix, late.test).items():
        total = float(y.sum())
        held = float(y[rows].sum()) / total if total > 0.0 else None
        yield Number("rows", name, "share of the clicks", float(rows.mean()))
        yield Number("rows", name, "share of the amount", held)
        for ranker, score in scores.items():
            found = _captures(y[rows], score[rows])
            for top in ("capture@1 %", "capture@10 %"):
                yield Number("slices", f"{name} / {ranker}", top, found[top])


def _sliced(matrix: Matrix, test: Bools) -> dict[str, Bools]:
    pair, user = (matrix.column(f"{who}_gift_count")[test] > 0.0 for who in ("pair", "user"))
    return dict(zip(SLICES, (pair, ~pair, ~user), strict=True))


def _labels(
    matrix: Matrix, late: Split, doubled: Floats, once: dict[str, Floats]
) -> Iterator[Number]:
    """Yield the capture at 1 % under both labels; each ranker is fitted on the label it meets."""
    top = "capture@1 %"
    for name in (n for n in RELABELLED if n in once):
        again = _scores(matrix, late, doubled, name)
        single = _captures(matrix.y[late.test], once[name])[top]
        yield Number("labels", name, "last touch", single)
        yield Number("labels", name, "every click", _captures(doubled[late.test], again)[top])


def _double(matrix: Matrix, doubled: Floats) -> Iterator[Number]:
    """Yield how many clicks hold a gift, of all clicks and for every gift that was given."""
    gifts = float(matrix.count.sum())
    for label, y in (("last touch", matrix.y), ("every click", doubled)):
        hits = float(np.count_nonzero(y > 0.0))
        yield Number("double", f"clicks with a gift, {label}", "value", hits / len(y))
        each = hits / gifts if gifts else None
        yield Number("double", f"clicks with a gift / gifts, {label}", "value", each)
