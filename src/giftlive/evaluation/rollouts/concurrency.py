"""One seed of study 4.2: what one more viewer is worth, by how full the rooms are.

Users of a round come one after another into empty rooms. The i-th of them meets the load i / seats,
and what he adds is what he gives under the room's response to those before him: no second run is
needed for a marginal. The same users, choices and draws without any response are the reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.contestants import (
    Contestant,
    Played,
    differs,
    overload,
    played,
)
from giftlive.evaluation.rollouts.market import Market, Truth
from giftlive.evaluation.rollouts.seats import seated
from giftlive.evaluation.rollouts.value_errors import ErrorLaw
from giftlive.types import Floats, Ints
from giftlive.world.outcome import Outcome

RESPONSES = ("none", "soft", "hard")
POLICIES = ("greedy", "uniform", "oracle_greedy")
NO_RESPONSE = "none"


def concurrency_cell(cell: Cell) -> tuple[Number, ...]:
    """Return every number of one seed.

    Settings of the cell: ``errors``, ``sizes``, ``differentiation``, ``alpha`` of the soft
    response, ``edges`` of the classes of load.
    """
    edges = np.array(cell.setting("edges"))
    markets: dict[str, Market] = {}
    truth: Truth | None = None  # an empty room is the same under every response
    for response in RESPONSES:
        markets[response] = _market(cell, response, truth)
        truth = markets[response].truth
    found: list[Number] = []
    for policy in POLICIES:
        who = Contestant(policy, policy.removeprefix("oracle_"))
        plays = {response: played(market, who) for response, market in markets.items()}
        base = marginals(plays[NO_RESPONSE].outcome, edges, _seats(cell))
        for response, result in plays.items():
            table = f"{policy}, {response}"
            found += _numbers(table, marginals(result.outcome, edges, _seats(cell)), base, edges)
            found += _overloads(table, result, markets[response])
    soft = Contestant("greedy", "greedy")
    return (*found, Number("a_a", "greedy", "differs", _again(markets["soft"], soft)))


def _market(cell: Cell, response: str, truth: Truth | None = None) -> Market:
    here = seated(cell, cell.setting("edges")[-1], cell.setting("differentiation"))
    alpha = cell.setting("alpha") if response == "soft" else 0.0
    changed = dict(here.overrides) | {
        "seats.mode": "hard" if response == "hard" else "soft",
        "seats.alpha": f"{alpha:g}",
    }
    law = ErrorLaw(*cell.setting("errors"))
    return Market.of(replace(here, overrides=tuple(sorted(changed.items()))), law, truth)


def _seats(cell: Cell) -> int:
    _, streamers, seats, _ = cell.setting("sizes")
    return int(streamers * seats)


def marginals(outcome: Outcome, edges: Floats, seats: int) -> Floats:
    """Return [k] the mean expected amount of a viewer who comes in each class of load.

    Parameters
    ----------
    edges : [k + 1] of the load, viewers who came before over all seats.
    """
    kind = classes(outcome.visit, edges, seats)
    size = len(edges) - 1
    inside = kind >= 0
    money = np.bincount(kind[inside], outcome.expected_amount[inside], size)
    means: Floats = money / np.maximum(np.bincount(kind[inside], minlength=size), 1)
    return means


def classes(visit: Ints, edges: Floats, seats: int) -> Ints:
    """Return [n] the class of load in which each row of a round comes, -1 outside.

    Examples
    --------
    >>> classes(np.array([0, 0, 0, 0, 1, 1]), np.array([0.0, 1.0, 2.0]), seats=2).tolist()
    [0, 0, 1, 1, 0, 0]
    """
    first = np.searchsorted(visit, visit)
    load = (np.arange(len(visit)) - first) / seats
    kind = np.searchsorted(edges, load, side="right") - 1
    return np.where(kind < len(edges) - 1, kind, -1)


def middles(edges: Floats) -> Floats:
    """Return the middle of each class."""
    return (edges[:-1] + edges[1:]) / 2.0


def class_name(middle: float) -> str:
    """Return the name of a class of load."""
    return f"load {middle:.2f}"


def elasticity(load: Floats, marginal: Floats) -> float | None:
    """Return the least-squares slope of log marginal on log load; None where a marginal is 0.

    Examples
    --------
    >>> round(elasticity(np.array([0.5, 1.0, 2.0]), np.array([4.0, 2.0, 1.0])), 9)
    -1.0
    """
    if (marginal <= 0.0).any():
        return None
    x, y = np.log(load), np.log(marginal)
    x = x - x.mean()
    return float((x * (y - y.mean())).sum() / (x * x).sum())


def _numbers(table: str, marginal: Floats, base: Floats, edges: Floats) -> Iterator[Number]:
    load = middles(edges)
    kept = np.divide(marginal, base, out=np.zeros_like(base), where=base > 0.0)
    for i, middle in enumerate(load):
        yield Number(table, class_name(middle), "marginal", float(marginal[i]))
        yield Number(table, class_name(middle), "kept", float(kept[i]))
    yield Number(table, "elasticity", "paired", elasticity(load, kept))
    yield Number(table, "elasticity", "plain", elasticity(load, marginal))


def _overloads(table: str, found: Played, market: Market) -> Iterator[Number]:
    """Yield overload by round, and what it is called when a whole run is held against the seats."""
    o, seats = found.outcome, market.seats
    yield Number(table, "overload", "per round", overload(o, seats, market.rounds.shape[1]))
    demand = np.bincount(o.streamer[o.streamer >= 0], minlength=len(seats))
    yield Number(table, "overload", "cumulative", float((demand > seats).mean()))


def _again(market: Market, who: Contestant) -> float:
    return differs(played(market, who), played(market, who))
