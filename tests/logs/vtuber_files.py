"""Files in the schema of VTuber 1B, every row of them drawn here: no row was ever published.

Columns and types are those that the data set's publishing code writes
(sigvt/vtuber-livechat-dataset, the Parquet editions of 2022).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Edition = Literal["public", "complete"]

SUPERCHATS = "superchats_2022-02.parquet"
CHATS = "chats_2022-02.parquet"
"""The files of the month in which the rows begin."""

FIRST = datetime(2022, 2, 1, 12, tzinfo=UTC)
RATES = """currency,valid_from,rate,unit
JPY,2021-01-01,1,JPY
USD,2021-01-01,104.5,JPY
USD,2022-02-10,115.25,JPY
IDR,2021-01-01,0.008,JPY
"""
_MEMBERSHIP = ("unknown", "non-member", "new", "1 month", "2 years")
_PRICES = {"JPY": (200.0, 500.0, 1000.0, 10_000.0), "USD": (1.99, 5.0, 20.0), "IDR": (15_000.0,)}


@dataclass(frozen=True)
class Size:
    """How much to draw: videos and messages per day, for so many days."""

    days: int = 3
    users: int = 40
    channels: int = 5
    videos: int = 4
    chats: int = 60
    superchats: int = 15


def sha(kind: str, number: int) -> str:
    """Return a text like those by which authors and messages are named."""
    return hashlib.sha1(f"{kind} {number}".encode()).hexdigest()


def stamp(moment: datetime) -> str:
    """Return a time as the publishing code writes it: without a fraction where it is zero."""
    return moment.isoformat()


def write_vtuber(
    folder: Path, edition: Edition = "public", size: Size | None = None, seed: int = 1
) -> Path:
    """Write superchats and chats by month, moderation, and a table of rates."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = _draw(size or Size(), np.random.default_rng(seed))
    for kind in ("superchats", "chats"):
        for month in sorted({row["timestamp"][:7] for row in drawn[kind]}):
            rows = [row for row in drawn[kind] if row["timestamp"].startswith(month)]
            table = _table(kind, edition, rows)
            pq.write_table(table, folder / f"{kind}_{month}.parquet")
    for kind in ("ban_events", "deletion_events"):
        pq.write_table(_table(kind, edition, drawn[kind]), folder / f"{kind}.parquet")
    (folder / "rates.csv").write_text(RATES, encoding="utf-8")
    return folder


def _draw(size: Size, rng: np.random.Generator) -> dict[str, list[dict[str, Any]]]:
    drawn: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("superchats", "chats", "ban_events", "deletion_events")
    }
    # A few give much more often than the others, as givers do.
    giving = rng.pareto(1.2, size.users) + 0.05
    giving /= giving.sum()
    for day in range(size.days):
        for kind, n in (("chats", size.chats), ("superchats", size.superchats)):
            for _ in range(n):
                user = rng.choice(size.users, p=giving if kind == "superchats" else None)
                drawn[kind].append(_message(kind, day, int(user), size, rng, len(drawn[kind])))
    for chat in drawn["chats"][::17]:
        drawn["deletion_events"].append(_place(chat) | {"id": chat["id"], "retracted": 0})
    for chat in drawn["chats"][::41]:
        drawn["ban_events"].append(_place(chat) | {"authorChannelId": chat["authorChannelId"]})
    return drawn


def _message(
    kind: str, day: int, user: int, size: Size, rng: np.random.Generator, number: int
) -> dict[str, Any]:
    video = day * size.videos + int(rng.integers(size.videos))
    moment = FIRST + timedelta(days=day, milliseconds=int(rng.integers(0, 3 * 3_600_000)))
    row: dict[str, Any] = {
        "timestamp": stamp(moment),
        "id": sha(kind, number),
        "authorName": "somebody",
        "authorChannelId": sha("author", user),
        "videoId": f"video{video:06d}",
        "channelId": f"UC{video % size.channels:022d}",
        "body": "w" * int(rng.integers(1, 30)),
        "membership": _MEMBERSHIP[user % len(_MEMBERSHIP)],
        "isModerator": user == 0,
        "isVerified": False,
    }
    if kind == "superchats":
        currency = ("JPY", "USD", "IDR")[user % 3]
        amount = float(rng.choice(_PRICES[currency]))
        row |= {
            "amount": amount,
            "currency": currency,
            "color": "blue",
            "significance": 1 + user % 7,
        }
    return row


def _place(chat: dict[str, Any]) -> dict[str, Any]:
    moment = datetime.fromisoformat(chat["timestamp"]) + timedelta(seconds=5)
    return {key: chat[key] for key in ("videoId", "channelId")} | {"timestamp": stamp(moment)}


_TEXT, _FLAG = pa.string(), pa.bool_()
_PLACE = {"videoId": _TEXT, "channelId": _TEXT}
SCHEMAS: dict[tuple[str, str], dict[str, pa.DataType]] = {
    ("superchats", "public"): {
        "timestamp": _TEXT,
        "amount": pa.float64(),
        "currency": _TEXT,
        "significance": pa.int64(),
        "authorChannelId": _TEXT,
        **_PLACE,
        "bodylength": pa.int64(),
    },
    ("superchats", "complete"): {
        "timestamp": _TEXT,
        "amount": pa.float64(),
        "currency": _TEXT,
        "color": _TEXT,
        "significance": pa.int64(),
        "body": _TEXT,
        "id": _TEXT,
        "authorName": _TEXT,
        "authorChannelId": _TEXT,
        **_PLACE,
    },
    ("chats", "public"): {
        "timestamp": _TEXT,
        "authorChannelId": _TEXT,
        **_PLACE,
        "isMember": pa.float64(),
        "bodyLength": pa.int32(),
    },
    ("chats", "complete"): {
        "timestamp": _TEXT,
        "body": _TEXT,
        "membership": _TEXT,
        "isModerator": _FLAG,
        "isVerified": _FLAG,
        "id": _TEXT,
        "authorName": _TEXT,
        "authorChannelId": _TEXT,
        **_PLACE,
    },
    **{
        ("ban_events", edition): {"timestamp": _TEXT, "authorChannelId": _TEXT, **_PLACE}
        for edition in ("public", "complete")
    },
    **{
        ("deletion_events", edition): {
            "timestamp": _TEXT,
            "id": _TEXT,
            "retracted": pa.int64(),
            **_PLACE,
        }
        for edition in ("public", "complete")
    },
}
"""(File, edition) -> column -> type."""


def _table(kind: str, edition: Edition, rows: list[dict[str, Any]]) -> pa.Table:
    schema = pa.schema(list(SCHEMAS[kind, edition].items()))
    member = {"unknown": None, "non-member": 0.0}
    filled = [
        row
        | {
            "bodylength": len(row.get("body", "")),
            "bodyLength": len(row.get("body", "")),
            "isMember": member.get(row.get("membership", "unknown"), 1.0),
        }
        for row in rows
    ]
    columns = {name: [row[name] for row in filled] for name in schema.names}
    return pa.table(columns, schema=schema)


def edit(file: Path, **columns: Any) -> None:
    """Replace columns of a Parquet file, or with None remove them."""
    table = pq.read_table(file)
    for name, values in columns.items():
        at = table.column_names.index(name) if name in table.column_names else None
        if values is None:
            table = table.drop_columns([name])
        elif at is None:
            table = table.append_column(name, values)
        else:
            table = table.set_column(at, name, values)
    pq.write_table(table, file)


def change(file: Path, row: int, **cells: Any) -> None:
    """Replace cells of one row of a Parquet file."""
    table = pq.read_table(file)
    content = table.to_pylist()
    content[row] |= cells
    pq.write_table(pa.Table.from_pylist(content, schema=table.schema), file)


def plain(folder: Path, pattern: str) -> list[dict[str, Any]]:
    """Return the rows of all files of a pattern, in the order of their names."""
    return [row for file in sorted(folder.glob(pattern)) for row in pq.read_table(file).to_pylist()]
