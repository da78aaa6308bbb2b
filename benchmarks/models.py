"""What value models cost: CPU seconds of a fit, microseconds of a prediction and of the Scorer.

    python -m benchmarks.models [--rows 5000000] [--models hurdle,ziln] [--threads 2]

Rows are drawn from a law of gifts: 40 features of user, room and pair, 1.5 % of the rows with a
gift, amounts log-normal around a sum of some of the features. Every model is fitted in a process
of its own that shares the rows, beside LightGBM's plain Tweedie regression on the same rows.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.models.base import FittedModel
from giftlive.models.folder import save
from giftlive.models.model_scorer import model_scorer
from giftlive.models.registry import make
from giftlive.rng import stream
from giftlive.tables.features.sides import Sides
from giftlive.types import Floats, Ints

USER, ROOM, PAIR = 13, 13, 14
FEATURES = USER + ROOM + PAIR
PEER = "LightGBM, Tweedie"
ROUNDS, LEAVES = 200, 31
ASKED = 200_000
"""Rows whose prediction is timed."""
BATCH, CANDIDATES, ROOMS = 1_000, 200, 5_000


@dataclass(frozen=True)
class Rows:
    """Features [n, 40], amounts [n], users [n]."""

    X: Floats
    y: Floats
    user: Ints
    names: tuple[str, ...]


def drawn(n: int) -> Rows:
    """Return ``n`` rows, drawn in pieces so that little more than the rows is held."""
    X, y = np.empty((n, FEATURES)), np.empty(n)
    for k, start in enumerate(range(0, n, 250_000)):
        part, g = slice(start, min(start + 250_000, n)), stream(k, "rows of the benchmark")
        size = part.stop - part.start
        x = np.log1p(g.exponential(3.0, (size, FEATURES)))
        score = x[:, :4].sum(1) + x[:, USER : USER + 3].sum(1) + 1.5 * x[:, -1] - 8.6
        gave = g.random(size) < 1.0 / (1.0 + np.exp(6.3 - 0.8 * score))
        mean = 0.7 * x[:, 0] + 0.5 * x[:, USER] + 0.3 * x[:, -2]
        y[part] = np.where(gave, np.ceil(np.exp(mean + g.normal(0.0, 1.2, size))), 0.0)
        X[part] = np.expm1(x)
        X[part, :PAIR:3][g.random((size, 5)) < 0.3] = -1.0
    sides = [*("user" for _ in range(USER)), *("streamer" for _ in range(ROOM))]
    names = tuple(f"{side}_{j}" for j, side in enumerate([*sides, *("pair" for _ in range(PAIR))]))
    return Rows(X, y, np.arange(n) // 40, names)


@dataclass(frozen=True)
class Cost:
    """What one model cost; ``scorer`` None where there is none.

    ``predict_us``: microseconds of a row by the wall and of all threads together.
    """

    name: str
    wall: float
    cpu: float
    predict_us: tuple[float, float]
    scorer_us: float | None
    loss: float | None
    peak_gb: float
    kilobytes: float | None


def cost_of(name: str, rows: Rows, threads: int) -> Cost:
    """Fit and ask one model."""
    wall, cpu = time.perf_counter(), time.process_time()
    model: Any = _peer(rows, threads) if name == PEER else _fit(name, rows)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    some = rows.X[:ASKED]
    asked_wall, asked_cpu = _seconds(lambda: model.predict(some))
    predict_us = 1e6 * asked_wall / len(some), 1e6 * asked_cpu / len(some)
    if name == PEER:
        return Cost(name, wall, cpu, predict_us, None, None, peak, None)
    scorer_us, loss = _scorer(model, rows)
    return Cost(name, wall, cpu, predict_us, scorer_us, loss, peak, _saved(model))


def _fit(name: str, rows: Rows) -> FittedModel:
    return make(name).fit(rows.X, rows.y, rows.user, names=rows.names)


def _peer(rows: Rows, threads: int) -> Any:
    import lightgbm

    return lightgbm.LGBMRegressor(
        objective="tweedie",
        n_estimators=ROUNDS,
        num_leaves=LEAVES,
        learning_rate=0.05,
        n_jobs=threads,
        verbose=-1,
    ).fit(rows.X, rows.y)


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return seconds by the wall and of all threads together, of the second call."""
    work()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _scorer(model: FittedModel, rows: Rows) -> tuple[float, float]:
    """Return CPU microseconds per pair from finished vectors, and 1 − R² of the logs."""
    at = np.arange(FEATURES)
    sides = Sides(at[:USER], at[USER : USER + ROOM], at[USER + ROOM :])
    some = slice(0, 400_000)
    made = model_scorer(model, rows.X[some], rows.names, rows.user[some], sides=sides)
    g = stream(1, "pairs of the benchmark")
    users = made.scorer.user_vectors(rows.X[:BATCH][:, sides.user])
    rooms = made.scorer.room_vectors(rows.X[:ROOMS][:, sides.room])
    shown = g.integers(0, min(ROOMS, len(rows.X)), (BATCH, CANDIDATES))
    terms = g.normal(size=shown.shape)
    _, spent = _seconds(lambda: made.scorer.score_rooms(users, rooms, shown, terms))
    return 1e6 * spent / shown.size, 1.0 - made.loss.r2_log


def _saved(model: FittedModel) -> float:
    with tempfile.TemporaryDirectory(prefix="giftlive-") as scratch:
        save(model, Path(scratch) / "model")
        return sum(p.stat().st_size for p in Path(scratch).rglob("*") if p.is_file()) / 1024


def main() -> None:
    """Print one row per model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--models", default="hurdle,ziln,tweedie_glm,two_part,ridge")
    parser.add_argument("--threads", type=int, default=2, help="of the peer")
    asked = parser.parse_args()
    rows = drawn(asked.rows)
    gifts = float((rows.y > 0).mean())
    print(f"{asked.rows:,} rows x {FEATURES} features, {gifts:.2%} with a gift")
    head = f"{'model':20}{'fit s':>9}{'fit CPU s':>11}{'x peer CPU':>12}{'predict us':>12}"
    print(
        head + f"{'CPU us':>8}{'Scorer us':>11}{'1 - R2 log':>12}{'peak GiB':>10}{'KiB saved':>11}"
    )
    peer = 0.0
    for name in (PEER, *asked.models.split(",")):
        cost = _apart(name, rows, asked.threads)
        peer = peer or cost.cpu
        print(_line(cost, peer), flush=True)


def _apart(name: str, rows: Rows, threads: int) -> Cost:
    """Return the cost, measured in a forked process: it shares the rows and has its own peak."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=lambda: theirs.send(cost_of(name, rows, threads)))
    child.start()
    theirs.close()
    try:
        found: Cost = ours.recv()
    finally:
        child.join()
    return found


def _line(cost: Cost, peer: float) -> str:
    bare = f"{'-':>11}{'-':>12}"
    scorer = bare if cost.scorer_us is None else f"{cost.scorer_us:11.3f}{cost.loss:12.3f}"
    saved = f"{'-':>11}" if cost.kilobytes is None else f"{cost.kilobytes:11.0f}"
    return (
        f"{cost.name:20}{cost.wall:9.1f}{cost.cpu:11.1f}{cost.cpu / peer:12.2f}"
        f"{cost.predict_us[0]:12.2f}{cost.predict_us[1]:8.2f}{scorer}{cost.peak_gb:10.2f}{saved}"
    )


if __name__ == "__main__":
    main()
