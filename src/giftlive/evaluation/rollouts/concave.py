"""One seed of study 2.1: paths of rules and of concave returns between revenue and evenness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from giftlive.allocation import Batch, Returns, batch_certificate
from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.contestants import (
    ORACLE,
    Contestant,
    Played,
    differs,
    measured,
    played,
)
from giftlive.evaluation.rollouts.frontier import at_level
from giftlive.evaluation.rollouts.market import Market
from giftlive.evaluation.rollouts.value_errors import ErrorLaw
from giftlive.types import Floats

CONCAVE = ("log", "sqrt", "saturating")
RULES = ("exposure_cap", "head_cap")
BEST_RULE = "best rule"
WORLD = "world"
TWICE = ("greedy", "uniform")
"""Policies that are played twice: the reference, and one that draws."""


def path_of(family: str, multiples: Sequence[float], market: Market) -> list[Contestant]:
    """Return the contestants of a family, one per multiple of what a streamer has by lot.

    A cap counts multiples of the mean exposure, a scale B those of the mean income of a streamer
    when users are spread at random.
    """
    decisions, streamers = market.rounds.size, market.true.shape[1]
    if family == "exposure_cap":
        options: list[dict[str, Any]] = [
            {family: max(1, round(x * decisions / streamers))} for x in multiples
        ]
    elif family == "head_cap":
        options = [{family: min(1.0, x / streamers)} for x in multiples]
    else:
        options = [{"kind": family, "scale": x * income_by_lot(market)} for x in multiples]
    policy = "concave" if family in CONCAVE else "greedy_with_rules"
    return [
        Contestant(f"{family} {x:g}", policy, o) for x, o in zip(multiples, options, strict=True)
    ]


def income_by_lot(market: Market) -> float:
    """Return the mean expected income of a streamer when users are spread at random."""
    return (
        float(market.true[market.rounds.ravel()].mean() * market.rounds.size)
        / (market.true.shape[1])
    )


def concave_cell(cell: Cell) -> tuple[Number, ...]:
    """Return every number of one seed.

    Settings of the cell: ``errors`` (pair, streamer, user), ``paths`` (family, multiples),
    ``levels`` of income Gini at which families are compared, ``scale`` of the bound.
    """
    market = Market.of(cell, ErrorLaw(*cell.setting("errors")))
    paths = {family: path_of(family, x, market) for family, x in cell.setting("paths")}
    found: list[Number] = []
    for oracle in (False, True):
        found += _frontier(market, cell, paths, oracle)
    found += _own_bound(market, cell.setting("scale") * income_by_lot(market))
    for name in TWICE:
        again = [played(market, Contestant(name, name)) for _ in range(2)]
        found.append(Number("a_a", name, "differs", differs(*again)))
    return tuple(found)


def _frontier(
    market: Market, cell: Cell, paths: dict[str, list[Contestant]], oracle: bool
) -> Iterator[Number]:
    ends = {}
    for family in ("uniform", "greedy"):
        ends[family] = _measures(market, Contestant(family, family), oracle)
        yield from ends[family]
    at: dict[tuple[str, float], float] = {}
    for family, contestants in paths.items():
        points = []
        for contestant in contestants:
            numbers = _measures(market, contestant, oracle)
            points.append(_point(numbers))
            yield from numbers
        points.append(_point(ends["greedy"]))  # no limit at all ends every path
        x, y = np.array(points).T
        for level in cell.setting("levels"):
            at[family, level] = at_level(level, x, y)
    for level in cell.setting("levels"):
        table, prefix = level_table(level), ORACLE if oracle else ""
        for family in paths:
            yield Number(table, prefix + family, "expected", _known(at[family, level]))
        best = np.fmax.reduce([at[rule, level] for rule in RULES if rule in paths])
        yield Number(table, prefix + BEST_RULE, "expected", _known(float(best)))


def level_table(level: float) -> str:
    """Return the name of the readings at a level of income Gini."""
    return f"at Gini {level:g}"


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _measures(market: Market, contestant: Contestant, oracle: bool) -> list[Number]:
    who = contestant.oracle() if oracle else contestant
    many = market.rounds.shape[1]
    return list(measured(who.name, WORLD, played(market, who), market.seats, many))


def _point(numbers: Sequence[Number]) -> tuple[float, float]:
    by = {n.column: n.value or 0.0 for n in numbers}
    return by["income Gini"], by["expected"]


def _own_bound(market: Market, scale: float) -> Iterator[Number]:
    """Yield Σ g(V) of the log policy on the truth, and the bound on it of any policy.

    V adds up true values in empty rooms, as the bound does: whom a policy sends, not whom else he
    meets there.
    """
    users = market.rounds.ravel()
    streamers = market.true.shape[1]
    batch = Batch(
        values=market.true[users],
        rooms=np.tile(np.arange(streamers), (len(users), 1)),
        capacity=np.full(streamers, np.inf),
        returns=Returns("log", scale),
    )
    priced = batch_certificate(batch, passes=60, tolerance=2e-3)
    yield Number("own", "bound", "objective", priced.bound)
    yield Number("own", "bound", "gap", priced.gap)
    log = Contestant("log", "concave", {"kind": "log", "scale": scale})
    for who in (log, log.oracle(), Contestant("greedy", "greedy")):
        sent = _sent(market, played(market, who))
        worth = float(batch.returns.value(sent).sum())
        yield Number("own", who.name, "objective", worth)


def _sent(market: Market, found: Played) -> Floats:
    """Return [S] the true value sent to every streamer."""
    o, streamers = found.outcome, market.true.shape[1]
    user, streamer = o.user[o.shown], o.streamer[o.shown]
    return np.bincount(streamer, market.true[user, streamer], streamers).astype(np.float64)
