"""Events as one relation: whose, when they became known, and what they bring.

A click brings an entry at its ``ts`` and a length when the viewing ends; every other event
brings what it is when it becomes known. An anonymous gift reaches streamer and room only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class _Arm:
    """Rows of one view: known at which column, bringing which measures."""

    view: str
    at: str
    brings: dict[str, str]
    anonymous: bool = False


_ARMS = (
    _Arm("click", "ts", {"entries": "1"}),
    _Arm("click", "known_ts", {"watch_ms": "e.watch_ms"}),
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
    return "\nunion all ".join(
        _arm_sql(arm, keys, wanted)
        for arm in _ARMS
        if arm.brings.keys() & set(wanted) and not (arm.anonymous and "user_id" in keys)
    )


def _arm_sql(arm: _Arm, keys: tuple[str, ...], measures: tuple[str, ...]) -> str:
    whose = ", ".join("r.category" if key == "category" else f"e.{key}" for key in keys)
    brought = ", ".join(f"cast({arm.brings.get(m, '0')} as bigint) as {m}" for m in measures)
    room = " join room_category r on r.live_id = e.live_id" if "category" in keys else ""
    return f"select {whose}, e.{arm.at} as known_ts, {brought} from {arm.view} e{room}"


def same_sql(keys: Iterable[str], left: str, right: str) -> str:
    """Return SQL for equal keys of two relations."""
    return " and ".join(f"{left}.{key} = {right}.{key}" for key in keys)


def of_sql(relation: str, columns: Iterable[str]) -> str:
    """Return a list of the columns of a relation."""
    return ", ".join(f"{relation}.{column}" for column in columns)


def known_sql(keys: Iterable[str], relation: str) -> str:
    """Return SQL for keys that are somebody: an id of -1 has no history."""
    return " and ".join(f"{relation}.{key} <> -1" for key in keys)
