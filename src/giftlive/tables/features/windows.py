"""Running state by key, in windows that no engine has a dialect for.

The past of a probe is its day so far and the days before it, each computed once:

- ``running``: probes and events of a key and a local day are one stream ordered by ``instant``,
  which counts half milliseconds: a probe stands at 2·as_of_ts, an event at 2·known_ts + 1. The
  frame from the start of the stream to the current row then holds exactly the events with
  known_ts < as_of_ts, whatever the order of the rows; other probes add nothing. A frame of
  2·length before the probe holds those with as_of_ts - length <= known_ts; for it, the events
  shortly before midnight join the stream of the next day too, bringing nothing else. What costs
  is every sum at every row, and the width of a row: entries and viewings are apart, and times
  are those of the day, in 32 bits, as are ids that fit.
- ``day``: what each key gathered on each day, decayed sums anchored where the day starts.
- ``carry``: for a key and a day with probes, the sum of its earlier days, each aged from start
  to start (in true ms: days of 23 and 25 hours are no exception).

Where only lasting sums are asked for, a stream is all of a key's past and needs no days.

Decayed terms are at least 1 at their anchor and are added as decimals: a sum depends neither on
the order of its terms nor on the number of threads, and nothing overflows.
Keys without probes, events after the last probe of their key, and probes before the first event
of their key stay out of the streams.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.tables.features.events import dated_sql, known_sql, of_sql, same_sql
from giftlive.tables.features.part import Columns, Part, Piece, Stage
from giftlive.tables.features.state import HALF_LIVES_MS, HEAT_MS, KEYS
from giftlive.tables.local_time import slot_of


@dataclass(frozen=True)
class Tally:
    """How a state column comes from events: a measure, gathered in a form, over a span of ms.

    Forms: "sum", "last" (time), "decayed" (span: half-life), "today", "heat" (span: length).
    """

    measure: str
    form: str
    span_ms: int = 0


TALLIES: dict[str, Tally] = {
    "click_count": Tally("entries", "sum"),
    "watch_ms": Tally("watch_ms", "sum"),
    "gift_count": Tally("gifts", "sum"),
    "gift_sum": Tally("amount", "sum"),
    "comment_count": Tally("comments", "sum"),
    "like_count": Tally("likes", "sum"),
    "last_click_ts": Tally("entries", "last"),
    "last_gift_ts": Tally("gifts", "last"),
    **{f"click_{name}": Tally("entries", "decayed", ms) for name, ms in HALF_LIVES_MS.items()},
    **{f"gift_{name}": Tally("amount", "decayed", ms) for name, ms in HALF_LIVES_MS.items()},
    "click_today": Tally("entries", "today"),
    "watch_ms_today": Tally("watch_ms", "today"),
    "gift_today": Tally("amount", "today"),
    **{f"click_{name}": Tally("entries", "heat", ms) for name, ms in HEAT_MS.items()},
    **{f"gift_{name}": Tally("amount", "heat", ms) for name, ms in HEAT_MS.items()},
}
"""Every history column of :data:`giftlive.tables.features.state.HISTORY`."""

STREAMS: dict[str, dict[str, tuple[str, ...]]] = {
    "click": {"entry": ("entries",), "viewing": ("watch_ms",)},
    "gift": {"gift": ("gifts", "amount", "comments", "likes")},
}
"""Measures that are gathered together by the day, and among them those that share a stream:
gifts are few, and need not widen the stream of entries."""

LATE = "late"
"""Staged: slots shortly before a local day begins, with that day."""

_TERM = {"entries": "decimal(18, 10)", "amount": "decimal(38, 10)"}
_CARRIED_TERM = "decimal(38, 15)"
_LASTING = ("sum", "last", "decayed")
_ABSENT: dict[str, int | float] = {"last": -1, "decayed": 0.0}
"""What is known of a key without events, by form; 0 in all others."""


def fade_sql(from_ts: str, to_ts: str, half_life_ms: int) -> str:
    """Return SQL for 2^(-(to - from) / half-life)."""
    return f"pow(cast(2 as double), cast({from_ts} - {to_ts} as double) / {half_life_ms})"


def _late_stage() -> Stage:
    """Return the stage of :data:`LATE`."""
    horizon = max(HEAT_MS.values())
    return (
        LATE,
        f"""select s.slot_ts, d.day, d.day_start_ts
from local_time s join (select distinct day, day_start_ts from local_time) d
  on s.slot_ts < d.day_start_ts and s.slot_ts >= d.day_start_ts - {horizon}""",
    )


@dataclass(frozen=True)
class Stream:
    """The history columns (without prefix) of one group that come from one kind of event.

    ``narrow``: keys whose values fit in 32 bits.
    """

    group: str
    name: str
    columns: tuple[str, ...]
    narrow: Set[str] = frozenset()

    @property
    def keys(self) -> tuple[str, ...]:
        """Whose state it is."""
        return KEYS[self.group]

    @property
    def tallies(self) -> dict[str, Tally]:
        """What is gathered: today's part of a sum needs no tally of its own."""
        return {_gathered(column): TALLIES[_gathered(column)] for column in self.columns}

    @property
    def lasting(self) -> dict[str, Tally]:
        """What is carried from day to day."""
        return {c: t for c, t in self.tallies.items() if t.form in _LASTING}

    @property
    def by_day(self) -> bool:
        """Whether anything is gathered that does not last as it is, or asked for by the day."""
        forms = {TALLIES[column].form for column in self.columns}
        return not forms <= {"sum", "last"}

    @property
    def whose(self) -> tuple[str, ...]:
        """What a stream is: all of a key, or a day of it."""
        return (*self.keys, "day") if self.by_day else self.keys

    def table(self, part: str) -> str:
        """Return the name of the staged ``part``: "first", "day" or "carry"."""
        return f"{self.group}_{self.name}_{part}"

    @property
    def runs(self) -> dict[str, dict[str, Tally]]:
        """What each staged stream gathers."""
        of = {f"{self.group}_{run}_running": kinds for run, kinds in STREAMS[self.name].items()}
        tallies = {
            table: {c: tally for c, tally in self.tallies.items() if tally.measure in kinds}
            for table, kinds in of.items()
        }
        return {table: mine for table, mine in tallies.items() if mine}

    def part(self, probe: str) -> Part:
        """Return the stream's part of a plan; ``{group}_reach`` and the events are staged."""
        stages: tuple[Stage, ...] = ((self.table("first"), _first_sql(self)),)
        joins = "".join(f"\nleft join {t} on {t}.sample_id = p.sample_id" for t in self.runs)
        if self.by_day:
            carry = self.table("carry")
            stages = ((self.table("day"), _day_sql(self)), (carry, _carry_sql(self, probe)))
            joins = f"\nleft join {carry} on {same_sql(self.whose, carry, 'p')}{joins}"
        columns = {f"{self.group}_{name}": self.column_sql(name) for name in self.columns}
        running = ((run, _running_sql(self, run, probe)) for run in self.runs)
        stages = (*stages, *running)
        return Part(stages, joins, columns, pieces=_pieces(self, probe), derived=self.columns_of)

    def columns_of(self, rows: Columns) -> dict[str, NDArray[Any]]:
        """Return the state columns from those of the pieces and the fades: ``column_sql``."""
        return {f"{self.group}_{name}": self._column_of(name, rows) for name in self.columns}

    def _column_of(self, column: str, rows: Columns) -> NDArray[Any]:
        tally, name = TALLIES[column], _gathered(column)
        running = rows[f"{self._run_of(name)}_{name}"]
        if tally.form in ("today", "heat") or not self.by_day:
            return running
        carried = rows[f"{self.table('carry')}_{name}"]
        if tally.form == "last":
            return np.maximum(running, carried)
        if tally.form == "decayed":
            return (running + carried) * rows[f"fade_{column.rpartition('_')[2]}"]
        return running + carried

    def _run_of(self, gathered: str) -> str:
        return next(run for run, tallies in self.runs.items() if gathered in tallies)

    def column_sql(self, column: str) -> str:
        """Return a state column from the joined parts and the fades of the probe."""
        tally, name = TALLIES[column], _gathered(column)
        unknown = -1 if tally.form == "last" else 0
        running = f"coalesce({self._run_of(name)}.{name}, {unknown})"
        carried = f"coalesce({self.table('carry')}.{name}, {unknown})"
        if tally.form in ("today", "heat") or not self.by_day:
            return running
        if tally.form == "last":
            return f"greatest({running}, {carried})"
        if tally.form == "decayed":
            return f"({running} + {carried}) * p.fade_{column.rpartition('_')[2]}"
        return f"{running} + {carried}"


def history_parts(
    columns: Mapping[str, Set[str]], probe: str, narrow: Set[str] = frozenset()
) -> tuple[Part, ...]:
    """Return the parts that bring these history columns (by group, without prefix).

    ``narrow``: keys whose values fit in 32 bits.
    """
    streams = [stream for group in columns for stream in _streams(group, columns[group], narrow)]
    if not streams:
        return ()
    groups = dict.fromkeys(stream.group for stream in streams)
    first = (_late_stage(), *(_reach_stage(group, probe) for group in groups))
    return Part(first, "", {}), *(stream.part(probe) for stream in streams)


def _pieces(stream: Stream, probe: str) -> tuple[Piece, ...]:
    """Return what is known of the day so far, and what was carried to it, of probes with any."""
    carry = stream.table("carry")
    found = [_piece(run, tallies, f"{run} r", "r") for run, tallies in stream.runs.items()]
    if stream.by_day:
        rows = f"{probe} p join {carry} r on {same_sql(stream.whose, 'r', 'p')}"
        found.append(_piece(carry, stream.lasting, rows, "p"))
    return tuple(found)


def _piece(table: str, tallies: Mapping[str, Tally], rows: str, whose: str) -> Piece:
    absent = {c: _ABSENT.get(tally.form, 0) for c, tally in tallies.items()}
    columns = ", ".join(f"coalesce(r.{c}, {x}) as {table}_{c}" for c, x in absent.items())
    select = f"select {whose}.sample_id, {columns}\nfrom {rows}\norder by {whose}.sample_id"
    return Piece(f"slice_{table}", select, {f"{table}_{c}": x for c, x in absent.items()})


def _streams(group: str, columns: Set[str], narrow: Set[str]) -> Iterator[Stream]:
    for name, runs in STREAMS.items():
        measures = {measure for kinds in runs.values() for measure in kinds}
        mine = tuple(c for c, t in TALLIES.items() if c in columns and t.measure in measures)
        if mine:
            yield Stream(group, name, mine, narrow)


def _reach_stage(group: str, probe: str) -> Stage:
    """Return the stage of a group's keys with the last time any probe asks for them."""
    keys = ", ".join(KEYS[group])
    return f"{group}_reach", (
        f"select {keys}, max(as_of_ts) as last_ts from {probe} p\n"
        f"where {known_sql(KEYS[group], 'p')} group by {keys}"
    )


def _gathered(column: str) -> str:
    tally = TALLIES[column]
    if tally.form != "today":
        return column
    return next(c for c, t in TALLIES.items() if (t.measure, t.form) == (tally.measure, "sum"))


def _events_sql(
    stream: Stream,
    tallies: Mapping[str, Tally],
    bound: str,
    of: Mapping[str, Tally] | None = None,
) -> str:
    """Return the events with their terms that are known before ``bound``.last_ts.

    All events that bring something to ``of`` (default: to ``tallies``) are there.

    Where a window reaches back over midnight, late events come with the next day again; ``own``
    is then 0, and they bring nothing else.
    """
    gathered = (of or tallies).values()
    measures = dict.fromkeys(tally.measure for tally in gathered)
    events = dated_sql(stream.keys, measures)
    own = any(tally.form == "heat" for tally in gathered)
    if own:
        again = ", ".join(("known_ts", "n.day", "n.day_start_ts", *measures))
        events = (
            f"select d.*, 1 as own from ({events}) d\nunion all\n"
            f"select {of_sql('d', stream.keys)}, {again}, 0 from ({events}) d\n"
            f"join {LATE} n on n.slot_ts = {slot_of('d.known_ts')}"
        )
    terms = "".join(f", {_term_sql(tally, own)} as {column}" for column, tally in tallies.items())
    whose = stream.whose if bound == stream.table("carry") else stream.keys
    return f"""select {of_sql("e", stream.keys)}, e.day, e.day_start_ts, e.known_ts{terms}
from ({events}) e
join {bound} b on {same_sql(whose, "b", "e")} and e.known_ts < b.last_ts"""


def _term_sql(tally: Tally, own: bool) -> str:
    value = f"e.{tally.measure}"
    if tally.form == "heat":
        return value
    value = f"{value} * e.own" if own else value
    if tally.form == "sum":
        return value
    if tally.form == "last":
        return f"case when {value} > 0 then e.known_ts end"
    growth = fade_sql("e.known_ts", "e.day_start_ts", tally.span_ms)
    term = _TERM[tally.measure]
    return f"case when {value} > 0 then cast({growth} * e.{tally.measure} as {term}) end"


def _first_sql(stream: Stream) -> str:
    keys = ", ".join(stream.keys)
    events = _events_sql(stream, {}, f"{stream.group}_reach", stream.tallies)
    return f"select {keys}, min(known_ts) as first_ts\nfrom ({events}) e group by {keys}"


def _day_sql(stream: Stream) -> str:
    keys = ", ".join(stream.keys)
    gathered = "".join(f", {_gather(tally, c)} as {c}" for c, tally in stream.lasting.items())
    events = _events_sql(stream, stream.lasting, f"{stream.group}_reach", stream.tallies)
    return f"""select {keys}, day, min(day_start_ts) as day_start_ts,
       min(known_ts) as first_ts{gathered}
from ({events}) e group by {keys}, day"""


def _gather(tally: Tally, term: str) -> str:
    if tally.form == "last":
        return f"max({term})"
    total = f"sum({term})"
    return total if tally.form == "decayed" else f"cast({total} as bigint)"


def _carry_sql(stream: Stream, probe: str) -> str:
    keys, day = ", ".join(stream.keys), stream.table("day")
    carried = "".join(f", {_carried_sql(t, c)} as {c}" for c, t in stream.lasting.items())
    return f"""select {of_sql("q", stream.keys)}, q.day, max(q.last_ts) as last_ts{carried}
from (
  select {keys}, day, min(day_start_ts) as day_start_ts, max(as_of_ts) as last_ts
  from {probe} p
  where exists (select 1 from {day} d where {same_sql(stream.keys, "d", "p")})
  group by {keys}, day
) q
left join {day} d on {same_sql(stream.keys, "d", "q")} and d.day < q.day
group by {of_sql("q", stream.keys)}, q.day"""


def _carried_sql(tally: Tally, column: str) -> str:
    if tally.form != "decayed":
        return _gather(tally, f"d.{column}")
    fade = fade_sql("d.day_start_ts", "q.day_start_ts", tally.span_ms)
    return f"cast(sum(cast(cast(d.{column} as double) * {fade} as {_CARRIED_TERM})) as double)"


def _running_sql(stream: Stream, run: str, probe: str) -> str:
    whose, tallies = stream.whose, stream.runs[run]
    begun, bound = ("day", stream.table("carry")) if stream.by_day else ("first", "")
    gathered = ", ".join(f"{_over(t, c, whose)} as {c}" for c, t in tallies.items())
    nothing = ", ".join(f"null as {c}" for c in tallies)
    events = _events_sql(stream, tallies, bound or f"{stream.group}_reach")
    return f"""select * from (
  select sample_id, {gathered}
  from (
    select {_place_sql(stream, "p", "as_of_ts", 0)}, p.sample_id, {nothing}
    from {probe} p
    join {stream.table(begun)} d on {same_sql(whose, "d", "p")} and d.first_ts < p.as_of_ts
    union all
    select {_place_sql(stream, "e", "known_ts", 1)}, null, {of_sql("e", tallies)}
    from ({events}) e
  ) stream
  window known_before as (partition by {", ".join(whose)} order by instant
                          range between unbounded preceding and current row)
) state where sample_id is not null"""


def _place_sql(stream: Stream, row: str, time: str, after: int) -> str:
    """Return SQL for where a row stands in its stream: whose it is, and its instant."""
    narrow = {*stream.narrow, "day"}
    whose = [
        f"cast({row}.{c} as int) as {c}" if c in narrow else f"{row}.{c}" for c in stream.whose
    ]
    if stream.by_day:
        since = f"2 * ({row}.{time} - {row}.day_start_ts) + {after}"
        return f"{', '.join(whose)}, cast({since} as int) as instant"
    return f"{', '.join(whose)}, 2 * {row}.{time} + {after} as instant"


def _over(tally: Tally, term: str, whose: tuple[str, ...]) -> str:
    if tally.form == "last":
        return f"max({term}) over known_before"
    if tally.form == "decayed":
        return f"cast(sum({term}) over known_before as double)"
    if tally.form == "sum":
        return f"cast(sum({term}) over known_before as bigint)"
    return (
        f"cast(sum({term}) over (partition by {', '.join(whose)} order by instant"
        f" range between {2 * tally.span_ms} preceding and current row) as bigint)"
    )
