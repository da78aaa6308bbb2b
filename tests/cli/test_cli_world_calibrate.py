"""``giftlive world calibrate``: what it writes, what it says, how it goes on and how it refuses."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from giftlive.world import load_scenario
from giftlive.world.calibration import Moments

Cli = Callable[..., CompletedProcess[str]]
Refused = Callable[..., str]

PARAMETERS = '["watch.bounce_seconds"]\nlow = 0.5\nhigh = 20.0\ntransform = "log"\n'
SMALL = (
    *("world", "calibrate", "--scale", "0.001", "--seeds", "2", "--jobs", "1", "--rounds", "1"),
    *("--set", "calendar.history_days=5", "--parameters", "p.toml"),
    *("--set", "watch.bounce_seconds=5"),  # off its fit: at the fit no step would be tried
)


@pytest.fixture
def parameters(cli: Cli) -> None:
    Path("p.toml").write_text(PARAMETERS, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("parameters")
def test_it_writes_a_preset_and_a_report_and_a_second_run_makes_nothing(cli: Cli) -> None:
    done = cli(*SMALL, "--out", "fitted.toml")
    assert done.returncode == 0, done.stderr
    text = Path("fitted.toml").read_text(encoding="utf-8")
    assert text.splitlines()[1].startswith("# giftlive world calibrate --preset kuailive")
    assert 'base = "kuailive"' in text
    report = json.loads(Path("fitted.calibration.json").read_text(encoding="utf-8"))
    (known,) = report["identified"]["parameters"]
    assert load_scenario("fitted.toml").watch.bounce_seconds == known["value"]
    assert load_scenario("fitted.toml").calendar.history_days == 5
    assert report["evaluations_made"] > 0
    assert "watch_p50_s" in done.stdout
    assert "watch.bounce_seconds" in done.stdout
    assert "round 1" in done.stderr
    again = cli(*SMALL, "--out", "again.toml", "--json")
    found = json.loads(again.stdout)
    assert found["evaluations_made"] == 0
    assert found["rows"] == report["rows"]
    assert Path("again.toml").read_text(encoding="utf-8") == text


@pytest.mark.usefixtures("parameters")
def test_an_interruption_says_what_is_kept(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["giftlive.world.calibration.fit"]
    real, calls = module.moments, []

    def tired(*arguments: Any, **named: Any) -> Moments:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        found: Moments = real(*arguments, **named)
        return found

    monkeypatch.setattr(module, "moments", tired)
    done = cli(*SMALL, "--out", "fitted.toml")
    assert done.returncode == 2
    assert "interrupted; 1 evaluations of this run are kept" in done.stderr
    assert not Path("fitted.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--out", "fitted.json"), "a file that ends with .toml"),
        (("--out", "nowhere/fitted.toml"), "in a folder that exists"),
        (("--out", "f.toml", "--preset", "v1"), "plays in rounds"),
        (("--out", "f.toml", "--parameters", "none.toml"), "no such file"),
        (("--out", "f.toml", "--set", "click.base=-9"), "outside"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    refused: Refused, arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused("world", "calibrate", *arguments)
