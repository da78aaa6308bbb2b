"""Worlds that teach the Bayes order: kept when made, made again when harmed."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from giftlive.errors import NotEnoughDataError
from giftlive.evaluation import bayes_order
from giftlive.evaluation.bayes_order import Taught, law_of, teach
from giftlive.evaluation.rollouts.cells import CellStore
from giftlive.world import load_scenario

SCENARIO = load_scenario("kuailive", "0.001", {"calendar.history_days": "6"})


def same(one: Taught, other: Taught) -> None:
    for a, b in zip(astuple(one), astuple(other), strict=True):
        assert_array_equal(a, b)


def test_a_lesson_is_kept_and_a_harmed_one_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = CellStore(tmp_path, "this code")
    made = teach(SCENARIO, 1, "1GB", store)
    (path,) = tmp_path.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(bayes_order, "world_log", None)  # a kept lesson needs no world
        same(teach(SCENARIO, 1, "1GB", store), made)
        with pytest.raises(TypeError):
            teach(SCENARIO, 2, "1GB", store)
        with pytest.raises(TypeError):
            teach(SCENARIO, 1, "1GB", CellStore(tmp_path, "other code"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    same(teach(SCENARIO, 1, "1GB", store), made)
    path.write_bytes(content[:100])
    same(teach(SCENARIO, 1, "1GB", store), made)


def lesson(seed: int, rows: int, kept: int) -> Taught:
    g = np.random.default_rng(seed)
    x = g.standard_normal((kept, 2))
    return Taught(x, np.exp(x[:, 0]), np.full(kept, rows / kept), rows)


def test_the_rows_of_the_worlds_count_not_those_that_were_drawn() -> None:
    law = law_of([lesson(seed, 10_000, 500) for seed in range(4)])
    at = np.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    found = law.at(at, 2_000)
    assert found.rows == 40_000
    assert (np.diff(found.value) > 0.0).all()
    with pytest.raises(NotEnoughDataError, match="40,000 rows for models of 2,001"):
        law.at(at, 2_001)
