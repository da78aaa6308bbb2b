"""Scored at the entry, and scored again some seconds later where somebody still watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from giftlive.evaluation.behavioural.measure import Number
from giftlive.evaluation.first_window.variants import predicted, scored, taken
from giftlive.evaluation.leaderboard.predictions import within
from giftlive.models.registry import make
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Bools, Floats, Ints

AT_ENTRY, STAYED, RESCORED = "at entry", "stayed", "re-scored"
ARMS = (AT_ENTRY, STAYED, RESCORED)
"""Trained on all sessions at their entry; on those that stayed, with what was known at the entry;
on those that stayed, with what is known now."""
WATCHING, ALL = "still watching", "all"
_WATCHED = "first_window_watch_seconds"


def still_watching(late: Matrix, seconds: int) -> Bools:
    """Return [n] which sessions of tables with a dwell last at least that long."""
    return np.asarray(late.column(_WATCHED) >= seconds, dtype=np.bool_)


def rescored(
    entry: Matrix, late: Matrix, folds: Sequence[Fold], model: str, seconds: int
) -> Iterator[Number]:
    """Yield what re-scoring after ``seconds`` changes, and how many rows it is about.

    Gifts known before entry + ``seconds`` are in no label here: nobody can predict them then. Of
    all sessions, those whose first viewing has ended are not scored again: they are worth what such
    sessions brought on the training days, for some come back. The entry does not know who they are.

    Parameters
    ----------
    entry, late : tables of the same log with decisions at the entry and ``seconds`` after it.
    """
    place = places(entry, late)
    late, place = taken(late, np.flatnonzero(place >= 0)), place[place >= 0]
    stayed = still_watching(late, seconds)
    table = f"{seconds} s"
    yield Number("rows", table, "share still watching", float(stayed.mean()))
    amount = float(entry.y.sum())
    after = float(late.y[stayed].sum())
    yield Number("rows", table, "share of the amount still to come", after / amount)
    yield from _arms(entry, late, place, stayed, folds, model, table)


def _arms(
    entry: Matrix,
    late: Matrix,
    place: Ints,
    stayed: Bools,
    folds: Sequence[Fold],
    model: str,
    table: str,
) -> Iterator[Number]:
    rows = np.flatnonzero(stayed)
    now, before = taken(late, rows), _asked(taken(entry, place[rows]), late, rows)
    found: dict[str, tuple[Floats, Floats, Floats]] = {
        AT_ENTRY: _from_entry(entry, late, place, folds, model),
        STAYED: predicted(before, folds, model, np.arange(before.X.shape[1])),
        RESCORED: predicted(now, folds, model, np.arange(now.X.shape[1])),
    }
    test = np.concatenate([np.flatnonzero(within(late.day, f.test)) for f in folds])
    there = stayed[test]
    y, amount, chance = found[AT_ENTRY]
    yield from scored(f"{table}, {WATCHING}", AT_ENTRY, y[there], amount[there], chance[there])
    yield from scored(f"{table}, {ALL}", AT_ENTRY, y, amount, chance)
    left = _gone(late, stayed, folds)
    for arm in (STAYED, RESCORED):
        yield from scored(f"{table}, {WATCHING}", arm, *found[arm])
        wide = [values.copy() for values in left]
        for full, part in zip(wide, found[arm][1:], strict=True):
            full[there] = part
        yield from scored(f"{table}, {ALL}", arm, y, *wide)


def _gone(late: Matrix, stayed: Bools, folds: Sequence[Fold]) -> tuple[Floats, Floats]:
    """Return mean amount and share with a gift of sessions that had ended, for every test row."""
    amount, chance = [], []
    for fold in folds:
        past, test = within(late.day, fold.train) & ~stayed, within(late.day, fold.test)
        y = late.y[past]
        amount.append(np.full(int(test.sum()), y.mean() if len(y) else 0.0))
        chance.append(np.full(int(test.sum()), (y > 0.0).mean() if len(y) else 0.0))
    return np.concatenate(amount), np.concatenate(chance)


def _asked(entry: Matrix, late: Matrix, rows: Ints) -> Matrix:
    """Return the entry's features with the later label and the later day."""
    return replace(entry, y=late.y[rows], count=late.count[rows], day=late.day[rows])


def _from_entry(
    entry: Matrix, late: Matrix, place: Ints, folds: Sequence[Fold], model: str
) -> tuple[Floats, Floats, Floats]:
    """Return the later outcome of every test session, and what its entry foretold."""
    parts: list[tuple[Floats, Floats, Floats]] = []
    for fold in folds:
        train = np.flatnonzero(within(entry.day, fold.train))
        test = np.flatnonzero(within(late.day, fold.test))
        fitted = make(model).fit(
            entry.X[train], entry.y[train], entry.user[train], names=entry.names
        )
        X = entry.X[place[test]]
        parts.append((late.y[test], fitted.predict(X), fitted.predict_proba(X)))
    y, amount, chance = (np.concatenate(part) for part in zip(*parts, strict=True))
    return y, amount, chance


def places(entry: Matrix, late: Matrix) -> Ints:
    """Return [n] the row of ``entry`` that is the same session as each of ``late``; -1: none."""
    keys = np.concatenate([np.column_stack([m.user, m.live, m.ts]) for m in (entry, late)])
    index = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    row = np.full(int(index.max(initial=-1)) + 1, -1, dtype=np.int64)
    row[index[: len(entry)]] = np.arange(len(entry))
    return row[index[len(entry) :]]
