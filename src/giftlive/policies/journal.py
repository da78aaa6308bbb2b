"""Who was shown what, how often and when last: a memory that is never changed in place.

Sorted runs of keys, merged when two are of like size, so that adding k keys to N costs
O(k log N) amortised and no old state is touched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError
from giftlive.types import Bools, Floats, Ints

_ROOM_BITS = 24


def pair_keys(users: Ints, rooms: Ints) -> Ints:
    """Return one key per (user, room), -1 where ``rooms`` is; shapes broadcast."""
    if rooms.max(initial=0) >> _ROOM_BITS or users.max(initial=0) >> (62 - _ROOM_BITS):
        raise InputError(
            f"room {rooms.max(initial=0)}, user {users.max(initial=0)}",
            "pair_keys",
            f"below 2^{_ROOM_BITS} and 2^{62 - _ROOM_BITS}",
        )
    return np.where(rooms >= 0, (users << _ROOM_BITS) | rooms, -1)


@dataclass(frozen=True)
class Run:
    """Distinct keys in order, all [k]: how often each came, when last, and a sum of amounts."""

    keys: Ints
    counts: Ints
    last_ts: Ints
    sums: Floats


@dataclass(frozen=True)
class Journal:
    """Counts, last times and sums by key, of any number of events.

    Attributes
    ----------
    runs : sorted runs, each at least twice as long as the next.

    Examples
    --------
    >>> seen = Journal().add(np.array([7, 7, 3]), np.array([10, 20, 30]))
    >>> seen.counts(np.array([[7, 4]])).tolist(), seen.last_ts(np.array([7, 4])).tolist()
    ([[2, 0]], [20, -1])
    """

    runs: tuple[Run, ...] = ()

    def add(self, keys: Ints, ts: Ints, amounts: Floats | None = None) -> Journal:
        """Return the journal with events ``keys`` [k] >= 0 at ``ts`` [k] added."""
        if len(keys) == 0:
            return self
        amount = np.zeros(len(keys)) if amounts is None else amounts
        run = _run(keys, np.ones(len(keys), np.int64), ts, amount)
        runs = list(self.runs)
        while runs and len(runs[-1].keys) < 2 * len(run.keys):
            run = _merged(runs.pop(), run)
        return Journal((*runs, run))

    def counts(self, keys: Ints) -> Ints:
        """Return how often each key came; 0 for keys never seen, any shape."""
        total = np.zeros(keys.shape, dtype=np.int64)
        for run in self.runs:
            at, found = _find(run, keys)
            total += np.where(found, run.counts[at], 0)
        return total

    def sums(self, keys: Ints) -> Floats:
        """Return the sum of amounts of each key."""
        total = np.zeros(keys.shape)
        for run in self.runs:
            at, found = _find(run, keys)
            total += np.where(found, run.sums[at], 0.0)
        return total

    def last_ts(self, keys: Ints) -> Ints:
        """Return when each key came last; -1 for keys never seen."""
        last = np.full(keys.shape, -1, dtype=np.int64)
        for run in self.runs:
            at, found = _find(run, keys)
            last = np.where(found, np.maximum(last, run.last_ts[at]), last)
        return last


def _find(run: Run, keys: Ints) -> tuple[Ints, Bools]:
    at = np.minimum(np.searchsorted(run.keys, keys), len(run.keys) - 1)
    return at, run.keys[at] == keys


def _merged(one: Run, two: Run) -> Run:
    return _run(
        np.concatenate([one.keys, two.keys]),
        np.concatenate([one.counts, two.counts]),
        np.concatenate([one.last_ts, two.last_ts]),
        np.concatenate([one.sums, two.sums]),
    )


def _run(keys: Ints, counts: Ints, ts: Ints, amounts: Floats) -> Run:
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    start = np.flatnonzero(np.diff(ordered, prepend=-1))
    return Run(
        ordered[start],
        np.add.reduceat(counts[order], start),
        np.maximum.reduceat(ts[order], start),
        np.add.reduceat(amounts[order], start),
    )
