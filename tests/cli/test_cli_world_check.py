"""``giftlive world check``: what it prints, when it exits 1, and how it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from giftlive.world import build_world, load_scenario, write_twin
from giftlive.world.calibration import targets

Cli = Callable[..., CompletedProcess[str]]
Refused = Callable[..., str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logs of a tiny world with its truth."""
    folder = tmp_path_factory.mktemp("check") / "world"
    write_twin(build_world(load_scenario("kuailive", "tiny"), 1), folder, format="parquet")
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def test_a_tiny_world_is_printed_within_100_columns_and_not_judged(cli: Cli, made: Path) -> None:
    done = cli("world", "check", made)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("world, 0.00")
    assert lines[0].endswith(" x KuaiLive's users; printed, not judged: too small")
    assert max(map(len, lines)) <= 100
    words = {word for line in lines for word in line.split()}
    assert {target.name for target in targets() if len(target.name) <= 28} <= words
    assert not {"pass", "fail"} & {line.split()[-1] for line in lines[2:-4] if line.split()}
    assert "[1] expected revenue" in lines
    assert lines[-2].endswith("asks for >= 8 seeds")
    assert lines[-1] == "here 1, of which there is no s.e."


def test_json_holds_the_same_and_no_number_that_json_has_not(cli: Cli, made: Path) -> None:
    found = json.loads(cli("world", "check", made, "--json").stdout)
    assert [row["target"] for row in found["targets"]] == [target.name for target in targets()]
    assert found["judged"] is False
    assert sum(found["counts"].values()) == len(targets())
    weekly = next(row for row in found["targets"] if row["target"].startswith("weekly"))
    assert (weekly["note"], weekly["days"]) == ("expected revenue", "local")


def test_the_same_logs_as_a_store_and_without_truth_show_realised_revenue(
    cli: Cli, copy: Path
) -> None:
    with_it = json.loads(cli("world", "check", copy, "--json").stdout)["targets"]
    cli("ingest", "--source", copy, "--out", "STORE")
    shutil.rmtree(copy / "truth")
    for source in ("STORE", copy):
        without = json.loads(cli("world", "check", source, "--json").stdout)["targets"]
        differ = [a["target"] for a, b in zip(with_it, without, strict=True) if a != b]
        assert differ == ["weekly_revenue_ratio_max_min"]
        weekly = next(row for row in without if row["target"] == differ[0])
        assert weekly["note"] == "realised revenue: no truth beside the logs"


def test_strict_exits_1_only_where_a_target_was_judged_and_failed(
    cli: Cli, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("world", "check", made, "--strict").returncode == 0
    monkeypatch.setattr("giftlive.world.calibration.rule.JUDGED_FROM", 0.0)
    assert cli("world", "check", made).returncode == 0
    failed = cli("world", "check", made, "--strict")
    assert failed.returncode == 1
    assert " fail" in failed.stdout
    assert failed.stderr == ""


def test_logs_without_skips_say_why_there_is_no_value(cli: Cli, logs: Path) -> None:
    done = cli("world", "check", logs)
    assert done.returncode == 0
    assert "this source has no negative rows" in done.stdout
    assert " undefined" in done.stdout.splitlines()[-4]


def test_seeds_of_a_preset_are_made_measured_and_cleared(cli: Cli, tmp_path: Path) -> None:
    asked = ("world", "check", "--preset", "kuailive", "--scale", "0.001", "--seeds", "2")
    done = cli(*asked, "--set", "calendar.history_days=3", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["folders"] == ["seed 1", "seed 2"]
    assert not list((tmp_path / "tmp").iterdir())
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_corrupt_folder_is_the_readers_error(refused: Refused, copy: Path) -> None:
    (copy / "gift.parquet").write_bytes(b"PAR1 and nothing more")
    assert "gift.parquet" in refused("world", "check", copy)


def test_a_world_that_says_nonsense_of_itself_is_refused(refused: Refused, copy: Path) -> None:
    (copy / "world.json").write_text('{"generated_by": "giftlive"}')
    assert "world.json: this is not what a world says of itself" in refused("world", "check", copy)


def test_what_cannot_be_asked_is_refused(refused: Refused, made: Path, copy: Path) -> None:
    assert "nothing to check" in refused("world", "check")
    assert "both of them given" in refused("world", "check", made, "--preset", "kuailive")
    assert "nobody asked for" in refused("world", "check", made, "--seeds", "2")
    assert "there twice" in refused("world", "check", made, copy)
    assert "no such file" in refused("world", "check", "nowhere")
    assert "clock" in refused("world", "check", "--preset", "v1")
