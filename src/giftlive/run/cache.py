"""Finished steps by the hash of everything that decides their result.

An entry is a folder ``<cache>/<step>-<key>/`` with the step's files and ``entry.json`` (the
digest of each file). It appears by one rename, so a killed run leaves nothing half-written, and
a later run picks up at the first step that is not there.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from giftlive.run.canonical import canonical_json, digest, file_digest

_ENTRY = "entry.json"
_HALF_MADE = ".giftlive-half-made-"
_ABANDONED_SECONDS = 86_400


def default_cache() -> Path:
    """Return ``$GIFTLIVE_CACHE``, else ``$XDG_CACHE_HOME/giftlive``, else ``~/.cache/giftlive``."""
    named = os.environ.get("GIFTLIVE_CACHE")
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else (Path(base) if base else Path.home() / ".cache") / "giftlive"


@dataclass(frozen=True)
class Cache:
    """A folder of finished steps."""

    folder: Path

    def path(self, step: str, key: Any) -> Path:
        """Return where the entry of ``step`` under ``key`` stands or would stand."""
        return self.folder / f"{step}-{digest(key)[:20]}"

    def fetch(
        self,
        step: str,
        key: Any,
        make: Callable[[Path], None],
        *,
        worth_keeping: Callable[[Path], bool] | None = None,
    ) -> tuple[Path, bool]:
        """Return the entry's folder and whether it was already there.

        ``make`` fills a temporary folder; only a complete one is renamed into place. An entry
        whose files are not the ones that were written is rebuilt.

        Parameters
        ----------
        worth_keeping : says whether ``make`` could go on with what it left in its folder when it
            was interrupted; then it is given that folder again. None: it cannot.
        """
        path = self.path(step, key)
        if intact(path):
            return path, True
        _remove(path)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        with self._work(path.name if worth_keeping else "", worth_keeping) as work:
            make(work)
            seal(work)
            _put_in_place(work, path)
        return path, False

    @contextmanager
    def _work(
        self, name: str = "", worth_keeping: Callable[[Path], bool] | None = None
    ) -> Iterator[Path]:
        """Yield a folder to work in; one with a name may outlive an interruption."""
        with ExitStack() as held:
            if name and not held.enter_context(_lock(self.folder / f"{_HALF_MADE}{name}.lock")):
                name = ""  # another run is at it: two never share a folder
            work = self.folder / f"{_HALF_MADE}{name or uuid.uuid4().hex}"
            work.mkdir(exist_ok=bool(name))
            kept = False
            try:
                yield work
            except BaseException:
                kept = bool(name and worth_keeping and worth_keeping(work))
                raise
            finally:
                if not kept:
                    shutil.rmtree(work, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what runs that were killed a day or more ago left half-made, nothing else."""
        for path in self.folder.glob(f"{_HALF_MADE}*"):
            with suppress(FileNotFoundError):  # its own run has just taken it away
                if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _lock(file: Path) -> Iterator[bool]:
    """Yield whether this process alone holds ``file``; the system lets go of it when killed."""
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        try:
            yield True
        finally:
            file.unlink(missing_ok=True)


def _put_in_place(work: Path, path: Path) -> None:
    try:
        work.rename(path)
    except OSError:
        # Another run of the same step was faster; equal keys mean equal files.
        if not intact(path):
            raise


def _remove(path: Path) -> None:
    if path.is_file():  # whoever put it there, it is no entry
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def seal(folder: Path) -> None:
    """Write the digest of every file of ``folder`` beside them."""
    files = {name: file_digest(folder / name) for name in _sealed_files(folder)}
    (folder / _ENTRY).write_text(canonical_json(files), encoding="utf-8")


def intact(folder: Path) -> bool:
    """Return whether ``folder`` holds exactly the files that were sealed."""
    try:
        sealed = json.loads((folder / _ENTRY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    files = _sealed_files(folder)
    return (
        isinstance(sealed, dict)
        and files == sorted(sealed)
        and all(file_digest(folder / name) == sealed[name] for name in files)
    )


def _sealed_files(folder: Path) -> list[str]:
    """Return every file but the seal, which a killed run may have left in a folder gone on with."""
    found = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    return [name for name in found if name != _ENTRY]
