"""Study 0.1 again, from sums per user and streamer and counts of distinct values."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from giftlive.run.verify import concentration
from giftlive.run.verify.claims import Result
from giftlive.run.verify.facts import BUCKETS, NEED_CLICKS, NEED_NEGATIVES, RATIOS, SHARES
from giftlive.run.verify.figures import Curve, Drawn
from giftlive.run.verify.recomputed import (
    Clustered,
    Recomputed,
    RowQuantile,
    Tail,
    place,
    quantile,
    ratio,
    share,
)
from giftlive.run.verify.rows import Kept
from giftlive.types import Floats

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_TOPS = (1, 5, 10)
TABLED = (
    *("amount_p50", "amount_p90", "amount_p99", "amount_mean", "amount_share_eq_1"),
    *("user_total_tail_index", "user_gini", "user_top1_share"),
    *("streamer_gini", "streamer_top1_share"),
    *("click_share_of_exposures", "gift_rows_per_click", "gift_sessions_per_session"),
    *("watch_p50_s", "watch_mean_s", "gifting_pairs_repeat_share"),
    *("gift_rate_pair_with_history", "gift_rate_pair_without_history"),
    *("revenue_share_never_gifted_pairs", "gifts_with_click_timestamp"),
)
"""Facts that the table shows, as far as the logs give them a value."""


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every fact by its name, and by its cell in the table of facts if it has one."""
    found = {
        **_ratios(kept),
        **_shares(kept),
        **_row_quantiles(kept, "amounts", "amount", "gifts", (50, 75, 90, 95, 99), 1.0),
        **_row_quantiles(kept, "watch_times", "watch", "clicks", (50, 90, 99), 1000.0),
        **_gifts(kept),
        **_concentrations(kept),
        **_activity(kept),
        **_quadrants(kept),
        **_days(kept),
        **_unknowable(kept),
    }
    tabled = {name: found[name] for name in TABLED if found[name].value is not None}
    return found | {f"facts / {name} / value": number for name, number in tabled.items()}


def _ratios(kept: Kept) -> dict[str, Recomputed]:
    """Return the ratios of sums over users."""
    selected = ", ".join(
        f"({top})::DOUBLE AS top{i}, ({bottom})::DOUBLE AS bottom{i}"
        for i, (top, bottom, _) in enumerate(RATIOS.values())
    )
    sums = kept.columns("users", selected)
    found = {}
    for i, (name, (_, _, rows)) in enumerate(RATIOS.items()):
        top, bottom = sums[f"top{i}"], sums[f"bottom{i}"]
        n = round(bottom.sum()) if not rows else int(kept.floats("users", f"sum({rows})")[0][0])
        found[name] = ratio(top, bottom, n)
    return found | {"gifting_pair_density": _density(kept)}


def _density(kept: Kept) -> Recomputed:
    (receivers,) = kept.floats("streamers", "count(*) FILTER (gifts > 0 AND streamer_id >= 0)")
    (pairs,) = kept.floats("users", "pairs")
    cells = np.full(len(pairs), receivers[0])
    return ratio(pairs, cells, round(cells.sum()))


def _shares(kept: Kept) -> dict[str, Recomputed]:
    """Return the shares of users and of streamers."""
    found = {}
    for name, (table, hit, among) in SHARES.items():
        hits, n = kept.floats(
            table, f"count(*) FILTER ({hit}), count(*) FROM {table} WHERE {among}"
        )
        found[name] = share(int(hits[0]), int(n[0]))
    return found


def _row_quantiles(
    kept: Kept, table: str, name: str, count: str, levels: tuple[int, ...], unit: float
) -> dict[str, Recomputed]:
    """Return quantiles of rows, counted from the smallest value upwards."""
    x, rows = kept.floats(table, f"* FROM {table} ORDER BY 1")
    ending = "_s" if unit > 1 else ""
    if not len(x):
        return {f"{name}_p{p}{ending}": Recomputed(None) for p in levels}
    upto, n = np.cumsum(rows), int(rows.sum())
    found = {}
    for p in levels:
        value = x[np.searchsorted(upto, place(p, n) + 1)] / unit
        under, within, whole = kept.floats(
            "users", f"{name}_under_p{p}, {name}_upto_p{p}, {count} FROM users WHERE {count} > 0"
        )
        basis = RowQuantile(x / unit, upto / n, p, under, within, whole)
        found[f"{name}_p{p}{ending}"] = Recomputed(float(value), basis, n)
    return found


def _gifts(kept: Kept) -> dict[str, Recomputed]:
    """Return the spread, the largest and the tail of what was given."""
    square, total, n = kept.floats(
        "users", "amount_square, amount, gifts FROM users WHERE gifts > 0"
    )
    if not len(n):
        return {
            name: Recomputed(None) for name in ("amount_sd", "amount_max", "user_total_tail_index")
        }

    def spread(w: Floats) -> Floats:
        rows = w @ n
        return np.sqrt(np.maximum((w @ square) / rows - ((w @ total) / rows) ** 2, 0.0))

    (largest,) = kept.floats("amounts", "max(amount)")
    rows = int(n.sum())
    sd = float(spread(np.ones((1, len(n))))[0])
    return {
        "amount_sd": Recomputed(sd, Clustered(len(n), spread), rows, scale=sd),
        "amount_max": Recomputed(float(largest[0]), None, rows),
        "user_total_tail_index": _tail(total[total > 0]),
    }


def _tail(total: Floats) -> Recomputed:
    """Return k / Σ log excess of the k = √n largest totals over the next one (Hill 1975)."""
    ordered = np.sort(total)[::-1]
    k = math.isqrt(len(ordered))
    if k < 10:
        return Recomputed(None)
    logs = [math.log(x) for x in ordered[: k + 1]]
    excess = math.fsum(logs[:k]) - k * logs[k]
    return Recomputed(k / excess, Tail(k), k) if excess > 1e-12 else Recomputed(None)


def _concentrations(kept: Kept) -> dict[str, Recomputed]:
    found = {}
    for whose in ("user", "streamer"):
        known = "" if whose == "user" else "AND streamer_id >= 0"
        (x,) = kept.floats(f"{whose}s", f"amount FROM {whose}s WHERE amount > 0 {known}")
        found[f"{whose}_gini"] = concentration.gini(x)
        for p in _TOPS:
            found[f"{whose}_top{p}_share"] = concentration.top_share(x, p / 100)
    return found


def _activity(kept: Kept) -> dict[str, Recomputed]:
    """Return quantiles whose unit is a whole user or streamer, and streamers without a gift."""
    found: dict[str, Recomputed] = {}
    for whose in ("user", "streamer"):
        (seconds,) = kept.floats(
            f"{whose}s", f"watch_ms::DOUBLE / 1000 FROM {whose}s WHERE clicks > 0"
        )
        found |= {f"{whose}_watch_total_p{p}_s": quantile(seconds, p) for p in (50, 90, 99)}
    for what, sums, ways in (
        ("watch", "watch", "watched_streamers"),
        ("gift", "amount", "paid_streamers"),
    ):
        top, equal = kept.floats(
            "users",
            f"{sums}_top::DOUBLE / {sums}_known, 1.0 / {ways} FROM users WHERE {sums}_known > 0",
        )
        found |= {f"{what}_loyalty_p{p}": quantile(top, p) for p in (50, 90)}
        found[f"{what}_loyalty_equal_split_p50"] = quantile(equal, 50)
    profiled, active, paid = kept.floats(
        "streamers",
        "sum(profiled), count(*) FILTER (clicks > 0 OR gifts > 0 AND streamer_id >= 0),"
        " count(*) FILTER (amount > 0 AND streamer_id >= 0)",
    )
    known = int(max(profiled[0], active[0]))
    return found | {"streamers_without_gift": share(known - int(paid[0]), known)}


def _quadrants(kept: Kept) -> dict[str, Recomputed]:
    """Return the share above the 75 % point of watch but not of pay, and if independent."""
    found: dict[str, Recomputed] = {}
    for whose, pay_word in (("user", "pay"), ("streamer", "income")):
        known = "amount" if whose == "user" else "CASE WHEN streamer_id >= 0 THEN amount ELSE 0 END"
        seen = "true" if whose == "user" else "streamer_id >= 0"
        watch, pay = kept.floats(
            f"{whose}s",
            f"watch_ms, {known} FROM {whose}s WHERE clicks > 0 OR gifts > 0 AND {seen}",
        )
        name, n = f"{whose}_quadrant_high_watch_low_{pay_word}", len(watch)
        if not n:
            found[name] = Recomputed(None)
            continue
        at = place(75, n)
        high, low = watch > np.sort(watch)[at], pay <= np.sort(pay)[at]
        found[name] = share(int((high & low).sum()), n)
        product = float(high.sum()) * float(low.sum()) / n**2
        found[f"{name}_if_independent"] = Recomputed(product, None, n)
    return found


def _days(kept: Kept) -> dict[str, Recomputed]:
    """Return the ratio of the weeks' amounts, and the mean Gini of a day's clicks."""
    day, amount = kept.floats("hours", "day, sum(amount) FROM hours GROUP BY day ORDER BY day")
    week = (day - day[0]) // 7
    weeks = int((day[-1] - day[0] + 1) // 7)
    sums = [float(amount[week == w].sum()) for w in range(weeks)]
    found = {
        "weekly_revenue_ratio_max_min": Recomputed(max(sums) / min(sums), None, weeks)
        if weeks > 1 and min(sums) > 0
        else Recomputed(None)
    }
    for zone, ending in (("local", ""), ("utc", "_utc")):
        days = kept.columns("daily_clicks", f"* FROM daily_clicks WHERE zone = '{zone}'")
        ginis = [
            concentration.gini_of_counts(days["clicks"][rows], days["streamers"][rows])
            for rows in (days["day"] == d for d in np.unique(days["day"]))
        ]
        value = float(np.mean(ginis)) if ginis else None
        found[f"daily_click_gini_over_streamers{ending}"] = Recomputed(value, None, len(ginis))
    return found


def _unknowable(kept: Kept) -> dict[str, Recomputed]:
    """Return the facts that have no value where there are no clicks, or no negatives."""
    clicks, negatives = (int(c[0]) for c in kept.floats("users", "sum(clicks), sum(negatives)"))
    names = (() if clicks else NEED_CLICKS) + (() if clicks and negatives else NEED_NEGATIVES)
    return dict.fromkeys(names, Recomputed(None))


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    found = {("lorenz", "everyone equal"): Drawn([0.0, 1.0], Curve.of([0.0, 1.0]))}
    for whose in ("user", "streamer"):
        tops = [f"{whose}_top{p}_share" for p in _TOPS]
        found["top_shares", f"{whose}s"] = Drawn([f"top {p} %" for p in _TOPS], estimates=tops)
    for name, what in (("clicks", "click"), ("amount", "revenue")):
        shares = [f"{what}_share_watch_{bucket}" for bucket in BUCKETS]
        found["watch_buckets", name] = Drawn(list(BUCKETS.values()), estimates=shares)
    rates = [f"gift_rate_pair_{history}_history" for history in ("with", "without")]
    found["pair_history", "rate"] = Drawn(["with", "without"], estimates=rates)
    return found | _shapes(kept, result) | _clock(kept)


def _shapes(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return the tail and the Lorenz curves at the places where they were drawn."""
    found: dict[tuple[str, str], Drawn] = {}
    amounts, gifts = kept.floats("amounts", "amount, gifts")
    for figure in result["figures"]:
        for series in figure["series"]:
            x = np.array(series["x"])
            if figure["name"] == "amount_tail":
                least = np.concatenate([[0.0], x[1:].astype(np.float64)])
                y = [float(gifts[amounts >= a].sum() / gifts.sum()) for a in least]
                found["amount_tail", series["name"]] = Drawn(series["x"], Curve.of(y))
            if figure["name"] == "lorenz" and series["name"] != "everyone equal":
                table = series["name"]
                known = "" if table == "users" else "AND streamer_id >= 0"
                (held,) = kept.floats(table, f"amount FROM {table} WHERE amount > 0 {known}")
                y = concentration.held_by_poorest(held, x.astype(np.float64)).tolist()
                found["lorenz", table] = Drawn(series["x"], Curve.of(y, 1.0))
    return found


def _clock(kept: Kept) -> dict[tuple[str, str], Drawn]:
    found = {}
    for name, among in (("Monday to Friday", "weekday < 5"), ("Saturday, Sunday", "weekday >= 5")):
        hour, gifts = kept.floats(
            "hours", f"hour, sum(gifts) FROM hours WHERE {among} GROUP BY hour"
        )
        whole = np.zeros(24)
        whole[hour.astype(np.int64)] = gifts
        share_of = whole / max(whole.sum(), 1.0)
        found["hours", name] = Drawn([float(h) for h in range(24)], Curve.of(share_of.tolist()))
    day, clicks, gifts = kept.floats(
        "hours", "day, sum(clicks), sum(gifts) FROM hours GROUP BY day ORDER BY day"
    )
    days = [str(np.datetime64(int(d), "D")) for d in day]
    found["daily_volume", "clicks"] = Drawn(days, Curve.of(clicks.tolist()))
    found["daily_volume", "gifts"] = Drawn(days, Curve.of(gifts.tolist()))
    return found


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return no check: this study has no gate."""
    return {}
