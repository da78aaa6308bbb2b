"""Count how often intervals hold the truth: cells, replications, tallies that add up.

A cell is one law of a population, one size and its cases. Every block of replications has a
population of its own, drawn from that law, and its truth; replication r draws its users from the
stream named (cell, r). So blocks may run anywhere, in any order, and their tallies add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from giftlive.evaluation.coverage.cases import CASES, POPULATIONS, Case
from giftlive.evaluation.coverage.sample import Sample, draw, whole
from giftlive.evaluation.coverage.statistics import estimate
from giftlive.rng import stream
from giftlive.stats.coverage_table import CoverageRow
from giftlive.stats.influence import Linearised
from giftlive.types import Progress, silent

SEED = 2_026
BLOCK = 250
"""Replications that share a population."""


@dataclass(frozen=True)
class Cell:
    """One population at one sample size; all its cases see the same samples."""

    population: str
    rows_per_user: int
    clusters: int

    def cases(self) -> tuple[Case, ...]:
        """Return the cases that are measured here."""
        return tuple(c for c in CASES if c.runs_in(self))


@dataclass(frozen=True)
class Tally:
    """What happened to one case and tail in a number of replications.

    Attributes
    ----------
    replications, covered, below, above, withheld : counts; ``below`` is a truth under the
        interval, ``withheld`` a replication without an interval.
    width : sum over replications of the interval's width over the true value.
    cv, skew : of the influence values, the largest of the populations that were drawn from.
    """

    replications: int = 0
    covered: int = 0
    below: int = 0
    above: int = 0
    withheld: int = 0
    width: float = 0.0
    cv: float = 0.0
    skew: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.replications + other.replications,
            self.covered + other.covered,
            self.below + other.below,
            self.above + other.above,
            self.withheld + other.withheld,
            self.width + other.width,
            max(self.cv, other.cv),
            max(self.skew, other.skew, key=abs),
        )


Tallies = dict[tuple[str, str, str], Tally]
"""(statistic, method, tail) -> tally."""


def cells(largest: int | None = None) -> tuple[Cell, ...]:
    """Return every cell with at least one case, small ones first."""
    found = {
        Cell(name, rows, clusters)
        for case in CASES
        for name, rows, clusters in case.sizes()
        if largest is None or clusters <= largest
    }
    return tuple(sorted(found, key=lambda c: (c.clusters, c.population, c.rows_per_user)))


def run_block(cell: Cell, first: int, size: int, seed: int = SEED) -> Tallies:
    """Measure replications from ``first`` on of a cell, on a population of their own."""
    everybody = _everybody(cell.population, cell.rows_per_user, first // BLOCK)
    found: Tallies = {
        (case.statistic, case.method, tail): _spread(estimate(case.statistic, everybody, tail))
        for case in cell.cases()
        for tail in case.tails
    }
    for r in range(first, first + size):
        rng = stream(seed, cell.population, cell.rows_per_user, cell.clusters, r)
        sample = draw(everybody.population, cell.clusters, rng)
        for case in cell.cases():
            for tail in case.tails:
                truth = estimate(case.statistic, everybody, tail).value
                key = (case.statistic, case.method, tail)
                found[key] = found[key] + _one(case, sample, tail, truth)
    return found


@lru_cache(maxsize=1)
def _everybody(population: str, rows_per_user: int, turn: int) -> Sample:
    """Return a population as a sample of itself; its statistics are kept for the next cell."""
    return whole(POPULATIONS[population](rows_per_user, turn))


def _spread(truth: Linearised) -> Tally:
    """Return the variation and the skewness of a statistic's influence values."""
    psi = truth.influence * len(truth.influence)
    sd = float(np.sqrt(np.mean(psi**2)))
    if not sd or not truth.value:
        return Tally()
    return Tally(cv=sd / abs(truth.value), skew=float(np.mean(psi**3)) / sd**3)


def _one(case: Case, sample: Sample, tail: str, truth: float) -> Tally:
    low, high = case.maker(sample, tail, truth)
    if not (np.isfinite(low) and np.isfinite(high)):
        return Tally(replications=1, withheld=1)
    return Tally(
        replications=1,
        covered=int(low <= truth <= high),
        below=int(truth < low),
        above=int(truth > high),
        width=float(high - low) / abs(truth) if truth else 0.0,
    )


def run_cell(
    cell: Cell, replications: int, seed: int = SEED, progress: Progress = silent
) -> tuple[CoverageRow, ...]:
    """Measure a cell from the first replication to the last and return its rows."""
    total: Tallies = {}
    for first in range(0, replications, BLOCK):
        size = min(BLOCK, replications - first)
        total = added(total, run_block(cell, first, size, seed))
        progress(first + size, replications)
    return rows_of(cell, total)


def added(a: Tallies, b: Tallies) -> Tallies:
    """Return the tallies of both together."""
    return {key: a.get(key, Tally()) + b.get(key, Tally()) for key in {**a, **b}}


def rows_of(cell: Cell, tallies: Tallies) -> tuple[CoverageRow, ...]:
    """Return the table's rows of a measured cell."""
    return tuple(
        _row(cell, case, tail, tallies[case.statistic, case.method, tail])
        for case in cell.cases()
        for tail in case.tails
    )


def _row(cell: Cell, case: Case, tail: str, tally: Tally) -> CoverageRow:
    given = tally.replications - tally.withheld
    return CoverageRow(
        statistic=case.statistic,
        method=case.method,
        tail=tail,
        rows_per_cluster=cell.rows_per_user,
        clusters=cell.clusters,
        replications=tally.replications,
        covered=tally.covered,
        below=tally.below,
        above=tally.above,
        withheld=tally.withheld,
        relative_width=tally.width / given if given else 0.0,
        cv=tally.cv,
        skew=tally.skew,
    )
