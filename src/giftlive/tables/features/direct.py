"""The same state columns by the definitions, one join per group: each probe with its past.

Quadratic, and so for a few rows: the audit compares it with the windows. It shares with them
what an event is, and no step of the calculation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from giftlive.tables.features.daily import counts_of, measures_of, prior_sql
from giftlive.tables.features.events import events_sql, known_sql, of_sql, same_sql
from giftlive.tables.features.part import Part
from giftlive.tables.features.state import KEYS
from giftlive.tables.features.windows import TALLIES, Tally, fade_sql

_COUNTS = {"entered_count": "entries", "negative_count": "negatives"}


def direct_parts(
    history: Mapping[str, Set[str]], daily: Mapping[str, Set[str]], probe: str
) -> Iterator[Part]:
    """Yield the parts that bring these columns (by group, without prefix)."""
    for group, columns in history.items():
        yield _history_part(group, columns, probe)
    for group, columns in daily.items():
        if columns & _COUNTS.keys():
            yield _shown_part(group, columns, probe)
        priors = columns - _COUNTS.keys() - {"efficiency"}
        if priors:
            yield _prior_part(group, priors, probe)
        if "efficiency" in columns:
            yield _efficiency_part(group, probe)


def _history_part(group: str, columns: Set[str], probe: str) -> Part:
    tallies = {c: TALLIES[c] for c in TALLIES if c in columns}
    measures = dict.fromkeys(tally.measure for tally in tallies.values())
    sums = ", ".join(f"{_sum_sql(tally)} as {c}" for c, tally in tallies.items())
    table = f"{group}_direct"
    stage = f"""select p.sample_id, {sums}
from {probe} p join ({events_sql(KEYS[group], measures)}) e
  on {same_sql(KEYS[group], "e", "p")} and {known_sql(KEYS[group], "e")}
 and e.known_ts < p.as_of_ts
group by p.sample_id"""
    unknown = {c: -1 if tally.form == "last" else 0 for c, tally in tallies.items()}
    return Part(
        ((table, stage),),
        _join(table),
        {f"{group}_{c}": f"coalesce({table}.{c}, {unknown[c]})" for c in tallies},
    )


def _sum_sql(tally: Tally) -> str:
    value = f"e.{tally.measure}"
    if tally.form == "last":
        return f"max(case when {value} > 0 then e.known_ts end)"
    if tally.form == "decayed":
        return f"sum({value} * {fade_sql('e.known_ts', 'p.as_of_ts', tally.span_ms)})"
    since = {"today": "p.day_start_ts", "heat": f"p.as_of_ts - {tally.span_ms}"}.get(tally.form)
    counted = f"case when e.known_ts >= {since} then {value} else 0 end" if since else value
    return f"cast(sum({counted}) as bigint)"


def _shown_part(group: str, columns: Set[str], probe: str) -> Part:
    brought = {c: measure for c, measure in _COUNTS.items() if c in columns}
    sums = ", ".join(f"cast(sum(e.{measure}) as bigint) as {c}" for c, measure in brought.items())
    table = f"{group}_direct_shown"
    stage = f"""select p.sample_id, {sums}
from {probe} p join ({events_sql(KEYS[group], brought.values())}) e
  on {same_sql(KEYS[group], "e", "p")} and {known_sql(KEYS[group], "e")}
 and e.known_ts < p.day_start_ts
group by p.sample_id"""
    columns_sql = {f"{group}_{c}": f"coalesce({table}.{c}, 0)" for c in brought}
    return Part(((table, stage),), _join(table), columns_sql)


def _past_sql(group: str, columns: Set[str], probe: str) -> str:
    """Return SQL for what every key had brought before every day that is asked for."""
    keys, measures = KEYS[group], measures_of(columns)
    sums = ", ".join(f"cast(sum(e.{m}) as bigint) as {m}" for m in measures)
    return f"""select q.day, {of_sql("e", keys)}, {sums}
from (select distinct day, day_start_ts from {probe}) q
join ({events_sql(keys, measures)}) e on e.known_ts < q.day_start_ts and {known_sql(keys, "e")}
group by q.day, {of_sql("e", keys)}"""


def _prior_part(group: str, columns: Set[str], probe: str) -> Part:
    sums = {"amount": "k.amount"} if "amount" in measures_of(columns) else {}
    for count, sql in counts_of(columns).items():
        sums |= {count: sql, f"{count}_squared": f"({sql}) * ({sql})"}
    total = ", ".join(f"cast(coalesce(sum({s}), 0) as bigint) as {c}" for c, s in sums.items())
    moments = f"""select q.day, {total}
from (select distinct day from {probe}) q
left join ({_past_sql(group, columns, probe)}) k on k.day = q.day group by q.day"""
    table = f"{group}_direct_prior"
    return Part(
        ((table, prior_sql(moments, columns)),),
        f"\nleft join {table} on {table}.day = p.day",
        {f"{group}_{c}": f"{table}.{c}" for c in sorted(columns)},
    )


def _efficiency_part(group: str, probe: str) -> Part:
    (key,) = KEYS[group]
    past, table = f"{group}_direct_past", f"{group}_direct_efficiency"
    ratio = "cast(amount as double) / watch_ms as ratio"
    watched = f"select day, {key}, {ratio} from ({_past_sql(group, {'efficiency'}, probe)}) k"
    share = "cast(sum(case when o.ratio < mine.ratio then 1 else 0 end) as double) / count(*)"
    stage = f"""select mine.day, mine.{key}, {share} as efficiency
from (select distinct day, {key} from {probe}) q
join {past} mine on mine.day = q.day and mine.{key} = q.{key}
join {past} o on o.day = q.day
group by mine.day, mine.{key}"""
    return Part(
        ((past, f"{watched} where watch_ms > 0"), (table, stage)),
        f"\nleft join {table} on {same_sql((key, 'day'), table, 'p')}",
        {f"{group}_efficiency": f"coalesce({table}.efficiency, -1)"},
    )


def _join(table: str) -> str:
    return f"\nleft join {table} on {table}.sample_id = p.sample_id"
