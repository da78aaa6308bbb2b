"""The run folder appears whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from giftlive.errors import UsageError

MARKER = "manifest.json"


def check_target(out: Path, overwrite: bool) -> None:
    """Refuse a target that would destroy something which is not an old run.

    Raises
    ------
    UsageError
        ``out`` exists and either is not a run folder or ``overwrite`` was not asked for.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out.is_dir() and (out / MARKER).is_file()):
        raise UsageError(
            "the target exists and is not a run folder", str(out), "a new folder", "choose another"
        )
    if not overwrite:
        raise UsageError(
            "the run folder exists", str(out), "a new folder", "add --overwrite to replace it"
        )


@contextmanager
def atomic_folder(out: Path, overwrite: bool) -> Iterator[Path]:
    """Yield a working folder beside ``out`` that takes its place when the block succeeds."""
    check_target(out, overwrite)
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield work
        old = out.with_name(f".{work.name}-old")
        if out.exists():
            out.rename(old)
        work.rename(out)
        out.chmod(0o755)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def check_store_target(out: Path, overwrite: bool) -> None:
    """Refuse to replace an old store unless asked to.

    Raises
    ------
    UsageError
        ``out`` holds a store and ``overwrite`` was not asked for.
    """
    if (out / "source.json").is_file() and not overwrite:
        raise UsageError(
            "the store exists", str(out), "a new folder", "add --overwrite to replace it"
        )
