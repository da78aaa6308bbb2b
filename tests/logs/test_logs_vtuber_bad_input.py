"""Files of VTuber 1B that are not what they should be: set aside or refused, with their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.logs.vtuber_files import CHATS, SUPERCHATS, Size, change, edit, plain, write_vtuber

from giftlive.errors import InputError, RejectLimitError
from giftlive.logs import ingest


@pytest.fixture
def public(tmp_path: Path) -> Path:
    return write_vtuber(tmp_path / "vtuber", "public", Size(days=15))


def test_a_currency_without_a_rate_is_set_aside_with_its_reason(
    public: Path, tmp_path: Path
) -> None:
    change(public / SUPERCHATS, 3, currency="XAF")
    with pytest.raises(RejectLimitError) as caught:
        ingest(public, tmp_path / "store", max_reject_share=0.0)
    assert str(caught.value).startswith(
        f"{SUPERCHATS}, line 4, column currency: no rate for this currency ('XAF'); 1 of "
    )
    assert "expected a currency that rates.csv lists" in str(caught.value)
    store = ingest(public, tmp_path / "store", max_reject_share=0.5)
    assert store.source.rejects == {"gift": {"no rate for this currency": 1}}
    all_of_them = len(plain(public, "superchats_*.parquet"))
    assert store.source.rows["gift"] == store.source.rows["gift_original"] == all_of_them - 1


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "negative amount": ({"amount": -5.0}, "column amount: negative original_amount ('-5.0')"),
    "too many decimals": ({"amount": 0.12345}, "column amount: not an amount ('0.12345')"),
    "no author": ({"authorChannelId": None}, "column authorChannelId: missing value (empty)"),
    "no channel": ({"channelId": ""}, "column channelId: missing value"),
    "no time": ({"timestamp": None}, "column timestamp: missing value (empty)"),
    "seconds": ({"timestamp": "1643716981"}, "column timestamp: not a UTC time ('1643716981')"),
    "a day": ({"timestamp": "2022-02-01"}, "column timestamp: not a UTC time ('2022-02-01')"),
    "no currency": ({"currency": None}, "column currency: missing value (empty)"),
    "significance": ({"significance": 9}, "column significance: significance outside 1..7 ('9')"),
    "huge": ({"amount": 9e11}, "column amount: too large ('900000000000.0000')"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_bad_superchat_is_set_aside_with_its_place(
    public: Path, tmp_path: Path, case: str
) -> None:
    cells, words = FAULTS[case]
    change(public / SUPERCHATS, 5, **cells)
    with pytest.raises(RejectLimitError) as caught:
        ingest(public, tmp_path / "store", max_reject_share=0.0)
    assert str(caught.value).startswith(f"{SUPERCHATS}, line 6, {words}")
    store = ingest(public, tmp_path / "store")
    [rejected] = pq.read_table(store.folder / "rejects" / "gift.parquet").to_pylist()
    assert (rejected["file"], rejected["line"]) == (SUPERCHATS, 6)


def test_a_message_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    folder = write_vtuber(tmp_path / "vtuber", "complete", Size(days=15))
    first = pq.read_table(folder / SUPERCHATS).slice(0, 1)
    pq.write_table(first, folder / "superchats_2022-03.parquet")
    store = ingest(folder, tmp_path / "store")
    [rejected] = pq.read_table(store.folder / "rejects" / "gift.parquet").to_pylist()
    assert rejected["file"] == "superchats_2022-03.parquet"
    assert rejected["reason"] == "duplicate chat_id: only the first in content order is kept"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("rates.csv", "vtuber/rates.csv: this file is missing: superchats come in many currencies"),
        (SUPERCHATS, "vtuber/superchats_*.parquet: this file is missing"),
    ],
)
def test_a_missing_file_is_named(public: Path, tmp_path: Path, spoil: str, words: str) -> None:
    (public / spoil).unlink()
    with pytest.raises(InputError) as caught:
        ingest(public, tmp_path / "store")
    assert str(caught.value).startswith(words)
    assert "docs/sources.md" in str(caught.value) or "months" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "column"),
    [
        (SUPERCHATS, "amount"),
        (SUPERCHATS, "authorChannelId"),
        (CHATS, "videoId"),
        ("ban_events.parquet", "authorChannelId"),
        ("deletion_events.parquet", "retracted"),
    ],
)
def test_a_missing_column_is_named_with_its_file(
    public: Path, tmp_path: Path, file: str, column: str
) -> None:
    edit(public / file, **{column: None})
    with pytest.raises(InputError) as caught:
        ingest(public, tmp_path / "store")
    assert str(caught.value).startswith(f"{file}, column {column}: the column {column} is missing")


def test_no_superchat_at_all_is_an_error(public: Path, tmp_path: Path) -> None:
    empty = pq.read_table(public / SUPERCHATS).slice(0, 0)
    pq.write_table(empty, public / SUPERCHATS)
    with pytest.raises(InputError, match="the table gift is empty"):
        ingest(public, tmp_path / "store")


def test_moderation_without_a_time_is_a_known_quirk(public: Path, tmp_path: Path) -> None:
    change(public / "ban_events.parquet", 0, timestamp=None)
    change(public / "deletion_events.parquet", 0, timestamp=None)
    store = ingest(public, tmp_path / "store", max_reject_share=0.0)
    assert store.source.rejects == {"moderation": {"moderation without a time": 2}}
    rejected = pq.read_table(store.folder / "rejects" / "moderation.parquet").to_pylist()
    assert [(row["file"], row["line"]) for row in rejected] == [
        ("ban_events.parquet", 1),
        ("deletion_events.parquet", 1),
    ]
