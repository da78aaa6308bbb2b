"""The command line called in this process, and logs small enough to spoil by hand."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from giftlive.cli import main
from giftlive.world import build_world, load_scenario, write_twin

Cli = Callable[..., CompletedProcess[str]]

T0 = 1_746_374_400_000  # 2025-05-05 00:00 in Shanghai
LOGS = {
    "click.csv": [
        "user_id,live_id,streamer_id,timestamp,watch_live_time",
        f"1,10,100,{T0 + 5_000},4000",
        f"2,10,100,{T0 + 1_000},60000",
    ],
    "gift.csv": [
        "user_id,live_id,streamer_id,timestamp,gift_price",
        f"2,10,100,{T0 + 1_000},52",
        f"1,10,100,{T0 + 6_000},1",
    ],
    "room.csv": [
        "live_id,streamer_id,start_timestamp,end_timestamp,live_content_category,live_name_id",
        f"10,100,{T0},{T0 + 3_600_000},Game,7",
    ],
    "streamer.csv": ["streamer_id", "100"],
}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Call ``giftlive`` with these arguments, in an empty folder ``cwd`` with its own cache."""
    for name in ("cwd", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("GIFTLIVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))

    def call(*arguments: str | Path) -> CompletedProcess[str]:
        argv = ["giftlive", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", argv)
        capsys.readouterr()
        with handlers_kept(), pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return CompletedProcess(argv, int(ended.value.code or 0), out, err)

    return call


@pytest.fixture
def refused(cli: Cli, tmp_path: Path) -> Callable[..., str]:
    """Call a command that must fail; return its one paragraph, having seen that nothing is left."""

    def call(*arguments: str | Path, code: int = 2) -> str:
        before = tree(tmp_path)
        done = cli(*arguments)
        message = done.stderr.removesuffix("\n")
        assert done.returncode == code, message
        assert done.stdout == ""
        assert message.startswith("giftlive: ")
        assert "\n" not in message
        assert "Traceback" not in message
        assert tree(tmp_path) == before
        return message.removeprefix("giftlive: ")

    return call


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Give signals back to pytest: the program lets go of them for good."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every folder and file with its content; finished steps in the cache aside."""
    kept = [p for p in sorted(folder.rglob("*")) if not is_finished_step(p, folder / "cache")]
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"" for p in kept}


def is_finished_step(path: Path, cache: Path) -> bool:
    """Say whether ``path`` is the cache or in an entry that was sealed in one rename."""
    if path == cache:
        return True
    entry = next((p for p in (path, *path.parents) if p.parent == cache), None)
    return entry is not None and (entry / "entry.json").is_file()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder of hand-written logs: two viewings, two gifts, one room, one streamer."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for name, lines in LOGS.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logs of a tiny world: 21 days of about a hundred users."""
    folder = tmp_path_factory.mktemp("world") / "twin"
    write_twin(build_world(load_scenario("kuailive", "tiny"), 1), folder, truth=False)
    return folder


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logs of three days, too few for a leaderboard."""
    folder = tmp_path_factory.mktemp("world") / "short"
    scenario = load_scenario("kuailive", "0.001", {"calendar.history_days": "3"})
    write_twin(build_world(scenario, 7), folder, truth=False)
    return folder
