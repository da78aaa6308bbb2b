"""What is known of each key before each probe, in Polars: the ideas are in ``tables_polars``."""

from __future__ import annotations

import math

import polars as pl

from benchmarks.tables_polars_log import IDS, TOKENS, Clock, Log, scan

HALF_LIVES = {"1h": 3_600_000, "1d": 86_400_000, "7d": 604_800_000}
HEAT = {"10m": 600_000, "60m": 3_600_000}
ACTORS, SHOWN = ("pair", "user", "streamer"), ("user", "streamer")
FEW_KEYS = 500_000
COUNTS = (
    *("click_count", "click_today", "click_10m", "click_60m", "negative"),
    *("gift_count", "comment_count", "like_count"),
)


def first_of(*columns: str) -> pl.Expr:
    """Say whether a row of sorted rows is the first with its values of ``columns``."""
    return pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in columns)


def held(first: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Return the value at the first row for every row until the next first one."""
    return pl.when(first).then(value).forward_fill()


def since(first: pl.Expr, x: pl.Expr) -> pl.Expr:
    """Sum of integers from the first row up to this one."""
    return x.cum_sum() - held(first, x.cum_sum() - x)


def growth(half_life: int) -> pl.Expr:
    """2^(t/h) at a row's time."""
    return (pl.col("at") * (math.log(2.0) / half_life)).exp()


def keyed_sums(rows: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Sum doubles from the first row of each key up to each row."""
    if int(rows["new"].sum()) < FEW_KEYS:
        return rows.with_columns(pl.col(name).cum_sum().over("code") for name in names)
    place = rows.select(pl.col("i") - held(pl.col("new"), pl.col("i")).alias("i"))["i"]
    sums, step = rows.select(*names, place=place), 1
    while step <= place.max():
        earlier = pl.col("place") >= step
        sums = sums.with_columns(
            pl.when(earlier).then(pl.col(n) + pl.col(n).shift(step)).otherwise(n).alias(n)
            for n in names
        )
        step *= 2
    return rows.with_columns(sums.select(names))


def in_order(rows: pl.DataFrame, clock: Clock) -> pl.DataFrame:
    """Sort by key; number the rows, take key and time apart, and mark the first rows."""
    rows = rows.sort("key").with_columns(
        i=pl.int_range(pl.len(), dtype=pl.UInt32), code=pl.col("key") // clock.span
    )
    rows = rows.with_columns(at=pl.col("key") - pl.col("code") * clock.span, new=first_of("code"))
    rows = rows.with_columns(day=clock.of("day", pl.col("at")))
    return rows.with_columns(new_day=pl.col("new") | first_of("day"))


def entries(log: Log, group: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return probes sorted by key with the entries before each, and moments by day."""
    clock, key = log.clock, pl.col(group) * log.clock.span + pl.col("at")
    rows = in_order(log.clicks.select("sample", key=key), clock)
    i, new, tie = pl.col("i"), pl.col("new"), first_of("key")
    rows = rows.with_columns(place=held(tie, i), start=held(new, i))
    rank = (i - pl.col("start")).cast(pl.Int64)
    moments = rows.group_by("day").agg(n=pl.len().cast(pl.Int64), n2=(2 * rank + 1).sum())
    state = {"click_count": pl.col("place") - pl.col("start")}
    if group in ACTORS:
        decayed = {f"click_{name}": growth(ms) for name, ms in HALF_LIVES.items()}
        rows = keyed_sums(rows.with_columns(**decayed), list(decayed))
        last = pl.when(new).then(-1).otherwise(pl.col("at").shift(1))
        state["last_click"] = held(tie, last)
        state["click_today"] = pl.col("place") - held(pl.col("new_day"), i)
        for name, grown in decayed.items():
            earlier = pl.when(new).then(0.0).otherwise(pl.col(name).shift(1))
            state[name] = held(tie, earlier) / grown
    if group == "streamer":
        for name, ms in HEAT.items():
            gone = pl.col("key").search_sorted(pl.col("key") - ms)
            state[f"click_{name}"] = pl.col("place") - pl.max_horizontal(gone, "start")
    asked = rows.select("sample", "key", "code", "at", "day", **state)
    floors = {"base": pl.col("key") - pl.col("at")}
    floors["today"] = floors["base"] + pl.lit(clock.midnight).gather("day")
    return asked.filter(pl.col("sample").is_not_null()).with_columns(**floors), moments


def viewings(log: Log, group: str) -> pl.DataFrame:
    """Return time watched up to the end of each viewing, sorted by key."""
    key = pl.col(group) * log.clock.span + pl.col("end")
    rows = in_order(log.clicks.select("watch_ms", key=key), log.clock)
    watch = pl.col("watch_ms")
    return rows.select(
        seen="key",
        watch_ms=since(pl.col("new"), watch),
        watch_ms_today=since(pl.col("new_day"), watch),
    )


def tokens(log: Log, group: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return sums up to each gift, comment or like, sorted by key, and moments of gifts by day."""
    key = pl.col(group) * log.clock.span + pl.col("at")
    rows = in_order(
        log.tokens.filter(pl.col(group).is_not_null()).select(*TOKENS, key=key), log.clock
    )
    amount, gift = pl.col("gift_sum"), pl.col("gift_count")
    decayed = {f"gift_{name}": amount * growth(ms) for name, ms in HALF_LIVES.items()}
    rows = keyed_sums(rows.with_columns(**decayed), list(decayed))
    rows = rows.with_columns(nth=since(pl.col("new"), gift))
    moments = (
        rows.filter(gift > 0).group_by("day")
        .agg(g=pl.len().cast(pl.Int64), g2=(2 * pl.col("nth") - 1).sum(), v=amount.sum())
    )  # fmt: skip
    return rows.select(
        *decayed,
        *(since(pl.col("new"), pl.col(name)).alias(name) for name in TOKENS),
        seen="key",
        gift_today=since(pl.col("new_day"), amount),
        last_gift=pl.when(gift > 0).then("key").forward_fill(),
    ), moments


def before(probes: pl.DataFrame, events: pl.DataFrame, at: str = "key") -> pl.DataFrame:
    """Add to each probe the last row of ``events`` strictly before it: sums, 0 where none."""
    joined = probes.join_asof(
        events,
        left_on=at,
        right_on="seen",
        strategy="backward",
        allow_exact_matches=False,
        coalesce=False,
    )
    floor = {name: "today" if name.endswith("_today") else "base" for name in events.columns}
    return joined.with_columns(
        pl.when(pl.col("seen") >= pl.col(floor[name])).then(name).otherwise(0).alias(name)
        for name in events.columns
        if name not in ("seen", "last_gift")
    ).drop("seen")


def heat(probes: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Add the amount of a streamer's gifts in the last minutes."""
    total = events.select("seen", gone="gift_sum")
    for name, ms in HEAT.items():
        probes = before(probes.with_columns(since=pl.col("key") - ms), total, "since")
        recent = (pl.col("gift_sum") - pl.col("gone")).alias(f"gift_{name}")
        probes = probes.with_columns(recent).drop("since", "gone")
    return probes


def shown(log: Log, group: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return negatives of each key up to each day, sorted by (key, day), and moments by day.

    An exposure is one integer, (code, day, whether it was refused): one column is sorted.
    """
    clock, top, days = log.clock, len(log.ids[group]), len(log.clock.midnight)
    day = clock.of("day", pl.col("known_ts") - clock.origin)
    refused = (
        scan(log.folder, "negative")
        .select(IDS[group], day=day)
        .join(log.ids[group].lazy(), on=IDS[group], how="left")
        .collect(engine="streaming")
    )
    never = pl.col("code").is_null()  # they count in the moments
    strangers = refused.filter(never).with_columns(code=pl.col(IDS[group]).rank("dense") + top)
    place = (pl.col("code") * days + pl.col("day")) * 2 + 1
    entered = (pl.col(group) * days + clock.of("day", pl.col("at"))) * 2
    rows = pl.concat(
        [
            log.clicks.select(place=entered),
            refused.filter(~never).select(place=place),
            strangers.select(place=place.cast(pl.Int64)),
        ]
    ).sort("place")
    rows = rows.select(
        key_day=pl.col("place") // 2,
        total=pl.int_range(1, pl.len() + 1),
        negative=(pl.col("place") % 2).cum_sum(),
    ).filter(pl.col("key_day").ne_missing(pl.col("key_day").shift(-1)))
    rows = rows.with_columns(code=pl.col("key_day") // days, day=pl.col("key_day") % days)
    new, gained = (
        first_of("code"),
        pl.col("total", "negative").diff().fill_null(pl.col("total", "negative")),
    )
    rows = rows.with_columns(gained.name.prefix("new_"))
    n, more = since(new, pl.col("new_total")), pl.col("new_total")
    moments = rows.with_columns(n=more, n2=n**2 - (n - more) ** 2)
    moments = moments.group_by("day").agg(pl.col("n", "n2").sum())
    seen = pl.col("code") * clock.span + pl.lit(clock.midnight).gather("day")
    negative = since(new, pl.col("new_negative"))
    known = rows.select(seen=seen, negative=negative).filter(
        pl.col("seen") < (top + 1) * clock.span
    )
    return known, moments


def efficiency(log: Log, watched: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Return, for each streamer with gifts and each day, the share with fewer gifts per time.

    Those without gifts stand below everyone with some, so only the others are sorted.
    """
    clock = log.clock
    started = watched.filter(pl.col("watch_ms") > 0)
    first = started.with_columns(code=pl.col("seen") // clock.span).filter(first_of("code"))
    at = pl.col("seen") - pl.col("code") * clock.span
    count = first.group_by(clock.of("day", at).alias("day")).agg(new=pl.len())
    days = pl.DataFrame({"day": range(len(clock.midnight)), "start": clock.midnight})
    days = days.join(count, on="day", how="left", maintain_order="left").with_columns(
        watched=pl.col("new").fill_null(0).cum_sum().shift(1, fill_value=0)
    )
    gifted = given.filter(pl.col("gift_sum") > 0).select(code=pl.col("seen") // clock.span)
    grid = gifted.filter(first_of("code")).join(days, how="cross", maintain_order="left_right")
    grid = grid.with_columns(base=pl.col("code") * clock.span)
    grid = grid.with_columns(key=pl.col("base") + pl.col("start")).sort("key")
    grid = before(grid, watched.select("seen", "watch_ms"))
    grid = before(grid, given.select("seen", "gift_sum"))
    ratio = (pl.col("gift_sum") / pl.col("watch_ms")).alias("ratio")
    grid = grid.filter((pl.col("watch_ms") > 0) & (pl.col("gift_sum") > 0)).with_columns(ratio)
    above = pl.len().over("day") + 1 - pl.col("ratio").rank("min").over("day")
    share = (pl.col("watched") - above) / pl.col("watched")
    return grid.select(today="key", efficiency=share)


def prior(moments: pl.DataFrame, days: int) -> pl.DataFrame:
    """Return rate, value and strength as known when each day began, from n, n2, g, g2 and v."""
    every = pl.DataFrame({"day": range(days)}).join(
        moments, on="day", how="left", maintain_order="left"
    )
    sums = every.select(pl.all().exclude("day").fill_null(0).cum_sum().shift(1, fill_value=0))
    n, g = pl.col("n"), pl.col("g")
    rate = pl.when(n > 0).then(g / n).otherwise(0.0)
    value = pl.when(n > 0).then(pl.col("v") / n).otherwise(0.0)
    sums = sums.with_columns(rate=rate, value=value)
    spread = (pl.col("g2") - g) / pl.col("n2") - pl.col("rate") * pl.col("rate")
    strength = pl.when(spread > 0).then(pl.col("rate") / spread).otherwise(10_000.0)
    strength = pl.when(pl.col("rate") > 0).then(strength.clip(1.0, 10_000.0)).otherwise(1.0)
    return sums.select("rate", "value", strength=strength)


def state_of(log: Log, group: str) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """Return the state columns of a group in the order of the samples, and its priors by day."""
    days, priors = len(log.clock.midnight), {}
    probes, clicked = entries(log, group)
    given, gifted = tokens(log, group)
    watched = given if group == "room" else viewings(log, group)
    if group == "room":
        probes = before(probes, given.select("seen", *TOKENS))
    else:
        probes = before(probes, watched if group in ACTORS else watched.drop("watch_ms_today"))
    if group == "taste":
        probes = before(probes, given.select("seen", "gift_sum"))
    if group in ACTORS:
        probes = before(probes, given)
        both = clicked.join(gifted, on="day", how="full", coalesce=True)
        priors["gift"] = prior(both, days)
    if group == "streamer":
        probes = heat(probes, given)
        share = efficiency(log, watched, given)
        probes = probes.join_asof(share, on="today", tolerance=0)
    if group in SHOWN:
        negatives, exposed = shown(log, group)
        probes = before(probes, negatives, "today")
        clicked = clicked.select("day", g="n", g2="n2", v=pl.lit(0))
        priors["enter"] = prior(exposed.join(clicked, on="day", how="left"), days)
    return in_sample_order(probes, group), priors


def in_sample_order(probes: pl.DataFrame, group: str) -> pl.DataFrame:
    """Return the state alone, by sample, with the group's name in front of each column."""
    n, base = len(probes), pl.col("base")
    if "last_gift" in probes.columns:
        known = pl.col("last_gift") >= base
        last = pl.when(known).then(pl.col("last_gift") - base).otherwise(-1)
        probes = probes.with_columns(last_gift=last)
    place = pl.zeros(n, pl.UInt32, eager=True)
    place = place.scatter(probes["sample"], pl.int_range(n, dtype=pl.UInt32, eager=True))
    state = probes.drop("sample", "key", "code", "at", "day", "base", "today")
    narrow = pl.col(name for name in COUNTS if name in state.columns).cast(pl.UInt32)
    return state.with_columns(narrow).select(pl.all().gather(place).name.prefix(f"{group}_"))
