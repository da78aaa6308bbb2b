"""One world, one seed: its log, measured by the facts, as readings of the target table."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from giftlive.errors import UsageError
from giftlive.evaluation.fidelity.rounds_log import play_at_random, write_rounds_log
from giftlive.facts import Fact, FactBook, compute_facts
from giftlive.logs.ingest import ingest
from giftlive.types import Progress, silent
from giftlive.world import Scenario, build_world, write_twin
from giftlive.world.calibration import Target


@dataclass(frozen=True)
class Reading:
    """The ``value`` that one world has under one seed for one number of a target.

    Attributes
    ----------
    world, seed : which. target, fact : the published quantity and the fact that measured it.
    part : which number of the target. unit : of the value, which is None where the world has no
    such number.
    """

    world: str
    seed: int
    target: str
    fact: str
    part: int
    unit: str
    value: float | None


def readings_of(
    book: FactBook,
    world: str,
    seed: int,
    table: Sequence[Target],
    only: Collection[str] | None = None,
) -> tuple[Reading, ...]:
    """Return what ``book`` says about every target of ``table``, or about those in ``only``.

    A target that no fact measures has readings without a value.
    """
    return tuple(
        Reading(world, seed, target.name, name, part, unit, value)
        for target in table
        if only is None or target.name in only
        for part, (name, unit, value) in enumerate(_numbers(book, target))
    )


def _numbers(book: FactBook, target: Target) -> Iterator[tuple[str, str, float | None]]:
    try:
        facts: tuple[Fact, ...] = book.published(target.name, target.days)
    except UsageError:
        yield from ((target.name, "", None) for _ in target.value)
        return
    yield from ((fact.name, fact.unit, fact.value) for fact in facts)


def clocked_book(
    scenario: Scenario, seed: int, *, memory_limit: str = "2GB", progress: Progress = silent
) -> FactBook:
    """Simulate a clocked world in a temporary folder and measure its log."""

    def write(folder: Path) -> None:
        world = build_world(scenario, seed)
        write_twin(world, folder, truth=False, format="parquet", progress=progress)

    return _measured(write, memory_limit)


def rounds_book(scenario: Scenario, seed: int, *, memory_limit: str = "2GB") -> FactBook:
    """Play a world in rounds at random and measure its contacts."""

    def write(folder: Path) -> None:
        world = build_world(scenario, seed)
        write_rounds_log(world, play_at_random(world, seed), folder)

    return _measured(write, memory_limit)


def _measured(write: Callable[[Path], None], memory_limit: str) -> FactBook:
    with tempfile.TemporaryDirectory(prefix="giftlive-") as scratch:
        folder = Path(scratch)
        write(folder / "logs")
        return compute_facts(ingest(folder / "logs", folder / "store", memory_limit=memory_limit))
