"""A world made for a question: its rows with their truth, and nothing left behind."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.evaluation.world_logs import world_log, world_store
from giftlive.tables.options import TableOptions
from giftlive.world import Scenario, load_scenario


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("kuailive", "0.002", {"calendar.history_days": "6"})


def test_rows_come_with_their_truth_and_the_folder_goes(scenario: Scenario) -> None:
    with world_store(scenario, 3) as made:
        folder = made.folder
        assert made.store.source.capabilities >= {"click", "gift", "negative", "room"}
    assert not folder.exists()
    with world_log(scenario, 3) as log:
        assert len(log.truth.value) == len(log.matrix) > 0
        assert log.truth.clicks.min() >= 1
        assert (log.truth.value > 0).mean() > 0.9
        assert log.matrix.unit == "session"


def test_the_seed_decides_and_the_options_are_those_given(scenario: Scenario) -> None:
    options = TableOptions(unit="click", threads=1)
    with world_log(scenario, 3) as one, world_log(scenario, 3) as again:
        assert np.array_equal(one.matrix.X, again.matrix.X, equal_nan=True)
        assert np.array_equal(one.truth.value, again.truth.value)
    with world_log(scenario, 4, options=options) as other:
        assert other.matrix.unit == "click"
        assert len(other.matrix) != len(one.matrix)
