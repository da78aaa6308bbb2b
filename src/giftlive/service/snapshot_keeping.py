"""Snapshots made while the service runs: by another process, out of the log, behind decisions."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import suppress

from giftlive.errors import GiftLiveError
from giftlive.service.snapshots import Snapshots, why
from giftlive.service.state import State
from giftlive.service.store.protocol import Store
from giftlive.service.telemetry import say

NICENESS = 10


def command(db: str, snapshots: Snapshots) -> list[str]:
    """Return the command that keeps a snapshot of a log.

    Examples
    --------
    >>> from pathlib import Path
    >>> command("sqlite:///log.db", Snapshots(Path("kept")))[1:]
    ['-m', 'giftlive', 'serve', '--snapshot', '--db', 'sqlite:///log.db', '--snapshots', 'kept']
    """
    told = ["--snapshot", "--db", db, "--snapshots", str(snapshots.folder)]
    return [sys.executable, "-m", "giftlive", "serve", *told]


async def keep_snapshots(db: str, snapshots: Snapshots, seconds: float) -> None:
    """Keep a snapshot every so many seconds, for ever; one that fails is said and tried again."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await _keep(db, snapshots)
        except OSError as error:
            say("no snapshot", logging.WARNING, why=str(error))


async def _keep(db: str, snapshots: Snapshots) -> None:
    process = await asyncio.create_subprocess_exec(
        *command(db, snapshots),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    try:
        with suppress(AttributeError, OSError):  # no priorities here, or it has ended already
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        if await process.wait() != 0:
            say("no snapshot", logging.WARNING, why="`giftlive serve --snapshot` says why")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def keep_last(state: State, store: Store, snapshots: Snapshots) -> None:
    """Keep the state at the end, if all of the log is in it."""
    try:
        if state.seq == store.last()[0]:
            snapshots.write(state, store)
    except (OSError, GiftLiveError) as error:
        said = why(error) if isinstance(error, GiftLiveError) else str(error)
        say("no snapshot", logging.WARNING, why=said)
