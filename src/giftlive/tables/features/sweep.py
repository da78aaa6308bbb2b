"""The native form of the state columns: one compiled sweep over all events in time order.

Day by day: tell what happened before the day began, roll over (priors, efficiencies, an empty
"today"), then merge the day's events and probes. Rows come out in the order of
(as_of_ts, sample_id); besides the state, no more than about a million events are in memory. The
state can be saved where a batch says ``closes_ts``, and a later sweep goes on from there, over the
same events or over a longer log of them, with the same result in every bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from giftlive.errors import IdentityError, InputError
from giftlive.tables.features.passes import go_through, story_of
from giftlive.tables.features.records import PROBE
from giftlive.tables.features.sweep_state import SweepState
from giftlive.tables.features.tally import merge, tell_categories, tell_negatives
from giftlive.types import Ints

Columns = dict[str, NDArray[Any]]

CHUNK_ROWS = 1_000_000
"""Events and probes read at a time (a quarter of an hour is never divided)."""
BATCH_PROBES = 16_384
"""Rows of a batch: their state columns fit into a cache."""
CARRIED = ("hour", "weekday", "room_start_ts")

_SLOT_MS = 900_000
_NEGATIVE = "negative"
_ASKED = ("as_of_ts", "user_id", "streamer_id", "live_id", "category")
_EVENT = ("time", "user_id", "streamer_id", "live_id", "x")
_STREAMS: dict[str, tuple[str, str, str]] = {
    "entry": ("click", "ts", "0"),
    "viewing": ("click", "known_ts", "watch_ms"),
    "gift": ("gift", "known_ts", "amount"),
    "gift_anonymous": ("gift_anonymous", "known_ts", "amount"),
    "comment": ("comment", "known_ts", "0"),
    "like": ("likes", "known_ts", "0"),
}
"""View, time and value of each kind of event."""


class Reader(Protocol):
    """The part of an engine that a sweep needs."""

    def columns(self, sql: str) -> Columns:
        """Return a result that fits in memory, as one array per column."""

    def batches(self, sql: str) -> Iterator[Any]:
        """Yield a result of any size as Arrow record batches."""


@dataclass(frozen=True)
class StateBatch:
    """State columns of some probes.

    Attributes
    ----------
    columns : sample_id, as_of_ts, the carried columns and all state columns, each [n].
    day_start_ts : the local day of the probes.
    closes_ts : on the last batch of a day, everything known before this instant has been told and
        the state may be saved; None otherwise. On the very last batch it is the millisecond after
        the log ends, unless the day is over by then.
    """

    columns: Columns
    day_start_ts: int
    closes_ts: int | None = None


def native_states(
    reader: Reader,
    probe: str = "sample",
    state: SweepState | None = None,
    carry: Sequence[str] = CARRIED,
) -> Iterator[StateBatch]:
    """Yield the state columns of all probes, in the order of (as_of_ts, sample_id).

    Parameters
    ----------
    reader : sees the events of a store, ``room_category``, ``local_time`` and the probes.
    probe : relation with sample_id, user_id, streamer_id, live_id, category, as_of_ts,
        day_start_ts, and the columns to carry.
    state : goes on from here and is changed; probes before ``state.until_ts`` were answered
        before and are left out. None: from the first event.
    carry : further columns of the probe that come along.

    Raises
    ------
    InputError
        The state does not belong to these events: some came late, left, or changed.
    IdentityError
        A probe's as_of_ts is outside its local day.
    """
    state = SweepState() if state is None else state
    require_same_past(reader, state)
    days = _days(reader, probe, state.until_ts)
    if not days:
        return
    edges = _chunk_edges(reader, probe, state.until_ts)
    for day_start, day_end in days:
        for span in _spans(edges, state.until_ts, day_start):
            list(_answer(reader, state, "", span, ()))
        _settle(reader, state, day_start)
        state.begin_day(day_start)
        last: StateBatch | None = None
        for span in _spans(edges, state.until_ts, day_end):
            for columns in _answer(reader, state, probe, span, carry):
                if last is not None:
                    yield last
                last = StateBatch(columns, day_start)
        _settle(reader, state, day_end)
        if last is not None:
            yield replace(last, closes_ts=day_end)


def _days(reader: Reader, probe: str, since: int) -> list[tuple[int, int]]:
    """Return start and end of every local day with probes; each ends where the next one starts."""
    found = reader.columns(
        "select day_start_ts, min(as_of_ts) as earliest, max(as_of_ts) as latest"
        f" from {probe} where as_of_ts >= {since} group by day_start_ts order by day_start_ts"
    )
    starts = [int(ts) for ts in found["day_start_ts"]]
    if not starts:
        return []
    days = list(zip(starts, [*starts[1:], _end(reader, probe, starts[-1])], strict=True))
    for (start, end), low, high in zip(days, found["earliest"], found["latest"], strict=True):
        if not start <= low <= high < end:
            raise IdentityError(f"as_of_ts {low} to {high}", probe, f"within {start} to {end}")
    return days


def _end(reader: Reader, probe: str, day_start: int) -> int:
    """Return the start of the next local day in use, or the instant after the last event or probe.

    What began by then and becomes known later, as a viewing that is still open, stays untold:
    a longer log brings other events before it.
    """
    views = (_NEGATIVE, *(view for view, _, _ in _STREAMS.values()))
    times = [f"select max(ts) as ts from {view}" for view in views]
    union = " union all ".join([*times, f"select max(as_of_ts) from {probe}"])
    last = int(reader.columns(f"select max(ts) as ts from ({union}) t")["ts"][0])
    later = reader.columns(
        f"select day_start_ts from local_time where day_start_ts > {day_start}"
        f" and day_start_ts <= {last} order by day_start_ts limit 1"
    )["day_start_ts"]
    return int(later[0]) if len(later) else last + 1


def require_same_past(reader: Reader, state: SweepState) -> None:
    """Let rooms have their category, and see that the state was made of these very events.

    Raises
    ------
    InputError
        Another number of events is known before ``state.until_ts``, or a room that has been
        counted in one category now has another.
    """
    _tell_rooms(reader, state)
    if state.until_ts == 0:
        return
    views = [(_NEGATIVE, "known_ts"), *((view, time) for view, time, _ in _STREAMS.values())]
    for (view, time), told in zip(views, state.told, strict=True):
        count = f"select count(*) as n from {view} where {time} < {state.until_ts}"
        found = int(reader.columns(count)["n"][0])
        if found != told:
            raise InputError(
                f"{found} rows with {time} < {state.until_ts}",
                view,
                f"the {told} that the saved state was made of",
                "delete the saved state: it is rebuilt from the events",
            )


def _tell_rooms(reader: Reader, state: SweepState) -> None:
    rooms = "select live_id, category from room_category where live_id >= 0 order by live_id"
    counted = _counted_rooms(state)
    for batch in reader.batches(rooms):
        live, category = (np.asarray(batch.column(i), dtype=np.int64) for i in (0, 1))
        at = state.tally.room.rows_of(live, np.zeros_like(live), np.ones(len(live), dtype=np.bool_))
        changed = tell_categories(state.tally.room.rows, at, category)
        if changed >= 0:
            raise _other_category(int(live[changed]))
        counted[at[at < len(counted)]] = False
    if counted.any():  # the logs no longer describe a room that they did describe
        raise _other_category(int(state.tally.room.rows["a"][np.flatnonzero(counted)[0]]))


def _counted_rooms(state: SweepState) -> NDArray[np.bool_]:
    """Return [rows] the rooms whose category has been counted in, for a taste."""
    rooms = state.tally.room.taken()
    met = (rooms["click_count"] > 0) | (rooms["gift_count"] > 0)
    return np.asarray(met & (rooms["category"] > 0))


def _other_category(live_id: int) -> InputError:
    return InputError(
        f"room {live_id} has another category than it was counted in",
        "room_category",
        "the category that the saved state knows",
        "delete the saved state: it is rebuilt from the events",
    )


def _chunk_edges(reader: Reader, probe: str, since: int) -> Ints:
    """Return instants between which there are about CHUNK_ROWS events and probes, or fewer."""
    times = [f"select {time} as time from {view}" for view, time, _ in _STREAMS.values()]
    union = " union all ".join([*times, f"select as_of_ts from {probe}"])
    found = reader.columns(
        f"select time - time % {_SLOT_MS} as slot_ts, count(*) as n from ({union}) t"
        f" where time >= {since} group by time - time % {_SLOT_MS} order by slot_ts"
    )
    edges, held = [since], 0
    for slot, n in zip(found["slot_ts"], found["n"], strict=True):
        if held and held + n > CHUNK_ROWS:
            edges.append(max(int(slot), since))
            held = 0
        held += int(n)
    return np.array(edges, dtype=np.int64)


def _spans(edges: Ints, lo: int, hi: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of [lo, hi) between the edges."""
    inside = [int(edge) for edge in edges[(edges > lo) & (edges < hi)]]
    cuts = [lo, *inside, hi]
    yield from ((a, b) for a, b in pairwise(cuts) if a < b)


def _answer(
    reader: Reader, state: SweepState, probe: str, span: tuple[int, int], carry: Sequence[str]
) -> Iterator[Columns]:
    """Tell the events of ``span`` and yield the columns of its probes, if there are any.

    The events after the last probe of a part come with the next part, those after the very last
    with the last.
    """
    rows, parts = _read(reader, probe, span, carry)
    sizes = np.array([len(part[0]) for part in parts], dtype=np.int64)
    columns = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    ends = np.cumsum(sizes)
    kinds, sources = np.empty(ends[-1], dtype=np.int8), np.empty(ends[-1], dtype=np.int64)
    merge(columns[0], ends - sizes, ends, kinds, sources)
    state.settled = False
    state.told[1:] += sizes[1:]
    cuts = [*(np.flatnonzero(kinds == PROBE)[BATCH_PROBES - 1 :: BATCH_PROBES] + 1), len(kinds)]
    first = 0
    for lo, hi in zip([0, *cuts], cuts, strict=False):
        told = go_through(state.tally, state.epoch, story_of(kinds[lo:hi], sources[lo:hi], columns))
        n = len(told["pair_click_count"])
        answered = {name: column[first : first + n] for name, column in rows.items()}
        daily = {name: np.full(n, value) for name, value in state.daily.items()}
        if n:
            yield answered | told | daily
        first += n


def _read(
    reader: Reader, probe: str, span: tuple[int, int], carry: Sequence[str]
) -> tuple[Columns, list[tuple[Ints, ...]]]:
    """Return the probes of ``span``, and time, ids and value of probes and of each kind of event.

    Without a name of probes there are none.
    """
    lo, hi = span
    rows: Columns = {}
    parts = [tuple(np.zeros(0, dtype=np.int64) for _ in range(5))]
    if probe:
        names = ("sample_id", *dict.fromkeys((*_ASKED, *carry)))
        rows = reader.columns(
            f"select {', '.join(names)} from {probe}"
            f" where as_of_ts >= {lo} and as_of_ts < {hi} order by as_of_ts, sample_id"
        )
        parts = [tuple(rows[name] for name in _ASKED)]
    for view, time, x in _STREAMS.values():
        found = reader.columns(
            f"select {time} as time, user_id, streamer_id, live_id, {x} as x from {view}"
            f" where {time} >= {lo} and {time} < {hi} order by {time}, row_id"
        )
        parts.append(tuple(found[name] for name in _EVENT))
    return rows, [tuple(np.asarray(c, dtype=np.int64) for c in part) for part in parts]


def _settle(reader: Reader, state: SweepState, until: int) -> None:
    """Tell the negatives before ``until``; then everything before it is told."""
    within = f"known_ts >= {state.until_ts} and known_ts < {until}"
    if state.until_ts < until:
        told = 0
        for actor in ("user", "streamer"):
            found = reader.columns(
                f"select coalesce({actor}_id, -1) as id, count(*) as n from {_NEGATIVE}"
                f" where {within} group by coalesce({actor}_id, -1) order by id"
            )
            keys, counts = (found[name].astype(np.int64, copy=False) for name in ("id", "n"))
            told = int(counts.sum())
            keys, counts = keys[keys >= 0], counts[keys >= 0]
            ledger = getattr(state.tally, actor)
            at = ledger.book.rows_of(keys, np.zeros_like(keys), np.ones(len(keys), dtype=np.bool_))
            tell_negatives(ledger.shown_rows(), at, counts, state.epoch)
        state.told[0] += told
        state.until_ts = until
    state.settled = True
