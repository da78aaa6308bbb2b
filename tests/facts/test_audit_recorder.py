"""The recorder's switches one by one: its finding appears and no other; all off, there is none.

The detectors see the logs alone: the worlds are written without ``truth/``.
"""

from __future__ import annotations

import pytest
from tests.facts.audit_worlds import CLEAN, DEFAULTS, PLANTED, counts, defects

from giftlive.world import load_scenario

SEEDS = range(1, 21)


def test_a_clean_world_has_no_defect() -> None:
    assert defects(CLEAN) == set()


def test_the_defaults_are_all_named() -> None:
    assert defects({}) == set(DEFAULTS)


@pytest.mark.parametrize("finding", PLANTED)
def test_one_switch_makes_its_own_finding_and_no_other(finding: str) -> None:
    # Of 119 users the detector of selection sees enough in three worlds of four only.
    scale = "0.01" if finding == "selected_users" else "tiny"
    assert defects(CLEAN | PLANTED[finding], scale) == {finding}


def test_every_switch_of_the_recorder_is_tried() -> None:
    recorder = load_scenario("kuailive").recorder.model_dump()
    coefficients = {"presses", "title_dim", "fast_seconds", "slow_seconds", "lag_power"}
    assert set(CLEAN) == set(recorder) - coefficients
    tried = {key for switches in PLANTED.values() for key in switches}
    assert set(CLEAN) <= tried


@pytest.mark.slow
def test_few_clean_worlds_are_accused() -> None:
    """One detector in a thousand, at most: 20 worlds with 20 detectors hold less than two."""
    assert sum(counts(CLEAN, "tiny", SEEDS).values()) <= 1
    on_a_grid = counts(CLEAN | {"grid_ms": "500"}, "tiny", SEEDS)
    assert sum(on_a_grid.values()) <= len(SEEDS) + 1


@pytest.mark.slow
def test_the_defaults_are_found_in_most_worlds() -> None:
    found = counts({}, "tiny", SEEDS)
    assert set(found) == set(DEFAULTS)
    assert min(found.values()) >= 0.8 * len(SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("finding", PLANTED)
def test_a_larger_world_says_the_same(finding: str) -> None:
    assert defects(CLEAN | PLANTED[finding], "small", 3) == {finding}
