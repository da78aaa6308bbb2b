"""What holds for the result of every study that runs by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from giftlive.evaluation.results import Estimate, StudyResult
from giftlive.reports import missing_keys, translate
from giftlive.reports.answers import answer_key, answer_params
from giftlive.reports.i18n import catalogue, holes, messages
from giftlive.reports.numbers import unit_rule
from giftlive.run.canonical import canonical_json
from giftlive.run.verify import gates, verification


def require_sentences(result: StudyResult, lang: str) -> None:
    """Every sentence exists, none claims the public data, and headers fit their cells."""
    assert missing_keys([result], lang) == []
    require_answer(result, lang)
    require_percent(result)
    for message in messages(result):
        assert "kuailive" not in translate(message, lang).lower()


def require_answer(result: StudyResult, lang: str) -> None:
    """The line that heads its slide needs nothing that the study does not give."""
    assert holes(catalogue(lang)[answer_key(result.study)]) <= set(answer_params(result))


def require_percent(result: StudyResult) -> None:
    """A column that promises % holds %: 0.67 under it would be read as 0.67 %."""
    for table in result.tables:
        for row in table.rows:
            for unit, cell in zip(table.units, row, strict=True):
                if isinstance(cell, Estimate) and unit_rule(unit).factor != 1:
                    assert unit_rule(cell.unit).factor == unit_rule(unit).factor, (table.name, unit)


def require_verified(
    result: StudyResult, folder: Path, table: str, row: int, column: int, cell: str
) -> None:
    """Every number is found again, and one that is moved by 1e-6 is named as ``cell``."""
    written: dict[str, Any] = json.loads(canonical_json(result.as_dict()))
    rules, _ = gates.rules_of()
    found = verification._study(folder, written, rules)
    for tally in (found.estimates, found.figures, found.gates):
        assert tally.differences == (), tally.differences
        assert tally.unverified == ()
        assert tally.agreed == tally.claims > 0
    (moved,) = (t for t in written["tables"] if t["name"] == table)
    moved["rows"][row][column]["value"] += 1e-6
    (wrong,) = verification._study(folder, written, rules).estimates.differences
    assert wrong.name == cell
