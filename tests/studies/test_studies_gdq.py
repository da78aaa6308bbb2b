"""Real donations: a series of events without clicks, with a leaderboard and without an arena."""

from __future__ import annotations

from pathlib import Path

import pytest

from giftlive.config import load_config
from giftlive.evaluation.results import StudyResult
from giftlive.logs import Store, ingest
from giftlive.reports import missing_keys, translate
from giftlive.reports.load import study_from_dict
from giftlive.run.cache import Cache
from giftlive.run.canonical import canonical_json
from giftlive.run.progress import Reporter
from giftlive.run.steps import Workshop, study
from giftlive.studies.context import Context
from giftlive.studies.registry import STUDIES, find
from giftlive.tables.build import build_tables
from giftlive.tables.options import TableOptions

pytestmark = [pytest.mark.shared, pytest.mark.slow]

CONFIG = load_config(
    overrides={
        "seed": 1,
        "jobs": 1,
        "models.names": ("user_past_spend", "streamer_past_income", "ridge"),
    }
)


@pytest.fixture(scope="module")
def context(gdq: Path, tmp_path_factory: pytest.TempPathFactory) -> Context:
    folder = tmp_path_factory.mktemp("gdq")
    ingest(gdq, folder / "store")
    store = Store.open(folder / "store")
    build_tables(store, folder / "tables", TableOptions())
    return Context(CONFIG, store, folder / "tables", "tests")


@pytest.fixture(scope="module")
def baseline(context: Context) -> StudyResult:
    return find("baseline").run(context)


def test_whole_events_are_the_folds(baseline: StudyResult) -> None:
    folds = baseline.config["folds"]
    assert len(folds) == 3
    for fold in folds:
        assert fold["name"].startswith("event-")
        assert fold["train"][1] <= fold["validation"][0]
        assert fold["validation"][1] <= fold["test"][0]


def test_donations_are_more_uneven_than_anything_measured(baseline: StudyResult) -> None:
    """One donor in 40,000 moves the result: a value without an interval, and no verdict."""
    gain = baseline.estimates[0]
    assert gain.name == "revenue_capture_1pct_gain"
    assert gain.n > 5_000
    assert gain.value is not None
    assert (gain.low, gain.high) == (None, None)
    assert "no tail that was measured" in gain.reason
    assert {check.name for check in baseline.checks if check.passed} >= {"a_a", "power"}
    assert baseline.gates[0].verdict == "NOT ANSWERABLE"


def test_there_is_no_occurrence_where_every_row_is_a_gift(baseline: StudyResult) -> None:
    names = {estimate.name for estimate in baseline.estimates}
    assert "revenue_capture_1pct_model" in names
    assert not any(name.startswith(("pr_auc", "ece")) for name in names)


def test_the_page_of_real_donations_can_be_written(baseline: StudyResult) -> None:
    assert missing_keys([baseline], "en") == []
    assert "gifts" in canonical_json(baseline.as_dict())


def test_what_needs_shown_rooms_is_skipped_with_the_reason(
    context: Context, tmp_path: Path
) -> None:
    shop = Workshop(Cache(tmp_path), CONFIG, Reporter())
    skipped = {}
    for asked in STUDIES:
        if "gift" not in asked.needs:
            result = study_from_dict(study(shop, asked, context).result)
            assert result.skipped is not None
            skipped[result.study] = translate(result.skipped, "en")
    assert set(skipped) == {"off_policy", "shadow_price"}
    assert all("click" in reason and "negative" in reason for reason in skipped.values())


def test_events_are_the_units_of_the_table_by_event(baseline: StudyResult) -> None:
    tables = {t.name: t.rows for t in baseline.tables}
    captured = {row[0]: row[1:] for row in tables["stability"]}
    gains = {(row[0], row[1]): row[2] for row in tables["events"]}
    assert set(gains) == {("ridge", "user_past_spend"), ("ridge", "streamer_past_income")}
    for (model, other), gain in gains.items():
        mean = sum(a - b for a, b in zip(captured[model], captured[other], strict=True)) / 3
        assert gain.value == pytest.approx(mean, abs=1e-4)
        assert (gain.n, gain.n_unit) == (3, "events")
        assert gain.low is None  # of three events no interval was measured to hold
