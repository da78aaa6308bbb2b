"""Every evaluation on disk, a line each, so that an interrupted fit repeats none of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from giftlive.world.calibration.moments import Moments, Values
from giftlive.world.scenario import Scenario

FILE = "evaluations.jsonl"
_MAKERS = ("world", "facts", "rng.py", "clock.py")
_SILENT = ("fit.py", "identify.py", "ledger.py", "loss.py", "parameters.py", "report.py")


@lru_cache
def code_version() -> str:
    """Return a digest of the source that decides a moment: the world's, the facts', the draws'."""
    state = hashlib.blake2b(digest_size=8)
    for name in _MAKERS:
        for path in _sources(files("giftlive") / name):
            state.update(path.read_bytes())
    return state.hexdigest()


def _sources(path: Traversable) -> Iterator[Traversable]:
    if path.is_dir():
        for child in sorted(path.iterdir(), key=lambda item: item.name):
            if child.name not in {"presets", *_SILENT}:
                yield from _sources(child)
    elif path.name.endswith(".py"):
        yield path


def key_of(scenario: Scenario, seeds: Sequence[int]) -> str:
    """Return what a line is found by: every coefficient, the seeds and the code."""
    text = json.dumps([scenario.fingerprint, [int(seed) for seed in seeds], code_version()])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass
class Ledger:
    """The evaluations of a folder (None: of this process only), read once, then appended to.

    Attributes
    ----------
    made : evaluations added by this process; the others were there.
    """

    folder: Path | None = None
    made: int = 0
    _known: dict[str, Moments] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.folder is None or not (self.folder / FILE).is_file():
            return
        for line in (self.folder / FILE).read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
                self._known[row["key"]] = _moments(row)
            except (ValueError, KeyError, TypeError):
                continue  # a line that a killed process did not finish

    def __len__(self) -> int:
        return len(self._known)

    def find(self, key: str) -> Moments | None:
        """Return an evaluation, if it is known."""
        return self._known.get(key)

    def add(self, key: str, found: Moments, values: dict[str, float]) -> None:
        """Keep an evaluation; ``values`` say to a reader what was tried."""
        self._known[key] = found
        self.made += 1
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        row = {
            "key": key,
            "at": values,
            "users": found.users,
            "values": found.values,
            "each": found.each,
        }
        with (self.folder / FILE).open("a+b") as file:
            if file.tell() and not _ends_a_line(file):
                file.write(b"\n")
            file.write(json.dumps(row, allow_nan=False).encode() + b"\n")


def _ends_a_line(file: Any) -> bool:
    file.seek(-1, 2)
    last: bytes = file.read(1)
    return last == b"\n"


def _moments(row: dict[str, Any]) -> Moments:
    return Moments(_values(row["values"]), int(row["users"]), tuple(map(_values, row["each"])))


def _values(plain: dict[str, list[float | None]]) -> Values:
    return {name: tuple(numbers) for name, numbers in plain.items()}
