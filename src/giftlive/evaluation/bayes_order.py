"""The order by E[value | features], learnt from worlds that only teach; each is kept when made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from giftlive.evaluation.rollouts.cells import Cell, CellStore
from giftlive.evaluation.world_logs import Log, world_log
from giftlive.files import whole
from giftlive.models.base import known
from giftlive.rng import stream
from giftlive.types import Floats
from giftlive.world import Scenario
from giftlive.world.ceiling import BayesLaw, Lesson, bayes_law, drawn

LESSON_ROWS = 30_000
"""Rows kept of a world that teaches: those that matter, and a few that stand for the others."""


@dataclass(frozen=True)
class Taught:
    """Rows of a world that teaches.

    Attributes
    ----------
    seen : [k, p] features, nan where unknown. value : [k] expected amounts.
    weight : [k] rows of the world that each stands for. rows : of the world.
    """

    seen: Floats
    value: Floats
    weight: Floats
    rows: int

    @classmethod
    def by(cls, log: Log, seed: int, rows: int = LESSON_ROWS) -> Taught:
        """Return about ``rows`` rows of a log, drawn by ``seed``: see ``world.ceiling.drawn``."""
        value = log.truth.value
        kept, weight = drawn(value, rows, stream(seed, "lesson of the Bayes order"))
        return cls(known(log.matrix.X[kept]), value[kept], weight, len(value))


def teach(
    scenario: Scenario, seed: int, memory_limit: str, store: CellStore | None = None
) -> Taught:
    """Return the lesson of one world: the kept one, else a new one, which is kept.

    Parameters
    ----------
    store : where lessons are kept beside finished cells; None: nowhere.
    """
    cell = Cell(scenario.name, seed, "lesson", settings=(("scenario", scenario.fingerprint),))
    path = (store or CellStore()).path(teach, cell)  # type: ignore[arg-type]
    path = path.with_suffix(".npz") if path else None
    found = _read(path) if path else None
    if found is None:
        with world_log(scenario, seed, memory_limit=memory_limit) as log:
            found = Taught.by(log, seed)
        if path:
            _write(path, found)
    return found


def _read(path: Path) -> Taught | None:
    """Return a kept lesson; None where there is none or where it was harmed."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return Taught(kept["seen"], kept["value"], kept["weight"], int(kept["rows"]))
    except (OSError, ValueError, KeyError, BadZipFile):
        return None


def _write(path: Path, taught: Taught) -> None:
    """Write a lesson by one rename: a killed run leaves no half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as partial, partial.open("wb") as file:
        np.savez(file, **asdict(taught))


def law_of(taught: Sequence[Taught]) -> BayesLaw:
    """Learn E[value | features] from worlds; each is in one half only."""
    sizes = [len(t.value) for t in taught]
    return bayes_law(
        Lesson(
            np.concatenate([t.seen for t in taught]),
            np.concatenate([t.value for t in taught]),
            np.repeat(np.arange(len(taught)), sizes),
            np.concatenate([t.weight for t in taught]),
            sum(t.rows for t in taught),
        )
    )
