"""Whether these logs can show how long after entering a gift is sent.

Where most gifts carry the time of a click of the same user and room while viewings last minutes,
the recorder wrote the entry time: the log does not hold the delay, and no model can find it
there. Times count as equal within one step of their grid. Where fewer gifts do so, but more than
a continuous law allows beside it, two kinds of times are mixed and nobody can tell which is whose:
no law then either.
"""

from __future__ import annotations

from dataclasses import dataclass

from giftlive.facts.coincidence import Coincidence
from giftlive.facts.estimates import Sample, by_user, ratio
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section

ENTRY_LIMIT = 0.5
"""Share of gifts stamped at a click above which the delay is not identifiable."""
_BOTH = ("click", "gift")
_MINUTE = 60_000
_LAGS = (
    ("at the click", "click_ts = ts"),
    ("<= 1 min", f"click_ts < ts AND ts - click_ts <= {_MINUTE}"),
    ("1-5 min", f"ts - click_ts > {_MINUTE} AND ts - click_ts <= {5 * _MINUTE}"),
    ("5-15 min", f"ts - click_ts > {5 * _MINUTE} AND ts - click_ts <= {15 * _MINUTE}"),
    ("15-60 min", f"ts - click_ts > {15 * _MINUTE} AND ts - click_ts <= {60 * _MINUTE}"),
    ("> 60 min", f"ts - click_ts > {60 * _MINUTE}"),
    ("click only after", "clicks > 0 AND click_ts IS NULL"),
    ("no click", "clicks = 0"),
)
_SHARES = (
    ("gifts_with_click_timestamp", "gift rows stamped at a click of the same user and room", "at"),
    ("gifts_without_click", "gift rows without any click of the same user and room", "orphan"),
    ("gifts_lagged", "gift rows after the last click before them", "lagged"),
    ("gifts_click_only_after", "gift rows before the first click of their session", "early"),
)
_BY_USER = """
SELECT user_id, count(*) AS n, count(*) FILTER (at_click) AS at,
    count(*) FILTER (clicks = 0) AS orphan,
    count(*) FILTER (NOT at_click AND click_ts IS NOT NULL) AS lagged,
    count(*) FILTER (clicks > 0 AND click_ts IS NULL) AS early
FROM gift_click GROUP BY user_id ORDER BY user_id
"""
_FIRST = """
SELECT user_id, count(*) AS n,
    count(*) FILTER ((first_gift - first_ts) * 10 <= last_ts - first_ts) AS early
FROM (
    SELECT user_id, live_id, min(ts) AS first_gift, any_value(first_ts) AS first_ts,
        any_value(last_ts) AS last_ts
    FROM gift_click WHERE click_ts IS NOT NULL GROUP BY user_id, live_id
) GROUP BY user_id ORDER BY user_id
"""
_POSITION = """
SELECT least((first_gift - first_ts) * 10 // greatest(last_ts - first_ts, 1), 10) AS tenth,
    count(*) AS n
FROM (
    SELECT min(ts) AS first_gift, any_value(first_ts) AS first_ts, any_value(last_ts) AS last_ts
    FROM gift_click WHERE click_ts IS NOT NULL GROUP BY user_id, live_id
) GROUP BY tenth
"""


@dataclass(frozen=True)
class DelayVerdict:
    """Whether the delay from entering to giving can be learnt from these logs.

    Attributes
    ----------
    identifiable : ``None`` where there is nothing to judge (no clicks or no gifts). at_click,
        orphan, lagged, early : shares of the gift rows, which sum to 1; ``None`` as above.
    coincident : share behind the verdict: ``at_click`` where that decides it, else of the gift rows
        within one step of the times' grid of a click.
    """

    identifiable: bool | None
    reason: str
    at_click: float | None
    orphan: float | None
    lagged: float | None
    early: float | None
    coincident: float | None = None


def delay_section(evidence: Evidence) -> Section:
    """Return the shares of gifts by their relation to a click, and the law of their lags."""
    rows = evidence.columns(_BY_USER)
    facts: list[Fact] = []
    for name, numerator, column in _SHARES:
        quantity = Quantity(name, numerator, "gift rows", "gifts of known users", needs=_BOTH)
        sample = by_user(rows["user_id"], rows[column], rows["n"], n_unit="gift rows")
        facts.append(ratio(evidence, quantity, sample))
    facts.append(_first_tenth(evidence))
    return Section(
        tuple(facts), {"gift_lag": _lags(evidence), "first_gift_position": _positions(evidence)}
    )


def _first_tenth(evidence: Evidence) -> Fact:
    quantity = Quantity(
        "first_gift_within_first_10pct_of_session",
        "sessions whose first gift is in the first tenth of the session",
        "sessions with a gift at or after a click",
        "all users",
        needs=_BOTH,
    )
    rows = evidence.columns(_FIRST)
    sample: Sample = by_user(rows["user_id"], rows["early"], rows["n"], n_unit="gift sessions")
    return ratio(evidence, quantity, sample)


def _lags(evidence: Evidence) -> Curve:
    if evidence.lacks(_BOTH):
        return {"lag": [], "gifts": [], "amount": []}
    rows = [
        evidence.row(
            "SELECT count(*), coalesce(sum(amount), 0)::BIGINT FROM gift_click "
            f"WHERE coalesce({condition}, false)"
        )
        for _, condition in _LAGS
    ]
    return {
        "lag": [text for text, _ in _LAGS],
        "gifts": [gifts for gifts, _ in rows],
        "amount": [amount for _, amount in rows],
    }


def _positions(evidence: Evidence) -> Curve:
    """Count gift sessions by the tenth of the session their first gift is in; 10 = after it."""
    rows = evidence.columns(_POSITION)
    counts = dict(zip(rows["tenth"].tolist(), rows["n"].tolist(), strict=True))
    return {"tenth": list(range(11)), "sessions": [counts.get(i, 0) for i in range(11)]}


def delay_verdict(evidence: Evidence) -> DelayVerdict:
    """Judge whether the gift delay is identifiable.

    It is not where more than half of the gifts carry the time of a click of the same user and
    room, exactly or within one step of the grid of the times, nor where fewer do but more than a
    continuous law allows (:mod:`giftlive.facts.coincidence`). The judgement needs no model: such
    a gift has lag 0 whatever happened.
    """
    reason = evidence.lacks(_BOTH)
    if reason:
        return DelayVerdict(None, reason, None, None, None, None)
    rows = evidence.columns(_BY_USER)
    n = int(rows["n"].sum())
    at, orphan, lagged, early = (
        float(rows[column].sum()) / n for column in ("at", "orphan", "lagged", "early")
    )
    identifiable, coincident, text = _judged(at, evidence)
    return DelayVerdict(identifiable, text, at, orphan, lagged, early, coincident)


def _judged(at: float, evidence: Evidence) -> tuple[bool, float, str]:
    """Return whether the delay is identifiable, the share that says so, and a sentence."""
    where, end = "a click of the same user and room", "the gift delay is NOT identifiable"
    if at > ENTRY_LIMIT:
        found = f"{at:.1%} of the gifts carry the time of {where}"
        return False, at, f"{found}, more than {ENTRY_LIMIT:.0%}: {end}"
    near = Coincidence.of(evidence)
    found = f"{near.share:.1%} of the gifts lie within {near.step_ms} ms of {where}"
    if near.share > ENTRY_LIMIT:
        return False, near.share, f"{found}, more than {ENTRY_LIMIT:.0%}: {end}"
    if near.stands_out:
        return False, near.share, f"{found}, more than a continuous law allows beside it: {end}"
    found = f"{at:.1%} of the gifts carry the time of {where}"
    known = "the gift delay is identifiable"
    return True, near.share, f"{found}, at most {ENTRY_LIMIT:.0%}: {known}"
