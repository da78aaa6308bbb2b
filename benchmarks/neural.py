"""How long the network of the extra ``neural`` trains: CPU seconds per epoch and for a medium log.

    python -m benchmarks.neural [--rows 800000] [--epochs 1]

A medium log has about 2.5 million exposures. Random features cost what real ones do; how many
epochs a log needs is not random, so the total is given for the whole budget of epochs.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from giftlive.models.neural.multi_task import MultiTask
from giftlive.models.neural.training import Schedule
from giftlive.rng import stream

MEDIUM, FEATURES = 2_500_000, 38


def main() -> None:
    """Train on random exposures and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=800_000)
    parser.add_argument("--epochs", type=int, default=1)
    asked = parser.parse_args()
    n, g = asked.rows, stream(0, "bench")
    X = g.exponential(20.0, (n, FEATURES + 2))
    X[:, :10] = np.where(g.random((n, 10)) < 0.5, -1.0, X[:, :10])
    X[:, -2], X[:, -1] = g.integers(0, n // 100, n), np.floor(n / 30 * g.random(n) ** 2)
    sides = [*("user_x" for _ in range(13)), *("streamer_x" for _ in range(13))]
    names = [f"{side}{j}" for j, side in enumerate([*sides, *("pair_x" for _ in range(12))])]
    clicked = g.random(n) < 0.3
    y = np.where(clicked & (g.random(n) < 0.03), np.ceil(np.exp(g.normal(2.0, 1.5, n))), 0.0)
    seconds = np.where(clicked, g.exponential(60.0, n), np.nan)
    # Patience as long as training: random rows would end it early, and the whole is to be timed.
    whole = replace(Schedule(), epochs=asked.epochs, patience=asked.epochs)
    model = MultiTask(schedule=whole)
    import torch  # noqa: F401  (its import is not what is measured)

    wall, cpu = time.perf_counter(), time.process_time()
    fitted = model.fit(
        X,
        y,
        names=[*names, "user_id", "streamer_id"],
        clicked=clicked,
        watch_seconds=seconds,
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{n:,} rows, {asked.epochs} epochs: {wall:.1f} s wall, {cpu:.1f} s CPU")
    started = time.process_time()
    fitted.predict(X[:100_000])
    each = 1e6 * (time.process_time() - started) / min(n, 100_000)
    print(
        f"predict: {each:.1f} us CPU per row; {fitted.card()['fitted']['parameters']:,} parameters"
    )
    all_rows = cpu / n / asked.epochs * MEDIUM
    print(f"{MEDIUM:,} rows: at most {all_rows:.0f} s CPU per epoch, start and level included")


if __name__ == "__main__":
    main()
