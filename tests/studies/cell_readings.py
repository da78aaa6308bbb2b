"""Readings made by hand for studies that play cells, and the context that reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from giftlive.config import load_config
from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.results import Gate, StudyResult
from giftlive.evaluation.rollouts import Cell
from giftlive.rng import stream
from giftlive.run.steps import TableFolder
from giftlive.studies.context import Context

Says = Mapping[tuple[str, str, str], float | None]


def scattered(says: Callable[[Cell], Says], spread: float = 0.01) -> Callable[[Cell], Any]:
    """Return a measure that says ``says``, every value moved a little and differently per seed."""

    def measure(cell: Cell) -> tuple[Number, ...]:
        g = stream(cell.seed, "scattered")
        moved = {
            place: v if v is None else v * (1.0 + spread * float(g.normal()))
            for place, v in says(cell).items()
        }
        return tuple(Number(*place, value) for place, value in moved.items())

    return measure


def context_of(folder: Path, study: str, **asked: Any) -> Context:
    """Return a context on which ``study`` plays its cells in this process."""
    store: Any = SimpleNamespace(source=SimpleNamespace(fingerprint="f", kind="k", label="l"))
    chosen = {f"{study}.{key}": value for key, value in asked.items()}
    local = {"seed": 0, "jobs": 1, "rollouts.backend": "sequential"}
    config = load_config(overrides=local | chosen)
    keep = TableFolder(folder / "tables", study)
    return replace(Context(config, store, folder, "tests"), keep=keep)


def gates(result: StudyResult) -> dict[str, Gate]:
    """Return the gates of a result by name."""
    return {gate.id: gate for gate in result.gates}


def value(result: StudyResult, name: str) -> float:
    """Return the value of an estimate."""
    (found,) = (e.value for e in result.estimates if e.name == name)
    return np.nan if found is None else found
