"""The clustered bootstrap of a ratio of sums against plain NumPy, many rows and replicates.

All estimate money per row from the same number of resamples of users. The peers are what one
writes first: sums per user by ``numpy.bincount``, then, per replicate, a weight for every user
and two dot products. They must hold a number per user, cannot be merged, and pay for the users
alone; the state of ``SumsBootstrap`` meets a user again in every block of rows, so with one row
per user all three do the same work.

- poisson:   the weights are ``Generator.poisson(1.0)``
- redrawn:   as many users as there are, drawn with replacement and counted by ``bincount``

The peers' replicates are alike, so a tenth of them is timed and multiplied.
"""

from __future__ import annotations

import argparse
import math
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter, process_time

import numpy as np

from giftlive.rng import stream
from giftlive.stats.bootstrap_sums import SumsBootstrap
from giftlive.types import Floats, Ints

SEED = 1
CHUNK = 100_000
PEER_SHARE = 10


@dataclass(frozen=True)
class Rows:
    """User [n] and (amount, 1) [n, 2] of every row; ``users`` ids exist."""

    user: Ints
    terms: Floats
    users: int


@dataclass(frozen=True)
class Cost:
    """What one call took: wall and processor seconds (of all threads)."""

    wall: float
    processor: float


def draw_rows(rows: int, users: int) -> Rows:
    """Draw rows of which 1.5 % are gifts of heavy-tailed whole amounts."""
    draw = stream(SEED, "benchmark rows")
    user = draw.permutation(rows) if users == rows else draw.integers(0, users, rows)
    amount = np.where(draw.random(rows) < 0.015, np.ceil(10.0 / draw.random(rows)), 0.0)
    return Rows(user, np.column_stack([amount, np.ones(rows)]), users)


def mergeable(data: Rows, replicates: int, threads: int) -> Floats:
    """Return R resampled ratios from rows that come in chunks."""
    state = SumsBootstrap.init(2, replicates, SEED)
    for start in range(0, len(data.user), CHUNK):
        part = slice(start, start + CHUNK)
        state = state.update(data.user[part], data.terms[part], threads)
    return np.asarray(state.draws[:, 0] / state.draws[:, 1])


Weigh = Callable[[np.random.Generator, int], Floats]


def poisson(draw: np.random.Generator, users: int) -> Floats:
    """Return a Poisson(1) weight for every user."""
    return draw.poisson(1.0, users).astype(np.float64)


def redrawn(draw: np.random.Generator, users: int) -> Floats:
    """Return how often each user is among as many drawn with replacement."""
    return np.bincount(draw.integers(0, users, users), minlength=users).astype(np.float64)


def plain(data: Rows, replicates: int, weigh: Weigh) -> Floats:
    """Return R resampled ratios from sums per user, one draw of weights after another."""
    draw = stream(SEED, "peer")
    num = np.bincount(data.user, data.terms[:, 0], minlength=data.users)
    den = np.bincount(data.user, data.terms[:, 1], minlength=data.users)
    ratios = np.empty(replicates)
    for r in range(replicates):
        weights = weigh(draw, data.users)
        ratios[r] = (weights @ num) / (weights @ den)
    return ratios


def cost(work: Callable[[], object], times: float) -> Cost:
    """Return what one call of ``work`` takes, multiplied by ``times``."""
    wall, processor = perf_counter(), process_time()
    work()
    return Cost((perf_counter() - wall) * times, (process_time() - processor) * times)


def peak_megabytes(work: Callable[[], object]) -> float:
    """Return the most memory that ``work`` holds at once, besides what was there before."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def disagreement(data: Rows, replicates: int, threads: int) -> str:
    """Return in words what is wrong with the two, '' where nothing is.

    The standard errors of two bootstraps with other weights differ by chance; five standard
    deviations of that, each being about 1 / sqrt(2 R) of the standard error, are allowed.
    """
    one, alone = mergeable(data, replicates, threads), mergeable(data, replicates, 1)
    if not np.array_equal(one, alone):
        return f"{threads} threads and 1 thread differ"
    for weigh in (poisson, redrawn):
        ratio = float(one.std() / plain(data, replicates, weigh).std())
        if abs(ratio - 1.0) > 5.0 / math.sqrt(replicates):
            return f"standard errors differ by a factor of {ratio:.3f} from {weigh.__name__}"
    return ""


def show(data: Rows, replicates: int, threads: int, repeats: int) -> None:
    """Print cost, memory and ratios of one size."""
    few = max(1, replicates // PEER_SHARE)
    peers = {f"NumPy, {weigh.__name__}": weigh for weigh in (poisson, redrawn)}
    works: dict[str, Callable[[], object]] = {
        name: partial(plain, data, few, weigh) for name, weigh in peers.items()
    }
    for count in sorted({1, threads}):
        works[f"state, {count} thread(s)"] = partial(mergeable, data, replicates, count)
    costs: dict[str, list[Cost]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            costs[name].append(cost(work, replicates / few if name in peers else 1.0))
    processor = {name: median(c.processor for c in found) for name, found in costs.items()}
    best = min(processor[name] for name in peers)
    print(f"\n{len(data.user):,} rows of {data.users:,} users, {replicates:,} replicates")
    print(f"{'':20}{'wall s':>9}{'processor s':>13}{'peak MB':>9}{'x best peer':>13}")
    for name, work in works.items():
        wall, memory = median(c.wall for c in costs[name]), peak_megabytes(work)
        faster = best / processor[name]
        print(f"{name:20}{wall:9.2f}{processor[name]:13.2f}{memory:9.1f}{faster:13.2f}")


def main() -> int:
    """Print a table per number of users; exit 1 if threads or the peer disagree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--replicates", type=int, default=1_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    problem = disagreement(draw_rows(20_000, 5_000), 400, asked.threads)
    if problem:
        print(problem)
        return 1
    for users in asked.users:
        show(draw_rows(asked.rows, users), asked.replicates, asked.threads, asked.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
