"""``giftlive verify``: a table and exit 0, or the first difference and exit 1."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from giftlive.cli import verify as command
from giftlive.run.verify import Difference, Tally, Verification

Cli = Callable[..., CompletedProcess[str]]
WRONG = Difference("baseline", "ece_model", "0.25", "0.26", "results/baseline.json, estimates[3]")
SOUND = Verification(
    (Tally("baseline", 9, 7, 2e-16, excused=(("one", "not kept"), ("two", "not kept"))),)
)
BROKEN = Verification((*SOUND.tallies, Tally("gates", 2, 1, 0.0, (WRONG,)), Tally("x", 1, 0, 0.0)))
LOST = Verification((Tally("luck", 1, 0, 0.0, unverified=(("stars", "no telescope"),)),))


@pytest.fixture
def told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Callable[..., CompletedProcess[str]]:
    """Run the command on a run folder whose verification says what it is told."""

    def call(found: Verification, *arguments: str) -> CompletedProcess[str]:
        monkeypatch.setattr("giftlive.run.verify.verify", lambda run, progress: found)
        return cli("verify", *arguments)

    return call


def test_a_sound_run_is_a_table_and_silence(told: Any) -> None:
    done = told(SOUND, "RUN")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["subject", *command_columns()]
    assert lines[1].split() == ["baseline", "9", "7", "2.0e-16", "2"]
    assert lines[2] == "baseline: 2 not verified, not kept"


def command_columns() -> list[str]:
    return ["estimates", "agreed", "largest", "difference", "not", "verified"]


def test_json_carries_everything(told: Any) -> None:
    done = told(SOUND, "RUN", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["sound"]) == (0, True)
    assert found["subjects"][0]["excused"] == [["one", "not kept"], ["two", "not kept"]]


def test_a_difference_is_named_with_both_values_and_exits_1(told: Any) -> None:
    done = told(BROKEN, "RUN")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "giftlive: results/baseline.json, estimates[3]: baseline: ece_model is 0.25, computed "
        "again 0.26; expected"
    )
    assert json.loads(told(BROKEN, "RUN", "--json").stdout)["sound"] is False


def test_what_cannot_be_computed_again_exits_1(told: Any) -> None:
    done = told(LOST)
    assert done.returncode == 1
    assert "luck: stars" in done.stderr
    assert "no telescope" in done.stderr


def test_a_foreign_folder_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert "not a run folder" in refused("verify", folder)
    assert command.verify.__doc__
