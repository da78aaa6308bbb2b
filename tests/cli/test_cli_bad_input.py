"""Bad input through the command line: exit code 2, one paragraph with its place, no trace left."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Cli = Callable[..., CompletedProcess[str]]
Refused = Callable[..., str]
Spoil = Callable[[Path], Path]

COMMANDS = {
    "run": ("run", "--out", "deep/down/RUN"),
    "study": ("study", "exploration", "--out", "deep/down/RUN"),
    "ingest": ("ingest", "--out", "deep/down/STORE"),
    "audit": ("audit",),
}


def without(name: str) -> Spoil:
    def spoil(logs: Path) -> Path:
        (logs / name).unlink()
        return logs

    return spoil


def replaced(name: str, old: str, new: str) -> Spoil:
    def spoil(logs: Path) -> Path:
        text = (logs / name).read_text(encoding="utf-8")
        assert old in text
        (logs / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        return logs

    return spoil


def emptied(logs: Path) -> Path:
    header = (logs / "click.csv").read_text(encoding="utf-8").splitlines()[0]
    (logs / "click.csv").write_text(header + "\n", encoding="utf-8")
    return logs


def zipped(logs: Path) -> Path:
    archive = logs.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for file in sorted(logs.iterdir()):
            out.write(file, f"KuaiLive/{file.name}")
    return archive


def cut_zip(logs: Path) -> Path:
    archive = zipped(logs)
    archive.write_bytes(archive.read_bytes()[:-200])
    return archive


def photos(logs: Path) -> Path:
    folder = logs.with_name("photos")
    folder.mkdir()
    (folder / "beach.png").write_bytes(b"\x89PNG")
    return folder


def nothing(logs: Path) -> Path:
    folder = logs.with_name("nothing")
    folder.mkdir()
    return folder


def binary(logs: Path) -> Path:
    (logs / "gift.csv").write_bytes(bytes(range(256)) * 40)
    return logs


SPOILT: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "missing file": (without("gift.csv"), ("logs/gift.csv: this file is missing", "room.csv")),
    "missing column": (
        replaced("gift.csv", "gift_price", "gift_prize"),
        ("gift.csv, line 1, column gift_price", "did you mean the column gift_prize?"),
    ),
    "wrong type": (
        replaced("gift.csv", ",52", ",a lot"),
        ("gift.csv, line 2, column gift_price", "'a lot'", "expected an integer of at least 0"),
    ),
    "negative amount": (
        replaced("gift.csv", ",52", ",-3"),
        ("gift.csv, line 2, column gift_price", "negative amount ('-3')", "max_reject_share"),
    ),
    "unknown streamer": (
        replaced("click.csv", "1,10,100", "1,10,999"),
        ("click.csv, line 2, column streamer_id", "unknown streamer ('999')", "1 of 2 rows"),
    ),
    "too few columns": (
        replaced("click.csv", ",4000", ""),
        ("click.csv, line 2: too few columns", "as many values as the first line has columns"),
    ),
    "empty table": (emptied, ("click.csv: the table click is empty", "at least one row")),
    "truncated zip": (cut_zip, ("logs.zip: the file is not a whole zip", "download it again")),
    "no zip": (lambda logs: logs / "gift.csv", ("gift.csv: this is one file of a source",)),
    "binary file": (binary, ("gift.csv: the file cannot be read", "UTF-8 text")),
    "unknown folder": (photos, ("photos: this is none of the known sources", "beach.png", "gdq:")),
    "empty folder": (nothing, ("nothing: this is none of the known sources", "no file at all")),
    "no such path": (
        lambda logs: logs / "nowhere",
        ("nowhere: there is no such file or folder", "check the spelling"),
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", SPOILT)
def test_bad_input_is_one_paragraph_that_names_its_place(
    refused: Refused, logs: Path, case: str, command: str
) -> None:
    spoil, words = SPOILT[case]
    message = refused(*COMMANDS[command], "--source", spoil(logs))
    assert "; expected " in message
    assert ". Hint: " in message
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_with_json_the_paragraph_comes_in_its_parts(cli: Cli, logs: Path, command: str) -> None:
    source = replaced("gift.csv", ",52", ",-3")(logs)
    done = cli(*COMMANDS[command], "--source", source, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    error = json.loads(done.stderr)
    assert error["error"] == "RejectLimitError"
    assert error["where"] == "gift.csv, line 2, column gift_price"
    assert error["expected"].startswith("an integer of at least 0")
    assert set(error) == {"error", "what", "where", "expected", "hint"}


@pytest.mark.parametrize("command", ["run", "ingest"])
def test_an_older_result_survives_a_failed_overwrite(
    refused: Refused, logs: Path, tmp_path: Path, command: str
) -> None:
    older = tmp_path / "cwd" / "older"
    older.mkdir()
    for marker in ("manifest.json", "source.json"):
        (older / marker).write_text("{}", encoding="utf-8")
    refused(command, "--source", without("room.csv")(logs), "--out", older, "--overwrite")
    assert (older / "manifest.json").is_file()


def test_duplicate_live_ids_are_set_aside_and_counted(cli: Cli, logs: Path) -> None:
    room = (logs / "room.csv").read_text(encoding="utf-8")
    (logs / "room.csv").write_text(room + room.splitlines()[1] + "\n", encoding="utf-8")
    done = cli("ingest", "--source", logs, "--out", "STORE", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    source = json.loads(done.stdout)["source"]
    assert source["rows"]["room"] == 1
    [(reason, count)] = source["rejects"]["room"].items()
    assert reason.startswith("duplicate live_id")
    assert count == 1


def test_a_few_bad_rows_may_be_allowed(cli: Cli, refused: Refused, logs: Path) -> None:
    source = replaced("gift.csv", ",52", ",-3")(logs)
    ask = ("ingest", "--source", source, "--out", "STORE", "--max-reject-share")
    assert "the limit is 40.00%" in refused(*ask, "0.4")
    done = cli(*ask, "0.5")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("gift"))
    assert "1 rejected" in lines[at]
    assert lines[at + 1].endswith(", first gift.csv, line 2, column gift_price: '-3'")
    assert lines[at + 2].endswith(": STORE/rejects/gift.parquet")


def test_a_zip_gives_the_same_store_as_its_folder(cli: Cli, logs: Path) -> None:
    stores = [
        json.loads(cli("ingest", "--source", path, "--out", out, "--json").stdout)["source"]
        for path, out in ((logs, "ONE"), (zipped(logs), "OTHER"))
    ]
    assert stores[0]["fingerprint"] == stores[1]["fingerprint"]
    assert stores[0]["rows"] == stores[1]["rows"]
    assert Path("ONE/gift.parquet").read_bytes() == Path("OTHER/gift.parquet").read_bytes()


def test_logs_of_three_days_are_not_enough(refused: Refused, short: Path) -> None:
    message = refused("study", "baseline", "--source", short, "--out", "RUN", code=3)
    assert "3 days cannot hold 3 origins" in message
    assert "expected at least 8 days" in message
    assert "Hint: use logs of more days" in message


def test_a_source_that_becomes_unreadable_is_no_traceback(
    refused: Refused, logs: Path, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "tmp")
    (tmp_path / "tmp").write_text("no room for temporary files", encoding="utf-8")
    message = refused("audit", "--source", zipped(logs))
    assert "Not a directory" in message
    assert "Hint: check the path" in message
