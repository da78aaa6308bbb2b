"""The features of a few rows once more, by the portable SQL, from the logs as they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from giftlive.logs.source import Source
from giftlive.tables.audit.logs import Logs
from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.features.declare import Feature
from giftlive.tables.features.expression import State
from giftlive.tables.features.ordinal import stage_room_category
from giftlive.tables.features.seam import stage_features
from giftlive.tables.features.state import DAILY, KEYS, PRIORS
from giftlive.tables.labels import stage_labels
from giftlive.tables.local_time import slot_of
from giftlive.tables.options import TableOptions
from giftlive.tables.samples import stage_samples
from giftlive.tables.sessions import stage_sessions
from giftlive.tables.staging import ROOMS_MET

OF_ALL_KEYS = frozenset(
    f"{group}_{column}"
    for group, columns in DAILY.items()
    for column in columns
    if column in (*PRIORS, "efficiency")
)
"""State columns that need every key's events, not only the probe's."""

_PROBE = """select s.sample_id, s.user_id, s.live_id, s.streamer_id, s.ts, {as_of} as as_of_ts,
       t.day, t.day_start_ts, e.hour, e.weekday,
       coalesce(r.category, cast(-1 as bigint)) as category,
       case when r.start_ts < {as_of} then r.start_ts else cast(-1 as bigint) end as room_start_ts,
       coalesce(m.label_amount, 0) as label_amount{window}
from tried s
join local_time e on e.slot_ts = {entry_slot}
join local_time t on t.slot_ts = {decision_slot}
left join room_category r on r.live_id = s.live_id
left join sample m on m.sample_id = s.sample_id"""

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Workbench:
    """What stays the same in every trial: where it computes, what of, and how."""

    engine: DuckEngine
    source: Source
    options: TableOptions
    features: tuple[Feature, ...]


def rebuild(bench: Workbench, logs: Logs, *, by_row: bool) -> Columns:
    """Return ``sample_id`` and the features of the rows in ``tried``, by ``sample_id``.

    Parameters
    ----------
    by_row : by joins with all earlier events instead of windows. Features that need every key
        are then null but on a few days.
    """
    engine, features = bench.engine, bench.features
    logs.show_near()
    _stage_probe(bench)
    reads = dict.fromkeys(c for f in features if f.group in KEYS for c in f.value.reads)
    near = [_state(column) for column in reads if column not in OF_ALL_KEYS]
    beside = [feature for feature in features if feature.group not in KEYS]
    engine.stage("near_state", stage_features(engine, (*near, *beside), "probe", by_row=by_row))
    whole = [_state(column) for column in reads if column in OF_ALL_KEYS]
    if whole:
        logs.show_whole()
    engine.stage("whole_probe", _of_days_sql() if by_row else "select * from probe")
    stated = stage_features(engine, tuple(whole), "whole_probe", by_row=by_row)
    engine.stage("whole_state", stated)
    values = ", ".join(_value_sql(feature) for feature in features)
    return engine.columns(
        f"select sample_id, {values} from (select n.*, w.* exclude (sample_id) from near_state n"
        " left join whole_state w on w.sample_id = n.sample_id) state order by sample_id"
    )


def needs_all_keys(feature: Feature) -> bool:
    """Return whether a feature needs every key's events."""
    return not OF_ALL_KEYS.isdisjoint(feature.value.reads)


def _state(column: str) -> Feature:
    """Return a state column (or a column of the probe) as a feature of its own."""
    return Feature(column, column.partition("_")[0], "", "", "", State(column))


def _value_sql(feature: Feature) -> str:
    value = feature.value.sql() if feature.group in KEYS else feature.name
    if needs_all_keys(feature):
        (least, *_) = [c for c in feature.value.reads if c in OF_ALL_KEYS]
        value = f"case when {least} is not null then {value} end"
    return f"{value} as {feature.name}"


def _of_days_sql() -> str:
    """Return SQL for the rows of the first two days, where a past is cheap, and of a middle one."""
    return """with numbered as (
  select day, row_number() over (order by day) as n, count(*) over () as days
  from (select distinct day from probe) d
)
select * from probe where day in (select day from numbered where n <= 2 or n = (days + 1) // 2)"""


def _stage_probe(bench: Workbench) -> None:
    """Create ``probe``: who and when are the row's own, everything else comes from the logs."""
    engine, options = bench.engine, bench.options
    unit = options.unit_of(bench.source)
    stage_sessions(engine, unit, options)
    stage_labels(engine, unit, options)
    stage_room_category(engine, *ROOMS_MET, "tried")
    stage_samples(engine, options, bench.source.window[1])
    first = [f.value.reads[0] for f in bench.features if f.group == "first_window"]
    at = f"s.ts + {options.dwell_ms}"
    select = _PROBE.format(
        as_of="t.day_start_ts" if options.as_of == "day" else at,
        window="".join(f", m.{column}" for column in first),
        entry_slot=slot_of("s.ts"),
        decision_slot=slot_of(f"({at})"),
    )
    engine.stage("probe", select)
