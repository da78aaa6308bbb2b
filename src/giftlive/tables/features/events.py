"""Events as one relation: whose, when they became known, and what they bring.

A click brings an entry at its ``ts`` and a length when the viewing ends; every other event
brings what it is when it becomes known. An anonymous gift reaches streamer and room only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from giftlive.tables.features.part import Stage
from giftlive.tables.local_time import slot_of

DATED = "dated_click"
"""Staged: clicks with the category of their room and the local days of entry and end."""

DATED_STAGE: Stage = (
    DATED,
    f"""select c.user_id, c.streamer_id, c.live_id, r.category, c.watch_ms,
       c.ts, entry.day, entry.day_start_ts,
       c.known_ts as end_ts, ended.day as end_day, ended.day_start_ts as end_day_start_ts
from click c
left join local_time entry on entry.slot_ts = {slot_of("c.ts")}
left join local_time ended on ended.slot_ts = {slot_of("c.known_ts")}
left join room_category r on r.live_id = c.live_id""",
)


@dataclass(frozen=True)
class _Arm:
    """Rows of one view: known at which column, bringing which measures.

    ``when`` is where a dated click holds the same time.
    """

    view: str
    at: str
    brings: dict[str, str]
    anonymous: bool = False
    when: str = ""


_ARMS = (
    _Arm("click", "ts", {"entries": "1"}, when="ts"),
    _Arm("click", "known_ts", {"watch_ms": "e.watch_ms"}, when="end_ts"),
    _Arm("gift", "known_ts", {"gifts": "1", "amount": "e.amount"}),
    _Arm("gift_anonymous", "known_ts", {"gifts": "1", "amount": "e.amount"}, anonymous=True),
    _Arm("comment", "known_ts", {"comments": "1"}),
    _Arm("likes", "known_ts", {"likes": "1"}),
    _Arm("negative", "known_ts", {"negatives": "1"}),
)


def events_sql(keys: tuple[str, ...], measures: Iterable[str]) -> str:
    """Return SQL for the events of ``keys`` that bring one of ``measures``.

    Its columns are the keys, ``known_ts``, and the measures: 0 where an event brings none.

    Examples
    --------
    >>> print(events_sql(("live_id",), ["entries"]))
    select e.live_id, e.ts as known_ts, cast(1 as bigint) as entries from click e
    """
    wanted = tuple(measures)
    return "\nunion all ".join(_arm_sql(arm, keys, wanted) for arm in _arms(keys, wanted))


def dated_sql(keys: tuple[str, ...], measures: Iterable[str]) -> str:
    """Return the events of :func:`events_sql` with ``day`` and ``day_start_ts`` of ``known_ts``.

    :data:`DATED_STAGE` is staged.
    """
    wanted = tuple(measures)
    return "\nunion all ".join(_dated_arm_sql(arm, keys, wanted) for arm in _arms(keys, wanted))


def _arms(keys: tuple[str, ...], measures: tuple[str, ...]) -> Iterator[_Arm]:
    for arm in _ARMS:
        if arm.brings.keys() & set(measures) and not (arm.anonymous and "user_id" in keys):
            yield arm


def _arm_sql(arm: _Arm, keys: tuple[str, ...], measures: tuple[str, ...]) -> str:
    room = " join room_category r on r.live_id = e.live_id" if "category" in keys else ""
    return (
        f"select {_whose(keys, 'r')}, e.{arm.at} as known_ts, {_brought(arm, measures)}"
        f" from {arm.view} e{room}"
    )


def _dated_arm_sql(arm: _Arm, keys: tuple[str, ...], measures: tuple[str, ...]) -> str:
    if arm.when:
        of = "" if arm.when == "ts" else "end_"
        return (
            f"select {_whose(keys, 'e')}, e.{arm.when} as known_ts, e.{of}day as day,"
            f" e.{of}day_start_ts as day_start_ts, {_brought(arm, measures)} from {DATED} e"
        )
    room = " join room_category r on r.live_id = e.live_id" if "category" in keys else ""
    return (
        f"select {_whose(keys, 'r')}, e.{arm.at} as known_ts, t.day, t.day_start_ts,"
        f" {_brought(arm, measures)} from {arm.view} e"
        f" join local_time t on t.slot_ts = {slot_of(f'e.{arm.at}')}{room}"
    )


def _whose(keys: tuple[str, ...], room: str) -> str:
    return ", ".join(f"{room}.category" if key == "category" else f"e.{key}" for key in keys)


def _brought(arm: _Arm, measures: tuple[str, ...]) -> str:
    return ", ".join(f"cast({arm.brings.get(m, '0')} as bigint) as {m}" for m in measures)


def same_sql(keys: Iterable[str], left: str, right: str) -> str:
    """Return SQL for equal keys of two relations."""
    return " and ".join(f"{left}.{key} = {right}.{key}" for key in keys)


def of_sql(relation: str, columns: Iterable[str]) -> str:
    """Return a list of the columns of a relation."""
    return ", ".join(f"{relation}.{column}" for column in columns)


def known_sql(keys: Iterable[str], relation: str) -> str:
    """Return SQL for keys that are somebody: an id of -1 has no history."""
    return " and ".join(f"{relation}.{key} <> -1" for key in keys)
