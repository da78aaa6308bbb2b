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
_EVEN = {"amount.wealth": "0.5", "amount.sigma": "0.5", "people.price_sigma": "0.3"}
"""Users who give alike: a week's revenue is not that of its few dearest viewings."""


def world(**settings: str) -> World:
    return grown(3, settings)


def grown(seed: int, settings: dict[str, str]) -> World:
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    return build_world(load_scenario("kuailive", "0.002", _WHOLE | dotted), seed)


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


@pytest.mark.slow
def test_clicks_that_an_outage_took_are_made_up_for(tmp_path: Path) -> None:
    """Half of the heaviest week is lost: the ratio stays; blind to it, it is off twice as far."""
    made_up, blind = np.zeros(6), np.zeros(6)
    for k in range(6):
        heaviest = int(np.argmax(weekly(grown(4 + k, _EVEN | _NO_OUTAGES))))
        days = [7 * heaviest + day for day in range(7)]
        lost = {"recorder.outage_days": str(days), "recorder.outage_drop": str([0.5] * 7)}
        made, logs = grown(4 + k, _EVEN | lost), tmp_path / str(k)
        write_twin(made, logs)
        made_up[k] = (expected_weekly_ratio(logs) or 0.0) / of_history(made)
        recipe = logs / "scenario.toml"
        text = re.sub(
            r"outage_(days|drop) = \[[^\]]*\]", r"outage_\1 = []", recipe.read_text("utf-8")
        )
        recipe.write_text(text, encoding="utf-8")
        blind[k] = (expected_weekly_ratio(logs) or 0.0) / of_history(made)
    off, off_blind = (float(np.abs(x - 1.0).mean()) for x in (made_up, blind))
    assert abs(made_up.mean() - 1.0) < 0.03
    assert off < 0.03
    assert off_blind > 2.0 * off


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
