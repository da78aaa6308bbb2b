"""How long viewings last, and which of them carry the money."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.clock import MS_PER_SECOND
from giftlive.facts.estimates import by_user, quantile_of_units, ratio
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section
from giftlive.facts.quantiles import quantile_facts

BUCKETS = ("lt5", "5to30", "30to300", "gt300")
BUCKET_TEXT = ("< 5 s", "5-30 s", "30-300 s", "> 300 s")
_CLICK, _BOTH = ("click",), ("click", "gift")
_BUCKET = (
    "CASE WHEN watch_ms < 5000 THEN 0 WHEN watch_ms < 30000 THEN 1 "
    "WHEN watch_ms <= 300000 THEN 2 ELSE 3 END"
)
LEVELS = (50, 90, 99)


def watch_section(evidence: Evidence) -> Section:
    """Return quantiles, mean and bucket shares of the watch time of clicks."""
    levels = tuple(
        (_seconds(f"watch_p{p}_s", f"{p} % point of watch time", "clicks"), p / 100) for p in LEVELS
    )
    sums = _bucket_sums(evidence)
    facts = (
        *quantile_facts(evidence, "click", "watch_ms", levels, MS_PER_SECOND, "clicks"),
        _mean(evidence),
        *_bucket_facts(evidence, sums),
        *_totals(evidence, "user"),
        *_totals(evidence, "streamer"),
    )
    return Section(facts, {"watch_buckets": _curve(sums)})


def _seconds(name: str, numerator: str, denominator: str) -> Quantity:
    return Quantity(name, numerator, denominator, "all users", "s", _CLICK)


def _mean(evidence: Evidence) -> Fact:
    rows = evidence.columns(
        "SELECT user_id, sum(watch_ms)::BIGINT AS watch_ms, count(*) AS n "
        "FROM click GROUP BY user_id ORDER BY user_id"
    )
    per_click_ms = rows["n"] * MS_PER_SECOND
    n = int(rows["n"].sum())
    sample = by_user(rows["user_id"], rows["watch_ms"], per_click_ms, n=n, n_unit="clicks")
    return ratio(evidence, _seconds("watch_mean_s", "watch time", "clicks"), sample)


def _bucket_facts(evidence: Evidence, sums: dict[str, NDArray[Any]]) -> list[Fact]:
    facts = []
    for i, (bucket, text) in enumerate(zip(BUCKETS, BUCKET_TEXT, strict=True)):
        quantity = Quantity(
            f"click_share_watch_{bucket}", f"clicks watched {text}", "clicks", "all users",
            needs=_CLICK,
        )  # fmt: skip
        clicks = sums["clicks"]
        sample = by_user(sums["user_id"], clicks[:, i], clicks.sum(axis=1), n_unit="clicks")
        facts.append(ratio(evidence, quantity, sample))
    gifts = int(sums["gifts"].sum())
    for i, (bucket, text) in enumerate(zip(BUCKETS, BUCKET_TEXT, strict=True)):
        quantity = Quantity(
            f"revenue_share_watch_{bucket}", f"amount credited to clicks watched {text}",
            "amount credited to a click", "gifts with a click at or before them", needs=_BOTH,
            money=True,
        )  # fmt: skip
        amount = sums["amount"]
        sample = by_user(
            sums["user_id"], amount[:, i], amount.sum(axis=1), n=gifts, n_unit="gift rows"
        )
        facts.append(ratio(evidence, quantity, sample))
    return facts


def _bucket_sums(evidence: Evidence) -> dict[str, NDArray[Any]]:
    """Return clicks, gifts and amount by user [U] and bucket [U, 4].

    A gift belongs to the last click of its user and room at or before it.
    """
    rows = evidence.columns(
        f"""
        SELECT user_id, bucket, sum(clicks)::BIGINT AS clicks, sum(gifts)::BIGINT AS gifts,
            sum(amount)::BIGINT AS amount
        FROM (
            SELECT user_id, {_BUCKET} AS bucket, count(*) AS clicks, 0 AS gifts, 0 AS amount
            FROM click GROUP BY ALL
            UNION ALL
            SELECT user_id, {_BUCKET}, 0, count(*), sum(amount)
            FROM gift_click WHERE watch_ms IS NOT NULL GROUP BY ALL
        ) GROUP BY ALL
        """
    )
    user, index = np.unique(rows["user_id"], return_inverse=True)
    sums: dict[str, NDArray[Any]] = {"user_id": user}
    for name in ("clicks", "gifts", "amount"):
        table = np.zeros((len(user), len(BUCKETS)))
        table[index, rows["bucket"]] = rows[name]
        sums[name] = table
    return sums


def _totals(evidence: Evidence, whose: str) -> list[Fact]:
    rows = evidence.columns(
        f"SELECT sum(watch_ms)::DOUBLE / 1000 AS seconds FROM click GROUP BY {whose}_id"
    )
    return [
        quantile_of_units(
            evidence,
            Quantity(
                f"{whose}_watch_total_p{p}_s",
                f"{p} % point of total watch time",
                f"{whose}s with a click",
                f"{whose}s with a click",
                "s",
                _CLICK,
            ),
            rows["seconds"],
            p / 100,
            f"{whose}s",
        )
        for p in LEVELS
    ]


def _curve(sums: dict[str, NDArray[Any]]) -> Curve:
    clicks, amount = sums["clicks"].sum(axis=0), sums["amount"].sum(axis=0)
    return {
        "bucket": list(BUCKET_TEXT),
        "clicks": clicks.astype(int).tolist(),
        "amount": amount.astype(int).tolist(),
        "click_share": (clicks / max(clicks.sum(), 1.0)).tolist(),
        "amount_share": (amount / max(amount.sum(), 1.0)).tolist(),
    }
