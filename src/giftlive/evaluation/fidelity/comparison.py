"""Every world of the comparison, on the same seeds: the calibrated one and the historical two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from giftlive.evaluation.fidelity.measure import Reading, clocked_book, readings_of, rounds_book
from giftlive.evaluation.fidelity.rounds_log import IN_ROUNDS
from giftlive.evaluation.fidelity.score import Score, scores_of, targets_within
from giftlive.facts import FactBook
from giftlive.types import Progress, silent
from giftlive.world import Scenario, load_scenario
from giftlive.world.calibration import Target

CALIBRATED, LOGS = "calibrated", "these logs"
ROUNDS = ("v1", "v2")
"""The presets in rounds that stand beside the calibrated world."""


@dataclass(frozen=True)
class Comparison:
    """What every world says about every target.

    Attributes
    ----------
    scale : of the calibrated world, 1 = full size. seeds : of every world.
    ties : for every world that was played twice on one seed, whether nothing differed.
    """

    table: tuple[Target, ...]
    scale: float
    seeds: tuple[int, ...]
    readings: tuple[Reading, ...]
    ties: tuple[bool, ...]

    def scores(self, world: str) -> tuple[Score, ...]:
        """Return how every number of the table fared in ``world``."""
        return scores_of(self.readings, self.table, world)

    def judged(self, world: str) -> dict[str, bool]:
        """Return the gated targets of ``world``, and whether each is within its tolerance."""
        return targets_within(self.scores(world), self.scale)


def compare(
    scenario: Scenario,
    seeds: Sequence[int],
    table: Sequence[Target],
    logs: FactBook,
    *,
    first: FactBook | None = None,
    memory_limit: str = "2GB",
    progress: Progress = silent,
) -> Comparison:
    """Measure the calibrated world, the worlds in rounds and the logs of the run.

    Parameters
    ----------
    scenario : the calibrated world, clocked. seeds : on which every world is made anew.
    logs : facts of the run's own source. first : facts of the calibrated world on the first
        seed, where they are known already; nothing else may be handed in.
    progress : told after each world.
    """
    found = list(readings_of(logs, LOGS, 0, table))
    rounds = {name: load_scenario(name) for name in ROUNDS}
    steps = len(seeds) * (1 + len(ROUNDS)) + len(ROUNDS)
    done = 0

    def book(name: str, seed: int) -> FactBook:
        if name in ROUNDS:
            return rounds_book(rounds[name], seed, memory_limit=memory_limit)
        if first is not None and seed == seeds[0]:
            return first
        return clocked_book(scenario, seed, memory_limit=memory_limit)

    def read(name: str, seed: int) -> tuple[Reading, ...]:
        nonlocal done
        only = IN_ROUNDS if name in ROUNDS else None
        readings = readings_of(book(name, seed), name, seed, table, only)
        done += 1
        progress(done, steps)
        return readings

    for name in (CALIBRATED, *ROUNDS):
        for seed in seeds:
            found += read(name, seed)
    ties = tuple(set(read(name, seeds[0])) <= set(found) for name in ROUNDS)
    return Comparison(tuple(table), scenario.scale, tuple(seeds), tuple(found), ties)
