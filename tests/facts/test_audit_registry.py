"""Every detector says what it looks for, when it accuses, and what follows; in words that exist."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from giftlive.facts import Evidence, Finding, audit
from giftlive.facts.audit import DETECTORS, UNDETECTABLE
from giftlive.logs.store import Store
from giftlive.reports.i18n import catalogue, translate

DOCS = Path(__file__).resolve().parents[2] / "docs" / "audit.md"
MakeStore = Callable[..., Store]
NAMES = [detector.name for detector in DETECTORS]


def listed(store: Store) -> list[Finding]:
    evidence = Evidence.of(store)
    try:
        return audit(evidence)
    finally:
        evidence.con.close()


def test_names_are_told_apart() -> None:
    assert len(set(NAMES) | set(UNDETECTABLE)) == len(NAMES) + len(UNDETECTABLE)


@pytest.mark.parametrize("detector", DETECTORS, ids=NAMES)
def test_a_detector_has_its_words(detector: Any) -> None:
    said = {key for key in catalogue("en") if key.startswith(f"audit.{detector.name}.")}
    words = {key.rpartition(".")[2] for key in said}
    assert {"looks_for", "rule", "clean", "consequence"} <= words
    assert words - {"looks_for", "rule", "clean", "consequence"}
    assert "{" not in translate(detector.rule, strict=True)
    assert translate(detector.looks_for, strict=True)


def test_the_documents_name_every_detector_and_what_cannot_be_seen() -> None:
    text = DOCS.read_text(encoding="utf-8")
    missing = [name for name in (*NAMES, *UNDETECTABLE) if f"`{name}`" not in text]
    assert missing == []


@pytest.mark.parametrize(
    "tables", [("click",), ("gift",), ("negative",), ("click", "gift", "negative")]
)
def test_every_detector_answers_whatever_the_source(
    make_store: MakeStore, random_logs: Callable[..., Any], tables: tuple[str, ...]
) -> None:
    rows = random_logs(5)
    findings = listed(make_store({name: rows[name] for name in tables}))
    assert {f.detector for f in findings} >= set(NAMES)
    for finding in findings:
        for message in (finding.detail, finding.consequence, finding.evidence):
            assert "{" not in translate(message, strict=True)
        if finding.name == "late_records" and finding.severity == "info":
            assert finding.counted is None  # without a lag there are no last hours to count in
        elif finding.status == "measured":
            assert finding.counted is not None
            assert finding.counted.numerator <= finding.counted.denominator
        else:
            assert (finding.severity, finding.value) == ("info", None)
    absent = {f.name: translate(f.detail) for f in findings if f.status == "not applicable"}
    assert "this source has no room rows" in absent["censored_rooms"]
    if "click" not in tables:
        assert "this source has no click" in absent["entry_stamping"]
        assert "no user or streamer rows" in absent["whole_period_columns"]


def test_a_finding_is_the_same_whatever_the_order_of_rows(
    make_store: MakeStore, random_logs: Callable[..., Any]
) -> None:
    rows = random_logs(6)
    assert listed(make_store(rows)) == listed(make_store(rows, shuffle=3))
