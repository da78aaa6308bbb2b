"""The audit as lines for a reader: what is wrong first, what passed in short."""

from __future__ import annotations

from typing import Any

from giftlive.cli.audit import _lines
from giftlive.run.health import HEALTH


def row(kind: str, subject: str, result: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "subject": subject,
        "result": result,
        "detail": f"detail of {subject}",
        "consequence": "this follows",
    }


def test_defects_first_failed_trials_in_full_passed_ones_counted() -> None:
    future = [row("leak trial: future", f"f{k}", "passed") for k in range(60)]
    lift = [row("leak trial: lift", f"f{k}", "passed") for k in range(58)]
    lines = list(
        _lines(
            [
                *future,
                *lift,
                row("leak trial: lift", "f58", "not enough data"),
                row("leak trial: lift", "f59", "FAILED"),
                row(HEALTH, "zero_watch", "info"),
                row(HEALTH, "bursts.click", "defect"),
            ]
        )
    )
    assert [line.split()[0] for line in lines] == [
        "defect", "info", "FAILED", "not", "passed", "passed",
    ]  # fmt: skip
    assert lines[0].endswith("detail of bursts.click. this follows")
    assert "f59" in lines[2]
    assert "f58" in lines[3]
    assert "leak trial: future  (60)" in lines[4]
    assert "leak trial: lift    (58)" in lines[5]
