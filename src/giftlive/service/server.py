"""The service as a process: opened from its parts, served by uvicorn until it is told to stop."""

from __future__ import annotations

import gc
import logging
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from giftlive.errors import ConfigError, UnavailableError, UsageError, missing_extra
from giftlive.service.engine import Engine, Origin, kept_origin, open_engine
from giftlive.service.scoring import Values, read_values
from giftlive.service.settings import ServiceSettings, require_in_force
from giftlive.service.snapshots import Snapshots
from giftlive.service.store import open_store
from giftlive.service.store.open_store import SQLITE
from giftlive.service.verification import Verified, verify_log

_BACKLOG, _GRACE_SECONDS, _KEEP_ALIVE_SECONDS = 2_048, 10, 30
_SWITCH_SECONDS = 5e-4
"""The writer's thread gets its turn after so long: by default it would wait ten times longer."""


@dataclass(frozen=True)
class Serving:
    """What a service is started with.

    Attributes
    ----------
    db : URL of the store. run : folder whose values decide, None: popularity. tables : folder
        whose state the features go on from. keys : whether keys are asked for.
    snapshots : folder of the log's snapshots.
    """

    settings: ServiceSettings
    db: str
    run: Path | None = None
    tables: Path | None = None
    keys: bool = True
    snapshots: Path | None = None

    @property
    def kept(self) -> Snapshots | None:
        """Where snapshots are: beside a log that is a file, unless a folder is named."""
        if self.snapshots is not None:
            return Snapshots(self.snapshots)
        if self.db.startswith(SQLITE):
            return Snapshots(Path(self.db.removeprefix(SQLITE) + ".snapshots"))
        return None


def verify_served(serving: Serving) -> Verified:
    """Replay the log of a store and hold it against itself.

    Raises
    ------
    UsageError
        There is no log.
    IntegrityError
        The log contradicts itself: the record is named.
    """
    store = open_store(serving.db, make=False)
    try:
        if store.last()[0] == 0:
            raise UsageError("an empty log", serving.db, "a log that a service wrote")
        values = read_values(serving.run, full=True) if serving.run else None
        return verify_log(store, values, serving.kept)
    finally:
        store.close()


def write_snapshot(serving: Serving) -> dict[str, Any]:
    """Replay a log from its latest snapshot on, and keep the state at its end as another one.

    Raises
    ------
    UsageError
        There is no log, or no folder for snapshots.
    """
    kept = serving.kept
    if kept is None:
        raise UsageError("no folder for snapshots", "--snapshots", "a folder")
    store = open_store(serving.db, make=False)
    try:
        if store.last()[0] == 0:
            raise UsageError("an empty log", serving.db, "a log that a service wrote")
        engine = open_engine(store, Origin(serving.settings.decisive), 0, kept)
        place = kept.folder / f"at-{engine.state.seq:012d}"
        if [found for _, found in kept.found()][:1] != [place]:
            place = kept.write(engine.state, store)
        return {"snapshot": str(place), "seq": engine.state.seq}
    except OSError as error:
        raise UnavailableError(str(error), str(kept), "a folder that can be written") from error
    finally:
        store.close()


def serve_until_stopped(serving: Serving, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; what was asked before is answered.

    Raises
    ------
    KeyboardInterrupt
        A second signal came: open connections were not waited for. The log is in order.
    UsageError
        The extra ``service`` is not installed.
    ConfigError
        Settings, values or tables are asked for that the log does not have.
    """
    try:
        from giftlive.service.api.app import Service, make_app, now_ms
        from giftlive.service.telemetry import log_to_stderr, say
    except ImportError as error:
        raise missing_extra(error, "giftlive serve", "service") from error
    log_to_stderr()
    with bound(host, port) as listening:
        decisive = serving.settings.decisive
        values = read_values(serving.run, full=decisive.rerank > 0) if serving.run else None
        store = open_store(serving.db)
        kept = kept_origin(store) if store.last()[0] > 0 else None
        if kept is not None:
            require_in_force(decisive, kept.settings, _plain(serving.db))
            _require_tables(serving, kept)
        began = now_ms() if serving.settings.clock == "wall" else 0
        began_at = time.perf_counter()
        engine = open_engine(store, Origin(decisive, values, serving.tables), began, serving.kept)
        say("opened", seq=engine.state.seq, seconds=round(time.perf_counter() - began_at, 3))
        if kept is not None:
            _require_values(serving, values, kept, engine)
        engine.warm()
        if serving.keys and not store.all_keys():
            hint = "giftlive keys create --scope decide --scope ingest"
            say(f"no keys yet: {hint}", db=_plain(serving.db))
        address = f"http://{host}:{listening.getsockname()[1]}"
        say("listening", url=address, db=_plain(serving.db))
        service = Service(
            serving.settings,
            store,
            engine,
            open_to_all=not serving.keys,
            run=serving.run,
            snapshots=serving.kept,
            db=serving.db,
        )
        app = make_app(service)
        sys.setswitchinterval(_SWITCH_SECONDS)
        gc.freeze()  # what stands now stays: later collections need not look at it
        try:
            _run(app, listening)
        finally:
            gc.unfreeze()


def _require_tables(serving: Serving, kept: Origin) -> None:
    """Hold the tables asked for against those that a log went on from."""
    if serving.tables is None or serving.tables == kept.tables:
        return
    asked = Origin(kept.settings, tables=serving.tables)
    if asked.online().digest() != kept.online().digest():
        began = f"went on from {kept.tables}" if kept.tables else "began with nobody known"
        raise ConfigError(
            f"--tables {serving.tables} is asked for, and this log {began}",
            _plain(serving.db),
            "the histories that this log began with, which it keeps for ever",
            "leave --tables away, or begin a new log with another --db",
        )


def _require_values(serving: Serving, asked: Values | None, kept: Origin, engine: Engine) -> None:
    """Hold the values of ``--run`` against those that decide in a log.

    Somebody may have put others in force since it began, and whoever starts the service cannot
    know: that is said and no reason to stop.
    """
    force, now = engine.state.vectors.values, _version(engine.state.vectors.values)
    if asked is None or (force is not None and asked.version == now):
        return
    told = f"--run {serving.run} holds the values {_version(asked)}, and {now} decide in this log"
    if now != _version(kept.values):
        from giftlive.service.telemetry import say

        since = "they were put in force while it was served; PUT /v1/model changes them"
        say(f"{told}: {since}", logging.WARNING, db=_plain(serving.db))
        return
    raise ConfigError(
        told,
        _plain(serving.db),
        "the values that decide in it, which a start does not change",
        "leave --run away and bring others by PUT /v1/model, or begin a new log with another --db",
    )


def _version(values: Values | None) -> str:
    return values.version if values else "those of popularity"


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address.

    Raises
    ------
    UsageError
        Something else listens there, or it is no address of this machine.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise UsageError(
            str(error), f"--host {host} --port {port}", "an address of this machine that is free"
        ) from error


def _plain(url: str) -> str:
    """Return a store's URL without a password.

    Examples
    --------
    >>> _plain("postgresql://me:secret@host/db"), _plain("sqlite:///log.db")
    ('postgresql://me@host/db', 'sqlite:///log.db')
    """
    scheme, _, rest = url.partition("://")
    who, at, where = rest.rpartition("@")
    return f"{scheme}://{who.partition(':')[0]}{at}{where}"


def _run(app: Any, listening: socket.socket) -> None:
    import uvicorn

    from giftlive.service.telemetry import say

    class Server(uvicorn.Server):
        """Ends when all is answered; after a second signal it waits for no open connection.

        The log and the state are closed in order either way.
        """

        def handle_exit(self, sig: int, frame: Any) -> None:
            self.should_exit, self.force_exit = True, bool(self.should_exit)

        async def shutdown(self, sockets: Any = None) -> None:
            say("stopping: what was asked is answered first; a second signal does not wait for it")
            await super().shutdown(sockets)
            if self.force_exit:  # uvicorn leaves out what the application does at its end
                await self.lifespan.shutdown()

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = Server(config)
    server.run(sockets=[listening])
    if server.force_exit:
        raise KeyboardInterrupt
