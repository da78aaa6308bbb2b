"""What generated files in the schema of VTuber 1B become, against plain Python readings of them."""

from __future__ import annotations

import random
import zipfile
from collections import Counter
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.logs.vtuber_files import (
    CHATS,
    SCHEMAS,
    SUPERCHATS,
    Edition,
    Size,
    change,
    edit,
    plain,
    sha,
    write_vtuber,
)

from giftlive.logs import Store, ingest

RATES = {"JPY": "1", "USD": "104.5", "IDR": "0.008"}
LATER = int(datetime(2022, 2, 9, 15, tzinfo=UTC).timestamp() * 1000)  # 10 February in Tokyo


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    con = store.connect()
    try:
        return [tuple(row) for row in con.execute(sql).fetchall()]
    finally:
        con.close()


def ms(stamp: str) -> int:
    moment = datetime.fromisoformat(stamp)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def keys(store: Store, name: str) -> dict[int, str]:
    table = pq.read_table(store.folder / "keys" / f"{name}.parquet")
    return dict(zip(*(column.to_pylist() for column in table.columns), strict=True))


@pytest.fixture
def public(tmp_path: Path) -> Path:
    return write_vtuber(tmp_path / "vtuber", "public", Size(days=15))


def expected_amount(row: dict[str, Any]) -> int:
    usd_rose = row["currency"] == "USD" and ms(row["timestamp"]) >= LATER
    rate = Decimal("115.25" if usd_rose else RATES[row["currency"]])
    exact = Decimal(str(row["amount"])) * rate * 1000
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@pytest.mark.parametrize("edition", ["public", "complete"])
def test_superchats_are_gifts_priced_at_the_rate_of_their_day(
    tmp_path: Path, edition: Edition
) -> None:
    folder = write_vtuber(tmp_path / "vtuber", edition, Size(days=15))
    store = ingest(folder, tmp_path / "store")
    user, live, streamer = (keys(store, name) for name in ("user", "live", "streamer"))
    stored = Counter(
        (user[u], live[v], streamer[c], ts, amount, known, currency, original, level)
        for u, v, c, ts, amount, known, currency, original, level in rows(
            store,
            "SELECT user_id, live_id, streamer_id, ts, amount, known_ts, currency, "
            "original_amount, significance FROM gift JOIN gift_original USING (row_id)",
        )
    )
    assert stored == Counter(
        (
            row["authorChannelId"],
            row["videoId"],
            row["channelId"],
            ms(row["timestamp"]),
            expected_amount(row),
            ms(row["timestamp"]),
            row["currency"],
            Decimal(str(row["amount"])),
            row["significance"],
        )
        for row in plain(folder, "superchats_*.parquet")
    )
    assert store.source.unit == "thousandth of JPY"
    assert {amount for *_, amount, _, _, _, _ in stored if amount % 1000}  # fractions of a yen


def test_half_a_thousandth_is_rounded_away_from_zero(public: Path, tmp_path: Path) -> None:
    rates = "currency,valid_from,rate,unit\nUSD,2021-01-01,0.0005,EUR\nJPY,2021-01-01,0.0025,EUR\n"
    (public / "rates.csv").write_text(rates, encoding="utf-8")
    table = pq.read_table(public / SUPERCHATS).slice(0, 3)
    pq.write_table(table, public / SUPERCHATS)
    edit(
        public / SUPERCHATS,
        currency=pa.array(["USD", "JPY", "USD"]),
        amount=pa.array([1.0, 1.0, 0.99]),
    )
    store = ingest(public, tmp_path / "store")
    # 0.5, 2.5 and 0.495 thousandths of a euro.
    assert sorted(rows(store, "SELECT amount FROM gift")) == [(0,), (1,), (3,)]
    assert store.source.unit == "thousandth of EUR"


def test_chats_are_comments_and_the_source_has_no_clicks(public: Path, tmp_path: Path) -> None:
    store = ingest(public, tmp_path / "store")
    user, live = keys(store, "user"), keys(store, "live")
    found = rows(store, "SELECT user_id, live_id, ts, known_ts FROM comment")
    assert Counter((user[u], live[v], ts, known) for u, v, ts, known in found) == Counter(
        (row["authorChannelId"], row["videoId"], ms(row["timestamp"]), ms(row["timestamp"]))
        for row in plain(public, "chats_*.parquet")
    )
    source = store.source
    assert source.capabilities == {"gift", "gift_original", "comment", "moderation"}
    assert (source.kind, source.tz, source.label) == ("vtuber", "Asia/Tokyo", "real logs")
    assert not source.live_platform


def test_both_spellings_of_the_length_are_read_in_both_files(public: Path, tmp_path: Path) -> None:
    length = "SELECT body_length FROM gift_original ORDER BY row_id"
    first = rows(ingest(public, tmp_path / "a"), length)
    lengths = pq.read_table(public / SUPERCHATS)["bodylength"]
    edit(public / SUPERCHATS, bodylength=None, bodyLength=lengths)
    assert rows(ingest(public, tmp_path / "b"), length) == first
    assert all(n > 0 for (n,) in first)
    edit(public / SUPERCHATS, bodyLength=None)
    assert set(rows(ingest(public, tmp_path / "c"), length)) == {(None,)}


@pytest.mark.parametrize(
    "kind", [pa.timestamp("ns", "UTC"), pa.timestamp("us"), pa.timestamp("ms", "Asia/Tokyo")]
)
def test_times_may_be_text_in_one_month_and_parquet_times_in_another(
    tmp_path: Path, kind: pa.DataType
) -> None:
    folder = write_vtuber(tmp_path / "vtuber", "public", Size(days=40))
    want = rows(ingest(folder, tmp_path / "a"), "SELECT * FROM gift ORDER BY row_id")
    stamps = [row["timestamp"] for row in plain(folder, SUPERCHATS)]
    moments = [datetime.fromisoformat(stamp) for stamp in stamps]
    if kind.tz is None:
        moments = [moment.replace(tzinfo=None) for moment in moments]
    edit(folder / SUPERCHATS, timestamp=pa.array(moments, kind))
    assert len(list(folder.glob("superchats_*"))) == 2
    assert rows(ingest(folder, tmp_path / "b"), "SELECT * FROM gift ORDER BY row_id") == want


def test_keys_are_a_dictionary_in_order_of_first_appearance(public: Path, tmp_path: Path) -> None:
    store = ingest(public, tmp_path / "store")
    user = keys(store, "user")
    files = ("superchats_*.parquet", "chats_*.parquet", "ban_events.parquet")
    first: dict[str, int] = {}
    for row in (row for pattern in files for row in plain(public, pattern)):
        at = ms(row["timestamp"])
        first[row["authorChannelId"]] = min(at, first.get(row["authorChannelId"], at))
    assert list(user) == list(range(len(first)))
    assert list(user.values()) == sorted(first, key=lambda key: (first[key], key))


def test_a_longer_log_keeps_every_number_of_the_shorter_one(tmp_path: Path) -> None:
    folder = write_vtuber(tmp_path / "vtuber", "public", Size(days=40, users=300))
    for name in ("ban_events", "deletion_events"):
        (folder / f"{name}.parquet").unlink()
    whole = ingest(folder, tmp_path / "whole")
    for file in folder.glob("*_2022-03.parquet"):
        file.unlink()
    short = ingest(folder, tmp_path / "short")
    for name in ("user", "live", "streamer"):
        assert keys(short, name).items() <= keys(whole, name).items()
    assert len(keys(short, "live")) < len(keys(whole, "live"))
    gifts = "SELECT * FROM gift ORDER BY row_id"
    assert rows(whole, gifts)[: short.source.rows["gift"]] == rows(short, gifts)


def test_the_order_of_rows_and_files_changes_nothing(public: Path, tmp_path: Path) -> None:
    def content(store: Store) -> dict[str, bytes]:
        files = sorted(store.folder.rglob("*.parquet"))
        return {str(file.relative_to(store.folder)): file.read_bytes() for file in files}

    # Rows that are equal as gifts and differ in what they were.
    change(public / SUPERCHATS, 1, **pq.read_table(public / SUPERCHATS).to_pylist()[0])
    change(public / SUPERCHATS, 1, significance=7)
    first = content(ingest(public, tmp_path / "a"))
    for number, file in enumerate(sorted(public.glob("*.parquet"))):
        table = pq.read_table(file)
        order = list(range(table.num_rows))
        random.Random(number).shuffle(order)
        pq.write_table(table.take(order), file)
    chats = pq.read_table(public / CHATS)
    pq.write_table(chats.slice(0, 100), public / CHATS)
    pq.write_table(chats.slice(100), public / "chats_2021-07.parquet")
    assert content(ingest(public, tmp_path / "b", threads=1)) == first


def test_bans_name_users_and_deletions_only_messages(public: Path, tmp_path: Path) -> None:
    store = ingest(public, tmp_path / "store")
    user = keys(store, "user")
    banned = rows(store, "SELECT user_id, ts FROM moderation WHERE kind = 'ban'")
    assert Counter((user[u], ts) for u, ts in banned) == Counter(
        (row["authorChannelId"], ms(row["timestamp"])) for row in plain(public, "ban_*.parquet")
    )
    deleted = plain(public, "deletion_*.parquet")
    assert rows(
        store, "SELECT count(*), min(user_id), max(user_id) FROM moderation WHERE kind = 'deletion'"
    ) == [(len(deleted), -1, -1)]
    [note] = [note for note in store.source.notes if note.startswith("moderation: ")]
    assert f"the user of {len(deleted):,} of " in note


def test_where_messages_have_ids_the_author_of_a_deleted_one_is_known(tmp_path: Path) -> None:
    folder = write_vtuber(tmp_path / "vtuber", "complete", Size(days=15))
    change(folder / "deletion_events.parquet", 0, retracted=1)
    change(folder / "deletion_events.parquet", 1, id=sha("never", 1))
    store = ingest(folder, tmp_path / "store")
    user = keys(store, "user") | {-1: None}
    authors = {row["id"]: row["authorChannelId"] for row in plain(folder, "chats_*.parquet")}
    found = rows(store, "SELECT user_id, ts, kind FROM moderation WHERE kind <> 'ban'")
    assert Counter((user[u], ts, kind) for u, ts, kind in found) == Counter(
        (
            authors.get(row["id"]),
            ms(row["timestamp"]),
            "retraction" if row["retracted"] else "deletion",
        )
        for row in plain(folder, "deletion_*.parquet")
    )
    assert [u for u, _, _ in found].count(-1) == 1


def test_a_rate_holds_from_its_own_day_on_in_japan(public: Path, tmp_path: Path) -> None:
    rates = "currency,valid_from,rate,unit\n" + "\n".join(
        f"{currency},2022-02-03,{rate},JPY" for currency, rate in RATES.items()
    )
    (public / "rates.csv").write_text(rates, encoding="utf-8")
    midnight = ms("2022-02-03T00:00:00+09:00")
    change(public / SUPERCHATS, 0, timestamp="2022-02-02T14:59:59.999000+00:00")
    change(public / SUPERCHATS, 1, timestamp="2022-02-02T15:00:00+00:00")
    early = [r for r in plain(public, "superchats_*") if ms(r["timestamp"]) < midnight]
    store = ingest(public, tmp_path / "store", max_reject_share=1.0)
    assert store.source.rejects == {"gift": {"no rate for its currency at this time": len(early)}}
    assert rows(store, "SELECT min(ts) FROM gift") == [(midnight,)]


def test_superchats_of_an_edition_without_videos_are_in_no_room(
    public: Path, tmp_path: Path
) -> None:
    want = ingest(public, tmp_path / "a")
    edit(public / SUPERCHATS, videoId=None)
    store = ingest(public, tmp_path / "b")
    n = want.source.rows["gift"]
    assert rows(store, "SELECT DISTINCT live_id FROM gift") == [(-1,)]
    assert f"gift: {n} of {n} superchats name no video; their room is -1" in store.source.notes
    total = "SELECT sum(amount), count(DISTINCT streamer_id) FROM gift"
    assert rows(store, total) == rows(want, total)


def test_superchats_alone_are_enough(public: Path, tmp_path: Path) -> None:
    for file in public.glob("*.parquet"):
        if not file.name.startswith("superchats"):
            file.unlink()
    source = ingest(public, tmp_path / "store").source
    assert source.capabilities == {"gift", "gift_original"}


def test_the_generated_files_have_the_published_columns(public: Path) -> None:
    for kind, file in (("superchats", SUPERCHATS), ("chats", CHATS)):
        schema = pq.read_schema(public / file)
        assert dict(zip(schema.names, schema.types, strict=True)) == SCHEMAS[kind, "public"]


@pytest.mark.slow
def test_memory_stays_within_the_limit_on_a_million_chats(tmp_path: Path) -> None:
    folder = write_vtuber(tmp_path / "vtuber", "public", Size(days=2))
    table = pq.read_table(folder / CHATS)
    n = 1_000_000
    authors = pa.array([sha("author", i % 200_000) for i in range(n)])
    many = {
        name: table[name].combine_chunks().take(pa.array([i % 50 for i in range(n)]))
        for name in table.column_names
    }
    pq.write_table(pa.table(many | {"authorChannelId": authors}), folder / CHATS)
    store = ingest(folder, tmp_path / "store", memory_limit="150MB", threads=1)
    assert store.source.rows["comment"] == n


def test_a_zip_gives_what_its_folder_gives(public: Path, tmp_path: Path) -> None:
    store = ingest(public, tmp_path / "a")
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for file in sorted(public.iterdir()):
            out.write(file, f"archive/{file.name}")
    zipped = ingest(archive, tmp_path / "b")
    assert zipped.source.fingerprint == store.source.fingerprint
    for name in ("gift", "gift_original", "comment", "moderation", "keys/user"):
        one, other = (s.folder / f"{name}.parquet" for s in (store, zipped))
        assert one.read_bytes() == other.read_bytes(), name
