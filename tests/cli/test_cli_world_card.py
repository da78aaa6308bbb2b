"""``giftlive world card``: a page with its own command, and its refusals."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Cli = Callable[..., CompletedProcess[str]]
Refused = Callable[..., str]

SMALL = ("world", "card", "--scale", "0.003", "--set", "calendar.history_days=2", "--seeds", "2")


def test_the_card_is_written_by_the_command_it_names(cli: Cli) -> None:
    done = cli(*SMALL, "--no-sensitivity", "--out", "card.md")
    assert (done.returncode, done.stdout) == (0, "card: card.md\n")
    text = Path("card.md").read_text(encoding="utf-8")
    named = text.split("Written by `")[1].split("`")[0]
    assert shlex.split(named)[1:3] == ["world", "card"]
    assert "--set calendar.history_days=2" in named
    assert text.count("\n## ") == 5


@pytest.mark.slow
def test_the_bands_may_be_of_other_worlds_and_say_so(cli: Cli) -> None:
    other = ("--bands-scale", "0.002", "--bands-seeds", "3")
    assert cli(*SMALL, *other, "--out", "card.md").returncode == 0
    text = Path("card.md").read_text(encoding="utf-8")
    assert " ".join(other) in text.split("Written by `")[1].split("`")[0]
    assert "Scale 0.003, 2 seeds" in text
    assert "3 paired seeds at scale 0.002" in text


def test_a_world_in_rounds_has_no_card(refused: Refused) -> None:
    assert "--preset" in refused("world", "card", "--preset", "v1", "--scale", "tiny", "--out", "c")


def test_a_report_that_is_not_there_is_refused_before_any_work(refused: Refused) -> None:
    message = refused(*SMALL, "--calibration", "no.json", "--out", "c.md")
    assert "no.json" in message
