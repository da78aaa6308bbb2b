import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from giftlive.errors import IntegrityError, UsageError
from giftlive.run.cache import Cache, seal
from giftlive.run.canonical import canonical_json, digest, plain
from giftlive.run.folder import atomic_folder, check_target


def write(text: str, log: list[str]) -> object:
    def make(folder: Path) -> None:
        log.append(text)
        (folder / "result.txt").write_text(text, encoding="utf-8")

    return make


def test_a_finished_step_is_not_made_again(tmp_path: Path) -> None:
    cache, log = Cache(tmp_path), []  # type: ignore[var-annotated]
    first, cached = cache.fetch("step", {"seed": 1}, write("a", log))  # type: ignore[arg-type]
    again, cached_again = cache.fetch("step", {"seed": 1}, write("b", log))  # type: ignore[arg-type]
    assert (cached, cached_again, log) == (False, True, ["a"])
    assert first == again
    other, _ = cache.fetch("step", {"seed": 2}, write("c", log))  # type: ignore[arg-type]
    assert other != first


@pytest.mark.parametrize("harm", ["change", "delete", "add", "seal", "no folder"])
def test_a_harmed_entry_is_rebuilt(tmp_path: Path, harm: str) -> None:
    cache, log = Cache(tmp_path), []  # type: ignore[var-annotated]
    folder, _ = cache.fetch("step", 1, write("good", log))  # type: ignore[arg-type]
    file = folder / "result.txt"
    if harm == "change":
        file.write_text("bad", encoding="utf-8")
    elif harm == "delete":
        file.unlink()
    elif harm == "seal":
        (folder / "entry.json").write_text("5", encoding="utf-8")  # JSON, and no seal
    elif harm == "no folder":
        shutil.rmtree(folder)
        folder.write_text("a file", encoding="utf-8")
    else:
        (folder / "stray.txt").write_text("x", encoding="utf-8")
    folder, cached = cache.fetch("step", 1, write("good", log))  # type: ignore[arg-type]
    assert not cached
    assert (folder / "result.txt").read_text(encoding="utf-8") == "good"


def test_an_interrupted_step_leaves_nothing(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "half.txt").write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path).fetch("step", 1, make)
    assert list(tmp_path.iterdir()) == []


def test_a_step_that_can_go_on_finds_what_it_left(tmp_path: Path) -> None:
    cache, found = Cache(tmp_path), []

    def make(folder: Path) -> None:
        found.append((folder / "half.txt").is_file())
        (folder / "half.txt").write_text("half", encoding="utf-8")
        if len(found) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.fetch("step", 1, make, worth_keeping=lambda work: (work / "half.txt").is_file())
    folder, cached = cache.fetch("step", 1, make, worth_keeping=lambda work: True)
    assert (found, cached) == ([False, True], False)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_step_killed_between_seal_and_rename_is_sealed_anew(tmp_path: Path) -> None:
    cache, log = Cache(tmp_path), []  # type: ignore[var-annotated]
    with cache._work(cache.path("step", 1).name, lambda work: True) as work:
        write("same", log)(work)  # type: ignore[operator]
        seal(work)
        left = tmp_path / "left"
        work.rename(left)
    left.rename(work)
    for cached in (False, True):
        step = write("same", log)
        found = cache.fetch("step", 1, step, worth_keeping=lambda work: True)  # type: ignore[arg-type]
        assert found[1] is cached


def test_what_is_not_worth_keeping_goes(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path).fetch("step", 1, make, worth_keeping=lambda work: False)
    assert list(tmp_path.iterdir()) == []


def test_two_runs_never_share_a_half_made_step(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache._work("step-1") as one, cache._work("step-1") as other:
        assert one != other
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "RUN"

    def fail() -> None:
        with atomic_folder(out, overwrite=False) as work:
            (work / "manifest.json").write_text("{}", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
    with atomic_folder(out, overwrite=False) as work:
        (work / "manifest.json").write_text("{}", encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["RUN"]


def test_an_old_run_is_replaced_only_when_asked_and_nothing_else_ever(tmp_path: Path) -> None:
    out = tmp_path / "RUN"
    with atomic_folder(out, overwrite=False) as work:
        (work / "manifest.json").write_text("old", encoding="utf-8")
    with pytest.raises(UsageError, match="--overwrite"):
        check_target(out, overwrite=False)
    with atomic_folder(out, overwrite=True) as work:
        (work / "manifest.json").write_text("new", encoding="utf-8")
    assert (out / "manifest.json").read_text(encoding="utf-8") == "new"
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter.txt").write_text("years", encoding="utf-8")
    with pytest.raises(UsageError, match="not a run folder"):
        check_target(precious, overwrite=True)


@pytest.mark.parametrize("below", ["file", "file/deep", "/proc"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    below: str, tmp_path: Path
) -> None:
    """Also for a user who may write everything: a file is no folder, and /proc takes none."""
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    with pytest.raises(UsageError, match=r"RUN: it cannot be written: \w.*; expected a folder"):
        check_target(tmp_path / below / "RUN", overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_asking_for_a_target_leaves_nothing(tmp_path: Path) -> None:
    check_target(tmp_path / "new" / "RUN", overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_canonical_json_does_not_depend_on_order_or_type() -> None:
    one = {"b": np.float64(0.5), "a": (np.int64(1), True)}
    other = {"a": [1, True], "b": 0.5}
    assert canonical_json(one) == canonical_json(other)
    assert digest(one) == digest(other)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.float64("nan")])
def test_a_number_without_meaning_is_refused_with_its_place(bad: float) -> None:
    with pytest.raises(IntegrityError, match=r"results\.a\[1\]"):
        plain({"a": [1.0, bad]})


def test_of_two_runs_of_one_step_the_slower_takes_what_is_there(tmp_path: Path) -> None:
    cache, log = Cache(tmp_path), []  # type: ignore[var-annotated]

    def slow(folder: Path) -> None:
        cache.fetch("step", 1, write("same", log))  # type: ignore[arg-type]
        write("same", log)(folder)  # type: ignore[operator]

    folder, cached = cache.fetch("step", 1, slow)
    assert (cached, log) == (False, ["same", "same"])
    assert (folder / "result.txt").read_text(encoding="utf-8") == "same"
    assert [p.name for p in tmp_path.iterdir()] == [folder.name]


def test_what_a_killed_run_left_is_swept_after_a_day_and_nothing_else(tmp_path: Path) -> None:
    work: list[Path] = []
    Cache(tmp_path).fetch("step", 0, work.append)
    young, other = tmp_path / f"{work[0].name}-young", tmp_path / ".oh-my-settings"
    for path in (work[0], young, other):
        path.mkdir()
    for path in (work[0], other):
        os.utime(path, (0, 0))
    Cache(tmp_path).fetch("step", 1, lambda folder: None)
    assert not work[0].exists()
    assert young.exists()
    assert other.exists()
