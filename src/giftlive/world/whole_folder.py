"""The folder of a world appears whole or not at all, however its writer ends.

All is made in a hidden work folder beside the target, and moved in when it is finished. The work
folder holds a lock that the system gives up with the writer's process, even if that was killed:
so the next writer to the same target can tell a leftover from the work of one that still runs.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from giftlive.errors import InputError

_LOCK, _NEW, _OLD = "lock", "new", "old"
_MARKER = "world.json"
"""Moved in last where a folder is filled file by file: without it, it is no world."""

_say = logging.getLogger(__name__)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of ``target`` when the block succeeds.

    What stood at ``target``, a resolved path, goes only when the new folder is in its place. An
    empty folder is kept and filled: it may be somebody's working directory.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        with _locked(work, target):
            (work / _NEW).mkdir()
            yield work / _NEW
            _put_in_place(work, target)
    finally:
        _settle(work, target)


def clear_leftovers(target: Path) -> None:
    """Remove, and say so, what killed writers of ``target`` left beside it.

    A folder is a leftover if it has the lock of a writer of this very target and nobody holds it.
    """
    for lock in sorted(target.parent.glob(f".{escape(target.name)}.*/{_LOCK}")):
        with suppress(OSError), lock.open("r+b") as held:
            if held.read() != _claim(target):
                continue
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an OSError if its writer runs
            came_back = _settle(lock.parent, target)
            back = f"; the old {target.name} is back in its place" if came_back else ""
            _say.warning("removed %s, left by a writer that was killed%s", lock.parent, back)


@contextmanager
def _locked(work: Path, target: Path) -> Iterator[None]:
    """Hold a lock in ``work`` that nobody sees before it is held."""
    with (work / "unlocked").open("xb") as lock:
        lock.write(_claim(target))
        lock.flush()
        with suppress(OSError):  # a file system without locks: then no leftover is ever cleared
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (work / "unlocked").replace(work / _LOCK)
        yield


def _claim(target: Path) -> bytes:
    return f"giftlive is writing a world to {target.name}\n".encode()


def _put_in_place(work: Path, target: Path) -> None:
    new = work / _NEW
    if target.is_dir() and not any(target.iterdir()):
        _fill(target, new)
        return
    if target.exists():
        target.replace(work / _OLD)
    new.replace(target)


def _fill(empty: Path, new: Path) -> None:
    """Move everything over, the marker last; on any failure move it back."""
    try:
        for path in sorted(new.iterdir(), key=lambda path: path.name == _MARKER):
            path.replace(empty / path.name)
    except BaseException:
        for path in list(empty.iterdir()):
            path.replace(new / path.name)
        raise


def _settle(work: Path, target: Path) -> bool:
    """Remove a work folder; return whether an old world, not replaced yet, had to go back."""
    stranded = (work / _OLD).exists() and (work / _NEW).exists()
    if stranded:
        try:
            (work / _OLD).replace(target)
        except OSError as error:
            raise InputError(
                f"the world that stood at {target} cannot go back ({error.strerror})",
                str(work / _OLD),
                "a free place",
                "move it by hand",
            ) from error
    shutil.rmtree(work, ignore_errors=True)
    return stranded
