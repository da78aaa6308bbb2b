"""Study 0.3b on tiny worlds: told in both languages, found again by verify, past spend ahead."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from giftlive.config import load_config
from giftlive.evaluation.behavioural import PUBLISHED, RANKERS, Number, Reading
from giftlive.evaluation.results import StudyResult
from giftlive.reports import missing_keys, translate
from giftlive.reports.i18n import messages
from giftlive.run.canonical import canonical_json
from giftlive.run.steps import TableFolder
from giftlive.run.verify import gates, verification
from giftlive.studies.behavioural_tables import TABLES, Behaviour
from giftlive.studies.context import Context
from giftlive.studies.registry import ON_REQUEST, STUDIES, find

NAME = "behavioural_fidelity"
TINY = {"fidelity.scale": "tiny", "fidelity.seeds": 2}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("behavioural")


@pytest.fixture(scope="module")
def result(run: Path) -> StudyResult:
    """Return the study's answer on two tiny worlds, with its rows kept in ``run``."""
    store: Any = SimpleNamespace(source=SimpleNamespace(fingerprint="f", kind="k", label="l"))
    context = Context(load_config(overrides=TINY), store, run, "tests")
    return find(NAME).run(replace(context, keep=TableFolder(run / "tables", NAME)))


@pytest.fixture(scope="module")
def written(result: StudyResult) -> Any:
    return json.loads(canonical_json(result.as_dict()))


def cells(result: StudyResult, table: str) -> dict[str, tuple[Any, ...]]:
    (found,) = (t for t in result.tables if t.name == table)
    return {str(row[0]): row[1:] for row in found.rows}


def test_it_runs_by_name_only() -> None:
    assert find(NAME) in ON_REQUEST
    assert find(NAME) not in STUDIES


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists_and_none_claims_the_public_data(
    result: StudyResult, lang: str
) -> None:
    assert missing_keys([result], lang) == []
    for message in messages(result):
        assert "kuailive" not in translate(message, lang).lower()
    for figure in result.figures:
        assert "kuailive" not in f"{figure.title} {figure.subtitle}".lower()


def test_past_spend_is_ahead_of_an_order_that_knows_nothing(result: StudyResult) -> None:
    order = cells(result, "order")
    assert list(order) == list(RANKERS)
    user, pair = ([c.value for c in order[f"{who}_past_spend"][:3]] for who in ("user", "pair"))
    assert user[2] > 0.2  # the top 1 % of two tiny worlds is one whale or none
    assert pair[0] > 0.05


def test_every_published_value_stands_beside_a_cell_of_its_own(result: StudyResult) -> None:
    assert tuple(table.name for table in result.tables) == TABLES
    for table in result.tables:
        assert len(table.units) == len(table.columns)
        assert all(len(row) == len(table.columns) for row in table.rows)
    shown = {
        (table.name, str(row[0]), column.removeprefix("published "))
        for table in result.tables
        for row in table.rows
        for column, cell in zip(table.columns, row, strict=True)
        if column.startswith("published ") and cell != ""
    }
    assert shown == set(PUBLISHED)


def test_counting_twice_makes_more_clicks_with_a_gift(result: StudyResult) -> None:
    double = {row: cell[0].value for row, cell in cells(result, "double").items()}
    once = double["clicks with a gift, last touch"]
    assert 0 < once < double["clicks with a gift, every click"]


def test_verify_finds_every_number_again(run: Path, result: StudyResult, written: Any) -> None:
    rules, _ = gates.rules_of()
    found = verification._study(run, written, rules)
    for tally in (found.estimates, found.figures, found.gates):
        assert tally.differences == ()
        assert tally.unverified == ()
        assert tally.agreed == tally.claims > 0


def test_verify_names_a_number_that_was_changed(
    run: Path, result: StudyResult, written: Any
) -> None:
    changed = json.loads(json.dumps(written))
    (gains,) = (t for t in changed["tables"] if t["name"] == "gains")
    gains["rows"][0][1]["value"] += 1e-6
    rules, _ = gates.rules_of()
    (wrong,) = verification._study(run, changed, rules).estimates.differences
    assert wrong.name.startswith("gains / ridge - user_past_spend / capture@1 %")


def test_too_few_seeds_print_no_interval(result: StudyResult) -> None:
    for estimate in result.estimates:
        assert estimate.low is None
        assert estimate.reason


def test_no_bound_of_a_share_lies_beyond_0_or_1() -> None:
    """Seven worlds capture nothing and one all: Student's t would begin below 0."""

    def low(values: list[float]) -> float | None:
        rows = tuple(
            Reading(k, Number("order", name, top, value))
            for k, value in enumerate(values)
            for name in RANKERS
            for top in ("capture@1 %", "capture@10 %")
        )
        rows += tuple(
            Reading(r.seed, replace(r.number, table="periods", column=when))
            for r in rows
            for when in ("early", "late")
            if r.number.column == "capture@1 %"
        )
        found = Behaviour(rows, 1.0, tuple(range(len(values))))
        return found.cells["order", "ridge", "capture@1 %"].low

    assert low([0.0] * 7 + [1.0]) is None
    even = low([0.5, 0.51, 0.49, 0.52, 0.48, 0.5, 0.53, 0.47])
    assert even is not None
    assert even > 0.45
