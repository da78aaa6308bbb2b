"""Moments of several worlds at once: facts of one store in which nobody lives twice."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from giftlive.errors import UsageError
from giftlive.facts import compute_facts
from giftlive.logs.ingest import ingest
from giftlive.world import Scenario, build_world, load_scenario, write_twin
from giftlive.world.calibration import fitted_targets, moments
from giftlive.world.calibration.moments import ON_EXPECTED, SECTIONS, standard_errors
from giftlive.world.calibration.pool import MILLI, expected_store, pooled, simulate
from giftlive.world.history import History
from giftlive.world.recorder import survey

TABLES = {"click": "click", "gift": "gift", "negative": "negative", "like": "likes"}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("kuailive", "0.001", {"calendar.history_days": "14"})


def test_a_pool_has_the_rows_of_its_worlds_and_nobody_twice(
    scenario: Scenario, tmp_path: Path
) -> None:
    parts = [simulate(scenario, seed, tmp_path) for seed in (1, 2)]
    tz = scenario.calendar.tz
    alone = [pooled([part], tmp_path / f"alone-{i}", tz) for i, part in enumerate(parts)]
    both = pooled(parts, tmp_path / "both", tz)
    for table in TABLES:
        assert both.source.rows[table] == sum(store.source.rows[table] for store in alone) > 0
    with both.connect() as con:
        for column in ("user_id", "streamer_id", "live_id"):
            counts = [_distinct(store.connect(), column) for store in alone]
            assert _distinct(con, column) == sum(counts)
        rows = con.execute("SELECT row_id, ts FROM click ORDER BY row_id").fetchnumpy()
    assert np.array_equal(rows["row_id"], np.arange(both.source.rows["click"]))
    assert (np.diff(rows["ts"]) >= 0).all()


def _distinct(con: object, column: str) -> int:
    sql = f"SELECT count(DISTINCT {column}) FROM click"
    (count,) = con.execute(sql).fetchone()  # type: ignore[attr-defined]
    return int(count)


def test_the_pool_of_one_world_measures_what_its_written_log_measures(
    scenario: Scenario, tmp_path: Path
) -> None:
    write_twin(build_world(scenario, 3), tmp_path / "log", truth=False)
    book = compute_facts(ingest(tmp_path / "log", tmp_path / "store"), sections=SECTIONS)
    found = moments(scenario, (3,))
    for target in fitted_targets():
        if target.name in ON_EXPECTED:
            continue
        known = [fact.value for fact in book.published(target.name, target.days)]
        assert list(found.values[target.name]) == known, target.name
    assert found.each == (found.values,)


def test_expected_revenue_is_that_of_the_kept_users(scenario: Scenario, tmp_path: Path) -> None:
    parts = [simulate(scenario, seed, tmp_path) for seed in (1, 2)]
    store = expected_store(parts, tmp_path / "expected", scenario.calendar.tz)
    with store.connect() as con:
        found = con.execute("SELECT sum(amount), count(DISTINCT ts) FROM gift").fetchnumpy()
        total, quarters = (float(column[0]) for column in found.values())
    assert store.source.rows["gift"] == quarters  # one row a quarter of an hour
    wanted = 0.0
    for seed in (1, 2):
        world = build_world(scenario, seed)
        logs = list(History(world).chunks())
        keeps = survey(world, partial(iter, logs)).keeps_user()
        wanted += sum(float(log.expected[keeps[log.user]].sum()) for log in logs)
    assert total / MILLI == pytest.approx(wanted, rel=1e-3)


def test_equal_seeds_give_equal_moments_and_other_seeds_others(scenario: Scenario) -> None:
    one, two = moments(scenario, (1, 2)), moments(scenario, (1, 2))
    assert one == two
    assert 0 < one.users <= 2 * scenario.kept_users
    assert moments(scenario, (1, 3)).values != one.values


def test_errors_are_those_of_a_mean_and_unknown_ones_infinite() -> None:
    worlds = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, np.nan]])
    assert standard_errors(worlds).tolist() == [pytest.approx(2.0 / 3**0.5), np.inf]


def test_a_seed_that_occurs_twice_is_refused(scenario: Scenario) -> None:
    with pytest.raises(UsageError, match="twice"):
        moments(scenario, (1, 1))
