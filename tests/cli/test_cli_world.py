"""``giftlive world generate``: what it writes, what it says, and how it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

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
        ("recorder.arrival_lg=fast", "did you mean arrival_lag?"),
        ("recorder.arrival_lag=slwo", "'slow'"),
        ("recorder.orphans=-0.1", "key recorder.orphans: -0.1 is not valid"),
        ("recorder.outage_days=[1]", "same length"),
        ("recorder.select_active=true", "did you mean"),
    ],
)
def test_a_wrong_defect_is_named(refused: Refused, setting: str, words: str) -> None:
    assert words in refused("world", "generate", "--set", setting, "--out", "W")
