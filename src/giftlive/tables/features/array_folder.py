"""A folder of arrays that knows what was written: ``.npy`` files and their digests."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.errors import InputError, Where

MANIFEST = "state.json"


def write_arrays(
    folder: Path, version: int, arrays: Mapping[str, NDArray[Any]], plain: Mapping[str, Any]
) -> None:
    """Write arrays and plain values into ``folder``; an older folder is replaced at the end."""
    folder = Path(folder)
    partial = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    partial.mkdir(parents=True)
    try:
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        digests = {name: digest_of_file(partial / f"{name}.npy") for name in arrays}
        manifest = {"version": version, "arrays": digests, "plain": dict(plain)}
        text = json.dumps({**manifest, "digest": _digest_of(manifest)}, indent=1)
        (partial / MANIFEST).write_text(text + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_arrays(folder: Path, version: int) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays and plain values that :func:`write_arrays` wrote.

    Raises
    ------
    InputError
        A file is missing, of another version, or not as it was written.
    """
    manifest = _read_manifest(Path(folder) / MANIFEST, version)
    arrays = {}
    for name, digest in manifest["arrays"].items():
        file = Path(folder) / f"{name}.npy"
        found = digest_of_file(file) if file.is_file() else "no file"
        if found != digest:
            raise _refusal(file, f"digest {found}", digest)
        arrays[name] = np.load(file, allow_pickle=False)
    return arrays, manifest["plain"]


def _read_manifest(file: Path, version: int) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        digest, written = manifest.pop("digest"), manifest["version"]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise _refusal(file, "not readable", "a saved state") from error
    if written != version:
        raise _refusal(file, f"version {written}", f"version {version}")
    if digest != _digest_of(manifest):
        raise _refusal(file, f"digest {_digest_of(manifest)}", digest)
    return manifest


def _refusal(file: Path, what: str, expected: str) -> InputError:
    hint = "delete the folder: the state is rebuilt from the events"
    return InputError(what, Where(str(file)), expected, hint)


def _digest_of(manifest: Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(manifest).encode(), digest_size=16).hexdigest()


def digest_of_file(file: Path) -> str:
    """Return 32 hex digits over the content of a file: SHA-256, which processors help with."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:32]
