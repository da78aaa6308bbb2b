"""Figures of whole users, streamers and categories: quadrants, exposure, the mix."""

from __future__ import annotations

from giftlive.evaluation.results import Figure, Series
from giftlive.facts import FactBook
from giftlive.facts.quadrants import CELLS, PAY_WORD, cell_name
from giftlive.studies.fact_figures.pieces import of_facts, percent, value, words


def user_quadrant(book: FactBook, unit: str) -> Figure:
    """Draw watch time against what users pay."""
    return _quadrant(book, "user", "watch much and pay little")


def streamer_quadrant(book: FactBook, unit: str) -> Figure:
    """Draw how long streamers are watched against what they receive."""
    return _quadrant(book, "streamer", "are watched much and receive little")


def _quadrant(book: FactBook, whose: str, text: str) -> Figure:
    curve = book.curves[f"quadrant_{whose}"]
    names = [cell_name(whose, *cell) for cell in CELLS]
    first = book.fact(names[0])
    independent = value(book, f"{names[0]}_if_independent")
    shows, follows = words(f"quadrant_{whose}")
    return Figure(
        name=f"{whose}_quadrant",
        title=f"{percent(first.value or 0.0)} of {whose}s {text}; "
        f"were both independent it would be {percent(independent)}",
        subtitle=f"{first.n:,} {whose}s with an event; high is above the 75 % point of "
        f"watch time, and of {PAY_WORD[whose]}",
        x_label=f"watch time and {PAY_WORD[whose]}",
        y_label=f"share of the {whose}s",
        series=(
            of_facts(book, "observed", curve["cell"], names, "bars"),
            Series("if independent", tuple(curve["cell"]), tuple(curve["independent"]), "dots"),
        ),
        shows=shows,
        follows=follows,
        x_scale="category",
        horizontal=True,
    )


def exposure(book: FactBook, unit: str) -> Figure:
    """Draw streamers, their clicks and their money by the clicks a streamer had."""
    curve = book.curves["gifts_by_exposure"]
    x = tuple(curve["clicks_of_streamer"])
    sums = {name: max(sum(curve[name]), 1) for name in ("streamers", "clicks", "amount")}
    seen_little = sum(curve["streamers"][:3]) / sums["streamers"]
    shows, follows = words("exposure")
    return Figure(
        name="exposure",
        title=f"{percent(seen_little)} of the streamers had fewer than 20 clicks "
        f"and {percent(sum(curve['amount'][:3]) / sums['amount'])} of the amount",
        subtitle=f"streamers by their clicks in these logs; {sums['streamers']:,} streamers "
        "with a click",
        x_label="clicks of the streamer",
        y_label="share",
        series=tuple(
            Series(name, x, tuple(v / total for v in curve[name]), "bars")
            for name, total in sums.items()
        ),
        shows=shows,
        follows=follows,
        x_scale="category",
    )


def categories(book: FactBook, unit: str) -> Figure:
    """Draw clicks and money by category of the room."""
    curve = book.curves["category_mix"]
    x = tuple(str(name) for name in curve["category"])
    first = curve["amount_share"][0]
    kinds = value(book, "category_count")
    shows, follows = words("categories")
    columns = (("clicks", "click_share"), ("amount", "amount_share"))
    return Figure(
        name="category_mix",
        title=f"The largest of {kinds:,.0f} categories brings {percent(first)} of the amount",
        subtitle="share of clicks and of the amount by category of the room, as published",
        x_label="category",
        y_label="share",
        series=tuple(
            Series(name, x, tuple(curve[column]), "bars")
            for name, column in columns
            if any(curve[column])
        ),
        shows=shows,
        follows=follows,
        x_scale="category",
        horizontal=True,
    )
