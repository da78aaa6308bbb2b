"""Allocation: what online rules keep of the best possible, and what solvers and decisions cost.

    python -m benchmarks.allocation [--seeds 20] [--part rules|solvers|large] [--returns log]

The first table serves fresh days of the log-normal market (`giftlive/allocation/lognormal.py`) and
compares the worth with D, the upper bound on what any rule could reach on the same day. The second
times solvers beside the exact flow, and a decision beside `numpy.argmax`. `--part large` prices a
million users by ten thousand rooms once.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks.timing import Work, in_turns
from giftlive.allocation.admission import Day, OpenDay, serve
from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_certificate import BatchCertificate, batch_certificate
from giftlive.allocation.batch_dual import batch_bound
from giftlive.allocation.flow import optimal_assignment
from giftlive.allocation.lognormal import LogNormalMarket, whole
from giftlive.allocation.replanning import greedy_day, replanned_day
from giftlive.allocation.returns import Kind, Returns
from giftlive.allocation.samples import top_edges
from giftlive.rng import stream
from giftlive.stats.intervals import student_t
from giftlive.types import Floats

RULES: dict[str, Callable[[Batch, Batch], Day]] = {
    "greedy": lambda today, _: greedy_day(today),
    "prices of yesterday": lambda today, before: replanned_day(today, before, replans=1),
    "solved 50 times a day": lambda today, before: replanned_day(today, before, replans=50),
}
LINES: dict[Kind, float] = {"linear": 0.955, "log": 0.935}
_EDGES = 100  # candidates per user whose prices prove the bound on all 500


def ratios(seed: int, kind: Kind, users: int, rooms: int) -> dict[str, float]:
    """Return worth over bound of every rule on one fresh day.

    The scale of log returns is yesterday's linear bound per room.
    """
    market = LogNormalMarket.draw(seed, users, rooms)
    scale = batch_certificate(top_edges(market.day(0), _EDGES)).bound / rooms
    returns = Returns(kind, scale)
    yesterday, today = market.day(0, returns), market.day(1, returns)
    prices = batch_certificate(top_edges(today, _EDGES)).prices
    bound = batch_bound(today, prices)
    return {name: rule(today, yesterday).worth / bound for name, rule in RULES.items()}


def rules(seeds: int, users: int, rooms: int, kinds: list[Kind]) -> bool:
    """Print mean, spread and 95 % interval of every rule; return whether the lines are reached."""
    reached = True
    print(f"{seeds} markets of {users:,} users and {rooms} rooms; worth / bound on a fresh day")
    print(f"{'returns':9}{'rule':24}{'mean':>8}{'s.d.':>8}{'lowest':>8}{'95 % low':>10}{'line':>8}")
    for kind in kinds:
        line = LINES[kind]
        each = [ratios(seed, kind, users, rooms) for seed in range(seeds)]
        for name in RULES:
            x = np.array([one[name] for one in each])
            found = student_t(x).low  # one market has no interval
            low = -np.inf if found is None else found
            asked = name.startswith("solved")
            reached &= low >= line or not asked
            print(
                f"{kind:9}{name:24}{x.mean():8.4f}{x.std(ddof=1):8.4f}{x.min():8.4f}{low:10.4f}"
                f"{line if asked else '':>8}",
                flush=True,
            )
    return reached


def solvers(users: int, rooms: int, repeats: int) -> None:
    """Print the time of every solver relative to the exact flow on 50 candidates per user."""
    market = LogNormalMarket.draw(0, users, rooms)
    full = market.day(0)
    top = top_edges(full, 50)
    scale = batch_certificate(top).bound / rooms
    log = top_edges(market.day(0, Returns("log", scale)), 50)
    exact = optimal_assignment(top.values, top.rooms, market.seats).value
    works: dict[str, Work] = {
        "exact flow": partial(optimal_assignment, top.values, top.rooms, market.seats),
        "bound, linear": partial(batch_certificate, top),
        "bound, log": partial(batch_certificate, log),
    }
    seconds = in_turns(works, repeats)
    priced = {"bound, linear": batch_certificate(top), "bound, log": batch_certificate(log)}
    print(f"\n{users:,} x {rooms}, 50 candidates{'seconds':>14}{'x flow':>9}{'gap':>10}")
    for name, times in seconds.items():
        gap = f"{priced[name].gap:.4%}" if name in priced else "exact"
        relative = median(times) / median(seconds["exact flow"])
        print(f"{name:31}{median(times):9.2f}{relative:9.1f}{gap:>10}")
    print(
        f"linear bound above the exact optimum by {priced['bound, linear'].bound / exact - 1:.1e}"
    )
    decisions(full, priced["bound, linear"], repeats)


def decisions(full: Batch, priced: BatchCertificate, repeats: int) -> None:
    """Print the time of one served decision over all rooms, beside argmax over the same values."""
    n = len(full)
    works: dict[str, Work] = {
        "numpy argmax": partial(np.argmax, full.values, axis=1),
        "price rule, limits checked": lambda: serve(full, OpenDay.of(full), priced.prices, 0, n),
    }
    seconds = in_turns(works, repeats)
    print(
        f"\n{f'decision over {full.room_count} rooms':34}{'us':>11}{'x argmax':>10}{'a second':>12}"
    )
    for name, times in seconds.items():
        each = median(times) / n
        relative = median(times) / median(seconds["numpy argmax"])
        print(f"{name:34}{each * 1e6:11.2f}{relative:10.1f}{1.0 / each:12,.0f}")


def large(users: int, rooms: int, edges: int) -> None:
    """Print time, memory and gap of the bound on a batch that fills no small machine."""
    batch = sparse(users, rooms, edges)
    started = perf_counter()
    priced = batch_certificate(batch, passes=60, tolerance=1e-3)
    seconds = perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{users:,} users x {rooms:,} rooms x {edges} candidates, log returns")
    print(
        f"{seconds:.1f} s, {priced.passes} passes, proved gap {priced.gap:.3%}, peak {peak:.2f} GB"
    )


def sparse(users: int, rooms: int, edges: int) -> Batch:
    """Draw heavy-tailed users, one candidate in every stripe of rooms, seats in short supply."""
    draw = stream(0, "large batch")
    listed = draw.integers(0, rooms // edges, (users, edges)) * edges + np.arange(edges)
    quality, popularity = draw.normal(0.0, 0.4, rooms), draw.pareto(1.2, rooms) + 1.0
    values: Floats = draw.normal(0.0, 0.5, (users, edges))
    values += draw.normal(0.0, 1.7, (users, 1)) + quality[listed]
    np.exp(values, out=values)
    seats = whole(popularity**0.6, round(1.2 * users)).astype(np.float64)
    return Batch(values, listed, seats, returns=Returns("log", float(values.max(1).sum()) / rooms))


def main() -> int:
    """Print the tables; exit 1 when the rule solved 50 times a day misses its lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=["rules", "solvers", "large", "both"], default="both")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--returns", choices=list(LINES), nargs="+", default=list(LINES))
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--rooms", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    reached = True
    if asked.part in {"rules", "both"}:
        reached = rules(asked.seeds, asked.users, asked.rooms, asked.returns)
    if asked.part in {"solvers", "both"}:
        solvers(asked.users, asked.rooms, asked.repeats)
    if asked.part == "large":
        large(100 * asked.users, 20 * asked.rooms, 20)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
