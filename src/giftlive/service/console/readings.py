"""What the console reads of the state beyond the API: revenue over time, the latest decisions."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from giftlive.clock import MS_PER_MINUTE, MS_PER_SECOND
from giftlive.service.answers import answer_of
from giftlive.service.record import Logged
from giftlive.service.state import State
from giftlive.service.store.protocol import Store
from giftlive.stats.intervals import student_t
from giftlive.types import Floats, Ints

PARTS = 5
"""Parts of a bin of time, whose spread gives the bin's interval."""
_WIDTHS_SECONDS = (5, 10, 30, 60, 120, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 86_400)
_MOST_BINS, _LEAST_RECENT = 40, 3


def revenue_of(points: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what was earned per minute over time, by bins of equal length, with intervals.

    With y_j the revenue per minute in each of the ``PARTS`` parts of a bin, the bin's value is
    their mean and its interval Student's. Gifts are heavy-tailed, so the level of so few parts is
    nominal. ``recent`` is the mean over the parts of all bins.

    Parameters
    ----------
    points : of ``History``: ``tick_ts`` in ms and ``amount``, all that was final at that time.
    """
    ts, earned = _moves(points)
    if len(ts) < 2:
        return {"width_seconds": None, "bins": [], "recent": None}
    span = (int(ts[-1]) - int(ts[0])) / MS_PER_SECOND
    width = next((w for w in _WIDTHS_SECONDS if span <= w * _MOST_BINS), _WIDTHS_SECONDS[-1])
    part_ms = width * MS_PER_SECOND // PARTS
    rates = _rates(ts, earned, part_ms)
    whole = rates[: len(rates) // PARTS * PARTS].reshape(-1, PARTS)[-_MOST_BINS:]
    first = int(ts[0]) + (len(rates) // PARTS - len(whole)) * PARTS * part_ms
    bins = [
        {"ts": first + k * PARTS * part_ms, **_mean(row)} for k, row in enumerate(whole.tolist())
    ]
    recent = _mean(whole.ravel().tolist()) if len(whole) >= _LEAST_RECENT else None
    return {"width_seconds": width, "bins": bins, "recent": recent}


def _moves(points: Iterable[Mapping[str, Any]]) -> tuple[Ints, Floats]:
    """Return [n] rising times, and [n] what had been earned by then."""
    ts: list[int] = []
    earned: list[float] = []
    for point in points:
        if not ts or point["tick_ts"] > ts[-1]:
            ts.append(int(point["tick_ts"]))
            earned.append(float(point["amount"]))
    return np.array(ts, dtype=np.int64), np.array(earned, dtype=np.float64)


def _rates(ts: Ints, earned: Floats, part_ms: int) -> Floats:
    """Return the revenue per minute of every whole part of time since the first tick."""
    parts = int((ts[-1] - ts[0]) // part_ms)
    part = ((ts[1:] - ts[0] - 1) // part_ms).astype(np.int64)
    inside = part < parts
    sums = np.bincount(part[inside], np.diff(earned)[inside], parts)
    return np.asarray(sums * (MS_PER_MINUTE / part_ms), dtype=np.float64)


def _mean(values: Sequence[float]) -> dict[str, Any]:
    found = student_t(np.array(values), n_unit="parts of time")
    if (
        found.low == found.high
    ):  # parts that do not differ, as where nothing was given, tell no spread
        return {"value": found.value, "low": None, "high": None, "n": found.n}
    low = None if found.low is None else max(found.low, 0.0)
    return {"value": found.value, "low": low, "high": found.high, "n": found.n}


def reach_of(points: deque[dict[str, Any]]) -> dict[str, Any]:
    """Return since when ``points`` of ``History`` reach back, and whether older ones were dropped.

    Examples
    --------
    >>> reach_of(deque([{"tick_ts": 5}], maxlen=2))
    {'history_since_ts': 5, 'history_cut': False}
    """
    since = points[0]["tick_ts"] if points else None
    return {"history_since_ts": since, "history_cut": len(points) == points.maxlen}


def latest_seqs(state: State, most: int) -> list[int]:
    """Return the numbers of the records of the latest decisions, the latest first."""
    return list(islice(reversed(state.decisions.values()), most))


def decisions_of(store: Store, seqs: Iterable[int], expiry_seconds: float) -> list[dict[str, Any]]:
    """Return a line for each decision: what was shown first, and why."""
    logged = (store.get(seq) for seq in seqs)
    return [_line(one, expiry_seconds) for one in logged if one is not None]


def _line(logged: Logged, expiry_seconds: float) -> dict[str, Any]:
    said = answer_of(logged.record, expiry_seconds)
    first = said["ranking"][0] if said["ranking"] else None
    names = ("decision_id", "ts", "user_id", "policy", "reason", "valued_by", "price_version")
    return {name: said[name] for name in names} | {
        "candidates": len(logged.record.arrays["candidates"]),
        "shown": len(said["ranking"]),
        "first": first,
    }
