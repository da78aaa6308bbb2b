"""How large gifts are: quantiles, moments, shares of small amounts, and the distribution."""

from __future__ import annotations

import math

import numpy as np

from giftlive.facts.estimates import by_user, ratio, stated, undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import AMOUNT, Curve, Fact, Quantity, Section
from giftlive.facts.quantiles import quantile_facts

_ROWS, _WHO, _GIFT = "gift rows", "gifts of known users", ("gift",)
LEVELS = (50, 75, 90, 95, 99)
LIMITS = (2, 5, 10, 20)
CCDF_POINTS = 60

_MEAN = Quantity("amount_mean", "amount", _ROWS, _WHO, AMOUNT, _GIFT, money=True)
_SD = Quantity("amount_sd", "spread of the amount", _ROWS, _WHO, AMOUNT, _GIFT, money=True)
_MAX = Quantity("amount_max", "largest gift row", _ROWS, _WHO, AMOUNT, _GIFT, money=True)


def gift_section(evidence: Evidence) -> Section:
    """Return the facts of single gift rows."""
    limits = ", ".join(f"count(*) FILTER (amount <= {x}) AS le_{x}" for x in LIMITS)
    rows = evidence.columns(
        "SELECT user_id, count(*) AS n, count(*) FILTER (amount = 1) AS eq_1, "
        f"{limits}, sum(amount)::DOUBLE AS total, sum(amount::DOUBLE * amount) AS square "
        "FROM gift GROUP BY user_id"
    )
    user, n = rows["user_id"], rows["n"]
    shares = [("amount_share_eq_1", "gift rows of amount 1", rows["eq_1"])]
    shares += [
        (f"amount_share_le_{x}", f"gift rows of amount <= {x}", rows[f"le_{x}"]) for x in LIMITS
    ]
    facts = (
        *_quantiles(evidence),
        ratio(evidence, _MEAN, by_user(user, rows["total"], n, n_unit=_ROWS)),
        _spread(evidence, rows["square"].sum(), rows["total"].sum(), int(n.sum())),
        *(
            ratio(
                evidence,
                Quantity(name, numerator, _ROWS, _WHO, needs=_GIFT),
                by_user(user, hits, n, n_unit=_ROWS),
            )
            for name, numerator, hits in shares
        ),
        _largest(evidence, int(n.sum())),
    )
    return Section(facts, {"amount_ccdf": _ccdf(evidence)})


def _quantiles(evidence: Evidence) -> list[Fact]:
    levels = tuple(
        (
            Quantity(
                f"amount_p{p}", f"{p} % point of amount", _ROWS, _WHO, AMOUNT, _GIFT, money=True
            ),
            p / 100,
        )
        for p in LEVELS
    )
    return quantile_facts(evidence, "gift", "amount", levels, 1.0, _ROWS)


def _spread(evidence: Evidence, square: float, total: float, n: int) -> Fact:
    """Return the standard deviation of the gift rows from their sums."""
    reason = evidence.lacks(_SD.needs)
    if reason or not n:
        return undefined(evidence, _SD, reason or "there are no gift rows")
    value = math.sqrt(max(square / n - (total / n) ** 2, 0.0))
    why = "no interval of a standard deviation holds at such tails"
    return stated(evidence, _SD, value, why, n, _ROWS)


def _largest(evidence: Evidence, n: int) -> Fact:
    (largest,) = evidence.row("SELECT max(amount) FROM gift")
    reason = evidence.lacks(_MAX.needs)
    if reason or largest is None:
        return undefined(evidence, _MAX, reason or "there are no gift rows")
    why = "no sample says how large the next largest gift is"
    return stated(evidence, _MAX, float(largest), why, n, _ROWS)


def _ccdf(evidence: Evidence) -> Curve:
    """Return at most 60 points of P(amount >= x), evenly spread over the logarithm of x."""
    rows = evidence.columns(
        "SELECT amount, count(*) AS n FROM gift GROUP BY amount ORDER BY amount"
    )
    amount, n = rows["amount"], rows["n"]
    if not len(amount):
        return {"amount": [], "share": [], "n": []}
    at_least = np.cumsum(n[::-1])[::-1]
    positive = np.maximum(amount, 1)
    targets = np.geomspace(positive[0], positive[-1], CCDF_POINTS)
    keep = np.unique(np.searchsorted(positive, targets.round(6)).clip(0, len(amount) - 1))
    return {
        "amount": amount[keep].astype(float).tolist(),
        "share": (at_least[keep] / n.sum()).tolist(),
        "n": at_least[keep].tolist(),
    }
