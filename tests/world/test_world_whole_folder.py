"""A world's folder appears whole or not at all: symlinks, the working directory, kills, leftovers.

``stopped`` raises an interrupt before, or right after, any one of the renames.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from giftlive.errors import InputError
from giftlive.world import World, write_twin
from giftlive.world.whole_folder import clear_leftovers, whole_folder


def put(target: Path, text: str) -> None:
    with whole_folder(target) as new:
        (new / "a.csv").write_text(text, encoding="utf-8")
        (new / "truth").mkdir()
        (new / "world.json").write_text(text, encoding="utf-8")


def held(target: Path) -> str:
    """The text of a whole world, and nothing else beside or inside it."""
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert sorted(path.name for path in target.iterdir()) == ["a.csv", "truth", "world.json"]
    one, two = ((target / name).read_text(encoding="utf-8") for name in ("a.csv", "world.json"))
    assert one == two
    return one


def test_an_empty_working_directory_is_filled_and_stays_itself(
    evening: World, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.mkdir()
    before = target.stat().st_ino
    monkeypatch.chdir(target)
    write_twin(evening, Path(), truth=False)
    assert (Path() / "world.json").is_file()
    assert target.stat().st_ino == before
    assert list(target.parent.iterdir()) == [target]


def test_a_symlink_stays_and_its_folder_is_replaced(
    evening: World, target: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    put(target, "old")
    link.symlink_to(target.name)
    write_twin(evening, link, truth=False, overwrite=True)
    assert link.is_symlink()
    assert (target / "click.csv").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "link"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("rename", [1, 2])
def test_an_interrupt_of_a_swap_leaves_one_whole_world(
    target: Path, monkeypatch: pytest.MonkeyPatch, rename: int, after: bool
) -> None:
    put(target, "old")
    with monkeypatch.context() as patch:
        stopped(patch, 1 + rename, after)  # the first shows the lock
        with pytest.raises(KeyboardInterrupt):
            put(target, "new")
    assert held(target) == ("new" if (rename, after) == (2, True) else "old")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("rename", [1, 2, 3])
def test_an_interrupt_of_a_filling_leaves_the_folder_empty(
    target: Path, monkeypatch: pytest.MonkeyPatch, rename: int, after: bool
) -> None:
    target.mkdir()
    with monkeypatch.context() as patch:
        stopped(patch, 1 + rename, after)
        with pytest.raises(KeyboardInterrupt):
            put(target, "new")
    assert list(target.parent.iterdir()) == [target]
    assert not any(target.iterdir())


def stopped(patch: pytest.MonkeyPatch, number: int, after: bool) -> None:
    calls = []

    def replace(path: Path, to: Path) -> Path:
        calls.append(path)
        if len(calls) == number and not after:
            raise KeyboardInterrupt
        moved = rename(path, to)
        if len(calls) == number:
            raise KeyboardInterrupt
        return moved

    rename = Path.replace
    patch.setattr(Path, "replace", replace)


KILLED = """
import os, signal, sys
from pathlib import Path
from giftlive.world.whole_folder import whole_folder

rename, calls = Path.replace, []
def replace(path, to):
    calls.append(path)
    moved = rename(path, to)
    if len(calls) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return moved

Path.replace = replace
with whole_folder(Path(sys.argv[1])) as new:
    (new / "world.json").write_text("new")
"""


@pytest.mark.parametrize("renames", [1, 2, 3])
def test_the_leftover_of_a_killed_writer_is_cleared_and_said(
    target: Path, renames: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Killed in its work, between the two renames of the swap, and right after them."""
    put(target, "old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(target), str(renames)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(target.parent.iterdir())) == (1 if renames == 2 else 2)
    clear_leftovers(target)
    assert (target / "world.json").read_text(encoding="utf-8") == ("new" if renames == 3 else "old")
    assert list(target.parent.iterdir()) == [target]
    (said,) = caplog.messages
    assert said.startswith(f"removed {target.parent}{os.sep}.data.")
    assert ("is back in its place" in said) == (renames == 2)


def test_generate_clears_and_says_what_it_left(
    evening: World, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(target), "1"], check=False)
    with caplog.at_level(logging.WARNING):
        write_twin(evening, target, truth=False)
    assert list(target.parent.iterdir()) == [target]
    assert len(caplog.messages) == 1


def test_what_is_not_provably_a_leftover_of_this_target_stays(
    target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A running writer's work, another target's, and folders that only look like leftovers."""
    place = target.parent
    (place / ".data.backup").mkdir()
    (place / ".data.notes").mkdir()
    (place / ".data.notes" / "lock").write_text("mine", encoding="utf-8")
    other = place / "data.2"
    subprocess.run([sys.executable, "-c", KILLED, str(other), "1"], check=False)
    with whole_folder(target) as new:
        before = sorted(place.iterdir())
        clear_leftovers(target)
        assert sorted(place.iterdir()) == before
        assert new.is_dir()
    assert not caplog.messages
    clear_leftovers(other)
    assert len(caplog.messages) == 1


def test_an_old_world_without_a_place_is_not_thrown_away(target: Path) -> None:
    put(target, "old")
    subprocess.run([sys.executable, "-c", KILLED, str(target), "2"], check=False)
    target.mkdir()
    (target / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="cannot go back"):
        clear_leftovers(target)
    (old,) = target.parent.glob(".data.*/old/world.json")
    assert old.read_text(encoding="utf-8") == "old"
