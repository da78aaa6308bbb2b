"""``giftlive tables``: build, build again, grow; and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from giftlive.run import steps

Cli = Callable[..., CompletedProcess[str]]

LINES = [(1, 10), (2, 20), (1, 10), (3, 10)]


def _source(folder: Path, days: int) -> Path:
    """Write KuaiLive's files with a few clicks and gifts on each of some days."""
    folder.mkdir()
    start = 1_746_374_400_000
    clicks, gifts = [], []
    for day in range(days):
        for hour, (user, live) in enumerate(LINES):
            who = f"{user},{live + 100 * day},{live},{start + day * 86_400_000 + hour * 3_600_000}"
            clicks.append(f"{who},{1_000 * (hour + 1)}")
            gifts += [f"{who},{5 + day}"] if hour % 2 else []
    who = "user_id,live_id,streamer_id,timestamp"
    (folder / "click.csv").write_text("\n".join([f"{who},watch_live_time", *clicks]) + "\n")
    (folder / "gift.csv").write_text("\n".join([f"{who},gift_price", *gifts]) + "\n")
    room = "live_id,streamer_id,start_timestamp,end_timestamp,live_content_category,live_name_id"
    rooms = [
        f"{x + 100 * day},{x},{start + day * 86_400_000},,Pop,7"
        for day in range(days)
        for x in (10, 20)
    ]
    (folder / "room.csv").write_text("\n".join([room, *rooms]) + "\n")
    return folder


def _tables(cli: Cli, source: Path) -> Any:
    done = cli("tables", "--json", "--source", source)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_only_a_new_day_is_computed(cli: Cli, tmp_path: Path) -> None:
    short, long = _source(tmp_path / "short", 3), _source(tmp_path / "long", 4)
    first, again, grown = (_tables(cli, source) for source in (short, short, long))
    assert "built_anew" not in grown
    assert [t["rows_computed"] for t in (first, again, grown)] == [9, 0, 3]
    assert [t["rows_kept"] for t in (first, again, grown)] == [0, 9, 9]
    shrunk = _tables(cli, short)
    assert (shrunk["rows"], shrunk["rows_kept"]) == (9, 0)
    assert shrunk["built_anew"] != ""


def test_a_planted_leak_is_said_and_kept_in_the_json(cli: Cli, tmp_path: Path) -> None:
    source = _source(tmp_path / "logs", 1)
    assert "planted_leak" not in _tables(cli, source)
    done = cli("tables", "--json", "--source", source, "--set", "tables.planted_leak=label")
    assert done.returncode == 0
    assert json.loads(done.stdout)["planted_leak"] == "label"
    assert done.stderr.startswith("warning: TABLES holds a planted leak (label)")
    assert done.stderr.count("\n") == 1


def test_names_and_numbers_stand_in_columns(cli: Cli, tmp_path: Path) -> None:
    lines = cli("tables", "--source", _source(tmp_path / "logs", 3)).stdout.splitlines()
    numbers = [line for line in lines if line[-1].isdigit()]
    assert next(line for line in lines if line.startswith("rows with")).split()[-2:] == [
        "gift",
        "6",
    ]
    assert len({len(line) for line in numbers}) == 1
    column = len("rows with a gift") + 2
    assert all(line[column - 2 : column] == "  " for line in lines)


def test_a_window_until_the_viewing_ends(cli: Cli, tmp_path: Path) -> None:
    """The gift is stamped two minutes into a viewing of one hour, after a window of a minute."""
    source = _source(tmp_path / "logs", 1)
    who = "7,10,10,1746374400000"
    click, gift = (source / f"{name}.csv" for name in ("click", "gift"))
    click.write_text(click.read_text() + f"{who},3600000\n")
    gift.write_text(gift.read_text() + "7,10,10,1746374520000,9\n")
    chosen = [
        "--set",
        "tables.attribution_window_ms=viewing",
        "--set",
        "tables.session_gap_ms=none",
    ]
    wide = cli("tables", "--json", "--source", source, *chosen)
    assert json.loads(wide.stdout)["rows_with_a_gift"] == 3
    assert _tables(cli, source)["rows_with_a_gift"] == 2


def test_a_folder_of_something_else_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    done = cli("tables", "--source", _source(tmp_path / "logs", 1), "--out", mine)
    assert done.returncode == 2
    assert "not a folder of tables" in " ".join(done.stderr.split())
    assert [p.name for p in mine.iterdir()] == ["letter.txt"]
    (mine / ".half-made").mkdir()
    (mine / ".half-made/parts.json").write_text("{}")
    done = cli("tables", "--source", tmp_path / "logs", "--out", mine)
    assert done.returncode == 2
    assert sorted(p.name for p in mine.iterdir()) == [".half-made", "letter.txt"]


def test_an_interrupt_says_what_is_kept(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(steps, "build_tables", interrupt)
    done = cli("tables", "--source", _source(tmp_path / "logs", 1))
    assert done.returncode == 130
    assert done.stderr.endswith("run the same command again; it goes on, finished parts are kept\n")
