"""VTuber 1B and the documented schema through the command line, in good order and spoilt."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.logs.vtuber_files import SUPERCHATS, Size, change, write_vtuber

from giftlive.logs.template import arrow_schema

Cli = Callable[..., CompletedProcess[str]]
Refused = Callable[..., str]
Spoil = Callable[[Path], object]

T0 = 1_746_374_400_000


@pytest.fixture
def vtuber(tmp_path: Path) -> Path:
    return write_vtuber(tmp_path / "vtuber", "public", Size(days=5))


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Path:
    """A template that the command line wrote, with a few gifts in it."""
    folder = tmp_path / "filled"
    assert cli("ingest", "--template", folder).returncode == 0
    fill(
        folder,
        [
            {"user_id": i, "live_id": 1, "streamer_id": 1, "ts": T0 + i, "amount": 5}
            for i in range(4)
        ],
    )
    return folder


def fill(folder: Path, gifts: list[dict[str, Any]]) -> None:
    loose = pa.schema([field.with_nullable(True) for field in arrow_schema("gift")])
    pq.write_table(pa.Table.from_pylist(gifts, schema=loose), folder / "gift.parquet")


def test_the_report_of_an_ingest_says_what_the_rows_cannot(cli: Cli, vtuber: Path) -> None:
    done = cli("ingest", "--source", vtuber, "--out", "STORE")
    assert (done.returncode, done.stderr) == (0, "")
    assert "note: gift: amounts of 75 superchats in 3 currencies were converted" in done.stdout
    assert "note: moderation: the user of " in done.stdout


def test_rejects_are_listed_by_reason(cli: Cli, vtuber: Path) -> None:
    change(vtuber / SUPERCHATS, 0, currency="XAF")
    done = cli("ingest", "--source", vtuber, "--out", "STORE", "--max-reject-share", "0.1")
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("gift "))
    assert lines[at].split()[1:] == ["74", "rows", "1", "rejected"]
    where = "first superchats_2022-02.parquet, line 1, column currency: 'XAF'"
    assert lines[at + 1] == f"  1 x no rate for this currency, {where}"


def test_notes_are_in_the_json_too(cli: Cli, vtuber: Path) -> None:
    source = json.loads(cli("ingest", "--source", vtuber, "--json").stdout)["source"]
    assert source["kind"] == "vtuber"
    assert len(source["notes"]) == 2


@pytest.mark.slow
def test_a_run_on_superchats_skips_what_needs_clicks_by_name(cli: Cli, tmp_path: Path) -> None:
    size = Size(days=24, users=120, chats=80, superchats=60)
    folder = write_vtuber(tmp_path / "long", "public", size)
    done = cli("run", "--source", folder, "--out", "RUN", "--json")
    assert done.returncode == 0, done.stderr
    skipped = json.loads(done.stdout)["skipped"]
    assert {"off_policy", "shadow_price"} <= set(str(skipped).replace("'", " ").split())
    assert "this vtuber source has no click" in str(skipped)
    report = Path("RUN/report.html").read_text(encoding="utf-8")
    assert "this vtuber source has no click" in report
    baseline = json.loads(Path("RUN/results/baseline.json").read_text(encoding="utf-8"))
    assert "origin-1" in str(baseline["config"]["folds"])


def test_a_template_filled_and_read_again(cli: Cli, filled: Path) -> None:
    done = cli("ingest", "--source", filled, "--out", "STORE", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    source = json.loads(done.stdout)["source"]
    assert (source["kind"], source["capabilities"]) == ("tables", ["gift"])
    assert source["rows"]["gift"] == 4
    assert source["rows"]["click"] == 0


def test_a_template_in_json_names_its_files(cli: Cli) -> None:
    done = cli("ingest", "--template", "NEW", "--json")
    said = json.loads(done.stdout)
    assert said["template"] == "NEW"
    assert {"README.md", "source.toml", "gift.parquet"} <= set(said["files"])
    assert sorted(file.name for file in Path("NEW").iterdir()) == said["files"]


def test_an_unfilled_template_is_not_enough_data(cli: Cli, refused: Refused) -> None:
    cli("ingest", "--template", "NEW")
    message = refused("ingest", "--source", "NEW", "--out", "STORE", code=3)
    assert message.startswith("NEW: there are no rows of events in it")
    assert "Hint: fill the tables that you have" in message


def test_a_template_never_replaces_anything(refused: Refused, filled: Path) -> None:
    message = refused("ingest", "--template", filled)
    assert "it could be a filled template" in message
    message = refused("ingest", "--template", filled / "gift.parquet")
    assert "expected a new or empty folder" in message


def test_source_or_template_but_one_of_them(refused: Refused, vtuber: Path) -> None:
    assert "none of them given" in refused("ingest")
    assert "both of them given" in refused("ingest", "--source", vtuber, "--template", "NEW")


def without_column(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        table = pq.read_table(folder / SUPERCHATS)
        pq.write_table(table.drop_columns([name]), folder / SUPERCHATS)

    return spoil


def first_row(**cells: object) -> Spoil:
    return lambda folder: change(folder / SUPERCHATS, 0, **cells)


def as_text(folder: Path) -> None:
    table = pq.read_table(folder / SUPERCHATS)
    texts = pa.array(["a lot"] * table.num_rows)
    at = table.column_names.index("amount")
    pq.write_table(table.set_column(at, "amount", texts), folder / SUPERCHATS)


VTUBER: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "missing column": (
        without_column("currency"),
        (f"{SUPERCHATS}, column currency: the column currency is missing", "three letters"),
    ),
    "wrong type": (as_text, (f"{SUPERCHATS}, line 1, column amount: not an amount ('a lot')",)),
    "null id": (
        first_row(authorChannelId=None),
        (f"{SUPERCHATS}, line 1, column authorChannelId: missing value (empty)", "1 of 75 rows"),
    ),
    "negative amount": (
        first_row(amount=-1.0),
        (f"{SUPERCHATS}, line 1, column amount: negative original_amount ('-1.0')",),
    ),
    "unknown currency": (
        first_row(currency="XAF"),
        ("column currency: no rate for this currency ('XAF')", "that rates.csv lists"),
    ),
    "seconds": (
        first_row(timestamp="1643716981"),
        ("column timestamp: not a UTC time ('1643716981')", "expected an ISO 8601 time"),
    ),
    "no rates": (
        lambda folder: (folder / "rates.csv").unlink(),
        ("vtuber/rates.csv: this file is missing", "currency, valid_from, rate, unit"),
    ),
    "broken rates": (
        lambda folder: (
            (folder / "rates.csv").write_text("currency,valid_from,rate,unit\n") and None
        ),
        ("rates.csv: there is no rate in it", "docs/sources.md"),
    ),
    "two kinds": (
        lambda folder: (folder / "gift.csv").write_text("user_id\n1\n"),
        ("vtuber: its files belong to 2 kinds of source: kuailive and vtuber", "of its own"),
    ),
    "cut file": (
        lambda folder: (folder / SUPERCHATS).write_bytes(b"PAR1"),
        (f"{SUPERCHATS}: the file cannot be read", "a Parquet file"),
    ),
}


@pytest.mark.parametrize("command", ["ingest", "run"])
@pytest.mark.parametrize("case", VTUBER)
def test_spoilt_superchats_are_one_paragraph_with_their_place(
    refused: Refused, vtuber: Path, case: str, command: str
) -> None:
    spoil, words = VTUBER[case]
    spoil(vtuber)
    message = refused(command, "--source", vtuber, "--out", "deep/down/OUT")
    assert "; expected " in message
    assert ". Hint: " in message
    assert [word for word in words if word not in message] == []


GIFT = {"user_id": 1, "live_id": 1, "streamer_id": 1, "ts": T0, "amount": 5}
TABLES: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "null id": (
        lambda folder: fill(folder, [GIFT | {"user_id": None}]),
        ("gift.parquet, line 1, column user_id: missing value (empty)",),
    ),
    "negative amount": (
        lambda folder: fill(folder, [GIFT | {"amount": -5}]),
        ("gift.parquet, line 1, column amount: negative amount ('-5')", "of at least 0"),
    ),
    "seconds": (
        lambda folder: fill(folder, [GIFT | {"ts": T0 // 1000}]),
        ("gift.parquet, column ts: the times", "look like seconds", "multiply the column by 1000"),
    ),
    "no zone": (
        lambda folder: (folder / "source.toml").write_text("tz = 'Mars'\nunit = 'a'\n"),
        ("source.toml, column label: the key is missing", "--template"),
    ),
    "two kinds": (
        lambda folder: (folder / "donations.csv").write_text("event\n"),
        ("filled: its files belong to 2 kinds of source: gdq and tables",),
    ),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_wrongly_filled_template_is_one_paragraph_with_its_place(
    refused: Refused, filled: Path, case: str
) -> None:
    spoil, words = TABLES[case]
    spoil(filled)
    message = refused("ingest", "--source", filled, "--out", "deep/down/STORE")
    assert "; expected " in message
    assert ". Hint: " in message
    assert [word for word in words if word not in message] == []
