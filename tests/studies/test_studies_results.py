"""What every study owes its reader: sentences, numbers that are numbers, checks that were made."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.studies.by_name import require_answer, require_percent

from giftlive.errors import UsageError
from giftlive.evaluation.gates import load_rules
from giftlive.evaluation.results import Estimate, Figure, StudyResult
from giftlive.reports import missing_keys, translate
from giftlive.reports.i18n import messages
from giftlive.run.canonical import canonical_json
from giftlive.studies.context import Context, skipped
from giftlive.studies.registry import STUDIES, find

NAMES = tuple(study.name for study in STUDIES)
RULES = tuple(rule for rule in load_rules().values() if find(rule.study) in STUDIES)
"""Of the studies of a run; those that run by name only have tests of their own."""
GATED = tuple(rule.id for rule in RULES)


@pytest.fixture(params=NAMES)
def result(request: pytest.FixtureRequest, results: dict[str, StudyResult]) -> StudyResult:
    return results[request.param]


def estimates(result: StudyResult) -> Iterator[Estimate]:
    yield from result.estimates
    for table in result.tables:
        for row in table.rows:
            yield from (cell for cell in row if isinstance(cell, Estimate))


def test_every_sentence_exists_with_all_it_needs(results: dict[str, StudyResult]) -> None:
    assert missing_keys(results.values(), "en") == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_line_that_heads_its_slide_can_be_filled(result: StudyResult, lang: str) -> None:
    require_answer(result, lang)


def test_no_sentence_claims_the_public_data(result: StudyResult) -> None:
    """These results come from a generated world, and no sentence may say otherwise."""
    for message in messages(result):
        assert "on kuailive" not in translate(message, "en").lower()
    for figure in result.figures:
        assert "kuailive" not in f"{figure.title} {figure.subtitle}".lower()


def test_canonical_json_has_no_number_without_meaning(result: StudyResult) -> None:
    """``canonical_json`` refuses NaN and infinity, and reads back what it wrote."""
    text = canonical_json(result.as_dict())
    assert json.loads(text)["study"] == result.study
    assert "NaN" not in text
    assert "Infinity" not in text


def test_every_number_says_what_it_is_a_number_of(result: StudyResult) -> None:
    for estimate in estimates(result):
        assert estimate.denominator
        assert estimate.population
        assert estimate.n_unit
        if estimate.low is None or estimate.high is None:
            assert estimate.reason, estimate.name
        elif estimate.value is not None:
            assert estimate.low <= estimate.value + 1e-9, estimate.name
            assert estimate.value <= estimate.high + 1e-9, estimate.name
        if estimate.status != "ok":
            assert estimate.value is None


def test_a_column_of_percent_holds_percent(result: StudyResult) -> None:
    require_percent(result)


def test_tables_are_rectangular(result: StudyResult) -> None:
    for table in result.tables:
        assert len(table.units) == len(table.columns)
        assert all(len(row) == len(table.columns) for row in table.rows), table.name


def test_figures_have_equal_columns_and_a_finding_for_a_title(result: StudyResult) -> None:
    for figure in result.figures:
        assert figure.title
        assert figure.x_label
        assert figure.y_label
        for series in figure.series:
            columns = (series.x, series.y, series.low, series.high, series.n)
            assert len({len(c) for c in columns if c is not None}) == 1, figure.name
            assert all(math.isfinite(y) for y in series.y)
            if figure.y_scale == "log":
                assert min(series.y) >= 0


def named(figures: tuple[Figure, ...]) -> list[str]:
    return [figure.name for figure in figures]


def test_the_facts_are_drawn_from_every_side(results: dict[str, StudyResult]) -> None:
    drawn = {figure.name for figure in results["exploration"].figures}
    asked = {
        *("lorenz", "amount_tail", "funnel", "user_quadrant", "streamer_quadrant", "week"),
        *("daily_volume", "gift_delay", "watch_buckets", "cold_start", "repeat_structure"),
        *("retention", "price_atoms", "category_mix", "loyalty", "gift_rates"),
    }
    assert asked <= drawn
    titles = [figure.title for figure in results["exploration"].figures]
    assert all(any(c.isdigit() for c in t) or "No day" in t for t in titles), titles


def test_names_are_distinct(result: StudyResult) -> None:
    for group in (named(result.figures), [e.name for e in result.estimates]):
        assert len(set(group)) == len(group)
    assert len({table.name for table in result.tables}) == len(result.tables)


@pytest.mark.parametrize("name", GATED)
def test_a_gate_judges_the_estimate_and_the_checks_its_rule_names(
    results: dict[str, StudyResult], name: str
) -> None:
    rule, result = load_rules()[name], results[name]
    (gate,) = result.gates
    assert gate.id == name
    assert gate.estimate is not None
    assert gate.estimate.name == rule.estimate == result.estimates[0].name
    assert {check.name for check in result.checks} == set(rule.checks)
    assert all(check.detail and check.threshold for check in result.checks)


def test_every_rule_is_about_what_its_study_computes(results: dict[str, StudyResult]) -> None:
    """``load_rules`` knows neither the studies nor the names of their estimates."""
    for rule in RULES:
        found = [estimate.name for estimate in results[find(rule.study).name].estimates]
        for condition in rule.conditions:
            assert found.count(condition.estimate) == 1, f"{rule.id}: {condition.estimate}"


@pytest.mark.parametrize("name", GATED)
def test_too_small_a_run_refuses_to_judge(results: dict[str, StudyResult], name: str) -> None:
    """200 users, 2 evenings, 60 replications: the power check is there for this."""
    (gate,) = results[name].gates
    assert gate.verdict == "NOT ANSWERABLE"
    assert "power" in gate.reason
    assert gate.consequence == "no change until the question is decided"


def test_identical_policies_and_models_tie(results: dict[str, StudyResult]) -> None:
    for name in GATED:
        (tie,) = (check for check in results[name].checks if check.name == "a_a")
        assert tie.passed
        assert tie.value == 0.0


@pytest.mark.parametrize("name", ["baseline", "off_policy"])
def test_a_study_says_the_same_twice(
    context: Context, results: dict[str, StudyResult], name: str
) -> None:
    again = find(name).run(context)
    assert canonical_json(again.as_dict()) == canonical_json(results[name].as_dict())


def test_rows_behind_the_numbers_are_kept(context: Context) -> None:
    kept: dict[str, Any] = {}
    find("off_policy").run(replace(context, keep=lambda name, rows: kept.update({name: rows})))
    for rows in kept.values():
        assert len({len(column) for column in rows.values()}) == 1
    # estimators, targets, rewards; then for one target what count, capped and full value allow
    trials = 3 * 8 * 3 + (4 + 2) + (5 + 2) + 5
    assert len(kept["trials"]["estimator"]) == trials
    assert len(kept["logs"]["value"]) == trials * context.config.off_policy.replications


def test_a_study_without_its_tables_says_which(context: Context) -> None:
    for study in STUDIES:
        result = skipped(study, context, ("click", "negative"))
        assert missing_keys([result], "en") == []
        assert result.skipped is not None
        assert "click, negative" in translate(result.skipped, "en")
        assert result.gates == ()


def test_an_unknown_study_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="shadow_price"):
        find("shadow_prices")
