"""Figures of amounts: the tail with its fits, price points, and who holds the money."""

from __future__ import annotations

from giftlive.evaluation.results import Figure, Series
from giftlive.facts import FactBook
from giftlive.studies.fact_figures.pieces import of_facts, percent, value, words


def tail(book: FactBook, unit: str) -> Figure:
    """Draw P(amount >= x) with both fitted tails."""
    curve, fit = book.curves["amount_ccdf"], book.curves["amount_tail_fit"]
    x, share, n = curve["amount"], curve["share"], curve["n"]
    shows, follows = words("tail")
    gifts = Series("gifts", tuple(float(max(v, 1)) for v in x), tuple(share), n=tuple(n))
    fits = tuple(
        Series(name, tuple(fit["amount"]), tuple(fit[column]), style="reference")
        for name, column in (("power law (Hill)", "hill"), ("generalised Pareto", "gpd"))
        if fit["amount"]
    )
    index = book.fact("amount_tail_index")
    heavy = f"; the tail index is {index.value:.2f}" if index.value is not None else ""
    return Figure(
        name="amount_tail",
        title=f"The median gift is {value(book, 'amount_p50'):,.0f}, "
        f"the largest {max(x):,.0f}{heavy}",
        subtitle=f"share of gift rows of at least x; {n[0]:,} gift rows"
        + (f", tails fitted to the {index.n:,} largest" if fits else ""),
        x_label=f"gift amount ({unit})",
        y_label="share of gifts at least this large",
        series=(gifts, *fits),
        shows=shows,
        follows=follows,
        x_scale="log",
        y_scale="log",
    )


def thresholds(book: FactBook, unit: str) -> Figure:
    """Draw Hill's index by the size of the tail it is computed from."""
    curve = book.curves["hill_by_threshold"]
    rows = list(zip(curve["of"], curve["k"], curve["index"], strict=True))
    shows, follows = words("thresholds")
    series = tuple(
        Series(
            name,
            tuple(float(k) for of, k, _ in rows if of == what),
            tuple(index for of, _, index in rows if of == what),
        )
        for name, what in (("gifts", "amount"), ("user totals", "user_total"))
        if any(of == what for of, _, _ in rows)
    )
    low, high = min(curve["index"]), max(curve["index"])
    infinite = "every choice leaves" if high < 2 else "below 2 it leaves"
    return Figure(
        name="tail_thresholds",
        title=f"The tail index lies between {low:.2f} and {high:.2f}: {infinite} "
        "the variance infinite",
        subtitle="Hill's index by the number of values above the threshold; the facts use √n of n",
        x_label="values above the threshold",
        y_label="tail index",
        series=series,
        shows=shows,
        follows=follows,
        x_scale="log",
    )


def atoms(book: FactBook, unit: str) -> Figure:
    """Draw the most frequent amounts with their share of gifts and of the money."""
    curve = book.curves["price_atoms"]
    x = tuple(f"{amount:,}" for amount in curve["amount"])
    shows, follows = words("atoms")
    few = value(book, "price_atom_top5_share")
    return Figure(
        name="price_atoms",
        title=f"Five exact amounts make up {percent(few)} of the gifts",
        subtitle=f"the {len(x)} most frequent of {value(book, 'price_atom_count'):,.0f} amounts; "
        f"{book.fact('price_atom_count').n:,} gift rows",
        x_label=f"exact amount of the gift ({unit}), most frequent first",
        y_label="share",
        series=(
            Series("gifts", x, tuple(curve["share"]), "bars", n=tuple(curve["gifts"])),
            Series("amount", x, tuple(curve["amount_share"]), "bars"),
        ),
        shows=shows,
        follows=follows,
        x_scale="category",
    )


def lorenz(book: FactBook, unit: str) -> Figure:
    """Draw the Lorenz curves of users and streamers, zeros included where that differs."""
    names = {
        "user": "users who gave",
        "user_all": "all users",
        "streamer": "streamers who received",
        "streamer_all": "all streamers",
    }
    series = []
    for whose, name in names.items():
        curve = book.curves[f"lorenz_{whose}"]
        above = book.fact(f"{whose.removesuffix('_all')}_gini")
        same = whose.endswith("_all") and book.fact(f"{above.name}_all").n == above.n
        if curve["population_share"] and not same:
            series.append(
                Series(name, tuple(curve["population_share"]), tuple(curve["amount_share"]))
            )
    shows, follows = words("lorenz")
    even = Series("everyone equal", (0.0, 1.0), (0.0, 1.0), style="reference")
    user, streamer = book.fact("user_gini"), book.fact("streamer_gini")
    receiving = f", {streamer.value:.2f} over those who received" if streamer.value else ""
    return Figure(
        name="lorenz",
        title=f"Money is concentrated: Gini {user.value:.2f} over users who gave{receiving}",
        subtitle=f"cumulative share of the amount; {user.n:,} users who gave, "
        f"{streamer.n:,} streamers who received",
        x_label="share of the population, smallest first",
        y_label="share of the amount",
        series=(*series, even),
        shows=shows,
        follows=follows,
    )


def tops(book: FactBook, unit: str) -> Figure:
    """Draw the shares of the top 1, 5 and 10 %."""
    percents = (1, 5, 10)
    x = tuple(f"top {p} %" for p in percents)
    shows, follows = words("tops")
    series = tuple(
        of_facts(book, name, x, [f"{whose}_top{p}_share" for p in percents])
        for name, whose in (("users who gave", "user"), ("streamers who received", "streamer"))
        if book.fact(f"{whose}_gini").value is not None
    )
    counts = f"{series[0].n[0]:,} users" if series[0].n else "users"
    return Figure(
        name="top_shares",
        title=f"The top 1 % of users who gave bring {percent(value(book, 'user_top1_share'))} "
        "of the amount",
        subtitle=f"share of the amount; {counts} who gave and the streamers who received",
        x_label="top of the population",
        y_label="share of the amount",
        series=series,
        shows=shows,
        follows=follows,
        x_scale="category",
    )
