"""One seed of the phase diagram: load x differentiation x errors of the values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.contestants import differs, played
from giftlive.evaluation.rollouts.market import Market, Truth
from giftlive.evaluation.rollouts.seats import OPTIMUM, lineup, optimum, seat_prices, seated
from giftlive.evaluation.rollouts.value_errors import ErrorLaw


def phase_cell(cell: Cell) -> tuple[Number, ...]:
    """Return every number of one seed.

    Settings of the cell: ``loads``, ``differentiations``, ``errors`` (pair, streamer, user) of a
    model and ``factors`` by which they are multiplied (0: the truth).
    """
    loads, steeps = cell.setting("loads"), cell.setting("differentiations")
    found: dict[tuple[float, float], list[Number]] = {}
    for steep in steeps:
        truth: Truth | None = None  # a pair is worth the same at any load
        for load in loads:
            true = Market.of(seated(cell, load, steep), ErrorLaw(0.0), truth)
            truth = true.truth
            found[load, steep] = _phases(cell, true, load, steep)
    again = Number("a_a", "dual_price", "differs", _again(cell))
    return (*(n for load in loads for steep in steeps for n in found[load, steep]), again)


def _phases(cell: Cell, true: Market, load: float, steep: float) -> list[Number]:
    """Return the numbers of every error of the values at a load and a differentiation."""
    best, found = optimum(true), list[Number]()
    for factor in cell.setting("factors"):
        law = ErrorLaw(*(factor * sd for sd in cell.setting("errors")))
        table = phase(load, steep, factor)
        found.append(Number(table, OPTIMUM, "expected", best))
        found += _played(replace(true, law=law), table)
    return found


def phase(load: float, differentiation: float, factor: float) -> str:
    """Return the name of the readings of one phase.

    Examples
    --------
    >>> phase(1.0, 0.3, 2.0)
    'load 1, differentiation 0.3, errors x2'
    """
    return f"load {load:g}, differentiation {differentiation:g}, errors x{factor:g}"


def _played(market: Market, table: str) -> Iterator[Number]:
    prices = seat_prices(market, market.estimated)
    yield Number(table, "seats", "price share", prices.price_share)
    for contestant in lineup(prices):
        found = played(market, contestant)
        n = found.outcome.decisions
        yield Number(table, contestant.name, "expected", found.outcome.expected_revenue)
        yield Number(table, contestant.name, "displaced", found.displaced / n)
        yield Number(table, contestant.name, "refused", float(found.outcome.refused.sum()) / n)


def _again(cell: Cell) -> float:
    """Return whether dual prices, played twice from the world on, differ in any bit."""
    here = seated(cell, cell.setting("loads")[-1], cell.setting("differentiations")[-1])
    law = ErrorLaw(*cell.setting("errors"))
    both = []
    for _ in range(2):
        market = Market.of(here, law)
        named = {c.name: c for c in lineup(seat_prices(market, market.estimated))}
        both.append(played(market, named["dual_price"]))
    return differs(*both)
