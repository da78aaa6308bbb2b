"""A finished run is found again from its rows; whatever is spoilt afterwards is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from giftlive.config import load_config
from giftlive.errors import InputError, UsageError
from giftlive.run import pipeline
from giftlive.run.pipeline import RunRequest, run_all
from giftlive.run.verify import Difference, Verification, verify
from giftlive.world import build_world, load_scenario, write_twin

QUICK = {
    "jobs": 1,
    "models.names": ["user_past_spend", "ridge", "boosted_log1p"],
    "arena.seeds": 10,
    "arena.overrides": {
        "sizes.users": "200",
        "sizes.streamers": "8",
        "calendar.history_days": "10",
    },
    "off_policy.replications": 501,
    "off_policy.decisions": 150,
    "off_policy.evenings": 2,
    "fidelity.scale": "0.003",
    "fidelity.seeds": 2,
    "fidelity.overrides": {"calendar.history_days": "4"},
}
Spoil = Callable[[Path], None]


def drawn(run: Path) -> Path:
    (run / "figures").mkdir()
    (run / "figures" / "one.svg").write_text("<svg/>", encoding="utf-8")
    (run / "report.html").write_text("<p>0.5</p>", encoding="utf-8")
    return run / "report.html"


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of every study on a tiny world, with a report that is quickly drawn."""
    folder = tmp_path_factory.mktemp("verified")
    write_twin(build_world(load_scenario("kuailive", "tiny"), 1), folder / "logs", truth=False)
    request = RunRequest(
        source=folder / "logs",
        out=folder / "RUN",
        config=load_config(overrides=QUICK),
        overwrite=False,
        cache=folder / "cache",
        command="giftlive run",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "render", drawn)
        run_all(request)
    return request.out


@pytest.fixture
def spoilt(sound: Path, tmp_path: Path) -> Callable[[Spoil], Verification]:
    """Copy the run, spoil the copy and verify it."""

    def made(spoil: Spoil) -> Verification:
        copy = tmp_path / "RUN"
        shutil.copytree(sound, copy)
        spoil(copy)
        return verify(copy)

    return made


def rewrite(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def first(found: Verification) -> Difference:
    assert not found.sound
    assert found.first is not None
    return found.first


def test_every_number_of_a_run_is_found_again(sound: Path) -> None:
    found = verify(sound)
    assert found.first is None
    assert [t.subject for t in found.tallies] == [
        "baseline", "exploration", "off_policy", "shadow_price", "world_fidelity", "figures",
        "gates", "run folder", "files",
    ]  # fmt: skip
    for tally in found.tallies:
        assert tally.agreed == tally.claims > 0
        assert tally.largest < 1e-10


def test_every_model_of_the_leaderboard_has_a_card_in_the_folder(sound: Path) -> None:
    names = load_config(sound / "config.toml").models.names
    cards = {path.stem: json.loads(path.read_text()) for path in (sound / "cards").iterdir()}
    assert sorted(cards) == sorted(names)
    for name, card in cards.items():
        assert card["name"] == name
        assert {"data", "features", "folds", "metrics", "limits"} <= set(card)


def test_it_tells_how_far_it_is(sound: Path) -> None:
    told: list[tuple[int, int]] = []
    verify(sound, lambda done, total: told.append((done, total)))
    assert told == [(i, 6) for i in (0, 1, 2, 3, 4, 6)]


@pytest.mark.parametrize(
    "study", ["baseline", "exploration", "off_policy", "shadow_price", "world_fidelity"]
)
def test_one_digit_of_any_study_is_named(study: str, spoilt: Any) -> None:
    def change(result: Any) -> None:
        estimate = next(e for e in result["estimates"][1:] if e["value"])
        estimate["value"] *= 1 + 1e-6
        change.name = estimate["name"]  # type: ignore[attr-defined]

    found = first(spoilt(lambda run: rewrite(run / "results" / f"{study}.json", change)))
    assert (found.subject, found.name) == (study, change.name)  # type: ignore[attr-defined]
    assert found.where.startswith(f"results/{study}.json, estimates[")
    assert float(found.printed) / float(found.recomputed) == pytest.approx(1 + 1e-6, rel=1e-9)


@pytest.mark.parametrize(
    ("study", "name", "part"),
    [
        ("shadow_price", "bound", "low"),
        ("off_policy", "snips_count_coverage", "high"),
        ("exploration", "streamers_without_gift", "low"),
        ("exploration", "streamer_watch_total_p50_s", "high"),
        ("exploration", "amount_mean", "n"),
    ],
)
def test_a_moved_bound_is_named(study: str, name: str, part: str, spoilt: Any) -> None:
    def change(result: Any) -> None:
        estimate = next(e for e in result["estimates"] if e["name"] == name)
        estimate[part] *= 2

    found = first(spoilt(lambda run: rewrite(run / "results" / f"{study}.json", change)))
    assert (found.subject, found.name) == (study, f"{name}, {part}")


def test_an_interval_that_vanished_without_a_reason_is_named(spoilt: Any) -> None:
    def change(result: Any) -> None:
        result["estimates"][0] |= {"low": None, "high": None}

    found = first(spoilt(lambda run: rewrite(run / "results" / "off_policy.json", change)))
    assert found.name == "snips_count_coverage, interval"


@pytest.mark.parametrize(
    ("table", "column", "study"),
    [
        ("baseline__predictions", "ridge_amount", "baseline"),
        ("exploration__users", "gifts", "exploration"),
        ("exploration__watch_times", "clicks", "exploration"),
        ("off_policy__logs", "value", "off_policy"),
        ("world_fidelity__readings", "value", "world_fidelity"),
        ("shadow_price__evenings", "expected_revenue", "shadow_price"),
    ],
)
def test_one_changed_row_is_noticed(table: str, column: str, study: str, spoilt: Any) -> None:
    def change(run: Path) -> None:
        path = run / "tables" / f"{table}.parquet"
        rows = pq.read_table(path)
        values = rows.column(column).to_pylist()
        at = max(range(len(values)), key=values.__getitem__)
        values[at] *= 3
        place = rows.column_names.index(column)
        pq.write_table(rows.set_column(place, column, pa.array(values)), path)

    assert first(spoilt(change)).subject == study


@pytest.mark.parametrize("table", ["exploration__users", "shadow_price__evenings"])
def test_a_missing_table_is_named(table: str, spoilt: Any) -> None:
    found = first(spoilt(lambda run: (run / "tables" / f"{table}.parquet").unlink()))
    assert found.subject == table.partition("__")[0]
    assert f"tables/{table}.parquet: the kept table is missing" in found.recomputed


def test_a_table_without_its_columns_or_content_is_named(spoilt: Any) -> None:
    def change(run: Path) -> None:
        pq.write_table(pa.table({"amount": [1.5]}), run / "tables/baseline__predictions.parquet")
        (run / "tables/exploration__users.parquet").write_bytes(b"no Parquet")

    found: Verification = spoilt(change)
    why = {tally.subject: dict(tally.unverified) for tally in found.tallies}
    assert "user_id" in why["baseline"]["ece_model"]
    assert "cannot be read" in why["exploration"]["amount_p50"]


def test_an_estimate_nobody_computes_again_is_a_failure(spoilt: Any) -> None:
    def change(result: Any) -> None:
        result["estimates"].append(result["estimates"][0] | {"name": "luck"})

    found = first(spoilt(lambda run: rewrite(run / "results" / "off_policy.json", change)))
    assert found.name == "luck"
    assert "no second computation" in found.recomputed


def test_a_study_nobody_computes_again_is_a_failure(spoilt: Any) -> None:
    def change(run: Path) -> None:
        path = run / "results" / "off_policy.json"
        rewrite(path, lambda result: result.update(study="palmistry"))

    assert first(spoilt(change)).subject == "palmistry"


def remove(part: str, name: str) -> Callable[[Any], None]:
    def change(result: Any) -> None:
        kept = [entry for entry in result[part] if name not in {entry.get("name"), entry.get("id")}]
        assert len(kept) == len(result[part]) - 1
        result[part] = kept

    return change


def remove_row(words: list[str]) -> Callable[[Any], None]:
    def change(result: Any) -> None:
        table = result["tables"][0]
        kept = [row for row in table["rows"] if row[: len(words)] != words]
        assert len(kept) == len(table["rows"]) - 1
        table["rows"] = kept

    return change


@pytest.mark.parametrize(
    ("study", "change", "subject", "name"),
    [
        ("off_policy", remove("estimates", "dr_full_coverage"), "", "dr_full_coverage"),
        ("off_policy", remove("estimates", "snips_count_coverage"), "", "snips_count_coverage"),
        ("baseline", remove("estimates", "ece_trivial"), "", "ece_trivial"),
        ("shadow_price", remove("estimates", "price_share"), "", "price_share"),
        ("exploration", remove("estimates", "amount_max"), "", "amount_max"),
        ("exploration", remove_row(["user_gini"]), "", "facts / user_gini / value"),
        (
            "baseline",
            remove_row(["boosted_log1p"]),
            "",
            "leaderboard / boosted_log1p / capture@1 %",
        ),
        (
            "off_policy",
            remove_row(["full", "greedy", "ips"]),
            "",
            "trials / full / greedy / ips / coverage",
        ),
        ("off_policy", remove("gates", "off_policy"), "gates", "gates"),
        ("baseline", remove("checks", "movable"), "gates", "checks"),
        ("shadow_price", remove("checks", "binding"), "gates", "checks"),
    ],
)
def test_what_was_taken_away_is_named(
    study: str, change: Any, subject: str, name: str, spoilt: Any
) -> None:
    found: Verification = spoilt(lambda run: rewrite(run / "results" / f"{study}.json", change))
    tally = next(t for t in found.tallies if t.subject == (subject or study))
    assert name in [difference.name for difference in tally.differences]
    assert tally.agreed < tally.claims


def test_a_leaderboard_without_its_models_is_named(spoilt: Any) -> None:
    change = remove("tables", "leaderboard")
    found = first(spoilt(lambda run: rewrite(run / "results" / "baseline.json", change)))
    assert "the leaderboard names no learned" in found.recomputed


@pytest.mark.parametrize("emptied", [False, True])
def test_a_study_that_only_calls_itself_skipped_is_named(emptied: bool, spoilt: Any) -> None:
    def change(result: Any) -> None:
        result["skipped"] = {"key": "study.skipped.missing_tables", "params": {}}
        lists = ("checks", "estimates", "gates", "tables", "figures")
        result.update({part: [] for part in lists} if emptied else {})

    found: Verification = spoilt(lambda run: rewrite(run / "results" / "off_policy.json", change))
    assert ("off_policy" in [t.subject for t in found.tallies]) is not emptied
    assert (first(found).name, first(found).printed) == ("study off_policy", "skipped")


@pytest.mark.parametrize(
    ("study", "field", "value"),
    [
        ("off_policy", "threshold", 0.90),
        ("off_policy", "threshold_high", None),
        ("off_policy", "rule_as_published", "Gate-3"),
        ("off_policy", "estimate", None),
        ("baseline", "consequence", "serve the chosen value model"),
    ],
)
def test_a_gate_that_left_its_rule_is_named(
    study: str, field: str, value: Any, spoilt: Any
) -> None:
    def change(result: Any) -> None:
        result["gates"][0][field] = value

    found = first(spoilt(lambda run: rewrite(run / "results" / f"{study}.json", change)))
    assert (found.name, found.printed) == (f"{study}, {field}", str(value))


@pytest.mark.parametrize("field", ["verdict", "rule"])
def test_an_edited_gate_is_named(field: str, spoilt: Any) -> None:
    def change(result: Any) -> None:
        result["gates"][0][field] = "SKIPPED"

    found = first(spoilt(lambda run: rewrite(run / "results" / "shadow_price.json", change)))
    assert (found.name, found.printed) == (f"shadow_price, {field}", "SKIPPED")
    assert found.where == f"results/shadow_price.json, gates[0].{field}"


@pytest.mark.parametrize("study", ["baseline", "shadow_price"])
def test_a_check_that_was_turned_is_named(study: str, spoilt: Any) -> None:
    def change(result: Any) -> None:
        check = next(c for c in result["checks"] if c["name"] == "power")
        check["passed"] = not check["passed"]

    found = first(spoilt(lambda run: rewrite(run / "results" / f"{study}.json", change)))
    assert found.name == "check power"


def test_a_bent_figure_is_named(spoilt: Any) -> None:
    def change(result: Any) -> None:
        result["figures"][0]["series"][0]["y"][1] += 0.01

    found = first(spoilt(lambda run: rewrite(run / "results" / "exploration.json", change)))
    assert (found.name, found.where) == (
        "amount_tail / gifts", "results/exploration.json, figures[0].series[0]",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "change", "name"),
    [
        ("manifest.json", lambda m: m.update(rules_hash="0" * 32), "the rules' digest"),
        (
            "tables/attribution.json",
            lambda a: a["labels"].update(amount=a["labels"]["amount"] + 1),
            "labels and orphan gifts by amount",
        ),
    ],
)
def test_a_broken_promise_of_the_folder_is_named(
    file: str, change: Any, name: str, spoilt: Any
) -> None:
    found = first(spoilt(lambda run: rewrite(run / file, change)))
    assert (found.subject, found.name) == ("run folder", name)


def test_nan_is_refused_in_results_and_in_rows(sound: Path, tmp_path: Path) -> None:
    copy = tmp_path / "RUN"
    shutil.copytree(sound, copy)
    path = copy / "tables" / "off_policy__logs.parquet"
    rows = pq.read_table(path)
    place = rows.column_names.index("value")
    lost = pa.array([float("nan")] * len(rows))
    pq.write_table(rows.set_column(place, "value", lost), path)
    assert "off_policy__logs.parquet, column value" in str(
        [d.where for t in verify(copy).tallies for d in t.differences]
    )
    results = copy / "results" / "baseline.json"
    results.write_text(results.read_text("utf-8").replace('"value": 0', '"value": NaN', 1))
    with pytest.raises(InputError, match="NaN"):
        verify(copy)


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        verify(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="no results"):
        verify(tmp_path)
