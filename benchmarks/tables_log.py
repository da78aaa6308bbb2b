"""A log of the size of KuaiLive in the schema of the store, drawn by NumPy in seconds.

No behaviour is modelled: only what decides how long a feature takes. How often users enter, how
popular streamers are (Zipf), that users come back to a few favourites and to the room they have
just left, that watch times and amounts have heavy tails, and that gifts are stamped at the entry
and known when the viewing ends.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.clock import MS_PER_DAY, MS_PER_HOUR, MS_PER_SECOND
from giftlive.logs.schema import MAX_AMOUNT, TABLES
from giftlive.logs.source import Source
from giftlive.logs.store import SOURCE_FILE
from giftlive.rng import stream
from giftlive.types import Floats, Ints

T0 = 1_746_374_400_000  # 2025-05-05 00:00 in Shanghai
ZONE, DAYS, FAVOURITES = "Asia/Shanghai", 21, 20
LOYAL, RETURN = 0.55, 0.04
"""Shares of entries that go to a favourite, and of those that repeat the room just left."""
COLUMNS_OF_TEXT = {
    "age": ("0-11", "12-17", "18-23", "24-30", "31-40", "41-49", "50+", "unknown"),
    "gender": ("F", "M", "unknown"),
    "device_brand": tuple("ABCDEFGHIJ"),
    "device_price": ("0-500", "500-1000", "1000-2000", "2000-5000", "5000+", ""),
}
CATEGORIES = ("Chat", "Dance", "Game", "Music", "Outdoor", "Sale", "Sport", "Talk", "unknown")

Columns = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """Rows of every table; the defaults are those published for KuaiLive."""

    clicks: int = 4_909_515
    gifts: int = 72_646
    comments: int = 196_526
    likes: int = 179_311
    negatives: int = 12_705_836
    rooms: int = 11_613_708
    users: int = 23_772
    streamers: int = 452_621

    def times(self, factor: float) -> Size:
        """Return ``factor`` times as much of everything over the same days."""
        counts = {name: max(1, round(n * factor)) for name, n in asdict(self).items()}
        return replace(self, **counts)

    def with_clicks(self, clicks: int) -> Size:
        """Return the size with so many clicks and everything else in proportion."""
        return self.times(clicks / self.clicks)


def cached_log(cache: Path, size: Size, seed: int = 1) -> Path:
    """Return the store of this size in ``cache``; draw it where it is not there yet."""
    text = json.dumps([asdict(size), seed, Path(__file__).read_text(encoding="utf-8")])
    digest = hashlib.sha256(text.encode()).hexdigest()
    folder = cache / f"tables-log-{size.clicks}-{digest[:12]}"
    if not (folder / SOURCE_FILE).is_file():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        write_log(partial, size, seed)
        partial.rename(folder)
    return folder


def write_log(folder: Path, size: Size, seed: int = 1) -> None:
    """Draw a log of this size into ``folder``; the same size and seed give the same rows."""
    draw = stream(seed, "benchmark log")
    popular = _zipf(size.streamers, 0.9)
    rooms = _Rooms.drawn(size, popular)
    clicks = _clicks(draw, size, popular, rooms)
    counts = {"click": _write(folder, "click", clicks)}
    likely = np.where(clicks.pop("loyal"), 3.0, 1.0)
    gifted = _some(draw, size.gifts, likely)
    counts["gift"] = _write(folder, "gift", _gifts(draw, clicks, gifted))
    for name, n in (("comment", size.comments), ("like", size.likes)):
        counts[name] = _write(folder, name, _during(draw, clicks, _some(draw, n, likely)))
    counts["negative"] = _write(folder, "negative", _negatives(draw, size, popular, rooms))
    counts["room"] = _write(folder, "room", rooms.columns(draw))
    counts["user"] = _write(folder, "user", _users(draw, size.users))
    counts["streamer"] = _write(folder, "streamer", _profiles(draw, "streamer", size.streamers))
    last = int(clicks["known_ts"].max())
    source = Source(
        *("kuailive", folder.name, ZONE, "unit", frozenset(counts)),
        *(f"{seed:032x}", "calibrated world", counts, {}, (T0, last)),
    )
    (folder / SOURCE_FILE).write_text(source.as_json(), encoding="utf-8")


def _zipf(n: int, exponent: float) -> Floats:
    """Return the cumulative shares of ``n`` entities whose share falls as rank^-exponent."""
    shares = (np.arange(n) + 10.0) ** -exponent
    cumulative: Floats = np.cumsum(shares) / shares.sum()
    cumulative[-1] = 1.0
    return cumulative


def _pick(draw: np.random.Generator, cumulative: Floats, n: int) -> Ints:
    return np.searchsorted(cumulative, draw.random(n), side="right").astype(np.int64)


@dataclass(frozen=True)
class _Rooms:
    """Rooms of a streamer follow each other without a gap; ids count through all streamers."""

    first: Ints
    count: Ints

    @staticmethod
    def drawn(size: Size, popular: Floats) -> _Rooms:
        """Give popular streamers more rooms, and everyone at least one."""
        spread = np.diff(np.floor(np.sqrt(popular) * (size.rooms - size.streamers)), prepend=0.0)
        count = spread.astype(np.int64) + 1
        return _Rooms(np.cumsum(count) - count, count)

    def at(self, streamer: Ints, ts: Ints) -> Ints:
        """Return the room of each streamer that is open at ``ts``."""
        within = (ts - T0) * self.count[streamer] // (DAYS * MS_PER_DAY)
        return np.asarray(self.first[streamer] + within, dtype=np.int64)

    def columns(self, draw: np.random.Generator) -> Columns:
        """Return the room table; the last room of a streamer has not ended."""
        streamer = np.repeat(np.arange(len(self.count)), self.count)
        n = len(streamer)
        length = DAYS * MS_PER_DAY // self.count[streamer]
        start = T0 + (np.arange(n) - self.first[streamer]) * length
        last = np.r_[streamer[1:] != streamer[:-1], True]
        category = draw.integers(0, len(CATEGORIES), len(self.count))[streamer]
        return {
            "live_id": np.arange(n),
            "streamer_id": streamer,
            "start_ts": start,
            "end_ts": (start + length, last),
            "live_type": draw.integers(0, 3, n),
            "category": (category, CATEGORIES),
        }


def _times(draw: np.random.Generator, n: int) -> Ints:
    """Return ``n`` sorted times, more of them in the evening."""
    hour = np.cumsum(1.0 + 0.8 * np.sin((np.arange(24) - 14.0) / 24.0 * 2.0 * np.pi))
    of_day = np.searchsorted(hour / hour[-1], draw.random(n)) * MS_PER_HOUR
    of_day += draw.integers(0, MS_PER_HOUR, n)
    return np.sort(T0 + draw.integers(0, DAYS, n) * MS_PER_DAY + of_day)


def _clicks(draw: np.random.Generator, size: Size, popular: Floats, rooms: _Rooms) -> Columns:
    n = size.clicks
    ts, user = _times(draw, n), _pick(draw, _zipf(size.users, 0.5), n)
    loyal = draw.random(n) < LOYAL
    favourites = _pick(draw, popular, size.users * FAVOURITES)
    chosen = np.minimum(draw.exponential(4.0, n).astype(np.int64), FAVOURITES - 1)
    streamer = np.where(loyal, favourites[user * FAVOURITES + chosen], _pick(draw, popular, n))
    again = np.flatnonzero(draw.random(n) < RETURN)
    before = np.maximum(again - draw.integers(1, 2_000, len(again)), 0)
    user[again], streamer[again], loyal[again] = user[before], streamer[before], True
    seconds = np.exp(draw.normal(2.5, 2.0, n))
    watch = np.minimum(seconds, 6 * 3_600.0) * MS_PER_SECOND
    columns = {
        "user_id": user,
        "live_id": rooms.at(streamer, ts),
        "streamer_id": streamer,
        "ts": ts,
        "watch_ms": watch.astype(np.int64),
        "loyal": loyal,
    }
    ordered = _in_content_order("click", columns)
    return ordered | {"known_ts": ordered["ts"] + ordered["watch_ms"]}


def _gifts(draw: np.random.Generator, clicks: Columns, rows: Ints) -> Columns:
    """Stamp gifts at the entry; one in a hundred a little before, and so credited to no click."""
    amount = np.minimum(np.ceil(draw.random(len(rows)) ** -1.1), MAX_AMOUNT // 10**6)
    early = np.where(draw.random(len(rows)) < 0.01, MS_PER_SECOND, 0)
    columns = _rows(clicks, rows) | {"amount": amount.astype(np.int64)}
    columns["ts"] = np.maximum(columns["ts"] - early, T0)
    return _in_content_order("gift", columns | {"known_ts": clicks["known_ts"][rows]})


def _during(draw: np.random.Generator, clicks: Columns, rows: Ints) -> Columns:
    columns = _rows(clicks, rows)
    into = draw.random(len(rows)) * clicks["watch_ms"][rows]
    columns["ts"] = columns["ts"] + into.astype(np.int64)
    ordered = _in_content_order("comment", columns)
    return ordered | {"known_ts": ordered["ts"]}


def _negatives(draw: np.random.Generator, size: Size, popular: Floats, rooms: _Rooms) -> Columns:
    ts = _times(draw, size.negatives)
    streamer = _pick(draw, popular, size.negatives)
    columns = {
        "user_id": _pick(draw, _zipf(size.users, 0.5), size.negatives),
        "live_id": rooms.at(streamer, ts),
        "streamer_id": streamer,
        "ts": ts,
    }
    ordered = _in_content_order("negative", columns)
    return ordered | {"known_ts": ordered["ts"]}


def _some(draw: np.random.Generator, n: int, likely: Floats) -> Ints:
    """Return ``n`` rows with replacement, in proportion to ``likely``."""
    cumulative = np.cumsum(likely)
    return np.searchsorted(cumulative, draw.random(n) * cumulative[-1], side="right")


def _rows(clicks: Columns, rows: Ints) -> Columns:
    return {name: clicks[name][rows] for name in ("user_id", "live_id", "streamer_id", "ts")}


def _in_content_order(table: str, columns: Columns) -> Columns:
    """Sort by time, and rows of one millisecond by their content, as the store does."""
    order = np.argsort(columns["ts"], kind="stable")
    ts = columns["ts"][order]
    tied = np.zeros(len(ts), dtype=np.bool_)
    tied[1:] = ts[1:] == ts[:-1]
    tied[:-1] |= tied[1:]
    at = np.flatnonzero(tied)
    names = TABLES[table].order[::-1]
    order[at] = order[at][np.lexsort([columns[name][order[at]] for name in names])]
    return {name: column[order] for name, column in columns.items()}


def _profiles(draw: np.random.Generator, entity: str, n: int) -> Columns:
    words = {
        name: (draw.integers(0, len(texts), n), texts) for name, texts in COLUMNS_OF_TEXT.items()
    }
    return {f"{entity}_id": np.arange(n), **words}


def _users(draw: np.random.Generator, n: int) -> Columns:
    flags = {name: draw.integers(0, 2, n) for name in ("is_live_streamer", "is_photo_author")}
    return _profiles(draw, "user", n) | flags


def _write(folder: Path, table: str, columns: Mapping[str, Any]) -> int:
    """Write a table of the store; what is not drawn is absent. Return the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = len(next(iter(columns.values())))
    numbered = {"row_id": np.arange(n), **columns}
    kinds: dict[str, Callable[[], Any]] = {"BIGINT": pa.int64, "VARCHAR": pa.string}
    arrays = {}
    for column in TABLES[table].columns:
        kind, values = kinds[column.type](), numbered.get(column.name)
        if values is None:
            arrays[column.name] = pa.nulls(n, kind)
        elif column.type == "VARCHAR":
            codes, texts = values
            arrays[column.name] = pa.array(np.array(texts, dtype=object), kind).take(codes)
        else:
            values, missing = values if isinstance(values, tuple) else (values, None)
            arrays[column.name] = pa.array(values, kind, mask=missing)
    pq.write_table(pa.table(arrays), folder / f"{table}.parquet")
    return n
