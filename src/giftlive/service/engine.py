"""The state with its log: opened from a store, moved by what the store has made durable."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from giftlive.errors import InputError, IntegrityError, UsageError
from giftlive.service.applying import apply
from giftlive.service.deciding import MODEL, SCORER, Circumstances, Request, propose
from giftlive.service.record import DECISION, GENESIS, Logged, Record
from giftlive.service.scoring import Values
from giftlive.service.settings import DecisiveSettings
from giftlive.service.snapshots import Snapshots, why
from giftlive.service.state import State
from giftlive.service.store.protocol import Store
from giftlive.tables.online import Catalogue, OnlineFeatures

_VERSION = 3
_CHUNK = 1_000
_LOGGER = logging.getLogger("giftlive.service")


@dataclass(frozen=True)
class Origin:
    """How a log begins.

    Attributes
    ----------
    settings : what decides results. values : None: by popularity. tables : folder whose state the
        online features go on from; None: nothing has happened before the log.
    """

    settings: DecisiveSettings
    values: Values | None = None
    tables: Path | None = None

    def online(self) -> OnlineFeatures:
        """Return the features before the first record."""
        if self.tables is None:
            return OnlineFeatures(self.settings.tz, Catalogue())
        found = OnlineFeatures.from_tables(self.tables, Catalogue())
        found.features = OnlineFeatures(self.settings.tz, Catalogue()).features
        return found

    def record(self, ts: int) -> Record:
        """Return the first record of the log."""
        meta = {
            "version": _VERSION,
            "settings": self.settings.model_dump(mode="json"),
            "values": self.values.plain() if self.values else None,
            "tables": str(self.tables) if self.tables else None,
            "features": self.online().digest().hex(),
        }
        return Record(GENESIS, ts, meta)


@dataclass
class Engine:
    """The state, and decisions on their way to the log.

    Attributes
    ----------
    in_flight : slots shown by decisions that are not yet applied, with how often.
    """

    state: State
    in_flight: dict[int, int] = field(default_factory=dict)

    def propose(self, request: Request, ts: int, mode: str, clock_ts: int = -1) -> Record:
        """Return the record of a decision on the state as it is."""
        how = Circumstances(ts, mode, dict(self.in_flight), clock_ts)
        return propose(self.state, request, how)

    def warm(self) -> None:
        """Take a decision that nobody hears of, so that the first real one need not compile."""
        for mode in (SCORER, MODEL):
            self.propose(Request("warm", 0, (0, 1, 2)), self.state.ts, mode)

    def sent(self, record: Record, by: int = 1) -> None:
        """Count (or with -1 no longer count) the room of a decision that is on its way."""
        if record.kind != DECISION or not len(record.arrays["columns"]):
            return
        live = int(record.arrays["candidates"][record.arrays["columns"][0]])
        slot = self.state.rooms.slot_of.get(live, -1)
        if slot >= 0:
            count = self.in_flight.get(slot, 0) + by
            if count > 0:
                self.in_flight[slot] = count
            else:
                self.in_flight.pop(slot, None)

    def apply(self, logged: Logged) -> Any:
        """Let a durable record take effect.

        Raises
        ------
        IntegrityError
            It is not the next one.
        """
        if logged.seq != self.state.seq + 1:
            raise IntegrityError(
                f"record {logged.seq} after {self.state.seq}", "the log", "every record once"
            )
        return apply(self.state, logged)


def open_engine(
    store: Store, origin: Origin, ts: int, snapshots: Snapshots | None = None
) -> Engine:
    """Begin the log of an empty store, or rebuild the state from the log that is there.

    Parameters
    ----------
    origin : how a new log begins. A log that is there keeps the settings and values it has.
    ts : ms UTC of a first record. snapshots : the newest good one saves replaying what it holds.

    Raises
    ------
    IntegrityError
        The log is not one that this version can continue.
    """
    if store.last()[0] == 0:
        store.commit(0, lambda others, _: [] if others else [origin.record(ts)])
    engine = Engine(latest_state(store, origin.values, snapshots))
    for logged in records(store, engine.state.seq):
        engine.apply(logged)
    return engine


def latest_state(store: Store, values: Values | None, snapshots: Snapshots | None) -> State:
    """Return the state of the newest snapshot that can be used, else that after the first record.

    Every snapshot that cannot be used is told of in one line.

    Raises
    ------
    IntegrityError
        As :func:`first_state`.
    """
    if snapshots is None:
        return first_state(store, values)
    for _, place in snapshots.found():
        try:
            return snapshots.read(place, first_state(store, values), store)
        except (InputError, UsageError) as error:
            fields = {"snapshot": str(place), "why": why(error)}
            _LOGGER.warning("a snapshot is ignored", extra={"fields": fields})
    return first_state(store, values)


def first_state(store: Store, values: Values | None = None) -> State:
    """Return the state after the first record.

    Parameters
    ----------
    values : used wherever the log names their version, for the full model they bring.

    Raises
    ------
    IntegrityError
        It is of another version, or the features it began with are not what they were.
    """
    logged, origin = _genesis(store), kept_origin(store)
    if origin.online().digest().hex() != logged.record.meta["features"]:
        raise IntegrityError(
            "other features than the log began with",
            str(origin.tables),
            "the tables folder as it was",
            "put it back, or begin a new log",
        )
    own = origin.values
    if values is not None and own is not None and values.version == own.version:
        own = values
    state = State.new(origin.settings, origin.online(), own)
    if values is not None:
        state.library[values.version] = values
    state.seq, state.ts = 1, logged.ts
    return state


def kept_origin(store: Store) -> Origin:
    """Return how a log began; its values without the full model.

    Raises
    ------
    IntegrityError
        As :func:`first_state`.
    """
    meta = _genesis(store).record.meta
    return Origin(
        DecisiveSettings.model_validate_json(_json(meta["settings"])),
        Values.of_plain(meta["values"]) if meta["values"] else None,
        Path(meta["tables"]) if meta["tables"] else None,
    )


def _genesis(store: Store) -> Logged:
    """Return the first record, if this version can go on from it."""
    logged = store.get(1)
    if logged is None or logged.record.kind != GENESIS:
        raise IntegrityError("no first record", "the log", "a log of the service")
    version = logged.record.meta["version"]
    if version != _VERSION:
        raise IntegrityError(
            f"a log of version {version}: the same records would come to another state",
            "the log",
            f"version {_VERSION}",
            "serve and verify it with the release that wrote it, or begin a new log (--db)",
        )
    return logged


def records(store: Store, after: int) -> Iterator[Logged]:
    """Yield all records after a number, a chunk at a time."""
    chunk: Sequence[Logged] = store.read(after, _CHUNK)
    while chunk:
        yield from chunk
        chunk = store.read(chunk[-1].seq, _CHUNK)


def _json(plain: Any) -> bytes:
    from pydantic_core import to_json

    return to_json(plain)
