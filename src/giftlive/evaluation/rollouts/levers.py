"""One seed of study 6.1: how much of the regret is the values' and how much the allocation's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollout import TableValuer, play
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.contestants import Contestant, Played, differs, played
from giftlive.evaluation.rollouts.market import Market
from giftlive.evaluation.rollouts.seats import OPTIMUM, as_prices, optimum, seat_prices, seated
from giftlive.evaluation.rollouts.value_errors import ErrorLaw
from giftlive.policies.base import Policy
from giftlive.policies.registry import make_policy
from giftlive.types import Floats

WORLD = "world"
ALLOCATORS = ("uniform", "greedy_with_cap", "dual_price", "batch_optimal")
FLAT, LEARNT, MODEL, TRUTH = "flat", "streamer means by ips", "model", "truth"


def values_named(factors: tuple[float, ...]) -> dict[str, float]:
    """Return the names of the value levels that are drawn, and the factor on their errors.

    Examples
    --------
    >>> values_named((2.0, 1.0, 0.5, 0.0))
    {'errors x2': 2.0, 'model': 1.0, 'errors x0.5': 0.5, 'truth': 0.0}
    """
    known = {1.0: MODEL, 0.0: TRUTH}
    return {known.get(x, f"errors x{x:g}"): x for x in factors}


def lever_cell(cell: Cell) -> tuple[Number, ...]:
    """Return the expected revenue of every value level under every allocator.

    Beside the levels drawn from the truth stand: no values at all; means of streamers learnt from
    one evening of uniform traffic by inverse propensity (equal data, no model: a policy learnt end
    to end from logs); and bandits that learn while they serve, from no values.

    Settings of the cell: ``errors``, ``sizes``, ``load``, ``differentiation``, ``factors``.
    """
    here = seated(cell, cell.setting("load"), cell.setting("differentiation"))
    true = Market.of(here, ErrorLaw(0.0))
    found = [Number(WORLD, OPTIMUM, "expected", optimum(true))]
    levels: dict[str, Floats] = {
        name: replace(true, law=ErrorLaw(*(x * sd for sd in cell.setting("errors")))).estimated
        for name, x in values_named(cell.setting("factors")).items()
    }
    levels[FLAT] = np.full_like(true.true, true.true[true.true > 0].mean())
    levels[LEARNT] = learnt_by_ips(true)
    for name, values in levels.items():
        found += _allocated(true, name, values)
    for bandit in ("room_thompson", "epsilon_greedy"):
        policy = make_policy(bandit, respect_seats=True)
        found.append(_number(bandit, _play(true, levels[FLAT], policy)))
    found += _levers({n.row: n.value or 0.0 for n in found if n.column == "expected"})
    again = [played(true, Contestant("uniform", "uniform")) for _ in range(2)]
    return (*found, Number("a_a", "uniform", "differs", differs(*again)))


def _levers(revenue: dict[str, float]) -> Iterator[Number]:
    """Yield what true values add under each allocator, and prices on each level of values."""
    model, truth = ({a: revenue[row(level, a)] for a in ALLOCATORS} for level in (MODEL, TRUTH))
    capped, priced = "greedy_with_cap", "dual_price"
    for lever, value in (
        ("values, capped", truth[capped] - model[capped]),
        ("values, priced", truth[priced] - model[priced]),
        ("allocation, model", model[priced] - model[capped]),
        ("allocation, truth", truth[priced] - truth[capped]),
        ("allocation over values", model[priced] - truth[capped]),
    ):
        yield Number(WORLD, lever, "lever", value)


def learnt_by_ips(market: Market) -> Floats:
    """Return [U, S] the mean gift of each streamer, from another evening of uniform traffic.

    Σ amount / propensity over decisions: with one propensity for all rooms, proportional to the
    streamer's mean. It knows no user from another.
    """
    other = replace(market, seed=market.seed + (1 << 40))
    outcome = played(other, Contestant("uniform", "uniform")).outcome
    streamers = market.true.shape[1]
    shown = outcome.admitted
    weight = outcome.amount[shown] / outcome.propensity[shown]
    mean = np.bincount(outcome.streamer[shown], weight, streamers) / max(1, outcome.decisions)
    return np.tile(mean, (len(market.true), 1))


def _allocated(market: Market, name: str, values: Floats) -> Iterator[Number]:
    prices = seat_prices(market, values)
    if name == MODEL:
        yield Number(WORLD, "seats", "price share", prices.price_share)
    for allocator in ALLOCATORS:
        options = {}
        if allocator == "dual_price":
            options = {"prices": as_prices(prices.seat), "learning_rate": 0.0}
        result = _play(market, values, make_policy(allocator, **options))
        yield _number(row(name, allocator), result)
        share = result.displaced / max(1, result.outcome.decisions)
        yield Number(WORLD, row(name, allocator), "displaced", share)


def row(values: str, allocator: str) -> str:
    """Return the name of the readings of an allocator on a level of values."""
    return f"{values}, {allocator}"


def _number(name: str, found: Played) -> Number:
    return Number(WORLD, name, "expected", found.outcome.expected_revenue)


def _play(market: Market, values: Floats, policy: Policy[object]) -> Played:
    valuer = TableValuer(values, np.broadcast_to(1.0, values.shape))
    return Played(*play(market.arena(), policy, valuer, market.seats, market.seed))
