"""Facts of study 0.1 again that rest on counts by group: sizes, tails, chance, days, categories."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import optimize, stats

from giftlive.run.verify.recomputed import Recomputed, Tail
from giftlive.run.verify.rows import Kept
from giftlive.types import Bools, Floats, Ints

POPULATION = {
    "user": "count(*)",
    "streamer": "greatest(sum(profiled),"
    " count(*) FILTER (clicks > 0 OR gifts > 0 AND streamer_id >= 0))",
}
"""How many users and streamers there are, zeros included."""
MOST_GIFTS = 10


def recompute(kept: Kept) -> dict[str, Recomputed]:
    """Return the facts that rest on counts by group."""
    return {
        **_sizes(kept),
        **_atoms(kept),
        **_tails(kept),
        **_next(kept),
        **_chance(kept),
        **_days(kept),
        **_categories(kept),
    }


def _of(value: float | None, n: int) -> Recomputed:
    return Recomputed(None if value is None else float(value), None, n if value is not None else 0)


def _sizes(kept: Kept) -> dict[str, Recomputed]:
    """Return the counts; one whose table has no rows has no value."""
    names = ("clicks", "comments", "likes", "gifts", "negatives", "sessions")
    sums = kept.floats("users", ", ".join(f"sum({name})" for name in names))
    counts = {name: int(column[0]) for name, column in zip(names, sums, strict=True)}
    rooms, unnamed, first, last = (
        int(c[0]) for c in kept.floats("sizes", "rooms, gifts_anonymous, first_day, last_day")
    )
    counts |= {"rooms": rooms, "gifts_anonymous": unnamed}
    found = {f"size_{name}": _of(n or None, n) for name, n in counts.items()}
    (receivers,) = kept.floats("streamers", "count(*) FILTER (gifts > 0 AND streamer_id >= 0)")
    given = counts["gifts"] + unnamed
    always = {
        "interactions": sum(counts[name] for name in names[:4]),
        "days": last - first + 1,
        "gift_streamers": int(receivers[0]),
        **{f"{whose}s": int(kept.floats(f"{whose}s", n)[0][0]) for whose, n in POPULATION.items()},
    }
    found |= {f"size_{name}": _of(n, n) for name, n in always.items()}
    return found | {"anonymous_gift_share": _of(unnamed / given if given else None, given)}


def _atoms(kept: Kept) -> dict[str, Recomputed]:
    amount, gifts = kept.floats("amounts", "* FROM amounts ORDER BY gifts DESC, amount")
    n = int(gifts.sum())
    return {
        "price_atom_first": _of(amount[0] if n else None, n),
        "price_atom_count": _of(len(amount) or None, n),
    }


def amounts_of(kept: Kept, name: str) -> Floats:
    """Return the positive amounts of gift rows or the positive totals of users, largest first."""
    if name == "amount":
        x, copies = kept.floats("amounts", "* FROM amounts WHERE amount > 0 ORDER BY amount DESC")
        return np.repeat(x, copies.astype(np.int64))
    (total,) = kept.floats("users", "amount FROM users WHERE amount > 0 ORDER BY amount DESC")
    return total


def _tails(kept: Kept) -> dict[str, Recomputed]:
    found = {}
    for name in ("amount", "user_total"):
        x = amounts_of(kept, name)
        found[f"{name}_tail_index"] = hill(x, exceeding(x, math.isqrt(len(x))))
        found[f"{name}_tail_shape_gpd"] = _of(*exceedances(x)[:2])
    return found


def exceeding(ordered: Floats, size: int) -> int:
    """Return how many values exceed the one after the ``size`` largest."""
    return int(np.sum(ordered > ordered[size])) if size < len(ordered) else size


def hill(ordered: Floats, k: int) -> Recomputed:
    """Return k / Σ log excess of the ``k`` largest values over the next one (Hill 1975)."""
    if k < 10 or k >= len(ordered):
        return Recomputed(None)
    logs = [math.log(x) for x in ordered[: k + 1]]
    excess = math.fsum(logs[:k]) - k * logs[k]
    return Recomputed(k / excess, Tail(k), k) if excess > 1e-12 else Recomputed(None)


def exceedances(ordered: Floats) -> tuple[float | None, int, float, float]:
    """Return shape, count, scale and threshold of the generalised Pareto tail.

    Both scores are solved at once, from SciPy's simplex search.
    """
    k = math.isqrt(len(ordered))
    if k < 10 or k >= len(ordered):
        return None, 0, 0.0, 0.0
    threshold = float(ordered[k])
    y = ordered[ordered > threshold] - threshold
    if len(y) < 10 or np.mean(y**2) <= 2.0 * np.mean(y) ** 2:
        return None, 0, 0.0, threshold
    y, unit = y / np.mean(y), float(np.mean(y))
    shape, _, scale = stats.genpareto.fit(y, floc=0.0)

    def scores(at: Floats) -> Floats:
        xi, sigma = at
        part = y / (sigma + xi * y)
        of_scale = (1.0 + xi) * part.mean() - 1.0
        of_shape = np.log1p(xi * y / sigma).mean() / xi - (1.0 + xi) * part.mean()
        return np.array([of_scale, of_shape])

    root = optimize.root(scores, np.array([shape, scale]), method="hybr", options={"xtol": 1e-14})
    return float(root.x[0]), len(y), float(root.x[1]) * unit, threshold


def _next(kept: Kept) -> dict[str, Recomputed]:
    """Return Pearson's correlation of middle ranks, from counts of distinct pairs."""
    x, y, pairs = kept.floats("next_amounts", "*")
    n = int(pairs.sum())
    spread = n > 1 and len(np.unique(x)) > 1 and len(np.unique(y)) > 1
    if not spread:
        return {"amount_spearman_previous_next": Recomputed(None)}
    a, b = (_middle_ranks(values, pairs) for values in (x, y))
    centre = (n + 1) / 2
    product, first, second = (
        float(np.sum(pairs * (p - centre) * (q - centre))) for p, q in ((a, b), (a, a), (b, b))
    )
    return {"amount_spearman_previous_next": _of(product / math.sqrt(first * second), n)}


def _middle_ranks(values: Floats, copies: Floats) -> Floats:
    keys, index = np.unique(values, return_inverse=True)
    held = np.bincount(index, copies, len(keys))
    return (np.cumsum(held) - (held - 1) / 2)[index]


def _chance(kept: Kept) -> dict[str, Recomputed]:
    (gifts,) = kept.floats("users", "pair_gifts FROM users WHERE pair_gifts BETWEEN 2 AND 10")
    name = "gift_count_loyalty_mean_if_by_popularity"
    if not len(gifts):
        return {name: Recomputed(None)}
    share = by_popularity(kept)[gifts.astype(np.int64) - 1]
    return {name: _of(math.fsum(share) / len(share), len(share))}


def by_popularity(kept: Kept) -> Floats:
    """Return E[largest count] / n for n = 1 … 10 gifts to streamers drawn by their gifts.

    P(max <= m) of n draws is dealt streamer by streamer, for every n and m at once: of the draws
    that are left, each goes to this one with its share of what is left.
    """
    (weight,) = kept.floats(
        "streamers", "gifts FROM streamers WHERE gifts > 0 AND streamer_id >= 0"
    )
    deals = [(n, most) for n in range(2, MOST_GIFTS + 1) for most in range(1, n)]
    within = _dealt(weight / np.cumsum(weight[::-1])[::-1], deals)
    share = np.ones(MOST_GIFTS)
    for n in range(2, MOST_GIFTS + 1):
        share[n - 1] = (
            n - sum(p for p, deal in zip(within, deals, strict=True) if deal[0] == n)
        ) / n
    return share


def _dealt(part: Floats, deals: list[tuple[int, int]]) -> list[float]:
    """Return, for each (draws, most), the probability that all go out with at most so many each."""
    count = np.arange(MOST_GIFTS + 1)
    ways = np.array([[math.comb(r, j) for j in count] for r in count], dtype=np.float64)
    rest = np.maximum(count[:, None] - count, 0)
    allowed = (count <= np.array([most for _, most in deals])[:, None]).astype(np.float64)
    left = np.zeros((len(deals), MOST_GIFTS + 1))
    left[np.arange(len(deals)), [n for n, _ in deals]] = 1.0
    for p in part:
        odds = ways * p**count * (1.0 - p) ** rest
        after = np.zeros_like(left)
        for j in range(MOST_GIFTS):
            after[:, : MOST_GIFTS + 1 - j] += left[:, j:] * odds[j:, j] * allowed[:, j, None]
        left = after
    return left[:, 0].tolist()


def summed(group: Floats | Ints, weights: Floats, size: int) -> Floats:
    """Return the sum of the weights of every group 0 … size - 1."""
    found = np.zeros(size)
    np.add.at(found, group.astype(np.int64), weights)
    return found


def _days(kept: Kept) -> dict[str, Recomputed]:
    """Return the outages and the silent days, and the hour of most gifts."""
    day, quiet, gifts, skips, rows = kept.floats(
        "hours",
        "day, sum(quiet), sum(gifts), sum(skips), sum(clicks + gifts) FROM hours"
        " GROUP BY day HAVING sum(clicks + gifts) > 0 ORDER BY 1",
    )
    first, last, opens, closes = (
        int(c[0]) for c in kept.floats("sizes", "first_day, last_day, first_hour, last_hour")
    )
    whole = (day >= first + (opens > 0)) & (day <= last - (closes < 23))
    days, lost = last - first + 1, outages(quiet, skips, gifts, whole)
    hour, given = kept.floats("hours", "hour, sum(gifts) FROM hours GROUP BY hour ORDER BY hour")
    peak = float(hour[np.argmax(given)]) if given.sum() else None
    return {
        "outage_days": _of(int(lost.sum()), days),
        "silent_days": _of(days - int((rows > 0).sum()), days),
        "gift_peak_hour": _of(peak, int(given.sum())),
    }


def outages(quiet: Floats, skips: Floats, gifts: Floats, whole: Bools) -> Bools:
    """Mark days with too few clicks without a gift beside skips, or gifts (facts.outages)."""
    if not skips.any():
        return _beside_gifts(quiet, gifts, whole)
    shown = np.flatnonzero(skips)
    low = np.zeros(len(quiet), dtype=np.bool_)
    if len(shown) >= 7:
        depth = np.log(skips[shown]) - np.log(np.maximum(quiet[shown], 0.5))
        depth -= np.median(depth)
        chance = (1.0 / np.maximum(quiet[shown], 1.0) + 1.0 / skips[shown]) ** 0.5
        spread = np.fmax(1.4826 * np.median(np.abs(depth)), chance)
        low[shown] = (depth / spread > 5.0) & (np.exp(-depth) < 0.9)
    return low


def _beside_gifts(quiet: Floats, gifts: Floats, whole: Bools) -> Bools:
    middle: Callable[[Floats], float] = lambda x: float(np.median(x[whole]))  # noqa: E731
    if whole.sum() < 7 or not middle(quiet) or not middle(gifts):
        return np.zeros(len(quiet), dtype=np.bool_)
    volume, kept_gifts = quiet / middle(quiet), gifts / middle(gifts)
    depth = -np.log(np.maximum(quiet, 0.5) / middle(quiet))
    limit = 3.0 * 1.4826 * middle(np.abs(depth))
    low = (volume < 0.75) & (depth > limit) & (kept_gifts > 1.2 * volume)
    marked: Bools = whole & low
    return marked


def _categories(kept: Kept) -> dict[str, Recomputed]:
    clicks, gifts, amount = kept.floats("categories", "clicks, gifts, amount")
    return {
        "category_count": _of(len(clicks) or None, len(clicks)),
        "category_top1_click_share": _of(_largest(clicks), int(clicks.sum())),
        "category_top1_amount_share": _of(_largest(amount), int(gifts.sum())),
    }


def _largest(x: Floats) -> float | None:
    return float(x.max() / x.sum()) if x.sum() else None
