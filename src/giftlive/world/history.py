"""The platform's own history: decisions in order of time, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.errors import UsageError
from giftlive.rng import derive
from giftlive.types import Bools, Ints, Progress, silent
from giftlive.world.entities import World
from giftlive.world.kernel import begin, finish, run_platform
from giftlive.world.scenario import Scenario
from giftlive.world.state import (
    ROWS,
    Batch,
    Log,
    Span,
    State,
    by_time,
    filled,
    history_span,
    joined,
    log_of,
    new_batch,
    new_log,
    new_state,
)

CHUNK_ROWS = 1 << 18


def require_clock(scenario: Scenario, where: str) -> None:
    """Refuse a world in rounds: it has no platform, no time and so no log.

    Raises
    ------
    UsageError
        Saying at ``where`` what can be done with such a world.
    """
    if scenario.mode != "clocked":
        raise UsageError(
            f"{scenario.name!r} plays in rounds, without a clock: no platform could log it",
            where,
            "a clocked scenario, such as kuailive or scarce",
            "play it from Python, with make_arena or play_oracle_greedy (docs/world.md)",
        )


def history_seed(world: World) -> int:
    """Return the seed of the history's keyed draws."""
    return derive(world.seed, "history")


@dataclass
class History:
    """A run of the platform's ranking over the history days, read once through ``chunks``.

    Attributes
    ----------
    opened : [rooms] True for rooms that went on air so far; all of them once the run is over.
    """

    world: World
    chunk_rows: int = CHUNK_ROWS
    _span: Span = field(init=False, repr=False)
    _state: State = field(init=False, repr=False)
    _batch: Batch = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_clock(self.world.scenario, "write_twin")
        self._span = history_span(self.world, history_seed(self.world))
        self._state = new_state(self.world, self._span)
        self._batch = new_batch(len(self.world.user_ids), self.world.scene.choices.total)

    @property
    def opened(self) -> Bools:
        """[rooms of the window] True for rooms that went on air."""
        return self._state.opened

    def chunks(self, progress: Progress = silent) -> Iterator[Log]:
        """Run, and yield every decision in order of (time, user), whole ticks at a time.

        ``progress`` hears the ms of the window that are behind.
        """
        scene, state, span = self.world.scene, self._state, self._span
        log = new_log(self.chunk_rows + len(self.world.user_ids))
        begin(scene, state, span)
        rest, over = filled(log, 0), False
        while not over:
            state.cursor[ROWS] = 0
            over = run_platform(scene, state, self._batch, span, log)
            rows = by_time(joined([rest, filled(log, int(state.cursor[ROWS]))]))
            edge = span.end_ms if over else self._last_tick(rows.ts)
            ready = int(np.searchsorted(rows.ts, edge))
            rest = _part(rows, slice(ready, None))
            yield _part(rows, slice(0, ready))
            progress(edge - span.start_ms, span.end_ms - span.start_ms)
        finish(scene, state, span)

    def _last_tick(self, ts: Ints) -> int:
        """Return the first ms of the running tick: later batches may still fall into it."""
        tick = self.world.scene.rhythm.tick_ms
        return int(ts[-1]) // tick * tick


@dataclass(frozen=True)
class Spill:
    """Chunks of a history kept in a folder, in the order they were added."""

    folder: Path

    def fill(self, chunks: Iterator[Log]) -> None:
        """Write every chunk to its own file."""
        for number, log in enumerate(chunks):
            columns = {name: _packed(name, getattr(log, name)) for name in Log._fields}
            table = np.empty(len(log.ts), [(name, c.dtype) for name, c in columns.items()])
            for name, column in columns.items():
                table[name] = column
            np.save(self.folder / f"{number:06d}.npy", table)

    def chunks(self) -> Iterator[Log]:
        """Read the chunks back, with 64-bit columns."""
        for path in sorted(self.folder.glob("*.npy")):
            table = np.load(path)
            yield log_of(_unpacked(table[name]) for name in Log._fields)


def _packed(name: str, column: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers other than times in 32 bits: a history can be long."""
    narrow = name != "ts" and column.dtype == np.int64
    return column.astype(np.int32) if narrow else column


def _unpacked(column: NDArray[Any]) -> NDArray[Any]:
    kind = np.int64 if column.dtype == np.int32 else column.dtype
    return np.ascontiguousarray(column, dtype=kind)


def _part(log: Log, which: slice) -> Log:
    return log_of(column[which] for column in log)
