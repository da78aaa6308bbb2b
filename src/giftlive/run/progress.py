"""One progress line per step with ETA and peak memory; silent when nobody is watching."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from giftlive.types import Message
from giftlive.types import Progress as Listener


def peak_memory_mb() -> int:
    """Return the largest resident size of this process or any finished child, in MiB."""
    kib = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return int(kib // (1 << 20 if sys.platform == "darwin" else 1 << 10))


@dataclass(frozen=True)
class Step:
    """What became of one step: ``status`` is done, cached, skipped or failed."""

    name: str
    status: str
    seconds: float
    reason: Message | None = None


@dataclass
class Reporter:
    """Collects the steps of a run and shows them on a terminal, if there is one."""

    console: Console = field(default_factory=lambda: Console(stderr=True))
    steps: list[Step] = field(default_factory=list)

    def skip(self, name: str, reason: Message) -> None:
        """Record a step that this source cannot support."""
        self.steps.append(Step(name, "skipped", 0.0, reason))

    @contextmanager
    def step(self, name: str) -> Iterator[StepHandle]:
        """Time a step; the handle reports its progress and whether the cache had it."""
        start = time.perf_counter()
        with _bar(self.console) as bar:
            task = bar.add_task(name, total=None, memory="")
            handle = StepHandle(bar, task)
            status = "failed"
            try:
                yield handle
                status = "cached" if handle.cached else "done"
            finally:
                seconds = time.perf_counter() - start
                self.steps.append(Step(name, status, round(seconds, 3)))
                bar.update(task, total=1, completed=1, memory=_finish(status))


@dataclass
class StepHandle:
    """Given to the body of a step."""

    bar: Progress
    task: object
    cached: bool = False

    @property
    def listener(self) -> Listener:
        """Return the function that a lower layer calls with (done, total)."""
        return self._hear

    def _hear(self, done: int, total: int, /) -> None:
        memory = f"{peak_memory_mb()} MiB"
        self.bar.update(self.task, completed=done, total=total, memory=memory)  # type: ignore[arg-type]


def _finish(status: str) -> str:
    return f"{peak_memory_mb()} MiB · {status}"


def _bar(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description:<28}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("eta"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[memory]}"),
        console=console,
        disable=not console.is_terminal,
    )
