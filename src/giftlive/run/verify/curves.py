"""What the figures of study 0.1 must show, from the kept rows."""

from __future__ import annotations

import math

import numpy as np

from giftlive.run.verify import concentration, tallies
from giftlive.run.verify.claims import Result
from giftlive.run.verify.facts import BUCKETS, QUADRANTS, RETENTION_LAGS
from giftlive.run.verify.figures import Curve, Drawn
from giftlive.run.verify.rows import Kept
from giftlive.types import Floats

Series = dict[tuple[str, str], Drawn]
_GIVERS = {"user": "users who gave", "streamer": "streamers who received"}
_EVERYONE = {"user": "all users", "streamer": "all streamers"}
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BEFORE = ("0", "1", "2-4", "5-19", "20-99", ">= 100")


def draw(kept: Kept, result: Result) -> Series:
    """Return what every series must show."""
    return {
        **_estimates(kept),
        **_money(kept, result),
        **_tails(kept),
        **_funnel(kept),
        **_lags(kept),
        **_history(kept),
        **_loyalty(kept),
        **_exposure(kept),
        **_categories(kept),
        **_clock(kept),
    }


def _estimates(kept: Kept) -> Series:
    """Return the series whose points are facts, which were verified already."""
    found = {}
    for whose, name in _GIVERS.items():
        tops = [f"{whose}_top{p}_share" for p in (1, 5, 10)]
        found["top_shares", name] = Drawn([f"top {p} %" for p in (1, 5, 10)], estimates=tops)
    for name, what in (("clicks", "click"), ("amount", "revenue")):
        shares = [f"{what}_share_watch_{bucket}" for bucket in BUCKETS]
        found["watch_buckets", name] = Drawn(list(BUCKETS.values()), estimates=shares)
    rates = ["gift_rows_per_click", "gift_sessions_per_session", "gifting_user_share"]
    found["gift_rates", "rate"] = Drawn(["per click", "per session", "per user"], estimates=rates)
    for whose, cells in QUADRANTS.items():
        pay = "pay" if whose == "user" else "income"
        x = [f"{w} watch, {p} {pay}" for w, p in cells.values()]
        found[f"{whose}_quadrant", "observed"] = Drawn(x, estimates=list(cells))
        chance = [f"{name}_if_independent" for name in cells]
        found[f"{whose}_quadrant", "if independent"] = Drawn(x, estimates=chance)
    days = [k for k in RETENTION_LAGS if kept.floats("users", f"sum(days_d{k})")[0][0] > 0]
    back = [f"retention_d{k}" for k in days]
    found["retention", "user-days"] = Drawn([str(k) for k in days], estimates=back)
    return found | _slices(kept)


def _slices(kept: Kept) -> Series:
    shown = []
    for whose in ("user", "streamer", "pair"):
        ending = "" if whose == "pair" else f"_{whose}"
        sums = ", ".join(
            f"sum({what}_{side}{ending})"
            for what in ("clicks", "gifts")
            for side in ("with", "without")
        )
        if all(column[0] > 0 for column in kept.floats("users", sums)):
            shown.append(whose)
    return {
        ("gift_history", name): Drawn(
            shown, estimates=[f"gift_rate_{whose}_{side}_history" for whose in shown]
        )
        for name, side in (("with an earlier gift day", "with"), ("without", "without"))
    }


def _money(kept: Kept, result: Result) -> Series:
    """Return the tail, the price atoms and the Lorenz curves at the places they were drawn."""
    amounts, gifts = kept.floats("amounts", "* FROM amounts ORDER BY gifts DESC, amount")
    first = [f"{int(a):,}" for a in amounts[:12]]
    held = amounts * gifts
    found: Series = {
        ("price_atoms", "gifts"): Drawn(first, Curve.of((gifts[:12] / gifts.sum()).tolist())),
        ("price_atoms", "amount"): Drawn(
            first, Curve.of((held[:12] / max(held.sum(), 1.0)).tolist())
        ),
        ("lorenz", "everyone equal"): Drawn([0.0, 1.0], Curve.of([0.0, 1.0])),
    }
    for figure in result["figures"]:
        for series in figure["series"]:
            x = np.array(series["x"])
            if (figure["name"], series["name"]) == ("amount_tail", "gifts"):
                least = np.concatenate([[0.0], x[1:].astype(np.float64)])
                y = [float(gifts[amounts >= a].sum() / gifts.sum()) for a in least]
                found["amount_tail", "gifts"] = Drawn(series["x"], Curve.of(y))
            if figure["name"] == "lorenz" and series["name"] != "everyone equal":
                y = _poorest(kept, series["name"], x.astype(np.float64))
                found["lorenz", series["name"]] = Drawn(series["x"], Curve.of(y, 1.0))
    return found


def _poorest(kept: Kept, name: str, part: Floats) -> list[float]:
    whose = "user" if "users" in name else "streamer"
    known = "" if whose == "user" else "AND streamer_id >= 0"
    (held,) = kept.floats(f"{whose}s", f"amount FROM {whose}s WHERE amount > 0 {known}")
    if name == _EVERYONE[whose]:
        (everyone,) = kept.floats(f"{whose}s", tallies.POPULATION[whose])
        held = np.concatenate([np.zeros(int(everyone[0]) - len(held)), held])
    return concentration.held_by_poorest(held, part).tolist()


def _tails(kept: Kept) -> Series:
    """Return both fitted tails of the gifts, and Hill's index by the size of the tail."""
    found: Series = {}
    for name, of in (("gifts", "amount"), ("user totals", "user_total")):
        x = tallies.amounts_of(kept, of)
        root = math.isqrt(len(x))
        multiples = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
        sizes = dict.fromkeys(tallies.exceeding(x, round(m * root)) for m in multiples)
        indices = [(k, tallies.hill(x, k).value) for k in sizes]
        points = [(float(k), index) for k, index in indices if index is not None]
        y = Curve.of([index for _, index in points])
        found["tail_thresholds", name] = Drawn([k for k, _ in points], y)
    x = tallies.amounts_of(kept, "amount")
    shape, above, scale, threshold = tallies.exceedances(x)
    index = tallies.hill(x, tallies.exceeding(x, math.isqrt(len(x)))).value
    if shape is not None and index is not None:
        at = np.geomspace(threshold, x[0], 24)
        hill = above / len(x) * np.exp(-index * np.log(at / threshold))
        part = np.exp(-np.log1p(shape * (at - threshold) / scale) / shape)
        fits = {"power law (Hill)": hill, "generalised Pareto": above / len(x) * part}
        for name, line in fits.items():
            found["amount_tail", name] = Drawn(at.tolist(), Curve.of(line.tolist()))
    return found


def _funnel(kept: Kept) -> Series:
    stages = {
        "exposures": "clicks + negatives",
        "clicks": "clicks",
        "sessions": "sessions",
        "gift sessions": "gift_sessions",
        "sessions with > 1 gift": "multi_gift_sessions",
    }
    columns = kept.floats("users", ", ".join(stages.values()))
    reached = {s: c for s, c in zip(stages, columns, strict=True) if c.sum()}
    events = [float(c.sum()) for c in reached.values()]
    users = [float((c > 0).sum()) for c in reached.values()]
    return {
        ("funnel", "events"): Drawn(list(reached), Curve.of(events)),
        ("funnel", "users"): Drawn(list(reached), Curve.of(users)),
    }


def _lags(kept: Kept) -> Series:
    """Return the first gift's place, and the gifts (not their amounts) by time after a click."""
    permille, sessions = kept.floats("positions", "*")
    tenth = np.minimum(permille // 100, 10)
    places = tallies.summed(tenth, sessions, 11)
    names = [*(f"{10 * t}-{10 * t + 10} %" for t in range(10)), "after it"]
    found = {("first_gift", "sessions"): Drawn(names, _shares(places))}
    lag, gifts, amount = kept.floats("lags", "* FROM lags ORDER BY place")
    classes = [
        *("at the click", "<= 1 min", "1-5 min", "5-15 min", "15-60 min", "> 60 min"),
        *("click only after", "no click"),
    ]
    for name, counted in (("gifts", gifts), ("amount", amount)):
        sums = tallies.summed(lag, counted, len(classes))
        found["gift_delay", name] = Drawn(classes, _shares(sums))
    return found


def _shares(x: Floats) -> Curve:
    return Curve.of((x / max(float(x.sum()), 1.0)).tolist())


def _history(kept: Kept) -> Series:
    """Return the rates by clicks on earlier days, and the pairs by number of gifts."""
    found: Series = {}
    rows = kept.columns(
        "cold_start", "whose, before, gifts / clicks AS rate FROM cold_start WHERE clicks > 0"
    )
    rates: dict[str, dict[str, float]] = {whose: {} for whose in ("user", "streamer", "pair")}
    for whose, before, rate in zip(rows["whose"], rows["before"], rows["rate"], strict=True):
        rates[str(whose)][str(before)] = float(rate)
    for whose, line in rates.items():
        x = [before for before in _BEFORE if before in line]
        found["cold_start", f"{whose}s"] = Drawn(x, Curve.of([line[before] for before in x]))
    n, pairs, amount = kept.floats("pair_gifts", "*")
    group = np.searchsorted([2, 3, 6, 21], n, side="right")
    for name, counted in (("pairs", pairs), ("gifts", n * pairs), ("amount", amount)):
        sums = tallies.summed(group, counted, 5)
        found["repeat_structure", name] = Drawn(["1", "2", "3-5", "6-20", "> 20"], _shares(sums))
    return found


def _loyalty(kept: Kept) -> Series:
    gifts, top = kept.floats(
        "users", "pair_gifts, pair_gifts_top FROM users WHERE pair_gifts BETWEEN 1 AND 10"
    )
    if not len(gifts):
        return {}
    numbers = np.unique(gifts)
    seen = [float(np.mean(top[gifts == n]) / n) for n in numbers]
    chance = tallies.by_popularity(kept)[numbers.astype(np.int64) - 1]
    return {
        ("loyalty", "observed"): Drawn(numbers.tolist(), Curve.of(seen)),
        ("loyalty", "if by popularity"): Drawn(numbers.tolist(), Curve.of(chance.tolist())),
        ("loyalty", "every gift elsewhere"): Drawn(
            numbers.tolist(), Curve.of((1.0 / numbers).tolist())
        ),
    }


def _exposure(kept: Kept) -> Series:
    clicks, amount = kept.floats(
        "streamers", "clicks, CASE WHEN streamer_id >= 0 THEN amount ELSE 0 END"
        " FROM streamers WHERE clicks > 0"
    )  # fmt: skip
    group = np.searchsorted([2, 5, 20, 100], clicks, side="right")
    x = ["1", "2-4", "5-19", "20-99", ">= 100"]
    parts = (("streamers", np.ones(len(clicks))), ("clicks", clicks), ("amount", amount))
    return {("exposure", n): Drawn(x, _shares(tallies.summed(group, v, 5))) for n, v in parts}


def _categories(kept: Kept) -> Series:
    rows = kept.columns(
        "categories", "* FROM categories ORDER BY amount DESC, clicks DESC, category"
    )
    names = [str(name) for name in rows["category"]]
    shown = len(names) if len(names) <= 10 else 9
    found = {}
    for column in ("clicks", "amount"):
        counted = np.asarray(rows[column], dtype=np.float64)
        rest = [float(counted[shown:].sum())] if len(names) > shown else []
        x = [*names[:shown], *(["other"] if rest else [])]
        if counted.sum():
            sums = np.array([*counted[:shown], *rest])
            found["category_mix", column] = Drawn(x, _shares(sums))
    return found


def _clock(kept: Kept) -> Series:
    found = {}
    weekday, hour, gifts = kept.floats(
        "hours", "weekday, hour, sum(gifts) FROM hours GROUP BY weekday, hour"
    )
    week = tallies.summed(weekday * 24 + hour, gifts, 168).reshape(7, 24)
    hours = [str(h) for h in range(24)]
    for row, name in zip(week / max(week.sum(), 1.0), _WEEK, strict=True):
        found["week", name] = Drawn(hours, Curve.of(row.tolist()))
    for name, days in (("Monday to Friday", week[:5]), ("Saturday, Sunday", week[5:])):
        found["hours", name] = Drawn([float(h) for h in range(24)], _shares(days.sum(axis=0)))
    day, clicks, quiet, given, skips = kept.floats(
        "hours",
        "day, sum(clicks), sum(quiet), sum(gifts), sum(skips) FROM hours"
        " GROUP BY day HAVING sum(clicks + gifts) > 0 ORDER BY day",
    )
    first, last, opens, closes = (
        int(c[0]) for c in kept.floats("sizes", "first_day, last_day, first_hour, last_hour")
    )
    whole = (day >= first + (opens > 0)) & (day <= last - (closes < 23))
    names = [str(np.datetime64(int(d), "D")) for d in day]
    drawn = whole if clicks.sum() and whole.any() else np.ones(len(day), dtype=np.bool_)
    lost = np.flatnonzero(tallies.outages(quiet, skips, given, whole) & drawn)
    at = [name for name, shown in zip(names, drawn, strict=True) if shown]
    found["daily_volume", "clicks"] = Drawn(at, Curve.of(clicks[drawn].tolist()))
    found["daily_volume", "gifts"] = Drawn(at, Curve.of(given[drawn].tolist()))
    found["daily_volume", "outage: clicks lost"] = Drawn(
        [names[i] for i in lost], Curve.of([float(clicks[i]) for i in lost])
    )
    return found
