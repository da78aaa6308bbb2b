"""Real donations: what their audit must say, and must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from giftlive.facts import Evidence, Finding, audit
from giftlive.logs.ingest import ingest
from giftlive.reports.i18n import translate

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def found(gdq: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    evidence = Evidence.of(ingest(gdq, tmp_path_factory.mktemp("gdq") / "store"))
    findings = {finding.name: finding for finding in audit(evidence)}
    evidence.con.close()
    return findings


def test_broken_run_times_are_reported(found: dict[str, Finding]) -> None:
    """All 50 runs of sgdq2011, 41 of agdq2012, one of agdq2013 and three of sgdq2013."""
    broken = found["broken_rooms"]
    assert broken.severity == "defect"
    assert broken.counted is not None
    assert (broken.counted.numerator, broken.counted.denominator) == (95, 1_424)
    said = translate(broken.detail)
    assert "sgdq2011 50 of 50" in said
    assert "agdq2012 41 of 108" in said


def test_marathons_without_run_times_lose_their_gifts(found: dict[str, Finding]) -> None:
    lost = found["gifts_without_room"]
    assert lost.severity == "defect"
    summer_2011 = "2011-08-01 to 2011-08-14 (1,118 of 1,118)"
    winter_2012 = "2012-01-03 to 2012-01-16 (3,833 of 5,874)"
    assert {summer_2011, winter_2012} <= set(lost.examples)


def test_nothing_else_is_held_against_real_donations(found: dict[str, Finding]) -> None:
    defects = {name for name, finding in found.items() if finding.severity == "defect"}
    assert defects == {
        "rejects.room.start and end are the same instant",
        "timestamp_grid_ms",
        "broken_rooms",
        "gifts_without_room",
    }
    assert found["timestamp_grid_ms"].value == 1_000
    assert found["anonymous_gifts"].value == pytest.approx(0.208, abs=5e-4)
