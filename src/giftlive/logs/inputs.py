"""The files somebody handed over: a folder, or a zip of one, with their fingerprint."""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from giftlive.errors import InputError, Where
from giftlive.logs.source import CALIBRATED_WORLD
from giftlive.logs.store import SOURCE_FILE

_CHUNK = 1 << 22
_WORLD_MARKER = "world.json"
_TRUTH = "truth"
"""The folder in which a generated world keeps what its logs hide: never opened, not in a zip."""
_LOG_FILES = {".csv", ".parquet", ".gz", ".toml", ".npy", ".json"}
"""Endings of what lies in a folder of logs, and of no archive of one."""


@dataclass(frozen=True)
class Inputs:
    """Input files by lower-case name; ``shown`` is the name of what the user gave."""

    shown: str
    files: dict[str, Path]

    def first(self, names: Iterable[str]) -> Path | None:
        """Return the first of ``names`` that is there."""
        return next((self.files[name] for name in names if name in self.files), None)

    def generated(self) -> bool:
        """Whether these logs say that a world of GiftLive made them, also as a store of such."""
        return (
            self._json(_WORLD_MARKER).get("generated_by") == "giftlive"
            or self._json(SOURCE_FILE).get("label") == CALIBRATED_WORLD
        )

    def _json(self, name: str) -> dict[str, object]:
        file = self.files.get(name)
        if file is None:
            return {}
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


@contextmanager
def open_inputs(path: Path, scratch: Path) -> Iterator[Inputs]:
    """Give the files of a folder, or of a zip unpacked below ``scratch``.

    Raises
    ------
    InputError
        Where nothing is there, or where a file is not a whole zip.
    """
    if path.is_dir():
        yield Inputs(path.resolve().name, _by_name(path))
    elif path.is_file():
        unpacked = scratch / "unpacked"
        unpacked.mkdir()
        try:
            _unzip(path, unpacked)
            yield Inputs(path.name, _by_name(unpacked))
        finally:
            shutil.rmtree(unpacked)
    else:
        raise InputError(
            "there is no such file or folder",
            Where(str(path)),
            "a folder of log files, or a zip of one",
            "check the spelling of the path",
        )


def fingerprint(files: Iterable[Path]) -> str:
    """Return 32 hex digits over the names and the content of ``files``, in order of name.

    The same files give the same fingerprint in a folder, in a zip and on any machine.
    """
    digest = blake2b(digest_size=16)
    for file in sorted(files, key=lambda file: file.name.lower()):
        digest.update(f"{file.name.lower()}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def _by_name(folder: Path) -> dict[str, Path]:
    return {file.name.lower(): file for file in sorted(folder.iterdir()) if file.is_file()}


def _unzip(path: Path, folder: Path) -> None:
    if path.suffix.lower() in _LOG_FILES:
        raise InputError(
            "this is one file of a source, not the source",
            Where(path.name),
            "a folder of log files, or a zip of one",
            f"give the folder that holds it: {path.parent}",
        )
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                *folders, name = PurePosixPath(member.filename).parts or ("",)
                if member.is_dir() or name.startswith(".") or _TRUTH in folders:
                    continue
                # Reading to the end also checks the member's checksum.
                with archive.open(member) as source, (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target, _CHUNK)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise InputError(
            "the file is not a whole zip archive; it may have been cut off while downloading",
            Where(path.name),
            "a folder of log files, or a zip of one without a password",
            "compare its size with the one published and download it again, "
            "or unpack it and give the folder",
        ) from error
