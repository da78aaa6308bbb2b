"""How long after entering a gift is sent, where the log can show it, and where in the session.

Without the verdict of ``delay`` a quantile of the lag is a statement about the recorder: where
most gifts are stamped with the entry, the median is 0 whatever happened. The law is then
undefined, and its reason is the verdict.
"""

from __future__ import annotations

from giftlive.clock import MS_PER_SECOND
from giftlive.facts.delay import delay_verdict
from giftlive.facts.estimates import undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Fact, Quantity, Section
from giftlive.facts.quantiles import Levels, quantile_facts

LEVELS = (50, 90)
_BOTH = ("click", "gift")
_LAGS = (
    "(SELECT user_id, ts - click_ts AS lag_ms FROM gift_click WHERE click_ts IS NOT NULL) AS lags"
)
_FIRST = """(
    SELECT user_id, least((first_gift - first_ts) * 1000 // greatest(last_ts - first_ts, 1), 1000)
        AS permille
    FROM (
        SELECT user_id, live_id, min(ts) AS first_gift, any_value(first_ts) AS first_ts,
            any_value(last_ts) AS last_ts
        FROM gift_click WHERE click_ts IS NOT NULL GROUP BY user_id, live_id
    )
) AS firsts"""
_POSITION = Quantity(
    "first_gift_position_p50",
    "50 % point of where in the session the first gift is (0 entry, 1 end; steps of 0.001)",
    "sessions with a gift at or after a click", "all users", "share of the session", _BOTH,
)  # fmt: skip


def delay_law_section(evidence: Evidence) -> Section:
    """Return quantiles of the gift delay, if identifiable, and of the first gift's position."""
    levels = tuple(
        (
            Quantity(
                f"gift_delay_p{p}_s", f"{p} % point of the time from the click to the gift",
                "gifts at or after a click", "gifts of known users", "s", _BOTH,
            ),
            p / 100,
        )
        for p in LEVELS
    )  # fmt: skip
    position = quantile_facts(evidence, _FIRST, "permille", ((_POSITION, 0.5),), 1000.0, "sessions")
    return Section((*_delays(evidence, levels), *position))


def _delays(evidence: Evidence, levels: Levels) -> list[Fact]:
    verdict = delay_verdict(evidence)
    if verdict.identifiable:
        return quantile_facts(evidence, _LAGS, "lag_ms", levels, MS_PER_SECOND, "gift rows")
    return [undefined(evidence, quantity, verdict.reason) for quantity, _ in levels]
