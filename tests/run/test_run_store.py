"""A store that is given as it is: whole or refused, and never taken for the one it was."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from giftlive.config import load_config
from giftlive.errors import InputError
from giftlive.logs.ingest import ingest
from giftlive.run import steps
from giftlive.run.cache import Cache
from giftlive.run.progress import Reporter
from giftlive.run.steps import Workshop, table_options

WHO = "user_id,live_id,streamer_id,timestamp"
LINES = {
    "click": (f"{WHO},watch_live_time", ["1,11,5,1746374400001,900", "2,12,5,1746374400002,900"]),
    "gift": (f"{WHO},gift_price", ["1,11,5,1746374400001,9"]),
    "room": (
        "live_id,streamer_id,start_timestamp,end_timestamp,live_content_category,live_name_id",
        ["11,5,1746374300000,,Pop,7"],
    ),
}


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(Cache(tmp_path / "cache"), load_config(), Reporter())


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    logs = tmp_path / "logs"
    logs.mkdir()
    for name, (head, lines) in LINES.items():
        (logs / f"{name}.csv").write_text("\n".join([head, *lines]) + "\n")
    return ingest(logs, tmp_path / "STORE").folder


def cut_off(store: Path) -> None:
    file = store / "click.parquet"
    file.write_bytes(file.read_bytes()[:-9])


def lose_a_table(store: Path) -> None:
    (store / "gift.parquet").unlink()


def lose_a_row(store: Path) -> None:
    pq.write_table(pq.read_table(store / "click.parquet")[:1], store / "click.parquet")


def move_away(store: Path) -> None:
    text = (store / "source.json").read_text()
    (store / "source.json").write_text(text.replace("Asia/Shanghai", "Mars/Base"))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (cut_off, r"STORE/click\.parquet: this is no whole Parquet file; expected .* of 2 rows"),
        (lose_a_table, r"STORE/gift\.parquet: this table is missing; expected .* of 1 rows"),
        (lose_a_row, r"STORE/click\.parquet: there are 1 rows; expected .* of 2 rows"),
        (move_away, r"STORE/source\.json: no such time zone \('Mars/Base'\)"),
    ],
)
def test_a_store_that_is_not_whole_is_refused_by_name(
    shop: Workshop, stored: Path, harm: object, said: str
) -> None:
    assert steps.store(shop, stored).source.rows["click"] == 2
    harm(stored)  # type: ignore[operator]
    with pytest.raises(InputError, match=said):
        steps.store(shop, stored)


def give_more(store: Path) -> None:
    gifts = pq.read_table(store / "gift.parquet")
    at = gifts.column_names.index("amount")
    more = pc.add(gifts["amount"], pa.scalar(1))
    pq.write_table(gifts.set_column(at, "amount", more), store / "gift.parquet")


def move_west(store: Path) -> None:
    text = (store / "source.json").read_text()
    (store / "source.json").write_text(text.replace("Asia/Shanghai", "America/New_York"))


@pytest.mark.parametrize("change", [give_more, move_west])
def test_tables_of_a_store_that_changed_are_not_those_of_the_logs_it_came_from(
    shop: Workshop, stored: Path, change: object
) -> None:
    """The fingerprint stays, for it is that of the logs; the cache must not go by it alone."""
    options = table_options(shop.config)
    first = steps.tables(shop, steps.store(shop, stored), options)
    assert steps.tables(shop, steps.store(shop, stored), options) == first
    change(stored)  # type: ignore[operator]
    after = steps.tables(shop, steps.store(shop, stored), options)
    before, now = (pq.read_table(folder / "samples") for folder in (first, after))
    changed = {name for name in before.column_names if not before[name].equals(now[name])}
    assert changed & {"label_amount", "hour"}
