"""One seed of study 5.5: five aims, many weights, and who is not dominated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollout import TableValuer, play
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.contestants import Played, differs, overload
from giftlive.evaluation.rollouts.frontier import non_dominated
from giftlive.evaluation.rollouts.market import Market, in_empty_rooms
from giftlive.evaluation.rollouts.value_errors import ErrorLaw, estimated
from giftlive.metrics import gini
from giftlive.policies.registry import make_policy
from giftlive.policies.signals import ByPair
from giftlive.types import Floats
from giftlive.world.truth import true_seat_seconds

WORLD = "world"
AIMS = ("revenue", "retention", "diversity", "evenness", "calm")
"""All of them better when larger: expected revenue; expected stay over the longest; rooms per
visit; 1 - exposure Gini; 1 - overload."""
STAY_ERROR = 0.1
"""Sd of the log error of an estimated stay: every viewing has one, few have a gift."""
_WEIGHTS = ("retention", "diversity", "gini", "overload")
_OF_AIM = dict(zip(_WEIGHTS, AIMS[1:], strict=True))


def weightings(strengths: Sequence[float]) -> dict[str, dict[str, float]]:
    """Return the weights that are tried, by name: none, each aim alone, all together.

    Examples
    --------
    >>> list(weightings((1.0, 4.0)))[:4]
    ['revenue alone', 'retention 1', 'retention 4', 'diversity 1']
    """
    none = dict.fromkeys(_WEIGHTS, 0.0)
    found = {"revenue alone": none}
    for name in _WEIGHTS:
        found |= {f"{_OF_AIM[name]} {x:g}": none | {name: x} for x in strengths}
    return found | {f"all {x:g}": dict.fromkeys(_WEIGHTS, x) for x in strengths}


def pareto_cell(cell: Cell) -> tuple[Number, ...]:
    """Return every aim of every weighting on estimated and true values, and how many are best.

    Settings of the cell: ``errors``, ``strengths`` of the weights, ``margin``: of the range of an
    aim, what a point may be better by and still count as equal.
    """
    market = Market.of(cell, ErrorLaw(*cell.setting("errors")))
    stay = in_empty_rooms(true_seat_seconds, market.world)
    attention = stay / stay.max()
    found: list[Number] = []
    thought = estimated(attention, ErrorLaw(STAY_ERROR), cell.seed).clip(0.0, 1.0)
    for prefix, values, signal in (
        ("", market.estimated, thought),
        ("oracle_", market.true, attention),
    ):
        points = {}
        for name, weights in weightings(cell.setting("strengths")).items():
            aims = _aims(market, attention, _play(market, values, signal, weights))
            points[name] = list(aims.values())
            found += [Number(WORLD, prefix + name, aim, v) for aim, v in aims.items()]
        best = frontier(np.array(list(points.values())), cell.setting("margin"))
        for name, on in zip(points, best, strict=True):
            found.append(Number(WORLD, prefix + name, "on the frontier", float(on)))
        found.append(Number(WORLD, f"{prefix}frontier", "points", float(best.sum())))
    none = weightings((1.0,))["revenue alone"]
    again = [_play(market, market.estimated, thought, none) for _ in range(2)]
    return (*found, Number("a_a", "revenue alone", "differs", differs(*again)))


def frontier(points: Floats, margin: float) -> Floats:
    """Return [n] who is not dominated, where ``margin`` of an aim's range counts as equal.

    With many aims hardly any point is beaten in all of them by a hair: rounding each aim to its
    margin takes the hairs away. Of points that are equal then, the first stays.

    Examples
    --------
    >>> frontier(np.array([[1.0, 0.0], [0.0, 1.0], [0.999, 0.0], [0.2, 0.2]]), 0.01).tolist()
    [1.0, 1.0, 0.0, 1.0]
    """
    span = np.ptp(points, axis=0)
    steps = np.round(points / np.where(span > 0.0, margin * span, 1.0))
    _, first = np.unique(steps, axis=0, return_index=True)
    once = np.zeros(len(points), dtype=np.bool_)
    once[first] = True
    return (non_dominated(steps) & once).astype(np.float64)


def _play(market: Market, values: Floats, signal: Floats, weights: Mapping[str, float]) -> Played:
    policy = make_policy(
        "multi_objective", **weights, retention_signal=ByPair(signal), respect_seats=False
    )
    valuer = TableValuer(values, np.broadcast_to(1.0, values.shape))
    return Played(*play(market.arena(), policy, valuer, market.seats, market.seed))


def _aims(market: Market, attention: Floats, found: Played) -> dict[str, float]:
    o, many = found.outcome, market.rounds.shape[1]
    pairs = np.unique(o.user * len(market.seats) + o.streamer)
    aims = (
        o.expected_revenue,
        float(attention[o.user, o.streamer].mean()),
        len(pairs) / o.decisions,
        1.0 - gini(o.streamer_exposure),
        1.0 - overload(o, market.seats, many),
    )
    return dict(zip(AIMS, aims, strict=True))
