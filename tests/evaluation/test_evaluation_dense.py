"""Exposures of a tiny world: every row as it was shown, and arms that know nothing of test days."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from giftlive.evaluation.dense import ENTERED, MULTI, SINGLE, Budget, Shown, compared
from giftlive.evaluation.dense.exposures import load_exposures
from giftlive.logs.ingest import ingest
from giftlive.logs.store import Store
from giftlive.models.neural.extra import installed
from giftlive.tables.build import build_tables
from giftlive.tables.matrix import load_matrix
from giftlive.tables.splits import rolling_origins
from giftlive.types import Floats
from giftlive.world import build_world, load_scenario, write_twin

BUDGET = Budget((2e-3,), (0.1,), epochs=1, seed=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("dense")
    world = build_world(load_scenario("kuailive", "tiny", {}), 3)
    write_twin(world, made / "logs", truth=False, format="parquet")
    return made


@pytest.fixture(scope="module")
def data(folder: Path) -> Shown:
    store = ingest(folder / "logs", folder / "store")
    build_tables(store, folder / "tables")
    return load_exposures(store, folder / "tables", largest=10**9)


def test_entered_exposures_have_the_features_of_the_sample_table(data: Shown, folder: Path) -> None:
    matrix = load_matrix(folder / "tables")
    shared = [name for name in data.names if name in matrix.names]
    assert len(shared) == len(data.names) - 2
    entered = data.clicked
    ours = np.column_stack([data.user, *(data.column(name) for name in shared)])[entered]
    theirs = np.column_stack([matrix.user, *(matrix.column(name) for name in shared)])
    assert np.array_equal(_sorted(ours), _sorted(theirs), equal_nan=True)
    assert data.y.sum() == matrix.y.sum()


def _sorted(rows: Floats) -> Floats:
    return rows[np.lexsort(rows.T)]


def test_a_sample_of_exposures_keeps_users_and_shares(data: Shown, folder: Path) -> None:
    part = load_exposures(Store.open(folder / "store"), folder / "tables", largest=len(data) // 2)
    assert len(part) == pytest.approx(len(data) / 2, rel=0.05)
    assert part.clicked.mean() == pytest.approx(data.clicked.mean(), abs=0.02)
    assert len(np.unique(part.user)) > 0.9 * len(np.unique(data.user))


def test_only_entered_rooms_are_watched_and_given_to(data: Shown) -> None:
    assert 0.02 < data.clicked.mean() < 0.9
    assert (data.y[~data.clicked] == 0.0).all()
    assert np.isnan(data.watch_seconds[~data.clicked]).all()
    assert (data.watch_seconds[data.clicked] >= 0.0).all()
    assert data.names[-2:] == ("user_id", "streamer_id")


@pytest.mark.skipif(not installed(), reason="PyTorch is not installed (the extra `neural`)")
def test_no_arm_learns_from_the_days_it_is_tested_on(data: Shown) -> None:
    folds = rolling_origins(data.day, 3)
    heard: list[tuple[int, int]] = []
    first = compared(data, folds, BUDGET, lambda done, total: heard.append((done, total)))
    last = (data.day >= folds[-1].test[0]) & data.clicked
    other = replace(data, y=np.where(last, 99.0, data.y))
    again = compared(other, folds, BUDGET)
    assert set(first.shown) == {MULTI, SINGLE, ENTERED}
    assert all(np.array_equal(first.shown[arm], again.shown[arm]) for arm in first.shown)
    assert first.trials == again.trials
    assert heard[-1] == (11, 11)
    assert len(first.rows) == len(first.fold) == len(first.shown[MULTI])
