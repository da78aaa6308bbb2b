"""The benchmark of value models: rows of the stated kind, a cost of every kind, a table."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from benchmarks import models as bench


def test_rows_are_of_the_law_that_is_stated() -> None:
    rows = bench.drawn(60_000)
    assert rows.X.shape == (60_000, bench.FEATURES)
    assert len(rows.names) == bench.FEATURES
    assert (rows.y > 0).mean() == pytest.approx(0.015, abs=0.005)
    gifts = rows.y[rows.y > 0]
    assert gifts.max() > 20.0 * np.median(gifts)
    assert (rows.X == -1.0).any()
    assert np.array_equal(bench.drawn(60_000).X, rows.X)


@pytest.mark.slow
def test_the_table_names_every_model_beside_the_peer() -> None:
    # A process of its own: the benchmark forks, and LightGBM's threads must not have run before.
    command = [sys.executable, "-m", "benchmarks.models", "--rows", "20000"]
    done = subprocess.run(
        [*command, "--models", "tweedie_glm,ridge", "--threads", "1"],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert [line[:20].strip() for line in lines[2:]] == [bench.PEER, "tweedie_glm", "ridge"]
    assert len({len(line) for line in lines[1:]}) == 1  # the columns stand under each other
    assert float(lines[3].split()[1]) > 0.0
