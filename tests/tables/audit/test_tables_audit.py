"""The audit must find every leak we know how to plant, and nothing in the tables as built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from giftlive.errors import LeakError
from giftlive.logs.store import Store
from giftlive.tables import TableOptions, audit_features, build_tables, find_leaks
from giftlive.tables.audit import AuditFinding, canary, lift, refuse_leaks, trials
from giftlive.tables.audit.future import EVENT_VIEWS
from giftlive.tables.audit.parts import day_parts
from giftlive.tables.build import features_of
from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.options import PLANTED
from giftlive.tables.parts import samples_relation

Evening = Callable[[int], Store]
KINDS = tuple(kind for kind in PLANTED if kind)


def failed(findings: list[AuditFinding]) -> set[tuple[str, str]]:
    return {(f.feature, f.kind) for f in findings if f.passed is False}


@pytest.mark.parametrize("unit", ["session", "click", "gift"])
def test_clean_tables_pass_and_every_canary_is_caught(
    logs: Evening, tmp_path: Path, unit: str
) -> None:
    """Three units: 3 x 2 x 94 answers, no false alarm (five more seeds are in the next test)."""
    options = TableOptions(unit=unit)
    tables = build_tables(logs(0), tmp_path, options)
    findings = audit_features(logs(0), tmp_path, options, seed=3)
    per_feature = {(f.feature, f.kind) for f in findings if f.kind in ("future", "replay", "lift")}
    assert per_feature == {(n, k) for n in tables.features for k in ("future", "replay", "lift")}
    assert all(f.passed for f in findings if f.kind in ("future", "replay"))
    sung = {f.feature: f.detail for f in findings if f.kind == "canary"}
    assert set(sung) == {f"canary_{kind}" for kind in KINDS}
    assert all(detail.startswith("caught: ") for detail in sung.values())
    tried = {f.feature: f.passed for f in findings if f.kind == "rows"}
    assert tried == dict.fromkeys(["burn-in", "train", "validation", "test", "gap"], True)


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(s, marks=pytest.mark.slow) for s in (2, 3, 4)), 5]
)
def test_no_false_alarm_on_other_seeds(logs: Evening, tmp_path: Path, seed: int) -> None:
    """0 alarms in 5 worlds x 94 features x 3 trials, native and portable, event and day."""
    options = TableOptions(
        form="native" if seed % 2 else "portable", as_of="day" if seed == 5 else "event"
    )
    build_tables(logs(seed), tmp_path, options)
    assert not failed(find_leaks(logs(seed), tmp_path, options, seed))


def test_decisions_after_a_dwell_pass_too(logs: Evening, tmp_path: Path) -> None:
    options = TableOptions(dwell_seconds=30)
    build_tables(logs(1), tmp_path, options)
    assert not failed(find_leaks(logs(1), tmp_path, options))


@pytest.mark.parametrize("form", ["native", pytest.param("portable", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_leak_of_each_kind_is_named(
    logs: Evening, tmp_path: Path, kind: str, form: str
) -> None:
    options = TableOptions(planted_leak=kind, form=form)
    build_tables(logs(0), tmp_path, options)
    findings = find_leaks(logs(0), tmp_path, options)
    assert {feature for feature, _ in failed(findings)} == {"planted_leak"}
    with pytest.raises(LeakError, match="feature planted_leak fails the future trial") as error:
        refuse_leaks(findings)
    assert error.value.exit_code == 1


def test_a_leak_on_training_rows_is_found_there_only(logs: Evening, tmp_path: Path) -> None:
    options = TableOptions(planted_leak="train_only")
    build_tables(logs(0), tmp_path, options)
    (found,) = (f for f in find_leaks(logs(0), tmp_path, options) if f.passed is False)
    assert found.kind == "future"
    assert "train" in found.detail
    assert "only)" in found.detail
    assert "test" not in found.detail


def test_replay_finds_a_training_row_that_was_changed(logs: Evening, tmp_path: Path) -> None:
    build_tables(logs(0), tmp_path)
    (file,) = (tmp_path / "samples").glob("*.parquet")
    table = pq.read_table(file)
    for name in ("pair_click_count", "user_gift_rate"):
        column = table[name].to_numpy() + 1
        table = table.set_column(table.column_names.index(name), name, pa.array(column))
    pq.write_table(table, file)
    found = [f for f in find_leaks(logs(0), tmp_path) if f.kind == "replay" and f.passed is False]
    assert {f.feature for f in found} == {"pair_click_count", "user_gift_rate"}
    assert all("train" in f.detail for f in found)


def test_an_audit_that_changes_nothing_has_lost_its_power(
    logs: Evening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_tables(logs(0), tmp_path)

    def unchanged(engine: DuckEngine, cut: int, rng: np.random.Generator) -> None:
        for view in EVENT_VIEWS:
            engine.stage(f"later_{view}", f"select * from logged_{view} where known_ts >= {cut}")

    monkeypatch.setattr(trials, "put_later", unchanged)
    findings = find_leaks(logs(0), tmp_path)
    lost = {f"canary_{kind}" for kind in KINDS}
    assert {f.feature for f in findings if f.passed is False} == lost
    with pytest.raises(LeakError, match=r"canary_label was not caught: .* told their future"):
        refuse_leaks(findings)


def test_too_few_rows_are_no_answer_and_no_pass(
    make_store: Callable[..., Store], tmp_path: Path
) -> None:
    store = make_store([(1, 10, 5, 1_000_000, 60_000)], comments=[(1, 10, 5, 1_010_000)])
    build_tables(store, tmp_path)
    findings = find_leaks(store, tmp_path)
    silent = [f for f in findings if f.kind == "canary" and f.passed is None]
    assert "canary_label" in {f.feature for f in silent}
    assert all(f.result == "not enough data" for f in silent)
    refuse_leaks(findings)


def test_a_leak_that_too_few_rows_show_is_refused_all_the_same(
    make_store: Callable[..., Store], tmp_path: Path
) -> None:
    """One visit and nothing after it: no other future differs, so no trial can tell."""
    options = TableOptions(planted_leak="future_noise")
    store = make_store([(1, 10, 5, 1_000_000, 0)])
    build_tables(store, tmp_path, options)
    said = "feature planted_leak was planted and not caught: too few rows to tell, 0 of 1 rows"
    with pytest.raises(LeakError, match=said):
        audit_features(store, tmp_path, options)


def test_a_copy_of_the_label_of_many_users_trips_the_wire(
    make_store: Callable[..., Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    day = 86_400_000
    clicks = [
        (u, 10 + u % 7, u % 7, day + int(t), 9) for u, t in enumerate(rng.integers(0, day, 2_000))
    ]
    gifts = [(*c[:4], int(rng.integers(1, 50))) for c in clicks[::8]]
    options = TableOptions(planted_leak="label")
    store = make_store(clicks, gifts)
    names = build_tables(store, tmp_path, options).features
    engine = DuckEngine.open(store, threads=1)
    features = features_of(store.source, options)
    for most in (lift.ROWS_RANKED, 600):  # of all rows, and of a draw
        monkeypatch.setattr(lift, "ROWS_RANKED", most)
        found = list(lift.lift_findings(engine, samples_relation(tmp_path), features))
        assert [f.feature for f in found] == list(names)
        assert failed(found) == {("planted_leak", "lift")}
    engine.close()


def test_audit_is_repeatable(logs: Evening, tmp_path: Path) -> None:
    options = TableOptions(planted_leak="future_noise")
    build_tables(logs(0), tmp_path, options)
    first = find_leaks(logs(0), tmp_path, options, seed=5)
    assert first == find_leaks(logs(0), tmp_path, options, seed=5)


def test_parts_of_a_source_too_short_for_a_split() -> None:
    assert set(day_parts(np.arange(3)).values()) == {"all days"}
    assert canary.LEAST_TOLD >= 2
