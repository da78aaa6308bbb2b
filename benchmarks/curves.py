"""Cost curves: how processor time grows with rows, users, rooms, candidates and workers.

Every curve is measured at five small sizes, one thread, the smallest of several turns at each size
(noise on a busy machine only adds). Its exponent is fitted by least squares on logarithms,

    log cost = a + b log size + error,

with the 95 % interval of b by Student's t on (sizes - 2) degrees of freedom. An exponent near 1
means twice the work for twice the size; fixed costs bend small sizes towards 0, which is why the
plan beyond them is made in shards of the largest measured size and not by the curve alone.

``--quick`` measures smaller sizes. ``--json`` prints what the benchmarks page is made of.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
from joblib import Parallel, delayed
from scipy import special

from benchmarks.allocation import sparse
from benchmarks.dual_price import decision_works, retrieval_works
from benchmarks.tables_log import Size, cached_log
from giftlive.allocation.batch_certificate import batch_certificate
from giftlive.logs.store import Store
from giftlive.run.cache import default_cache
from giftlive.tables.build import build_tables
from giftlive.tables.options import TableOptions

Work = Callable[[], object]
POINTS = 5


@dataclass(frozen=True)
class Curve:
    """One cost curve.

    Attributes
    ----------
    what : the piece of work. per : what ``sizes`` counts. unit : what ``seconds`` are of.
    sizes, seconds : equal-length, ascending sizes and processor seconds.
    exponent, low, high : fitted, with the 95 % interval.
    """

    name: str
    what: str
    per: str
    unit: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    exponent: float
    low: float
    high: float


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> tuple[float, float, float]:
    """Return the exponent of a power law through the points and its 95 % interval.

    Examples
    --------
    >>> b, low, high = exponent([1, 2, 4, 8], [3, 6, 12, 24])
    >>> round(b, 6), round(low, 6), round(high, 6)
    (1.0, 1.0, 1.0)
    """
    if len(sizes) < 3 or min(*sizes, *seconds) <= 0.0:
        raise ValueError(f"{len(sizes)} points; expected at least 3, all above 0")
    x, y = np.log(sizes) - np.log(sizes).mean(), np.log(seconds) - np.log(seconds).mean()
    slope = float(x @ y / (x @ x))
    residual, freedom = y - slope * x, len(sizes) - 2
    error = float(np.sqrt(residual @ residual / freedom / (x @ x)))
    half = float(special.stdtrit(freedom, 0.975)) * error
    return slope, slope - half, slope + half


def cheapest(work: Work, repeats: int, calls: int = 1) -> float:
    """Return the fewest processor seconds of one call, of ``repeats`` turns after a warm one."""
    work()
    return min(_turn(work, calls) for _ in range(repeats))


def _turn(work: Work, calls: int) -> float:
    started = process_time()
    for _ in range(calls):
        work()
    return (process_time() - started) / calls


def curve(name: str, what: str, per: str, unit: str, points: Mapping[int, float]) -> Curve:
    """Return a curve with its fitted exponent."""
    sizes, seconds = tuple(points), tuple(points.values())
    return Curve(name, what, per, unit, sizes, seconds, *exponent(sizes, seconds))


def doubled(first: int) -> tuple[int, ...]:
    """Return five sizes, each twice the one before.

    Examples
    --------
    >>> doubled(10)
    (10, 20, 40, 80, 160)
    """
    return tuple(first << k for k in range(POINTS))


def rows_curve(first: int, cache: Path) -> Curve:
    """Measure labels and all features, native form, against the clicks of the log."""
    points: dict[int, float] = {}
    for clicks in doubled(first):
        store = Store.open(cached_log(cache, Size().with_clicks(clicks)))
        options = TableOptions(form="native", memory_limit="1GB", threads=1)
        with tempfile.TemporaryDirectory() as made:
            if not points:  # compiling is not counted
                build_tables(store, Path(made) / "warm", options)
            started = process_time()
            build_tables(store, Path(made) / "out", options)
            points[clicks] = process_time() - started
    what = "labels and all point-in-time features (`build_tables`, native form)"
    return curve("rows", what, "clicks", "a build", points)


def users_curve(first: int, repeats: int) -> Curve:
    """Measure the offline prices of a day, against its users."""
    batches = {users: sparse(users, 1_000, 20) for users in doubled(first)}
    points = {
        users: cheapest(partial(batch_certificate, batch, passes=30, tolerance=1e-3), repeats)
        for users, batch in batches.items()
    }
    what = "prices and bound of a day, 1,000 rooms, 20 candidates a user (`batch_certificate`)"
    return curve("users", what, "users", "a day", points)


def rooms_curve(first: int, repeats: int) -> Curve:
    """Measure one decision among all rooms, by exact retrieval, against the rooms."""
    points = {}
    for rooms in doubled(first):
        works = retrieval_works(rooms, 200, 1.0)
        points[rooms] = cheapest(works["top 200, dual_price"], repeats, 20)
    what = "one decision among all live rooms (`Retriever.top`, then `DualPrice`)"
    return curve("rooms", what, "rooms", "a decision", points)


def candidates_curve(first: int, repeats: int) -> Curve:
    """Measure one decision of a batch, against its candidates."""
    points = {}
    for candidates in doubled(first):
        work = decision_works(200, candidates)["dual_price"]
        points[candidates] = cheapest(work, repeats, 5) / 200
    what = "one decision of a batch of 200 (`DualPrice.decide`)"
    return curve("candidates", what, "candidates", "a decision", points)


def workers_curve(users: int, repeats: int) -> Curve:
    """Measure what a shard of work costs in all processes together, against the processes.

    Eight equal shards are priced by 1 to 5 worker processes. An exponent of 0 says that workers
    add no work of their own; wall time is not read, for the machine is shared.
    """
    points = {}
    for workers in range(1, POINTS + 1):
        spent = []
        for _ in range(repeats):
            with Parallel(n_jobs=workers) as pool:
                pool(delayed(shard)(100, k) for k in range(workers))  # workers compile first
                spent.append(sum(pool(delayed(shard)(users, k) for k in range(8))) / 8)
        points[workers] = min(spent)
    what = "prices of one shard of eight, shards given to worker processes by joblib"
    return curve("workers", what, "worker processes", "a shard", points)


def shard(users: int, seed: int) -> float:
    """Return the processor seconds that one shard of users takes."""
    batch = sparse(users + seed, 1_000, 20)
    started = process_time()
    batch_certificate(batch, passes=30, tolerance=1e-3)
    return process_time() - started


def curves(quick: bool, cache: Path) -> Iterator[Curve]:
    """Measure every curve; ``quick`` at a quarter of the sizes."""
    scale, repeats = (1, 2) if quick else (4, 3)
    yield rows_curve(5_000 * scale, cache)
    yield users_curve(1_000 * scale, repeats)
    yield rooms_curve(5_000 * scale, repeats)
    yield candidates_curve(25 * scale, repeats)
    yield workers_curve(1_000 * scale, repeats)


def main() -> int:
    """Print every curve with its exponent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer turns")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--cache", type=Path, default=default_cache() / "benchmarks")
    asked = parser.parse_args()
    found = list(curves(asked.quick, asked.cache))
    if asked.json:
        print(json.dumps([asdict(each) for each in found]))
        return 0
    for each in found:
        print(f"\n{each.what}\n{each.per:>18}{'ms ' + each.unit:>18}")
        for size, seconds in zip(each.sizes, each.seconds, strict=True):
            print(f"{size:18,}{1e3 * seconds:18.3f}")
        print(f"exponent {each.exponent:.2f} [{each.low:.2f}, {each.high:.2f}]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
