"""Seeds of a world are made, measured, kept and cleared; a changed coefficient shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from giftlive.config import RunConfig
from giftlive.logs.ingest import ingest as real_ingest
from giftlive.run import world_check
from giftlive.run.cache import Cache
from giftlive.run.progress import Reporter
from giftlive.run.steps import Workshop
from giftlive.run.world_check import Plan, measure_seeds
from giftlive.world import Scenario, build_world, load_scenario
from giftlive.world.calibration import check


def scenario(**settings: str) -> Scenario:
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    return load_scenario("kuailive", "tiny", dotted)


def shop(folder: Path) -> Workshop:
    return Workshop(Cache(folder), RunConfig(), Reporter())


def verdicts(made: Scenario, seeds: int, folder: Path) -> dict[str, str]:
    found = check(measure_seeds(Plan(made, seeds, 1), shop(folder)))
    return {line.target: line.verdict for line in found.lines}


def test_one_coefficient_moves_its_target_from_within_to_outside(tmp_path: Path) -> None:
    week = {"calendar__history_days": "7"}
    made = scenario(**week)
    assert verdicts(made, 3, tmp_path)["gift_rows_per_click"] == "within"
    changed = scenario(gift__base=str(made.gift.base + 3.0), **week)
    assert verdicts(changed, 1, tmp_path)["gift_rows_per_click"] == "outside"


def test_measured_seeds_are_kept_without_their_logs_and_never_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = scenario(calendar__history_days="3")
    first = measure_seeds(Plan(made, 2, 1), shop(tmp_path))
    assert [found.name for found in first] == ["seed 1", "seed 2"]
    kept = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(set(kept)) == ["entry.json", "measured.json"]
    heard: list[int] = []

    def count(of: Scenario, seed: int) -> object:
        heard.append(seed)
        return build_world(of, seed)

    monkeypatch.setattr(world_check, "build_world", count)
    assert measure_seeds(Plan(made, 3, 1), shop(tmp_path))[:2] == first
    assert heard == [3]


def test_an_interrupted_check_leaves_no_logs_and_goes_on_with_the_next_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = scenario(calendar__history_days="3")
    stop = {"at": 2, "calls": 0}

    def ingest(*args: object, **settings: object) -> object:
        stop["calls"] += 1
        if stop["calls"] == stop["at"]:
            raise KeyboardInterrupt
        return real_ingest(*args, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(world_check, "ingest", ingest)
    with pytest.raises(KeyboardInterrupt):
        measure_seeds(Plan(made, 2, 1), shop(tmp_path))
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        "entry.json",
        "measured.json",
    }
    measure_seeds(Plan(made, 2, 1), shop(tmp_path))
    assert stop["calls"] == 3


@pytest.mark.slow
def test_jobs_change_nothing(tmp_path: Path) -> None:
    made = scenario(calendar__history_days="3")
    one = measure_seeds(Plan(made, 2, 1), shop(tmp_path / "one"))
    assert measure_seeds(Plan(made, 2, 2), shop(tmp_path / "two")) == one
