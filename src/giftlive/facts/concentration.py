"""Who holds the money: Gini and top shares of what users give and streamers receive.

The population is always stated: those whose total is above zero, or, with the ending ``_all``,
everybody, zeros included. The independent units are users for what users give, streamers for
what streamers receive.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from giftlive.facts.estimates import stated, undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section
from giftlive.stats.heavy_tails import lorenz
from giftlive.stats.influence import Linearised, gini, top_share, transformed
from giftlive.stats.intervals import Interval, influence_t
from giftlive.stats.print_rule import printed
from giftlive.types import Floats

TOPS = (1, 5, 10)
_GRID = np.concatenate(
    [np.linspace(0.0, 0.9, 19)[:-1], np.linspace(0.9, 0.99, 19)[:-1], np.linspace(0.99, 1.0, 11)]
)
_TOTALS = {
    "user": "SELECT user_id AS id, sum(amount)::DOUBLE AS total FROM gift "
    "GROUP BY id HAVING sum(amount) > 0 ORDER BY total, id",
    "streamer": "SELECT streamer_id AS id, sum(amount)::DOUBLE AS total FROM gift "
    "WHERE streamer_id >= 0 GROUP BY id HAVING sum(amount) > 0 ORDER BY total, id",
}
_WHO = {
    "user": ("users who gave", "users with a total > 0"),
    "streamer": ("streamers who received", "streamers with an income > 0 from known users"),
}
_ALL = {
    "user": ("users", "all users with an event, zeros included"),
    "streamer": ("streamers", "all streamers, zeros included"),
}
_UNMEASURED_ALL = "the interval was measured among those above zero only"
Concentration = Callable[[Floats], Linearised]


def concentration_section(evidence: Evidence) -> Section:
    """Return Gini and the share of the top 1, 5 and 10 %, of users and of streamers."""
    totals = {whose: evidence.columns(sql)["total"] for whose, sql in _TOTALS.items()}
    everyone = {"user": len(evidence.users), "streamer": evidence.streamers}
    facts: list[Fact] = []
    curves: dict[str, Curve] = {}
    for whose, total in totals.items():
        whole = np.concatenate([np.zeros(max(everyone[whose] - len(total), 0)), total])
        facts += [*_facts_of(evidence, whose, total), *_facts_of_all(evidence, whose, total, whole)]
        curves[f"lorenz_{whose}"] = _lorenz_curve(total)
        curves[f"lorenz_{whose}_all"] = _lorenz_curve(whole if len(total) else total)
    return Section(tuple(facts), curves | {"top_share": _top_shares(tuple(facts))})


def _top_shares(facts: tuple[Fact, ...]) -> Curve:
    names = [f"{whose}_top{p}_share" for whose in _TOTALS for p in TOPS]
    tops = [fact for name in names for fact in facts if fact.name == name]
    return {
        "whose": [whose for whose in _TOTALS for _ in TOPS],
        "top_percent": [p for _ in _TOTALS for p in TOPS],
        "share": [fact.value for fact in tops],
        "low": [fact.low for fact in tops],
        "high": [fact.high for fact in tops],
    }


def _measures(
    whose: str, who: tuple[str, str], ending: str = ""
) -> list[tuple[Quantity, str, Concentration]]:
    """Return each quantity with its name in the coverage table and its statistic."""
    denominator, population = who

    def quantity(name: str, numerator: str, unit: str) -> Quantity:
        full = name + ending
        return Quantity(full, numerator, denominator, population, unit, ("gift",), money=True)

    return [
        (quantity(f"{whose}_gini", "Gini of the amount", "index"), "gini", gini),
        *(
            (
                quantity(f"{whose}_top{p}_share", f"amount of the top {p} %", "share"),
                "top_share",
                partial(top_share, fraction=p / 100),
            )
            for p in TOPS
        ),
    ]


def _facts_of_all(evidence: Evidence, whose: str, total: Floats, whole: Floats) -> list[Fact]:
    measures, unit = _measures(whose, _ALL[whose], "_all"), f"{whose}s"
    reason = evidence.lacks(("gift",)) or ("" if len(total) else f"no {unit} with a total > 0")
    if reason:
        return [undefined(evidence, quantity, reason) for quantity, _, _ in measures]
    return [
        stated(evidence, quantity, measure(whole).value, _UNMEASURED_ALL, len(whole), unit)
        for quantity, _, measure in measures
    ]


def _facts_of(evidence: Evidence, whose: str, total: Floats) -> list[Fact]:
    measures, unit = _measures(whose, _WHO[whose]), f"{whose}s"
    reason = evidence.lacks(("gift",)) or ("" if len(total) else f"no {unit} with a total > 0")
    if reason:
        return [undefined(evidence, quantity, reason) for quantity, _, _ in measures]
    facts = []
    for quantity, statistic, measure in measures:
        found = measure(total)
        interval = _interval(statistic, found, unit)
        shown = printed(interval, statistic, evidence.tail(quantity))
        facts.append(stated(evidence, quantity, found.value, shown, len(total), unit))
    return facts


def _interval(statistic: str, found: Linearised, unit: str) -> Interval:
    """Return the interval on the scale on which this statistic is covered best."""
    if statistic == "top_share":
        return transformed(found.value, found.influence, "log", n_unit=unit)
    return influence_t(found.value, found.influence, n_unit=unit)


def _lorenz_curve(total: Floats) -> Curve:
    """Return the Lorenz curve at fixed shares of the population, denser at the top."""
    if not len(total):
        return {"population_share": [], "amount_share": []}
    p, share = lorenz(total)
    return {
        "population_share": _GRID.tolist(),
        "amount_share": np.interp(_GRID, p, share).tolist(),
    }
