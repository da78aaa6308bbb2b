"""What became of each step is recorded; it is shown only where somebody looks."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from giftlive.run.progress import Reporter
from giftlive.types import Message


def reporter(terminal: bool) -> tuple[Reporter, io.StringIO]:
    stream = io.StringIO()
    return Reporter(Console(file=stream, force_terminal=terminal, width=120)), stream


def run_three_steps(watched: Reporter) -> None:
    with watched.step("ingest") as step:
        step.listener(1, 2)
    with watched.step("features") as step:
        step.cached = True
    with pytest.raises(ZeroDivisionError), watched.step("baseline"):
        raise ZeroDivisionError


def test_every_step_is_recorded_with_its_outcome() -> None:
    watched, _ = reporter(terminal=False)
    run_three_steps(watched)
    watched.skip("off_policy", Message("study.skipped.missing_tables", {"missing": "click"}))
    assert [(step.name, step.status) for step in watched.steps] == [
        ("ingest", "done"),
        ("features", "cached"),
        ("baseline", "failed"),
        ("off_policy", "skipped"),
    ]
    assert all(step.seconds >= 0 for step in watched.steps)
    assert watched.steps[-1].reason is not None


def test_nobody_watches_nothing_is_written() -> None:
    watched, stream = reporter(terminal=False)
    run_three_steps(watched)
    assert stream.getvalue() == ""


def test_a_terminal_sees_outcome_eta_and_memory() -> None:
    watched, stream = reporter(terminal=True)
    run_three_steps(watched)
    shown = stream.getvalue()
    for word in ("ingest", "eta", "MiB", "· done", "· cached", "· failed"):
        assert word in shown
