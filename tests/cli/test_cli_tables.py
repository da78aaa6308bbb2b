"""``giftlive tables``: build, build again, grow; and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

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


def test_a_folder_of_something_else_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    done = cli("tables", "--source", _source(tmp_path / "logs", 1), "--out", mine)
    assert done.returncode == 2
    assert "not a folder of tables" in " ".join(done.stderr.split())
    assert [p.name for p in mine.iterdir()] == ["letter.txt"]
