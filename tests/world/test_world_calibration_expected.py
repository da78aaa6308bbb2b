"""Expected revenue of the weeks, from the truth folder and from the history it was written of."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from giftlive.clock import MS_PER_DAY
from giftlive.errors import InputError
from giftlive.types import Floats
from giftlive.world import World, build_world, load_scenario, write_twin
from giftlive.world.calibration.expected import expected_weekly_ratio
from giftlive.world.history import History

_WHOLE = {
    "recorder.select_users": "false",
    "recorder.select_streamers": "false",
    "recorder.orphans": "0",
}
"""Nothing of what was shown is missing from the log, outages aside."""
_NO_OUTAGES = {"recorder.outage_days": "[]", "recorder.outage_drop": "[]"}


def world(**settings: str) -> World:
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    return build_world(load_scenario("kuailive", "0.002", _WHOLE | dotted), 3)


def of_history(made: World) -> float:
    """Return the ratio straight from what was shown; refused entries were never shown."""
    weeks = weekly(made)
    return float(weeks.max() / weeks.min())


def weekly(made: World) -> Floats:
    weeks = np.zeros(3)
    for log in History(made).chunks():
        week = (log.ts - made.origin_ms) // (7 * MS_PER_DAY)
        weeks += np.bincount(week, log.expected, minlength=3)[:3]
    return weeks


def test_the_truth_folder_gives_the_ratio_of_the_history(tmp_path: Path) -> None:
    made = world(**_NO_OUTAGES)
    write_twin(made, tmp_path / "logs")
    assert expected_weekly_ratio(tmp_path / "logs") == pytest.approx(of_history(made), rel=1e-9)


def test_clicks_that_an_outage_took_are_made_up_for(tmp_path: Path) -> None:
    weeks = weekly(world(**_NO_OUTAGES))
    days = [7 * int(np.argmax(weeks)) + k for k in range(7)]
    made = world(**{"recorder.outage_days": str(days), "recorder.outage_drop": str([0.5] * 7)})
    write_twin(made, tmp_path / "logs")
    true = of_history(made)
    assert expected_weekly_ratio(tmp_path / "logs") == pytest.approx(true, rel=0.2)
    recipe = tmp_path / "logs" / "scenario.toml"
    text = re.sub(r"outage_days = \[[^\]]*\]", "outage_days = []", recipe.read_text("utf-8"))
    text = re.sub(r"outage_drop = \[[^\]]*\]", "outage_drop = []", text)
    recipe.write_text(text, encoding="utf-8")
    blind = expected_weekly_ratio(tmp_path / "logs")
    assert blind is not None
    assert blind < 0.7 * true


def test_without_truth_or_two_weeks_there_is_no_expectation(tmp_path: Path) -> None:
    write_twin(world(), tmp_path / "bare", truth=False)
    assert expected_weekly_ratio(tmp_path / "bare") is None
    write_twin(world(calendar__history_days="13"), tmp_path / "short")
    assert expected_weekly_ratio(tmp_path / "short") is None


def test_a_broken_truth_is_refused_and_named(tmp_path: Path) -> None:
    write_twin(world(calendar__history_days="3"), tmp_path / "logs")
    (tmp_path / "logs" / "truth" / "clicks.parquet").write_bytes(b"no table")
    with pytest.raises(InputError, match="truth"):
        expected_weekly_ratio(tmp_path / "logs")
