"""Study 0.1 again, from sums per user and streamer and counts of distinct values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from giftlive.run.verify import concentration, curves, tallies
from giftlive.run.verify.claims import Result
from giftlive.run.verify.facts import NEED_CLICKS, NEED_NEGATIVES, QUADRANTS, RATIOS, SHARES
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.recomputed import (
    Clustered,
    Recomputed,
    RowQuantile,
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
    *("price_atom_top5_share", "amount_tail_index", "amount_tail_shape_gpd"),
    *("user_total_tail_index", "user_gini", "user_gini_all", "user_top1_share"),
    *("streamer_gini", "streamer_gini_all", "streamer_top1_share"),
    *("click_share_of_exposures", "gift_rows_per_click", "gift_sessions_per_session"),
    *("gifting_user_share", "watch_p50_s", "watch_mean_s", "gifting_pairs_repeat_share"),
    *("gift_rate_pair_with_history", "gift_rate_pair_without_history"),
    *("revenue_share_never_gifted_pairs", "gifts_with_click_timestamp", "gift_delay_p50_s"),
    *("user_quadrant_high_watch_low_pay", "user_quadrant_high_watch_low_pay_if_independent"),
    "streamer_quadrant_high_watch_low_income",
    "streamer_quadrant_high_watch_low_income_if_independent",
    *("gift_count_loyalty_mean", "gift_count_loyalty_mean_if_by_popularity"),
    *("amount_spearman_previous_next", "anonymous_gift_share"),
    *("retention_d1", "retention_d7", "outage_days"),
)
"""Facts that the table shows, as far as the logs give them a value."""


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every fact by its name, and by its cell in the table of facts if it has one."""
    found = {
        **_ratios(kept),
        **_shares(kept),
        **_row_quantiles(kept, "amounts", "amount", "gifts", (50, 75, 90, 95, 99), 1.0),
        **_row_quantiles(kept, "watch_times", "watch", "clicks", (50, 90, 99), 1000.0, "_s"),
        **_gifts(kept),
        **_concentrations(kept),
        **_activity(kept),
        **_quadrants(kept),
        **_days(kept),
        **tallies.recompute(kept),
        **_delays(kept),
        **_unknowable(kept),
    }
    tabled = {
        name: found[name] for name in TABLED if name in found and found[name].value is not None
    }
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
    receiving, clicked = "gifts > 0 AND streamer_id >= 0", "clicks > 0"
    found["gifting_pair_density"] = _density(kept, receiving, "pairs FROM users")
    within = "clicked_streamers FROM users WHERE clicks > 0"
    return found | {"click_pair_density": _density(kept, clicked, within)}


def _density(kept: Kept, streamers: str, of_users: str) -> Recomputed:
    (columns,) = kept.floats("streamers", f"count(*) FILTER ({streamers})")
    (pairs,) = kept.floats("users", of_users)
    cells = np.full(len(pairs), columns[0])
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
    kept: Kept,
    table: str,
    name: str,
    count: str,
    levels: tuple[int, ...],
    unit: float,
    ending: str = "",
) -> dict[str, Recomputed]:
    """Return quantiles of rows, counted from the smallest value upwards."""
    x, rows = kept.floats(table, f"* FROM {table} ORDER BY 1")
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
        return {name: Recomputed(None) for name in ("amount_sd", "amount_max")}

    def spread(w: Floats) -> Floats:
        rows = w @ n
        return np.sqrt(np.maximum((w @ square) / rows - ((w @ total) / rows) ** 2, 0.0))

    (largest,) = kept.floats("amounts", "max(amount)")
    rows = int(n.sum())
    sd = float(spread(np.ones((1, len(n))))[0])
    return {
        "amount_sd": Recomputed(sd, Clustered(len(n), spread), rows, scale=sd),
        "amount_max": Recomputed(float(largest[0]), None, rows),
    }


def _delays(kept: Kept) -> dict[str, Recomputed]:
    """Return the quantiles of the delay where it is identifiable, and of the first position."""
    at, n = (float(c[0]) for c in kept.floats("users", "sum(gifts_at_click), sum(gifts)"))
    delays = {f"gift_delay_p{p}_s": Recomputed(None) for p in (50, 90)}
    if at <= 0.5 * n:
        delays = _row_quantiles(kept, "delays", "delay", "gifts_timed", (50, 90), 1000.0, "_s")
        delays = {f"gift_{name}": found for name, found in delays.items()}
    (place,) = _row_quantiles(
        kept, "positions", "position", "sessions_placed", (50,), 1000.0
    ).values()
    return delays | {"first_gift_position_p50": place}


def _concentrations(kept: Kept) -> dict[str, Recomputed]:
    found = {}
    for whose in ("user", "streamer"):
        known = "" if whose == "user" else "AND streamer_id >= 0"
        (x,) = kept.floats(f"{whose}s", f"amount FROM {whose}s WHERE amount > 0 {known}")
        found[f"{whose}_gini"] = concentration.gini(x)
        for p in _TOPS:
            found[f"{whose}_top{p}_share"] = concentration.top_share(x, p / 100)
        (everyone,) = kept.floats(f"{whose}s", tallies.POPULATION[whose])
        whole = np.concatenate([np.zeros(int(everyone[0]) - len(x)), x]) if len(x) else x
        found[f"{whose}_gini_all"] = concentration.gini(whole)
        for p in _TOPS:
            found[f"{whose}_top{p}_share_all"] = concentration.top_share(whole, p / 100)
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
        top, equal, one = kept.floats(
            "users",
            f"{sums}_top::DOUBLE / {sums}_known, 1.0 / {ways}, {sums}_one::DOUBLE / {sums}_known"
            f" FROM users WHERE {sums}_known > 0",
        )
        found |= {f"{what}_loyalty_p{p}": quantile(top, p) for p in (50, 90)}
        found |= {f"{what}_loyalty_one_each_p{p}": quantile(one, p) for p in (50, 90)}
        found[f"{what}_loyalty_equal_split_p50"] = quantile(equal, 50)
    profiled, active, paid = kept.floats(
        "streamers",
        "sum(profiled), count(*) FILTER (clicks > 0 OR gifts > 0 AND streamer_id >= 0),"
        " count(*) FILTER (amount > 0 AND streamer_id >= 0)",
    )
    known = int(max(profiled[0], active[0]))
    return found | {"streamers_without_gift": share(known - int(paid[0]), known)}


def _quadrants(kept: Kept) -> dict[str, Recomputed]:
    """Return the share of every quadrant cut at the 75 % points, and if independent."""
    found: dict[str, Recomputed] = {}
    for whose, cells in QUADRANTS.items():
        known = "amount" if whose == "user" else "CASE WHEN streamer_id >= 0 THEN amount ELSE 0 END"
        seen = "true" if whose == "user" else "streamer_id >= 0"
        watch, pay = kept.floats(
            f"{whose}s",
            f"watch_ms, {known} FROM {whose}s WHERE clicks > 0 OR gifts > 0 AND {seen}",
        )
        n, clicks = len(watch), float(kept.floats("users", "sum(clicks)")[0][0])
        for name, sides in cells.items():
            found |= {name: Recomputed(None), f"{name}_if_independent": Recomputed(None)}
            if not n:
                continue
            at = place(75, n)
            one, two = (
                x > np.sort(x)[at] if side == "high" else x <= np.sort(x)[at]
                for x, side in zip((watch, pay), sides, strict=True)
            )
            found[name] = share(int((one & two).sum()), n)
            if clicks:
                product = float(one.sum()) * float(two.sum()) / n**2
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
    return curves.draw(kept, result)


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return no check: this study has no gate."""
    return {}
