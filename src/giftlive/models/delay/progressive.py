"""Progressive validation: predict, wait for the label, learn, in the order labels arrive.

Every exposure is a *question* when it is shown and an *answer* when its label is known: a gift
when it arrives, a negative only when its horizon has passed. A learner that hears both in order
of time has never learnt from what it could not know, and is scored on all questions whose answer
came.

Two forms of the same knowledge: ``stream`` for learners that take one event at a time, ``cuts``
for treatments that are fitted again every so often.

The idea is that of river's ``progressive_val_score(delay=...)`` (Montiel et al. 2021), with a
delay per row and labels that differ in when they are final.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from giftlive.clock import MS_PER_SECOND
from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.delay.follow_up import FollowUp, History
from giftlive.models.delay.treatments import Treatment
from giftlive.types import Bools, Floats, Ints


class Kind(IntEnum):
    """What happens.

    At equal times answers are heard before questions are asked, except for a gift that is known
    in the millisecond of its exposure: nobody hears an answer before its question.
    """

    ANSWER = 0
    QUESTION = 1


_AT_ONCE = 2


@dataclass(frozen=True)
class Event:
    """One event of the stream: ``label`` is None for a question."""

    ts: int
    kind: Kind
    row: int
    label: bool | None


@dataclass(frozen=True)
class Cut:
    """One step of repeated fitting: what was known at ``ts``, and what is asked until the next.

    Attributes
    ----------
    known : follow-up at ts. rows : [n] of the history behind ``known``. asked : [m] rows exposed
        in [ts, ts + step).
    """

    ts: int
    known: FollowUp
    rows: Ints
    asked: Ints


@dataclass(frozen=True)
class Scored:
    """Predictions made before their labels, of the rows whose label is final at the end.

    Attributes
    ----------
    row : [m]. ts : [m] ms. p : [m]. label : [m]. user : [m].
    """

    row: Ints
    ts: Ints
    p: Floats
    label: Bools
    user: Ints


def answer_ts(history: History) -> Floats:
    """Return [n] ms at which every label is known: the gift's arrival, or the horizon's end."""
    return history.ts + np.minimum(history.delay, history.horizon) * MS_PER_SECOND


def stream(history: History, end_ms: int | None = None) -> Iterator[Event]:
    """Yield questions and answers in order of time; answers after ``end_ms`` never come.

    Examples
    --------
    >>> h = History(np.zeros((2, 1)), np.array([0, 1_000]), np.array([1, 2]),
    ...             np.array([3.0, np.inf]), np.full(2, np.inf), np.array([5.0, 0.0]), 10.0)
    >>> [(e.ts, e.kind.name, e.row, e.label) for e in stream(h)]  # doctest: +NORMALIZE_WHITESPACE
    [(0, 'QUESTION', 0, None), (1000, 'QUESTION', 1, None), (3000, 'ANSWER', 0, True),
     (11000, 'ANSWER', 1, False)]
    """
    n, rows = len(history), np.arange(len(history))
    ts = np.concatenate([history.ts.astype(np.float64), answer_ts(history)])
    kind = np.repeat([Kind.QUESTION, Kind.ANSWER], n)
    both = np.concatenate([rows, rows])
    rank = np.where((kind == Kind.ANSWER) & (ts <= np.tile(history.ts, 2)), _AT_ONCE, kind)
    for at in np.lexsort((both, rank, ts)).tolist():
        if end_ms is not None and ts[at] > end_ms:
            return
        row, is_answer = int(both[at]), kind[at] == Kind.ANSWER
        label = bool(history.label[row]) if is_answer else None
        yield Event(int(np.ceil(ts[at])), Kind(int(kind[at])), row, label)


def cuts(history: History, first_ms: int, step_ms: int, end_ms: int) -> Iterator[Cut]:
    """Yield what every refit knows and is asked; the first refit is at ``first_ms``.

    Cuts whose step asks nothing are left out.

    Raises
    ------
    UsageError
        A step that is not positive.
    """
    if step_ms <= 0:
        raise UsageError(f"step {step_ms} ms", "argument step_ms", "a positive number")
    for ts in range(first_ms, end_ms, step_ms):
        until = min(ts + step_ms, end_ms)
        asked = np.flatnonzero((history.ts >= ts) & (history.ts < until))
        if len(asked):
            yield Cut(ts, history.at(ts), history.shown_before(ts), asked)


def progressive_validation(
    treatment: Treatment, history: History, first_ms: int, step_ms: int, end_ms: int
) -> Scored:
    """Fit again at every cut and predict what is asked until the next.

    Only rows whose label is final at ``end_ms`` by their age are returned: a row whose gift came
    and whose neighbours are still open would be a sample of the gifts.

    Raises
    ------
    NotEnoughDataError
        No label of a question is final at the end.
    """
    rows, predicted = [], []
    for cut in cuts(history, first_ms, step_ms, end_ms):
        predicted.append(treatment.fit(cut.known).probability(history.X[cut.asked]))
        rows.append(cut.asked)
    row = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    final = history.mature_at(end_ms)[row]
    if not final.any():
        raise NotEnoughDataError(
            f"none of {len(row)} predictions has a final label at the end",
            "progressive validation",
            "questions older than the horizon",
            "ask earlier or end later",
        )
    kept, p = row[final], np.concatenate(predicted)[final]
    return Scored(kept, history.ts[kept], p, history.label[kept], history.user[kept])
