"""Count how often intervals hold the truth: cells, replications, tallies that add up.

A cell is one population, one size and its cases. Replication r of a cell draws its users from
the stream named (cell, r), so that blocks of replications may run anywhere, in any order, and
their tallies add up to the tally of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from giftlive.evaluation.coverage.cases import CASES, POPULATIONS, Case
from giftlive.evaluation.coverage.sample import Sample, draw, whole
from giftlive.evaluation.coverage.statistics import estimate
from giftlive.rng import stream
from giftlive.stats.coverage_table import CoverageRow
from giftlive.types import Progress, silent

SEED = 2_026
BLOCK = 50


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
    width : sum of the widths of the intervals there were.
    """

    replications: int = 0
    covered: int = 0
    below: int = 0
    above: int = 0
    withheld: int = 0
    width: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.replications + other.replications,
            self.covered + other.covered,
            self.below + other.below,
            self.above + other.above,
            self.withheld + other.withheld,
            self.width + other.width,
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
    """Measure replications ``first`` to ``first + size`` of a cell."""
    population = POPULATIONS[cell.population](cell.rows_per_user)
    truth = {
        (case.statistic, tail): estimate(case.statistic, whole(population), tail).value
        for case in cell.cases()
        for tail in case.tails
    }
    found: Tallies = {}
    for r in range(first, first + size):
        rng = stream(seed, cell.population, cell.rows_per_user, cell.clusters, r)
        sample = draw(population, cell.clusters, rng)
        for case in cell.cases():
            for tail in case.tails:
                key = (case.statistic, case.method, tail)
                seen = _one(case, sample, tail, truth[case.statistic, tail])
                found[key] = found.get(key, Tally()) + seen
    return found


def _one(case: Case, sample: Sample, tail: str, truth: float) -> Tally:
    low, high = case.maker(sample, tail, truth)
    if not (np.isfinite(low) and np.isfinite(high)):
        return Tally(replications=1, withheld=1)
    return Tally(
        replications=1,
        covered=int(low <= truth <= high),
        below=int(truth < low),
        above=int(truth > high),
        width=float(high - low),
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
    population = whole(POPULATIONS[cell.population](cell.rows_per_user))
    return tuple(
        _row(cell, case, tail, tallies[case.statistic, case.method, tail], population)
        for case in cell.cases()
        for tail in case.tails
    )


def _row(cell: Cell, case: Case, tail: str, tally: Tally, population: Sample) -> CoverageRow:
    truth = estimate(case.statistic, population, tail)
    psi = truth.influence * len(truth.influence)
    spread = float(np.sqrt(np.mean(psi**2)))
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
        relative_width=tally.width / given / abs(truth.value) if given and truth.value else 0.0,
        cv=spread / abs(truth.value) if truth.value else 0.0,
        skew=float(np.mean(psi**3)) / spread**3 if spread else 0.0,
    )


def merged(rows: Iterable[CoverageRow]) -> tuple[CoverageRow, ...]:
    """Return rows in the order of the table, each (statistic, method, tail, size) once."""
    by_key = {row.key: row for row in rows}
    return tuple(replace(by_key[key]) for key in sorted(by_key))
