"""The seal of a finished run folder: one digest per file, in ``digests.json``.

It tells that a file was edited, lost or added after the run. It is no signature: who edits a file
and its digest as well is found only where the number is computed again (:mod:`.verify`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from giftlive.errors import IdentityError, InputError, Where
from giftlive.run.canonical import canonical_json, file_digest

NAME = "digests.json"
_REPORT = ("report.html", "report.md", "figures", "roadmap.md", "summary.html", "slides.html")


@dataclass(frozen=True)
class Change:
    """A file that is not as it was sealed; None: no such file then, or now."""

    path: str
    sealed: str | None
    found: str | None

    @property
    def words(self) -> str:
        """Return what happened to the file."""
        if self.sealed is None:
            return "is not of this run"
        return "is missing" if self.found is None else "has changed"


def digests_of(folder: Path) -> dict[str, str]:
    """Return the digest of every file of ``folder`` but the seal, by relative path."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    found = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: file_digest(path) for name, path in found.items() if name != NAME}


def seal(folder: Path) -> None:
    """Write the digest of every file that ``folder`` holds now."""
    (folder / NAME).write_text(canonical_json(digests_of(folder)), encoding="utf-8")


def sealed_digests(folder: Path) -> dict[str, str]:
    """Return the digests as they were written.

    Raises
    ------
    InputError
        The file is not there, or is not what ``seal`` writes.
    """
    where = Where(f"{folder.name}/{NAME}")
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError("cannot be read", where, "the digest of every file of the run") from None
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise InputError("is no list of digests", where, "one digest per relative path")
    return found


def changes(folder: Path) -> Iterator[Change]:
    """Yield every file that was edited, lost or added since ``folder`` was sealed, by path."""
    sealed, found = sealed_digests(folder), digests_of(folder)
    for path in sorted(sealed.keys() | found.keys()):
        if sealed.get(path) != found.get(path):
            yield Change(path, sealed.get(path), found.get(path))


@contextmanager
def resealed(folder: Path) -> Iterator[None]:
    """Let the report be written again, and seal the folder after it.

    A folder without a seal gets none: nothing tells what it held when its run ended.

    Raises
    ------
    IdentityError
        A file that the report is not about to write again is not as it was sealed.
    """
    was_sealed = (folder / NAME).is_file()
    for change in changes(folder) if was_sealed else ():
        if change.sealed is None or Path(change.path).parts[0] not in _REPORT:
            raise IdentityError(
                f"{change.path} {change.words}",
                Where(str(folder / change.path)),
                "the files as the run wrote them",
                "make the run again with `giftlive run`",
            )
    yield
    if was_sealed:
        seal(folder)
