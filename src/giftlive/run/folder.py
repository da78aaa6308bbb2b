"""A folder appears whole or not at all, and replaces only an older one of its own kind."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from giftlive.errors import UsageError


@dataclass(frozen=True)
class Kind:
    """A kind of folder that a command writes: its name, and the file that tells it."""

    name: str
    marker: str


RUN = Kind("run folder", "manifest.json")
STORE = Kind("store", "source.json")
TABLES = Kind("folder of tables", "dictionary.json")
TWIN = Kind("generated world", "world.json")
OPE = Kind("page of off-policy estimates", "ope.html")
DECISIONS = Kind("folder of decision logs", "decisions.json")


def check_target(out: Path, overwrite: bool, kind: Kind = RUN) -> None:
    """Refuse a target that cannot be written, or whose place another kind of thing takes.

    It is asked before the work begins: a run of an hour must not fail on its last step.

    Raises
    ------
    UsageError
        ``out`` exists and either is of another kind or ``overwrite`` was not asked for; or no
        folder can be made there.
    """
    _check_place(out)
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / kind.marker).is_file():
        raise UsageError(
            f"the target exists and is not a {kind.name}",
            str(out),
            "a new or empty folder",
            "choose another with --out",
        )
    if not overwrite:
        raise UsageError(
            f"the {kind.name} exists",
            str(out),
            "a new or empty folder",
            "add --overwrite to replace it, or choose another with --out",
        )


def _check_place(out: Path) -> None:
    """Make a folder where the working folder will be, and remove it."""
    try:
        whole = out.resolve()
        place = next(parent for parent in whole.parents if parent.exists())
        Path(tempfile.mkdtemp(prefix=f".{whole.name}-", dir=place)).rmdir()
    except OSError as error:
        raise UsageError(
            f"it cannot be written: {error.strerror}",
            str(out),
            "a folder that may be made or replaced",
            "check the path and the permissions of the folder above it, or choose another with"
            " --out",
        ) from error


@contextmanager
def atomic_folder(out: Path, overwrite: bool, kind: Kind = RUN) -> Iterator[Path]:
    """Yield a working folder near ``out`` that takes its place when the block succeeds."""
    check_target(out, overwrite, kind)
    out = out.resolve()
    place = next(parent for parent in out.parents if parent.exists())
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=place))
    try:
        yield work
        out.parent.mkdir(parents=True, exist_ok=True)
        old = out.with_name(f".{work.name}-old")
        if out.exists():
            out.rename(old)
        work.rename(out)
        out.chmod(0o755)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
