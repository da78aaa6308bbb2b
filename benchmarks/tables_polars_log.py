"""The store as the Polars peer reads it: clicks, gifts and the like with codes of their keys."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

WINDOW_MS, SLOT_MS, DAY_MS = 60_000, 900_000, 86_400_000
MOST_DAYS = 39
"""Decayed sums of half-life 1 h grow to 2^(24 days) in doubles, which end at 2^1023."""
IDS = {"user": "user_id", "streamer": "streamer_id", "room": "live_id"}
EVENTS = ("click", "gift", "gift_anonymous", "comment", "like", "negative")
TOKENS = ("gift_count", "gift_sum", "comment_count", "like_count")
_PERSON = ["age", "gender", "device_brand", "device_price"]
PROFILES = {"user": [*_PERSON, "is_live_streamer", "is_photo_author"], "streamer": _PERSON}
UNKNOWN = {"", "unknown", "none", "null", "nan", "-1"}
BOUND = re.compile(r"[<≤>≥]?=?\s*(\d+)(?:\.\d+)?\s*(?:\+|[-~–—]\s*\d+(?:\.\d+)?)?")


@dataclass(frozen=True)
class Clock:
    """Times as ms since ``origin``, all in [0, span); local days by quarter-hour slots.

    ``slots`` has the day's index, the hour and the weekday of each slot since ``origin``,
    ``midnight`` the start of each day.
    """

    origin: int
    span: int
    slots: pl.DataFrame
    midnight: pl.Series

    @staticmethod
    def over(first: int, last: int, tz: str) -> Clock:
        """Return the clock of the local days from ``first`` to ``last``, a day before at least."""
        origin = (first - DAY_MS) // SLOT_MS * SLOT_MS
        span = last + SLOT_MS - origin
        if span > MOST_DAYS * DAY_MS:
            raise ValueError(f"{span // DAY_MS} days: the peer is written for {MOST_DAYS}")
        start = pl.int_range(origin, origin + span, SLOT_MS, eager=True)
        local = pl.from_epoch(start, time_unit="ms").dt.replace_time_zone("UTC")
        local = local.dt.convert_time_zone(tz)
        slots = pl.DataFrame({"start": start - origin, "date": local.dt.date()}).with_columns(
            day=pl.col("date").rle_id().cast(pl.Int64),
            hour=local.dt.hour().cast(pl.Int64),
            weekday=local.dt.weekday().cast(pl.Int64) - 1,
        )
        midnight = slots.group_by("day", maintain_order=True).agg(pl.col("start").min())["start"]
        return Clock(origin, span, slots, midnight)

    def of(self, column: str, at: pl.Expr) -> pl.Expr:
        """Return day, hour or weekday at a time."""
        return pl.lit(self.slots[column]).gather(at // SLOT_MS)


@dataclass(frozen=True)
class Log:
    """What is read: clicks and tokens with codes of their keys, ids and rooms by code."""

    folder: Path
    clock: Clock
    clicks: pl.DataFrame
    tokens: pl.DataFrame
    ids: dict[str, pl.DataFrame]
    rooms: pl.DataFrame
    samples: pl.DataFrame


def scan(folder: Path, table: str) -> pl.LazyFrame:
    """Return a table of the store; one the source lacks has no rows."""
    file = folder / f"{table}.parquet"
    if file.is_file():
        return pl.scan_parquet(file)
    numbers = ("row_id", *IDS.values(), "ts", "known_ts", "watch_ms", "amount", "start_ts")
    words = ("category", "live_type", *(name for names in PROFILES.values() for name in names))
    return pl.LazyFrame(schema=dict.fromkeys(numbers, pl.Int64) | dict.fromkeys(words, pl.String))


def extent(folder: Path) -> tuple[int, int]:
    """Return the first and the last time at which something happened or became known."""
    tables = [scan(folder, table).select("ts", "known_ts") for table in EVENTS]
    low = pl.min_horizontal("ts", "known_ts").min().alias("low")
    high = pl.max_horizontal("ts", "known_ts").max().alias("high")
    found = pl.concat(tables).select(low, high).collect(engine="streaming")
    return found["low"][0], found["high"][0]


def read_clicks(folder: Path, clock: Clock) -> pl.DataFrame:
    """Return clicks by row id, with times of the clock."""
    at, end = pl.col("ts") - clock.origin, pl.col("known_ts") - clock.origin
    rows = (
        scan(folder, "click").select("row_id", *IDS.values(), "watch_ms", at=at, end=end).collect()
    )
    rows = rows if rows["row_id"].is_sorted() else rows.sort("row_id")
    return rows.drop("row_id")


def read_tokens(folder: Path, clock: Clock) -> pl.DataFrame:
    """Return gifts, anonymous gifts, comments and likes as one stream of 0 and 1 and amounts."""
    frames = []
    for table in ("gift", "gift_anonymous", "comment", "like"):
        count = f"{table.removesuffix('_anonymous')}_count"
        columns = {name: pl.lit(int(name == count), pl.Int64) for name in TOKENS}
        if count == "gift_count":
            columns["gift_sum"] = pl.col("amount")
        user = pl.lit(None, pl.Int64) if table == "gift_anonymous" else pl.col("user_id")
        at = pl.col("known_ts") - clock.origin
        ids = {"user_id": user, "streamer_id": "streamer_id", "live_id": "live_id", "at": at}
        frames.append(scan(folder, table).select(**ids, **columns))
    return pl.concat(frames).collect()


def coded(clicks: pl.DataFrame, others: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add to both a code for user, streamer, room and pair: ranks from 1 over both together."""
    ids = pl.concat([clicks.select(IDS.values()), others.select(IDS.values())])
    codes = ids.select(pl.col(i).rank("dense").cast(pl.Int64).alias(g) for g, i in IDS.items())
    pair = pl.col("user") * (codes["streamer"].max() + 1) + pl.col("streamer")
    codes = codes.with_columns(pair=pair.rank("dense").cast(pl.Int64))
    n = len(clicks)
    return clicks.hstack(codes[:n]), others.hstack(codes[n:])


def ids_of(frames: list[pl.DataFrame], group: str) -> pl.DataFrame:
    """Return the id behind every code from 1."""
    top = max(int(f[group].max() or 0) for f in frames)
    ids = pl.zeros(top, pl.Int64, eager=True)
    for frame in frames:
        known = frame.filter(pl.col(group).is_not_null()) if frame[group].null_count() else frame
        ids = ids.scatter(known[group] - 1, known[IDS[group]])
    return pl.DataFrame({IDS[group]: ids, "code": pl.int_range(1, top + 1, eager=True)})


def ordinal(texts: list[str]) -> list[int]:
    """Return the code of each sorted text: its lower bound, else its rank, and -1 if unknown."""
    known = [text for text in texts if text.strip().lower() not in UNKNOWN]
    bounds = [BOUND.fullmatch(text.strip()) for text in known]
    codes = {text: rank for rank, text in enumerate(known)}
    if all(bounds):
        found = zip(known, bounds, strict=True)
        codes = {t: 0 if t.strip()[0] in "<≤" else int(b[1]) for t, b in found if b}
    return [codes.get(text, -1) for text in texts]


def described(
    rows: pl.LazyFrame, ids: pl.DataFrame, columns: list[str], *more: pl.Expr
) -> pl.DataFrame:
    """Return the ordinal codes of each id (-1 unknown), in the order of the codes.

    Of several rows of an id the smallest text counts.
    """
    key = ids.columns[0]
    least, number = list(more), []
    for name in columns:
        found = rows.select(pl.col(name).unique()).collect(engine="streaming")[name]
        texts = sorted(found.cast(pl.String).drop_nulls().to_list())
        least.append(pl.col(name).cast(pl.String).cast(pl.Enum(texts)).to_physical().min())
        of = pl.Series([*ordinal(texts), -1], dtype=pl.Int64)
        number.append(pl.lit(of).gather(pl.col(name).fill_null(len(texts))).alias(name))
    least = rows.join(ids.lazy(), on=key).group_by("code").agg(least).collect(engine="streaming")
    return (
        ids.select("code")
        .join(least, on="code", how="left", maintain_order="left")
        .with_columns(number)
    )


def label(clicks: pl.DataFrame, folder: Path, clock: Clock) -> pl.DataFrame:
    """Add what each click is credited with by last touch, and when that is final."""
    given, known = pl.col("ts") - clock.origin, pl.col("known_ts") - clock.origin
    gifts = (
        scan(folder, "gift")
        .select("user_id", "live_id", "amount", given=given, label_known=known)
        .collect()
    )
    touched = (
        clicks.lazy().select("user_id", "live_id", "at").with_row_index("row")
        .join(gifts.lazy(), on=["user_id", "live_id"], how="semi", maintain_order="left").collect()
    )  # fmt: skip
    lag, key = pl.col("given") - pl.col("at"), ["user_id", "live_id"]
    sorted_so = {"strategy": "backward", "check_sortedness": False, "coalesce": False}
    credit = (
        gifts.sort("given")
        .join_asof(touched, left_on="given", right_on="at", by=key, **sorted_so)
        .filter(lag <= WINDOW_MS)
        .group_by("row")
        .agg(pl.col("amount").sum(), pl.len().cast(pl.Int64), pl.col("label_known").max())
    )
    zero = pl.zeros(len(clicks), pl.Int64, eager=True)
    columns = {
        "label_amount": zero.scatter(credit["row"], credit["amount"]),
        "label_count": zero.clone().scatter(credit["row"], credit["len"]),
        "label_known": zero.clone().scatter(credit["row"], credit["label_known"]),
    }
    final = pl.max_horizontal("label_known", "end", pl.col("at") + WINDOW_MS)
    return clicks.with_columns(**columns).with_columns(label_known=final)


def sessions(clicks: pl.DataFrame) -> pl.DataFrame:
    """Return one row per user and room, by the row of its first click."""
    key = pl.col("user") * (clicks["room"].max() + 1) + pl.col("room")
    return (
        clicks.lazy()
        .select("label_amount", "label_count", "label_known", key=key)
        .with_row_index("row")
        .group_by("key")
        .agg(
            pl.col("row").min(),
            pl.col("label_amount", "label_count").sum(),
            pl.col("label_known").max(),
        )
        .drop("key")
        .collect(engine="streaming")
        .sort("row")
    )


def read_log(folder: Path) -> Log:
    """Read a store, credit the gifts, and give each click the place of its sample."""
    source = json.loads((folder / "source.json").read_text(encoding="utf-8"))
    clock = Clock.over(*extent(folder), source["tz"])
    clicks, others = coded(read_clicks(folder, clock), read_tokens(folder, clock))
    ids = {group: ids_of([clicks, others], group) for group in IDS}
    start = (pl.col("start_ts").min() - clock.origin).alias("start")
    rooms = described(scan(folder, "room"), ids["room"], ["category", "live_type"], start)
    kinds = rooms["category"].unique().sort()
    kind = pl.lit(kinds.search_sorted(rooms["category"])).gather(pl.col("room") - 1)
    taste = (pl.col("user") * len(kinds) + kind.cast(pl.Int64)).alias("taste")
    clicks = label(clicks.with_columns(taste), folder, clock)
    samples = sessions(clicks)
    n = len(samples)
    place = pl.select(pl.repeat(None, len(clicks), dtype=pl.UInt32)).to_series()
    place = place.scatter(samples["row"], pl.int_range(n, dtype=pl.UInt32, eager=True))
    samples = samples.hstack(clicks.select(*IDS.values(), *IDS, "at")[samples["row"]])
    clicks = clicks.with_columns(sample=place)
    return Log(folder, clock, clicks, others.with_columns(taste), ids, rooms, samples)
