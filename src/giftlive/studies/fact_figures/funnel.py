"""Figures from entry to gift: stages, rates by denominator, watch time, position and delay."""

from __future__ import annotations

from giftlive.evaluation.results import Figure, Series
from giftlive.facts import FactBook
from giftlive.facts.delay import ENTRY_LIMIT
from giftlive.studies.fact_figures.pieces import of_facts, percent, value, words

RATES = {
    "per click": "gift_rows_per_click",
    "per session": "gift_sessions_per_session",
    "per user": "gifting_user_share",
}
WATCH = {"lt5": "< 5 s", "5to30": "5-30 s", "30to300": "30-300 s", "gt300": "> 300 s"}


def stages(book: FactBook, unit: str) -> Figure:
    """Draw how many events and users reach each stage."""
    curve = book.curves["funnel"]
    counts = dict(zip(curve["stage"], curve["events"], strict=True))
    reached = [s for s, n in counts.items() if n]
    x = tuple(f"{stage}" for stage in reached)
    rows = [curve["stage"].index(stage) for stage in reached]
    shows, follows = words("funnel")
    one_in = counts["sessions"] / max(counts["gift sessions"], 1)
    return Figure(
        name="funnel",
        title=f"One session in {one_in:,.0f} has a gift, "
        f"and {percent(counts['sessions with > 1 gift'] / max(counts['gift sessions'], 1))} "
        "of those have more than one",
        subtitle="events and users that reach each stage; a session is a user in a room",
        x_label="stage",
        y_label="count",
        series=tuple(
            Series(name, x, tuple(float(curve[name][i]) for i in rows), "dots")
            for name in ("events", "users")
        ),
        shows=shows,
        follows=follows,
        x_scale="category",
        y_scale="log",
        horizontal=True,
    )


def rates(book: FactBook, unit: str) -> Figure:
    """Draw the gift rate by its denominator, with the warning where users were selected."""
    per_user = book.fact("gifting_user_share")
    shows, follows = words("rates_selected" if per_user.warning else "rates")
    title = (
        f"A gift rate is {percent(value(book, 'gift_rows_per_click'))} per click, "
        f"{percent(value(book, 'gift_sessions_per_session'))} per session"
    )
    every = "every user gave because only such users were kept"
    some = f"{percent(per_user.value or 0.0)} of the users gave"
    return Figure(
        name="gift_rates",
        title=f"{title}; {every if per_user.warning else some}",
        subtitle=" · ".join(f"{text}: {book.fact(name).n:,}" for text, name in RATES.items()),
        x_label="denominator",
        y_label="gifts per click, sessions with a gift, users with a gift (share)",
        series=(of_facts(book, "rate", tuple(RATES), tuple(RATES.values())),),
        shows=shows,
        follows=follows,
        x_scale="category",
        y_scale="log",
    )


def watch(book: FactBook, unit: str) -> Figure:
    """Draw clicks and credited money by watch time."""
    curve, x = book.curves["watch_buckets"], tuple(WATCH.values())
    shows, follows = words("watch")
    clicks = of_facts(book, "clicks", x, [f"click_share_watch_{b}" for b in WATCH], "bars")
    amount = of_facts(book, "amount", x, [f"revenue_share_watch_{b}" for b in WATCH], "bars")
    return Figure(
        name="watch_buckets",
        title=f"Viewings over five minutes are {percent(clicks.y[-1])} of the clicks "
        f"and bring {percent(amount.y[-1])} of the amount",
        subtitle=f"share of clicks and of credited amount; {sum(curve['clicks']):,} clicks",
        x_label="watch time of the click",
        y_label="share",
        series=(clicks, amount),
        shows=shows,
        follows=follows,
        x_scale="category",
    )


def first_gift(book: FactBook, unit: str) -> Figure:
    """Draw where in the session the first gift is."""
    curve = book.curves["first_gift_position"]
    n = sum(curve["sessions"])
    x = (*(f"{10 * t}-{10 * t + 10} %" for t in range(10)), "after it")
    early = value(book, "first_gift_within_first_10pct_of_session")
    stamped = not book.delay.identifiable
    shows, follows = words("first_gift_stamped" if stamped else "first_gift")
    where = "of the session" + (", where the recorder stamps the entry" if stamped else "")
    return Figure(
        name="first_gift",
        title=f"{percent(early)} of the first gifts are in the first tenth {where}",
        subtitle=f"sessions by where their first gift is; {n:,} sessions with a gift "
        "at or after a click",
        x_label="place of the first gift between first entry and last exit",
        y_label="share of the sessions",
        series=(
            Series(
                "sessions", x, tuple(k / max(n, 1) for k in curve["sessions"]), "bars",
                n=tuple(curve["sessions"]),
            ),
        ),
        shows=shows,
        follows=follows,
        x_scale="category",
    )  # fmt: skip


def delay(book: FactBook, unit: str) -> Figure:
    """Draw the lag from the last click to the gift, or that it cannot be known."""
    curve = book.curves["gift_lag"]
    n, amount = sum(curve["gifts"]), sum(curve["amount"])
    identifiable = bool(book.delay.identifiable)
    shows, follows = words("delay" if identifiable else "delay_unknown", limit=ENTRY_LIMIT)
    known = f"Half of the gifts come within {value(book, 'gift_delay_p50_s'):,.0f} s of the click"
    unknown = (
        f"Gift delay NOT identifiable: {percent(book.delay.coincident or 0.0)} of the gifts "
        "carry the time of a click"
    )
    return Figure(
        name="gift_delay",
        title=known if identifiable else unknown,
        subtitle=f"share of gifts and of their amount by time since the last click of the same "
        f"user and room; {n:,} gift rows",
        x_label="time of the gift after the last click before it",
        y_label="share",
        series=(
            Series(
                "gifts", tuple(curve["lag"]), tuple(k / max(n, 1) for k in curve["gifts"]), "bars",
                n=tuple(curve["gifts"]),
            ),
            Series(
                "amount", tuple(curve["lag"]), tuple(a / max(amount, 1) for a in curve["amount"]),
                "bars",
            ),
        ),
        shows=shows,
        follows=follows,
        x_scale="category",
    )  # fmt: skip
