"""``giftlive world generate``: what it writes, what it says, and how it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from giftlive import world

Cli = Callable[..., CompletedProcess[str]]
Refused = Callable[..., str]

SMALL = ("world", "generate", "--scale", "0.001", "--set", "calendar.history_days=3")


def test_the_summary_says_what_was_written_and_what_it_took(cli: Cli) -> None:
    done = cli(*SMALL, "--out", "A")
    assert (done.returncode, done.stderr) == (0, "")
    facts = json.loads(cli(*SMALL, "--out", "B", "--json").stdout)
    lines = done.stdout.splitlines()
    for table, rows in facts["rows"].items():
        assert f"{table:<20}{rows:>12,} rows" in lines
        assert len(Path(f"A/{table}.csv").read_text(encoding="utf-8").splitlines()) == rows + 1
    users = facts["users"]
    assert users["kept"] == facts["rows"]["user"] <= users["qualified"] <= users["simulated"]
    assert facts["acceptance_rate"] == users["qualified"] / users["simulated"]
    assert f"{facts['acceptance_rate']:.1%} accepted" in done.stdout
    assert facts["bytes"] == sum(p.stat().st_size for p in Path("B").rglob("*") if p.is_file())
    assert facts["decisions"] >= facts["rows"]["click"] + facts["rows"]["negative"]
    assert facts["seconds"] > 0
    assert facts["peak_memory_mib"] > 50
    assert lines[-1] == "written: A"


def test_a_log_that_keeps_everybody_does_not_say_that_they_did_everything(cli: Cli) -> None:
    everybody = (*SMALL, "--set", "recorder.select_users=false")
    users = next(x for x in cli(*everybody, "--out", "A").stdout.splitlines() if "users" in x)
    facts = json.loads(cli(*everybody, "--out", "B", "--json").stdout)
    count = facts["users"]["simulated"]
    assert users == f"{'users':<20}{count:>12,} kept of {count:,} simulated"
    assert facts["users"]["qualified"] < facts["users"]["kept"] == count
    assert facts["acceptance_rate"] is None


def test_the_folder_holds_the_scenario_that_writes_it_again(cli: Cli) -> None:
    settings = ("--set", "gift.base=-2", "--set", "calendar.tz=Europe/Vienna", "--seed", "5")
    cli(*SMALL, *settings, "--out", "A")
    done = cli("world", "generate", "--preset", "A/scenario.toml", "--seed", "5", "--out", "B")
    assert done.returncode == 0
    files = [path.relative_to("A") for path in Path("A").rglob("*") if path.is_file()]
    assert Path("scenario.toml") in files
    for path in files:
        assert (Path("A") / path).read_bytes() == (Path("B") / path).read_bytes()


def test_the_scenario_beside_the_logs_is_no_part_of_them(cli: Cli) -> None:
    cli(*SMALL, "--out", "A")
    with_it = json.loads(cli("ingest", "--source", "A", "--out", "S", "--json").stdout)["source"]
    Path("A/scenario.toml").unlink()
    without = json.loads(cli("ingest", "--source", "A", "--out", "T", "--json").stdout)["source"]
    assert with_it["fingerprint"] == without["fingerprint"]
    assert with_it["rows"] == without["rows"]


def test_a_world_in_which_nobody_goes_on_air_is_refused(refused: Refused) -> None:
    never = ("--set", "stars.rooms_per_day=1e-9")
    message = refused(*SMALL, *never, "--out", "W")
    assert message.startswith("scenario kuailive: nobody goes on air; expected at least one room")


def test_a_rounds_world_is_refused_before_it_is_built(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "build_world", None)
    assert "plays in rounds" in refused("world", "generate", "--preset", "v1", "--out", "W")


def test_without_truth_there_is_none_and_the_logs_are_the_same(cli: Cli) -> None:
    cli(*SMALL, "--out", "A")
    done = cli(*SMALL, "--no-truth", "--out", "B")
    assert done.returncode == 0
    assert Path("A/truth/gifts.parquet").is_file()
    assert not Path("B/truth").exists()
    for path in Path("B").iterdir():
        assert path.read_bytes() == (Path("A") / path.name).read_bytes()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("recorder.outage_days=[3, 99]", "day 99 is not one of the 21 history days, 0 to 20"),
        ("recorder.arrival_lg=fast", "did you mean arrival_lag?"),
        ("recorder.arrival_lag=slwo", "'slow'"),
        ("recorder.orphans=-0.1", "key recorder.orphans: -0.1 is not valid"),
        ("recorder.outage_days=[1]", "same length"),
        ("recorder.select_active=true", "did you mean"),
    ],
)
def test_a_wrong_defect_is_named(refused: Refused, setting: str, words: str) -> None:
    assert words in refused("world", "generate", "--set", setting, "--out", "W")
