"""Splits by time in whole local days: train, gap, validation, gap, test."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.types import Ints

Days = tuple[int, int]


@dataclass(frozen=True)
class Fold:
    """One origin: half-open ranges of local days, in this order and disjoint."""

    name: str
    train: Days
    validation: Days
    test: Days


def rolling_origins(
    days: Ints,
    folds: int = 3,
    burn_in_days: int | None = None,
    gap_days: int = 1,
    validation_days: int | None = None,
    test_days: int | None = None,
) -> tuple[Fold, ...]:
    """Return ``folds`` origins whose tests are the last days, side by side and disjoint.

    Layout of one fold: burn-in, train, gap, validation, gap, test. All folds train from the end
    of the burn-in, so training grows from origin to origin. The burn-in lets histories fill; the
    gaps let labels mature, on both sides of the validation days, whose labels are used to choose.

    Parameters
    ----------
    days : [n] local day of every row. folds : number of origins, >= 3.
    burn_in_days : default a fifth of the span, at least 1.
    gap_days : whole days no label needs longer than. validation_days, test_days : length of
        each, default a tenth of the span, at least 1.

    Raises
    ------
    NotEnoughDataError
        Where not one training day would be left, with the days there are and the days needed.

    Examples
    --------
    >>> rolling_origins(np.arange(21))[0]
    Fold(name='origin-1', train=(4, 11), validation=(12, 14), test=(15, 17))
    """
    _require_sizes(folds, burn_in_days, gap_days, validation_days, test_days)
    days = np.asarray(days, dtype=np.int64)
    first, last = (int(days.min()), int(days.max())) if len(days) else (0, -1)
    span = last + 1 - first
    burn_in = max(1, span // 5) if burn_in_days is None else burn_in_days
    validation = max(1, span // 10) if validation_days is None else validation_days
    test = max(1, span // 10) if test_days is None else test_days
    needed = burn_in + 1 + gap_days + validation + gap_days + folds * test
    if span < needed:
        raise NotEnoughDataError(
            f"{span} days cannot hold {folds} origins",
            "splits",
            f"at least {needed} days: {burn_in} of burn-in, 1 to train, {validation} to validate,"
            f" {test} to test per origin, {gap_days} of gap twice",
            "use logs of more days",
        )
    tests = [last + 1 - test * (folds - k) for k in range(folds)]
    return tuple(
        _fold(k, first + burn_in, start, (gap_days, validation, test))
        for k, start in enumerate(tests, start=1)
    )


def _fold(number: int, train_start: int, test_start: int, sizes: tuple[int, int, int]) -> Fold:
    gap, validation, test = sizes
    validation_start = test_start - gap - validation
    return Fold(
        f"origin-{number}",
        (train_start, validation_start - gap),
        (validation_start, validation_start + validation),
        (test_start, test_start + test),
    )


def _require_sizes(folds: int, *days: int | None) -> None:
    if folds < 3:
        raise UsageError(f"{folds} folds", "splits", "3 origins or more")
    if any(value is not None and value < 0 for value in days):
        raise UsageError(f"a negative number of days in {days}", "splits", "0 or more")
    if 0 in days[2:]:
        raise UsageError("validation and test need a day each", "splits", "1 or more")


def event_folds(days: Ints, groups: Ints, folds: int = 3) -> tuple[Fold, ...]:
    """Return origins over whole events for a source that is a series of events.

    The last ``folds`` events are tests, each validated on the event before it and trained on
    all earlier ones. Rows between events belong to no event; those before the validation event's
    predecessor ends are in training.

    Parameters
    ----------
    days : [n] local day of every row. groups : [n] event of every row, negative = none.

    Raises
    ------
    NotEnoughDataError
        With fewer than ``folds + 2`` events, or where two events share a day.

    Examples
    --------
    >>> event_folds(np.array([1, 10, 20, 30, 40]), np.array([0, 1, 2, 3, 4]))[0]
    Fold(name='event-2', train=(1, 2), validation=(10, 11), test=(20, 21))
    """
    _require_sizes(folds)
    days, groups = np.asarray(days, dtype=np.int64), np.asarray(groups, dtype=np.int64)
    spans = []
    for group in np.unique(groups[groups >= 0]):
        inside = days[groups == group]
        spans.append((int(inside.min()), int(inside.max()) + 1, int(group)))
    spans.sort()
    if len(spans) < folds + 2:
        raise NotEnoughDataError(
            f"{len(spans)} events", "splits", f"at least {folds + 2} for {folds} origins"
        )
    if any(left[1] > right[0] for left, right in pairwise(spans)):
        raise NotEnoughDataError("two events share a day", "splits", "events one after another")
    return tuple(
        Fold(
            f"event-{spans[t][2]}",
            (spans[0][0], spans[t - 2][1]),
            spans[t - 1][:2],
            spans[t][:2],
        )
        for t in range(len(spans) - folds, len(spans))
    )
