"""The same input, settings and seed give the same bytes; a finished step is not run again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from giftlive.config import RunConfig, load_config
from giftlive.errors import LeakError
from giftlive.run import pipeline, steps
from giftlive.run.pipeline import RunRequest, audit_source, run_all
from giftlive.world import build_world, load_scenario, write_twin

QUICK = {"models.names": ["user_past_spend", "ridge", "boosted_log1p"]}
Ask = Callable[..., RunRequest]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logs of a tiny world."""
    folder = tmp_path_factory.mktemp("world") / "tiny"
    write_twin(build_world(load_scenario("kuailive", "tiny"), 1), folder, truth=False)
    return folder


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the report out: results are the subject here."""
    monkeypatch.setattr(pipeline, "render", lambda folder: folder / "report.html")


def request_in(folder: Path, source: Path, study: str, **settings: object) -> RunRequest:
    return RunRequest(
        source=source,
        out=folder / "A",
        config=load_config(overrides=QUICK | settings),
        overwrite=False,
        cache=folder / "cache",
        command=f"giftlive study {study}",
        only=(study,),
    )


@pytest.fixture
def ask(tiny: Path, tmp_path: Path) -> Ask:
    def request(out: str, study: str, cache: str, **settings: object) -> RunRequest:
        asked = request_in(tmp_path, tiny, study, **settings)
        return replace(asked, out=tmp_path / out, cache=tmp_path / cache)

    return request


@pytest.fixture(scope="module")
def finished(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> RunRequest:
    """A study that began with nothing and is done; its folder and cache are only read."""
    asked = request_in(tmp_path_factory.mktemp("finished"), tiny, "exploration")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "render", lambda folder: folder / "report.html")
        run_all(asked)
    return asked


def results(run: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted((run / "results").iterdir())}


def statuses(run: Path) -> dict[str, str]:
    lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return {step["name"]: step["status"] for step in map(json.loads, lines)}


@pytest.mark.slow
@pytest.mark.parametrize("study", ["exploration", "baseline"])
def test_equal_inputs_give_equal_bytes_whatever_the_cores(ask: Ask, study: str) -> None:
    one, other = ask("A", study, "cache", jobs=1), ask("B", study, "other cache", jobs=2)
    run_all(one)
    run_all(other)
    assert list(results(one.out)) == [f"{study}.json"]
    assert results(one.out) == results(other.out)
    work = {"ingest", "features", "leak audit", study}
    assert {name for name, status in statuses(other.out).items() if status == "done"} >= work
    again = replace(one, out=one.out.with_name("C"))
    run_all(again)
    assert statuses(again.out) == dict.fromkeys(work, "cached") | {"report": "done"}
    assert results(again.out) == results(one.out)


@pytest.mark.slow
def test_another_seed_or_setting_is_another_result(ask: Ask) -> None:
    one = ask("A", "exploration", "cache")
    seeded = ask("B", "exploration", "cache", seed=5)
    windowed = ask("C", "exploration", "cache", **{"tables.attribution_window_ms": 1_000})
    for request in (one, seeded, windowed):
        run_all(request)
    assert results(seeded.out) != results(one.out)
    assert statuses(seeded.out)["features"] == "cached"
    assert statuses(seeded.out)["exploration"] == "done"
    assert statuses(windowed.out)["ingest"] == "cached"
    assert statuses(windowed.out)["features"] == "done"


@pytest.mark.slow
def test_changed_logs_are_read_again(ask: Ask, tiny: Path, tmp_path: Path) -> None:
    changed = tmp_path / "tiny"
    changed.mkdir()
    for file in tiny.iterdir():
        (changed / file.name).symlink_to(file)
    request = replace(ask("A", "exploration", "cache"), source=changed)
    run_all(request)
    (changed / "comment.csv").unlink()
    less = replace(request, out=tmp_path / "B")
    run_all(less)
    assert statuses(less.out)["ingest"] == "done"
    assert results(less.out) != results(request.out)


def test_a_harmed_store_in_the_cache_is_made_again(finished: RunRequest, tmp_path: Path) -> None:
    assert finished.cache is not None
    shutil.copytree(finished.cache, tmp_path / "cache")
    [gift] = (tmp_path / "cache").glob("store-*/store/gift.parquet")
    sound = gift.read_bytes()
    gift.write_bytes(sound[:-1])
    again = replace(finished, out=tmp_path / "B", cache=tmp_path / "cache")
    run_all(again)
    assert statuses(again.out)["ingest"] == "done"
    assert statuses(again.out)["features"] == "cached"
    assert gift.read_bytes() == sound
    assert results(again.out) == results(finished.out)


def test_an_interrupted_run_goes_on_where_it_stopped(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask("A", "exploration", "cache")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(steps, "find_leaks", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_all(request)
    assert not request.out.exists()
    run_all(request)
    found = statuses(request.out)
    assert (found["ingest"], found["features"], found["leak audit"]) == ("cached", "cached", "done")


def test_a_leak_is_found_again_when_its_trial_is_cached(tiny: Path, tmp_path: Path) -> None:
    config: RunConfig = load_config(overrides={"tables.planted_leak": "train_only"})
    for _ in range(2):
        with pytest.raises(LeakError, match="planted_leak"):
            audit_source(tiny, config, tmp_path)


def test_the_run_says_what_produced_it(finished: RunRequest, tiny: Path, tmp_path: Path) -> None:
    request = replace(finished, out=tmp_path / "A")
    summary = run_all(request)
    assert summary.report == request.out / "report.html"
    manifest = json.loads((request.out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["source"]["path"] == tiny.name
    assert (manifest["seed"], manifest["label"]) == (request.config.seed, "calibrated world")
    assert manifest["steps"][-1]["name"] == "exploration"
    log = (request.out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(log[-1])["name"] == "report"
    assert load_config(request.out / "config.toml") == request.config
    text = "".join(path.read_text("utf-8") for path in request.out.glob("results/*.json"))
    assert str(request.out.parent) not in text
