"""How heavy the tails are: Hill's index and a generalised Pareto fit, threshold stated.

The threshold is the value after the √n largest ones, and the tail is what exceeds it: values
equal to it, which are many at a price point, would count as a tail without any excess. The index
moves with that choice wherever the tail is no exact power law, so the curve
``hill_by_threshold`` shows it for other choices beside it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from giftlive.facts.estimates import stated, undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section
from giftlive.stats.exceedances import Exceedances, fit_exceedances, tail_size
from giftlive.stats.heavy_tails import hill
from giftlive.types import Floats

FIT_POINTS = 24
THRESHOLDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Sizes of the tail at which the index is shown, as multiples of √n."""

_OF = {
    "amount": ("gift rows", "SELECT amount::DOUBLE AS x FROM gift WHERE amount > 0"),
    "user_total": (
        "users who gave",
        "SELECT sum(amount)::DOUBLE AS x FROM gift GROUP BY user_id HAVING sum(amount) > 0",
    ),
}
_NOT_HILL = "whole numbers at price points are no exact power law, for which alone it holds"
_NOT_GPD = "no interval of this fit was ever measured"


def tail_section(evidence: Evidence) -> Section:
    """Return both indices for single gifts and for what users give in total."""
    facts: list[Fact] = []
    curves: dict[str, Curve] = {}
    by_threshold: Curve = {"of": [], "k": [], "index": []}
    for name, (unit, sql) in _OF.items():
        x = np.sort(evidence.columns(sql)["x"])
        fit = fit_exceedances(x)
        facts += [_hill(evidence, name, unit, x), _gpd(evidence, name, unit, fit, len(x))]
        curves[f"{name}_tail_fit"] = _lines(x, fit)
        for k, index in _by_threshold(x):
            for column, value in (("of", name), ("k", k), ("index", index)):
                by_threshold[column].append(value)
    return Section(tuple(facts), curves | {"hill_by_threshold": by_threshold})


def _quantity(name: str, ending: str, what: str, unit: str) -> Quantity:
    return Quantity(f"{name}_tail_{ending}", what, unit, "", "index", ("gift",), money=True)


def _population(n: int, threshold: float) -> str:
    return f"{n:,} positive values, those above {threshold:,.0f}, the value after the √n largest"


def _exceeding(x: Floats, size: int) -> int:
    """Return how many of ``x``, ascending, exceed the value after the ``size`` largest."""
    return int((x > x[-size - 1]).sum()) if 0 <= size < len(x) else size


def _hill(evidence: Evidence, name: str, unit: str, x: Floats) -> Fact:
    quantity = _quantity(name, "index", f"Hill's tail index a of P({name} > x) ~ x^-a", unit)
    k = tail_size(len(x))
    index = hill(x, _exceeding(x, k))
    reason = evidence.lacks(quantity.needs)
    if reason or index.value is None:
        named = replace(quantity, population=f"{unit} with an amount > 0")
        return undefined(evidence, named, reason or index.reason)
    named = replace(quantity, population=_population(len(x), x[-k - 1]))
    return stated(evidence, named, index.value, _NOT_HILL, index.n, index.n_unit)


def _gpd(evidence: Evidence, name: str, unit: str, fit: Exceedances, n: int) -> Fact:
    what = "shape of the generalised Pareto law of the excess over the threshold (1 / index)"
    quantity = _quantity(name, "shape_gpd", what, unit)
    reason = evidence.lacks(quantity.needs)
    if reason or fit.shape is None:
        named = replace(quantity, population=f"{unit} with an amount > 0")
        return undefined(evidence, named, reason or fit.reason)
    named = replace(quantity, population=_population(n, fit.threshold))
    return stated(evidence, named, fit.shape, _NOT_GPD, fit.k, "tail values")


def _lines(x: Floats, fit: Exceedances) -> Curve:
    """Return P(X > x) of both fits from the threshold to the largest value; empty without them."""
    index = hill(x, _exceeding(x, tail_size(len(x))))
    if index.value is None or fit.shape is None:
        return {"amount": [], "hill": [], "gpd": []}
    at = np.geomspace(fit.threshold, x[-1], FIT_POINTS)
    return {
        "amount": at.tolist(),
        "hill": (index.n / len(x) * (at / fit.threshold) ** -index.value).tolist(),
        "gpd": (fit.k / len(x) * fit.survival(at)).tolist(),
    }


def _by_threshold(x: Floats) -> list[tuple[int, float]]:
    """Return Hill's index for several tail sizes, where it has a value."""
    sizes = [_exceeding(x, round(multiple * tail_size(len(x)))) for multiple in THRESHOLDS]
    found = [(k, hill(x, k).value) for k in dict.fromkeys(sizes) if 0 < k < len(x)]
    return [(k, value) for k, value in found if value is not None]
