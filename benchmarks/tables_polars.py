"""Labels, sessions and all the features, written by hand in Polars: the peer of the benchmark.

What an expert writes after days of tuning, and without a line of ``giftlive``. What makes
it fast:

- A key and a time are one integer, ``code * span + (time - origin)``: a stream is sorted by one
  column, and a join by key and time is one ``join_asof`` without ``by``: a merge of two sorted
  columns, far cheaper than windows over a union of probes and events.
- A probe is an entry, so its state of entries is its place in the sorted entries. Only the other
  streams are merged: viewings when they end; gifts, comments and likes as one stream.
- A sum since the first row of a key (or of a key's day) is a running sum over all rows less
  that sum before the first row; ``over`` would visit millions of groups.
- A decayed sum is Σ x · 2^(t/h) before the probe, times 2^(-a/h). Its terms span too many powers
  of two for a difference of running sums, so keys are summed apart: ``over`` where keys are few,
  else in doubling steps (each row adds the row 1, 2, 4, ... places before it).
- Σ n² of a prior grows by 2n + 1 with every event of a key: a day's prior is a sum by day.

``python -m benchmarks.tables_polars STORE OUT`` writes ``labels.parquet`` and ``samples.parquet``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "2")
import polars as pl

from benchmarks.tables_polars_log import IDS, PROFILES, TOKENS, Log, described, read_log, scan
from benchmarks.tables_polars_state import ACTORS, HALF_LIVES, HEAT, SHOWN, growth, state_of

_EACH = (
    *("gift_count", "gift_sum", "gift_mean", "gift_recency_seconds", "click_count"),
    *("click_recency_seconds", "watch_seconds", "comment_count", "like_count"),
    *("click_1h", "click_1d", "click_7d", "gift_1h", "gift_1d", "gift_7d"),
    *("click_today", "watch_seconds_today", "gift_today", "gift_rate", "gift_value"),
)
FEATURES: tuple[str, ...] = (
    *(f"{group}_{name}" for group in ("pair", "user", "streamer") for name in _EACH),
    *("user_negative_count", "user_enter_rate", "streamer_negative_count", "streamer_enter_rate"),
    *("streamer_click_10m", "streamer_gift_10m", "streamer_click_60m", "streamer_gift_60m"),
    *("streamer_efficiency", "pair_gift_share", "pair_watch_share"),
    *("room_gift_count", "room_gift_sum", "room_click_count", "room_comment_count"),
    *("room_like_count", "room_age_seconds"),
    *("taste_gift_sum", "taste_click_count", "taste_watch_seconds", "hour", "weekday"),
    *("room_live_type", "room_category", "user_age", "user_gender", "user_device_brand"),
    *("user_device_price", "user_is_live_streamer", "user_is_photo_author", "streamer_age"),
    *("streamer_gender", "streamer_device_brand", "streamer_device_price"),
)
"""All features of a source with every table, in the order of the declarations."""

CODEC = "lz4"
GROUPS = (*ACTORS, "room", "taste")
Priors = dict[str, dict[str, pl.DataFrame]]


def write_labels(log: Log, file: Path) -> None:
    """Write one row per click with what it is credited with."""
    origin = log.clock.origin
    log.clicks.lazy().with_row_index("row_id").select(
        pl.col("row_id").cast(pl.Int64),
        *IDS.values(),
        (pl.col("at") + origin).alias("ts"),
        (pl.col("end") + origin).alias("known_ts"),
        "label_amount",
        "label_count",
    ).sink_parquet(file, compression=CODEC)


def write_samples(log: Log, file: Path) -> None:
    """Write one row per session with the features in their order."""
    clock = log.clock
    frames, priors = [log.samples], {}
    for group in GROUPS:
        state, priors[group] = state_of(log, group)
        frames.append(state)
    rows = pl.concat(frames, how="horizontal")
    columns = features(log, priors)
    known = {
        "ts": pl.col("at") + clock.origin,
        "label_known_ts": pl.col("label_known") + clock.origin,
    }
    fixed = {"sample_id": pl.col("row").cast(pl.Int64)} | {
        name: pl.col(name) for name in IDS.values()
    }
    fixed |= known | {name: pl.col(name) for name in ("label_amount", "label_count")}
    rows.lazy().with_columns(day=clock.of("day", pl.col("at"))).select(
        **fixed, **{name: columns[name] for name in FEATURES}
    ).sink_parquet(file, compression=CODEC)


def features(log: Log, priors: Priors) -> dict[str, pl.Expr]:
    """Return every feature as an expression over state columns."""
    return {
        **{name: value for group in ACTORS for name, value in actor(group, priors[group]).items()},
        **{
            name: value for group in SHOWN for name, value in shown_to(group, priors[group]).items()
        },
        **supply(),
        **alone(),
        **surroundings(log),
        **profiles(log),
    }


def actor(group: str, priors: dict[str, pl.DataFrame]) -> dict[str, pl.Expr]:
    """Return counts, sums, means, recency, decayed sums, today's sums and shrunk rates."""

    def state(name: str) -> pl.Expr:
        return pl.col(f"{group}_{name}")

    count = {
        name: state(name).cast(pl.Int64)
        for name in ("click_count", "click_today", *TOKENS, "gift_today")
    }
    rate, value, strength = (by_day(priors["gift"][name]) for name in ("rate", "value", "strength"))
    trials = state("click_count") + strength
    found = count | {
        "gift_mean": ratio(state("gift_sum"), state("gift_count")),
        "gift_recency_seconds": ago(state("last_gift")),
        "click_recency_seconds": ago(state("last_click")),
        "watch_seconds": state("watch_ms") / 1000,
        "watch_seconds_today": state("watch_ms_today") / 1000,
        "gift_rate": (state("gift_count") + strength * rate) / trials,
        "gift_value": (state("gift_sum") + strength * value) / trials,
    }
    for name, ms in HALF_LIVES.items():
        found[f"click_{name}"] = state(f"click_{name}")
        found[f"gift_{name}"] = state(f"gift_{name}") / growth(ms)
    return {f"{group}_{name}": value for name, value in found.items()}


def ratio(top: pl.Expr, bottom: pl.Expr) -> pl.Expr:
    """Return top / bottom, 0 where the bottom is 0."""
    return pl.when(bottom > 0).then(top / bottom).otherwise(0.0)


def ago(last: pl.Expr) -> pl.Expr:
    """Return seconds from ``last`` to the probe, -1 where it never happened."""
    return pl.when(last >= 0).then((pl.col("at") - last) / 1000).otherwise(-1.0)


def by_day(values: pl.Series) -> pl.Expr:
    """Return the value of the probe's day."""
    return pl.lit(values).gather("day")


def shown_to(group: str, priors: dict[str, pl.DataFrame]) -> dict[str, pl.Expr]:
    """Return negatives and the shrunk rate of entering, as known when the day began."""
    negative = pl.col(f"{group}_negative")
    entered = pl.col(f"{group}_click_count") - pl.col(f"{group}_click_today")
    rate, strength = (by_day(priors["enter"][name]) for name in ("rate", "strength"))
    return {
        f"{group}_negative_count": negative.cast(pl.Int64),
        f"{group}_enter_rate": (entered + strength * rate) / (entered + negative + strength),
    }


def supply() -> dict[str, pl.Expr]:
    """Return the heat of a streamer, and the share of streamers with fewer gifts per time."""
    found = {
        f"streamer_{what}_{name}": pl.col(f"streamer_{what}_{name}").cast(pl.Int64)
        for what in ("click", "gift")
        for name in HEAT
    }
    watched = pl.col("streamer_watch_ms") > pl.col("streamer_watch_ms_today")
    share = pl.col("streamer_efficiency").fill_null(0.0)
    return found | {"streamer_efficiency": pl.when(watched).then(share).otherwise(-1.0)}


def alone() -> dict[str, pl.Expr]:
    """Return what share of a user's gifts and time went to this streamer."""
    return {
        "pair_gift_share": ratio(pl.col("pair_gift_sum"), pl.col("user_gift_sum")),
        "pair_watch_share": ratio(pl.col("pair_watch_ms"), pl.col("user_watch_ms")),
    }


def surroundings(log: Log) -> dict[str, pl.Expr]:
    """Return what is known about the room, the user's taste for its category, and the hour."""
    start, kind = (
        pl.lit(log.rooms[name]).gather(pl.col("room") - 1) for name in ("start", "category")
    )
    at = pl.col("at")
    found = {
        f"room_{name}": pl.col(f"room_{name}").cast(pl.Int64) for name in ("click_count", *TOKENS)
    }
    known = kind >= 0
    return found | {
        "room_age_seconds": pl.when(start < at).then((at - start) / 1000).otherwise(-1.0),
        "taste_click_count": pl.when(known).then("taste_click_count").otherwise(0).cast(pl.Int64),
        "taste_watch_seconds": pl.when(known).then(pl.col("taste_watch_ms") / 1000).otherwise(0.0),
        "taste_gift_sum": pl.when(known).then("taste_gift_sum").otherwise(0),
        "hour": log.clock.of("hour", at),
        "weekday": log.clock.of("weekday", at),
    }


def profiles(log: Log) -> dict[str, pl.Expr]:
    """Return the ordinal codes of room, user and streamer."""
    found = {f"room_{name}": (log.rooms[name], "room") for name in ("category", "live_type")}
    for entity, columns in PROFILES.items():
        codes = described(scan(log.folder, entity), log.ids[entity], columns)
        found |= {f"{entity}_{name}": (codes[name], entity) for name in columns}
    return {name: pl.lit(codes).gather(pl.col(of) - 1) for name, (codes, of) in found.items()}


def write_tables(store: Path, out: Path) -> None:
    """Write ``labels.parquet`` and ``samples.parquet`` of a store into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    log = read_log(store)
    write_labels(log, out / "labels.parquet")
    write_samples(log, out / "samples.parquet")


if __name__ == "__main__":
    write_tables(Path(sys.argv[1]), Path(sys.argv[2]))
