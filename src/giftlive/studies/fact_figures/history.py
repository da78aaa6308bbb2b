"""Figures of history: what an earlier gift or click says, repeating pairs, and loyalty."""

from __future__ import annotations

from itertools import permutations

from giftlive.evaluation.results import Figure, Series
from giftlive.facts import FactBook
from giftlive.facts.cold_start import BUCKET_TEXT
from giftlive.facts.fact import Curve
from giftlive.facts.loyalty import MOST_GIFTS
from giftlive.studies.fact_figures.pieces import of_facts, percent, value, words

WHOSE = ("user", "streamer", "pair")


def slices(book: FactBook, unit: str) -> Figure:
    """Draw the gift rate of users, streamers and pairs with and without an earlier gift day."""
    shown = [
        whose
        for whose in WHOSE
        if all(book.fact(f"gift_rate_{whose}_{h}_history").value for h in ("with", "without"))
    ]
    with_it, without = (
        of_facts(book, name, shown, [f"gift_rate_{whose}_{h}_history" for whose in shown])
        for name, h in (("with an earlier gift day", "with"), ("without", "without"))
    )
    selected = bool(book.fact("gift_rate_user_without_history").warning)
    shows, follows = words("slices_selected" if selected else "slices")
    times = value(book, "gift_rate_pair_with_history") / max(
        value(book, "gift_rate_pair_without_history"), 1e-12
    )
    new = value(book, "revenue_share_never_gifted_pairs")
    return Figure(
        name="gift_history",
        title=f"A pair that gifted before gifts {times:.1f} times as often; "
        f"{percent(new)} of the amount is from pairs that had not",
        subtitle=f"gift rows per click; {book.fact('gift_rate_pair_with_history').population}",
        x_label="whose earlier gifts are known",
        y_label="gift rows per click",
        series=(with_it, without),
        shows=shows,
        follows=follows,
        x_scale="category",
        y_scale="log",
    )


def cold_start(book: FactBook, unit: str) -> Figure:
    """Draw the gift rate by the number of clicks on earlier days."""
    curve = book.curves["cold_start"]
    rates = _by_clicks_before(curve)
    series = tuple(
        Series(
            f"{whose}s",
            tuple(found),
            tuple(gifts / clicks for clicks, gifts in found.values()),
            n=tuple(clicks for clicks, _ in found.values()),
        )
        for whose, found in rates.items()
    )
    of_pairs = {
        before: n
        for of, before, n in zip(*(curve[c] for c in ("of", "before", "clicks")), strict=True)
        if of == "pair"
    }
    clicks, new = sum(of_pairs.values()), of_pairs[BUCKET_TEXT[0]]
    selected = bool(book.fact("gift_rate_user_without_history").warning)
    shows, follows = words("cold_start_selected" if selected else "cold_start")
    return Figure(
        name="cold_start",
        title=f"{percent(new / max(clicks, 1))} of the clicks are on pairs without "
        "a click on an earlier day",
        subtitle="gift rows per click by clicks on earlier days; last third of the days, history "
        f"begins with the log; {clicks:,} clicks",
        x_label="clicks of the user, the streamer or the pair on earlier days",
        y_label="gift rows per click",
        series=series,
        shows=shows,
        follows=follows,
        x_scale="category",
        y_scale="log",
    )


def _by_clicks_before(curve: Curve) -> dict[str, dict[str, tuple[int, int]]]:
    """Return clicks and gifts by group, in an order of the lines that puts the axis in order."""
    found: dict[str, dict[str, tuple[int, int]]] = {whose: {} for whose in WHOSE}
    columns = (curve[name] for name in ("of", "before", "clicks", "gifts"))
    for of, before, clicks, gifts in zip(*columns, strict=True):
        if clicks:
            found[of][before] = (clicks, gifts)
    lines = [whose for whose in WHOSE if found[whose]]
    for order in permutations(lines):
        groups = list(dict.fromkeys(before for whose in order for before in found[whose]))
        if groups == sorted(groups, key=BUCKET_TEXT.index):
            return {whose: found[whose] for whose in order}
    fullest = max(lines, key=lambda whose: len(found[whose]))
    return {fullest: found[fullest]}


def repeats(book: FactBook, unit: str) -> Figure:
    """Draw pairs, gifts and amount by the number of gifts of the pair."""
    curve = book.curves["repeat_structure"]
    shows, follows = words("repeats")
    again = value(book, "gifting_pairs_repeat_share")
    money = value(book, "revenue_share_repeated_pairs")
    x = tuple(curve["gifts_of_pair"])
    return Figure(
        name="repeat_structure",
        title=f"{percent(again)} of the gifting pairs gift again; "
        f"they bring {percent(money)} of the amount",
        subtitle="pairs of a user and a streamer by number of gifts; "
        f"{sum(curve['pairs']):,} pairs",
        x_label="gifts of the pair in the window",
        y_label="share",
        series=tuple(
            Series(name, x, tuple(curve[f"{column}_share"]), "bars")
            for name, column in (("pairs", "pairs"), ("gifts", "gifts"), ("amount", "amount"))
        ),
        shows=shows,
        follows=follows,
        x_scale="category",
    )


def loyalty(book: FactBook, unit: str) -> Figure:
    """Draw the share of the most frequent streamer by number of gifts, beside chance."""
    curve = book.curves["loyalty_by_gifts"]
    x = tuple(float(n) for n in curve["gifts"])
    mean = value(book, "gift_count_loyalty_mean")
    chance = value(book, "gift_count_loyalty_mean_if_by_popularity")
    shows, follows = words("loyalty")
    return Figure(
        name="loyalty",
        title=f"Users give {percent(mean)} of their gifts to one streamer; "
        f"by popularity alone it would be {percent(chance)}",
        subtitle=f"mean share of the most frequent streamer; "
        f"{book.fact('gift_count_loyalty_mean').n:,} users with 2 to {MOST_GIFTS} gifts",
        x_label="gifts of the user to a known streamer",
        y_label="share of the most frequent streamer",
        series=(
            Series("observed", x, tuple(curve["share"]), "dots", n=tuple(curve["users"])),
            Series("if by popularity", x, tuple(curve["by_popularity"]), "reference"),
            Series("every gift elsewhere", x, tuple(curve["one_each"]), "reference"),
        ),
        shows=shows,
        follows=follows,
    )
