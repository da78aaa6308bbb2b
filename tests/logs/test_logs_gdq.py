"""Donations as gifts: by hand, and on the real marathons where they are at hand."""

from __future__ import annotations

import csv
import gzip
from bisect import bisect_right
from collections import Counter
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from giftlive.errors import InputError, RejectLimitError
from giftlive.logs import Store, ingest

RUNS = [
    "event,game,start_utc,end_utc,n_players,has_bid_wars",
    'a,"Zelda, again",2015-01-04T15:00:00Z,2015-01-04T16:00:00Z,1,True',
    "a,Mario,2015-01-04T16:00:00Z,2015-01-04T17:00:00Z,2,False",
    "b,Lost,2015-01-04T15:30:00Z,2015-01-04T15:30:00Z,1,False",
]
DONATIONS = [
    "event,ts_utc,donor_id,amount_usd,with_comment",
    "a,2015-01-04T14:59:59Z,7,1.0,0",
    "a,2015-01-04T15:00:00Z,7,12.34,1",
    "a,2015-01-04T16:00:00Z,8,0.05,0",
    "a,2015-01-04T17:00:00Z,8,100000.0,0",
    "b,2015-01-04T15:30:00Z,9,5,0",
    "a,2015-01-04T15:00:01Z,0,2.5,0",
]


def marathon(folder: Path, runs: list[str] = RUNS, donations: list[str] = DONATIONS) -> Path:
    folder.mkdir()
    (folder / "runs.csv").write_text("\n".join(runs) + "\n", encoding="utf-8")
    packed = gzip.compress(("\n".join(donations) + "\n").encode())
    (folder / "donations.csv.gz").write_bytes(packed)
    return folder


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    con = store.connect()
    try:
        return [tuple(row) for row in con.execute(sql).fetchall()]
    finally:
        con.close()


def test_a_donation_belongs_to_the_run_on_air(tmp_path: Path) -> None:
    store = ingest(marathon(tmp_path / "gdq"), tmp_path / "store")
    assert rows(store, "SELECT user_id, live_id, streamer_id, amount FROM gift ORDER BY ts") == [
        (7, -1, -1, 100),  # one second early
        (7, 0, 1, 1234),
        (9, -1, -1, 500),  # the time of the only run of its event is not known
        (8, 1, 0, 5),
        (8, -1, -1, 10_000_000),  # the marathon is over; large donations stay
    ]
    assert rows(store, "SELECT user_id, live_id, amount FROM gift_anonymous") == [(0, 0, 250)]
    assert rows(store, "SELECT live_id, streamer_id, category FROM room") == [
        (0, 1, "a"),
        (1, 0, "a"),
    ]
    assert rows(store, "SELECT streamer_id, live_operation_tag FROM streamers") == [
        (0, "Mario"),
        (1, "Zelda, again"),
    ]


def test_the_source_has_gifts_and_rooms_but_no_clicks(tmp_path: Path) -> None:
    source = ingest(marathon(tmp_path / "gdq"), tmp_path / "store").source
    assert source.capabilities == {"gift", "gift_anonymous", "room", "streamer"}
    assert (source.kind, source.tz, source.unit) == ("gdq", "America/New_York", "US cent")


def test_runs_without_length_are_quarantined_without_tripping_the_limit(tmp_path: Path) -> None:
    store = ingest(marathon(tmp_path / "gdq"), tmp_path / "store", max_reject_share=0.0)
    assert pq.read_table(store.folder / "rejects" / "room.parquet").to_pylist() == [
        {
            "file": "runs.csv",
            "line": 4,
            "column": "end_utc",
            "value": "2015-01-04T15:30:00Z",
            "reason": "start and end are the same instant",
        }
    ]


def test_of_two_overlapping_runs_the_later_one_is_on_air(tmp_path: Path) -> None:
    runs = [*RUNS[:2], "a,Inner,2015-01-04T15:10:00Z,2015-01-04T15:20:00Z,1,True"]
    donations = [
        DONATIONS[0],
        *(f"a,2015-01-04T15:{m}:00Z,7,1.0,0" for m in ("05", "15", "25")),
    ]
    store = ingest(marathon(tmp_path / "gdq", runs, donations), tmp_path / "store")
    assert rows(store, "SELECT live_id FROM gift ORDER BY ts") == [(0,), (1,), (0,)]


def test_bad_donations_are_named_by_line(tmp_path: Path) -> None:
    folder = marathon(tmp_path / "gdq", donations=[*DONATIONS, "a,2015-01-04T15:00:01Z,5,five,0"])
    with pytest.raises(RejectLimitError, match=r"donations.csv.gz, line 8, column amount_usd: "):
        ingest(folder, tmp_path / "store")


@pytest.mark.parametrize("missing", ["runs.csv", "donations.csv.gz"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder = marathon(tmp_path / "gdq")
    (folder / missing).unlink()
    with pytest.raises(InputError, match=f"gdq/{missing}: this file is missing"):
        ingest(folder, tmp_path / "store")


def test_no_donation_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the table gift is empty"):
        ingest(marathon(tmp_path / "gdq", donations=DONATIONS[:1]), tmp_path / "store")


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


@pytest.mark.shared
def test_the_real_marathons_against_a_plain_reading(gdq: Path, tmp_path: Path) -> None:
    store = ingest(gdq, tmp_path / "store")
    with (gdq / "runs.csv").open(encoding="utf-8", newline="") as file:
        runs = list(csv.DictReader(file))
    aired: dict[str, list[tuple[int, int]]] = {}
    for run in runs:
        if run["start_utc"] != run["end_utc"]:
            aired.setdefault(run["event"], []).append((_ms(run["start_utc"]), _ms(run["end_utc"])))
    longest = {event: max(e - s for s, e in spans) for event, spans in aired.items()}
    starts = {event: sorted(spans) for event, spans in aired.items()}

    def on_air(event: str, ts: int) -> int:
        spans = starts.get(event, [])
        for start, end in reversed(spans[: bisect_right(spans, (ts, 1 << 62))]):
            if ts < end:
                return start
            if start < ts - longest[event]:
                break
        return -1

    gifts: Counter[tuple[int, int, int, int]] = Counter()
    with gzip.open(gdq / "donations.csv.gz", "rt", encoding="utf-8", newline="") as packed:
        for row in csv.DictReader(packed):
            ts, cents = _ms(row["ts_utc"]), round(float(row["amount_usd"]) * 100)
            gifts[int(row["donor_id"]), ts, cents, on_air(row["event"], ts)] += 1
    read = rows(
        store,
        "SELECT user_id, g.ts, amount, coalesce(start_ts, -1) FROM (FROM gift UNION ALL "
        "FROM gift_anonymous) AS g LEFT JOIN room USING (live_id)",
    )
    assert Counter(read) == gifts
    assert store.source.rows["gift_anonymous"] == sum(n for key, n in gifts.items() if not key[0])
    assert store.source.rejects == {"room": {"start and end are the same instant": 95}}
    assert store.source.rows["room"] == len(runs) - 95
    assert rows(store, "SELECT count(*) FROM gift WHERE amount > 8_000_000") == [(2,)]


@pytest.mark.shared
def test_the_real_marathons_say_what_they_cannot_tell(gdq: Path, tmp_path: Path) -> None:
    store = ingest(gdq, tmp_path / "store")
    named, anonymous = store.source.rows["gift"], store.source.rows["gift_anonymous"]
    assert (named + anonymous, anonymous) == (218_307, 45_455)
    assert round(100 * anonymous / (named + anonymous), 1) == 20.8
    assert rows(store, "SELECT count(*) FROM gift WHERE user_id = 0") == [(0,)]
    broken, unknown, off_air = store.source.notes
    assert broken == (
        "room: 95 runs have no length and are no rooms (sgdq2011 50 of 50, agdq2012 41 of 108, "
        "sgdq2013 3 of 89, agdq2013 1 of 130)"
    )
    assert unknown.startswith("gift_anonymous: 45,455 of 218,307 donations (20.8%) are anonymous")
    (without,) = rows(
        store,
        "SELECT count(*) FROM (FROM gift UNION ALL FROM gift_anonymous) WHERE live_id = -1",
    )[0]
    assert off_air.startswith(f"gift_anonymous: {without:,} of 218,307 donations")


def test_what_the_rows_cannot_say_is_said_with_its_numbers(tmp_path: Path) -> None:
    source = ingest(marathon(tmp_path / "gdq"), tmp_path / "store").source
    assert source.notes == (
        "room: 1 runs have no length and are no rooms (b 1 of 1)",
        "gift_anonymous: 1 of 6 donations (16.7%) are anonymous: they belong to no known user, "
        "and not to one user",
        "gift_anonymous: 3 of 6 donations (50.0%) were made while no run of their marathon was "
        "on air; their room and streamer are -1",
    )
    assert Store.open(tmp_path / "store").source == source


def test_marathons_without_gaps_have_nothing_to_say_of_their_runs(tmp_path: Path) -> None:
    source = ingest(marathon(tmp_path / "gdq", runs=RUNS[:3]), tmp_path / "store").source
    assert not [note for note in source.notes if note.startswith("room: ")]


def test_a_truncated_gzip_is_an_error_and_never_half_read(tmp_path: Path) -> None:
    folder = marathon(tmp_path / "gdq", donations=[DONATIONS[0], *DONATIONS[1:] * 50])
    packed = folder / "donations.csv.gz"
    packed.write_bytes(packed.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"donations.csv.gz: the file cannot be read"):
        ingest(folder, tmp_path / "store")
    assert not (tmp_path / "store").exists()
