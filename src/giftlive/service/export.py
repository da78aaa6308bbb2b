"""The service's log as a decision log in Parquet: what ``giftlive ope`` reads.

Rewards are joined as the running service joins them, by the same rules over the same records. By
default the file ends before the first decision whose reward is not final: leaving out single rows
would prefer short viewings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.logs.decisions import EXACT, DecisionLog, DecisionWriter
from giftlive.service.engine import records
from giftlive.service.events import ROOM_CLOSE, ROOM_OPEN, Event
from giftlive.service.joining import Joiner, Outcome, Shown
from giftlive.service.record import DECISION, EVENTS, TICK, Logged, Record
from giftlive.service.settings import JoinSettings
from giftlive.service.store.protocol import Store

_BATCH = 1_024


@dataclass(frozen=True)
class Wanted:
    """Which decisions.

    Attributes
    ----------
    from_ts, to_ts : ms UTC, half-open. version : of the policy; "": the only one there is.
    unfinished : whether decisions without a final reward are wanted too. most : rows, at most.
    """

    from_ts: int
    to_ts: int
    version: str = ""
    unfinished: bool = False
    most: int = 200_000


@dataclass
class _Scan:
    """The first pass over the log: which policies decided, and what came of the decisions."""

    joiner: Joiner
    wanted: Wanted
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    rows: int = 0

    def see(self, logged: Logged) -> None:
        record = logged.record
        if record.kind == DECISION:
            self._decided(record)
        elif record.kind == EVENTS:
            for row in record.meta["events"]:
                event = Event(*row)
                if event.event_id not in self.heard and event.type not in (ROOM_OPEN, ROOM_CLOSE):
                    self.joiner.happened(event, record.ts)
                self.heard.add(event.event_id)
        elif record.kind == TICK:
            for _, outcome in self.joiner.matured(record.ts):
                if outcome.shown.row_id in self.left:
                    self.left.discard(outcome.shown.row_id)
                    self.outcomes[outcome.shown.row_id] = outcome

    def _decided(self, record: Record) -> None:
        inside = _inside(record, self.wanted)
        if inside:
            self.versions[record.meta["policy_version"]] = self.rows
            self.rows += max(record.meta["shown"], 1)
        for shown in shown_of(record):
            if inside:
                self.left.add(shown.row_id)
            self.joiner.decided(shown)


def shown_of(record: Record) -> Iterator[Shown]:
    """Yield the rooms that a decision showed, place by place (without their slots)."""
    meta, arrays = record.meta, record.arrays
    for place, column in enumerate(arrays["columns"].tolist()):
        row = f"{meta['decision_id']}/{place}" if meta["n"] > 1 else meta["decision_id"]
        live, value = int(arrays["candidates"][column]), float(arrays["values"][column])
        ids = row, meta["decision_id"], meta["user_id"], live, -1
        yield Shown(*ids, record.ts, value, meta.get("clock_ts", -1))


def write_export(store: Store, join: JoinSettings, wanted: Wanted, path: Path) -> tuple[int, int]:
    """Write the decisions that are ``wanted`` to ``path``, whole or not at all.

    Returns
    -------
    rows, before
        How many were written, and the time before which all decisions are in the file.

    Raises
    ------
    UsageError
        Several policies decided and none was named, or there are too many rows.
    NotEnoughDataError
        No decision, or none whose reward is final.
    """
    start = store.seq_at(wanted.from_ts)
    scan = _Scan(Joiner(join), wanted)
    for logged in records(store, start):
        if logged.ts >= wanted.to_ts and not scan.left:
            break
        scan.see(logged)
    version = _version(scan, wanted)
    before = wanted.to_ts if wanted.unfinished else _final_before(store, start, scan, version)
    rows = 0
    with DecisionWriter(path) as writer:
        for batch in _batches(store, start, wanted, version, before):
            log = _log(batch, scan.outcomes)
            rows += len(log)
            writer.append(log)
        if rows == 0:
            raise NotEnoughDataError(
                "no decision whose reward is final", "export", "decisions that have matured",
                "wait until viewings have ended, or ask for unfinished ones too",
            )  # fmt: skip
    return rows, before


def _version(scan: _Scan, wanted: Wanted) -> str:
    if scan.rows > wanted.most:
        hint = "ask for a shorter time"
        raise UsageError(f"{scan.rows} rows", "export", f"at most {wanted.most}", hint)
    if wanted.version:
        return wanted.version
    if len(scan.versions) > 1:
        raise UsageError(
            f"{len(scan.versions)} policies decided",
            "policy_version",
            f"one of {', '.join(scan.versions)}",
            "a file holds one policy",
        )
    return next(iter(scan.versions), "")


def _final_before(store: Store, start: int, scan: _Scan, version: str) -> int:
    """Return the time of the first decision of a policy whose outcome is not final."""
    for logged in records(store, start):
        record = logged.record
        if record.ts >= scan.wanted.to_ts:
            break
        mine = record.kind == DECISION and record.meta["policy_version"] == version
        if mine and any(shown.row_id in scan.left for shown in shown_of(record)):
            return record.ts
    return scan.wanted.to_ts


def _inside(record: Record, wanted: Wanted) -> bool:
    return wanted.from_ts <= record.ts < wanted.to_ts


def _batches(
    store: Store, start: int, wanted: Wanted, version: str, before: int
) -> Iterator[list[Record]]:
    waiting: list[Record] = []
    for logged in records(store, start):
        record = logged.record
        if record.ts >= before:
            break
        if record.kind != DECISION or not _inside(record, wanted):
            continue
        if record.meta["policy_version"] == version:
            waiting.append(record)
            if len(waiting) == _BATCH:
                yield waiting
                waiting = []
    if waiting:
        yield waiting


def _log(decisions: Sequence[Record], outcomes: dict[str, Outcome]) -> DecisionLog:
    """Return decisions as arrays, a slate as one row per place."""
    width = max(len(record.arrays["candidates"]) for record in decisions)
    rows = [row for record in decisions for row in _rows(record, outcomes, width)]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return DecisionLog(**{name: _column(name, found) for name, found in columns.items()})


def _column(name: str, found: list[Any]) -> Any:
    if name in _LISTS:
        return np.stack(found)
    if name in _TEXTS:
        texts = np.empty(len(found), dtype=object)
        texts[:] = found
        return texts
    kind = np.bool_ if name == "matured" else np.float64 if name in _FLOATS else np.int64
    return np.array(found, dtype=kind)


_LISTS = frozenset(("candidates", "propensities", "values", "prices"))
_FLOATS = frozenset(("propensity", "conditional_propensity", "marginal_propensity", "reward"))
_TEXTS = frozenset(
    (
        *("decision_id", "propensity_kind", "slate_id", "price_version"),
        *("policy", "policy_version", "reason"),
    )
)


def _rows(record: Record, outcomes: dict[str, Outcome], width: int) -> Iterator[dict[str, Any]]:
    meta, a = record.meta, record.arrays
    shown = list(shown_of(record))
    prices = a.get("prices")
    fixed: dict[str, Any] = {
        "user_id": meta["user_id"],
        "ts": record.ts,
        "seed": -1,
        "visit": -1,
        "slot": 0,
        "candidates": _padded(a["candidates"], width, -1),
        "propensity_kind": EXACT,
        "draws": -1,
        "values": _padded(a["values"], width, 0.0),
        "prices": _padded(np.zeros(len(a["values"])) if prices is None else prices, width, 0.0),
        "price_version": meta["price_version"],
        "policy": meta["policy"],
        "policy_version": meta["policy_version"],
        "reason": meta["reason"],
    }
    single = meta["n"] == 1 or not shown
    if not shown:
        nothing = {"decision_id": meta["decision_id"], "action": -1, "propensity": np.nan}
        came = {"reward": 0.0, "reward_ts": record.ts, "matured": True}
        nothing["propensities"] = np.zeros(width)
        yield fixed | nothing | came | _ALONE
        return
    product = float(np.prod(a["conditional"]))
    for place, room in enumerate(shown):
        row = {"decision_id": room.row_id, "action": room.live_id, "propensity": product}
        chances = a["propensities"] if place == 0 else _certain(a["columns"][place], a)
        row["propensities"] = _padded(chances, width, 0.0)
        own = _ALONE if single else _placed(meta["decision_id"], place, a)
        yield fixed | row | _came(outcomes.get(room.row_id)) | own


_ALONE: dict[str, Any] = {
    "slate_id": None,
    "position": -1,
    "conditional_propensity": np.nan,
    "marginal_propensity": np.nan,
}


def _placed(slate_id: str, place: int, arrays: Any) -> dict[str, Any]:
    return {
        "slate_id": slate_id,
        "position": place,
        "conditional_propensity": float(arrays["conditional"][place]),
        "marginal_propensity": float(arrays["marginal"][place]),
    }


def _certain(column: int, arrays: Any) -> Any:
    """Return the propensities of a place after the first: nothing is left to chance."""
    found = np.zeros(len(arrays["candidates"]))
    found[column] = 1.0
    return found


def _came(outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {"reward": np.nan, "reward_ts": -1, "matured": False}
    return {"reward": float(outcome.amount), "reward_ts": outcome.reward_ts, "matured": True}


def _padded(array: Any, width: int, pad: float) -> Any:
    return np.pad(array, (0, width - len(array)), constant_values=pad)
