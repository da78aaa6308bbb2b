"""The benchmark of allocation: its tables, its lines, and its exit code."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import allocation as bench
from giftlive.allocation.admission import Day
from giftlive.allocation.batch import Batch
from giftlive.allocation.replanning import greedy_day


def test_the_table_has_every_rule_and_misses_the_line_when_the_rule_is_bad(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "LINES", {"linear": 0.9, "log": 0.8})  # three small markets
    assert bench.rules(3, users=600, rooms=30, kinds=["linear", "log"])
    lines = capsys.readouterr().out.splitlines()
    assert [line[9:33].strip() for line in lines[2:]] == 2 * list(bench.RULES)
    means = np.array([float(line[33:41]) for line in lines[2:]]).reshape(2, 3)
    assert (np.diff(means, axis=1) > 0.0).all()  # every rule beats the one above it

    def greedy(today: Batch, _: Batch) -> Day:
        return greedy_day(today)

    monkeypatch.setitem(bench.RULES, "solved 50 times a day", greedy)
    assert not bench.rules(3, users=600, rooms=30, kinds=["linear", "log"])


def test_solvers_and_the_large_batch_print_what_they_did(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench.solvers(users=500, rooms=60, repeats=1)
    bench.large(users=2_000, rooms=100, edges=10)
    out = capsys.readouterr().out
    assert "exact flow" in out
    assert "price rule, limits checked" in out
    assert "2,000 users x 100 rooms x 10 candidates" in out
    gaps = [float(word.rstrip("%,")) for word in out.split() if word.rstrip(",").endswith("%")]
    assert len(gaps) == 3
    assert max(gaps) < 3.0


def test_a_sparse_batch_names_every_room_once_per_user() -> None:
    batch = bench.sparse(50, 40, 8)
    assert all(len(set(row)) == 8 for row in batch.rooms.tolist())
    assert batch.capacity.sum() == 60
