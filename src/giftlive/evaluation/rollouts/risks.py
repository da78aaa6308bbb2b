"""One seed of study 5.4: many days of one world under policies that look at uncertainty.

Part of the streamers are known badly. Of every pair a model says a mean *and* how sure it is; both
are those of the posterior under log v ~ N(m, τ²) and one observation z = log v + s ε::

    λ = τ² / (τ² + s²),   log v | z ~ N(m + λ (z - m), λ s²)
    estimate = exp(mean + var / 2),   sd = estimate sqrt(exp(var) - 1)

``pooled``: m and τ are those of all pairs. Its intervals hold as often as they say over all pairs,
and yet for one user's candidates the prior is too wide: τ has the spread of the users in it.
``by_user``: m is the user's own, τ that of pairs around it: calibrated where rooms are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollout import TableValuer, play
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.contestants import Played, differs
from giftlive.evaluation.rollouts.market import Market, in_empty_rooms
from giftlive.evaluation.rollouts.value_errors import ErrorLaw
from giftlive.policies.base import Policy
from giftlive.policies.registry import make_policy
from giftlive.policies.signals import ByPair
from giftlive.rng import derive, stream
from giftlive.types import Floats
from giftlive.world.rounds import RoundsArena
from giftlive.world.truth import true_value

TAIL = 0.05
BELIEFS = ("by_user", "pooled")
POLICIES = ("greedy", "lcb 0.5", "lcb 1", "cvar 0.05", "ucb 0.5")
ORACLE_GREEDY = "oracle_greedy"
_NINETY = 1.6448536269514722  # the normal quantile of a two-sided 90 % interval


@dataclass(frozen=True)
class Believed:
    """What a model says of every pair [U, S].

    Attributes
    ----------
    mean, sd : of the value. covered : share of true values within the central 90 %.
    """

    mean: Floats
    sd: Floats
    covered: float


def risk_cell(cell: Cell) -> tuple[Number, ...]:
    """Return every number of one seed.

    Settings of the cell: ``known`` and ``unknown`` sd of the log error, ``share`` of streamers who
    are known badly, ``days``.
    """
    market = Market.of(cell, ErrorLaw(0.0))
    true = in_empty_rooms(true_value, market.world)
    errors, many = streamer_errors(cell, true.shape[1]), cell.setting("days")
    found: list[Number] = []
    for belief in BELIEFS:
        believed = believe(true, errors, cell.seed, belief == "by_user")
        found.append(Number(belief, "uncertainty", "covered", believed.covered))
        for name in POLICIES:
            policy = _policy(name, believed)
            days = [_day(market, d, believed.mean, policy) for d in range(many)]
            found += _numbers(belief, name, days, errors)
    days = [_day(market, d, true, make_policy("greedy")) for d in range(many)]
    found += _numbers("truth", ORACLE_GREEDY, days, errors)
    again = [_day(market, 0, true, make_policy("greedy")) for _ in range(2)]
    return (*found, Number("a_a", "greedy", "differs", differs(*again)))


def streamer_errors(cell: Cell, streamers: int) -> Floats:
    """Return [S] the sd of the log error of each streamer's pairs."""
    badly = stream(cell.seed, "known badly").random(streamers) < cell.setting("share")
    return np.where(badly, cell.setting("unknown"), cell.setting("known"))


def believe(true: Floats, errors: Floats, seed: int, by_user: bool) -> Believed:
    """Return the posterior of values [U, S] > 0 with log errors of sd ``errors`` [S]."""
    log_true = np.log(true)
    center = log_true.mean(axis=1, keepdims=True) if by_user else log_true.mean()
    spread = float((log_true - center).var())
    z = log_true + errors * stream(seed, "observations").standard_normal(true.shape)
    weight = spread / (spread + errors**2)
    mean, var = center + weight * (z - center), weight * errors**2
    estimate = np.exp(mean + var / 2.0)
    inside = np.abs(log_true - mean) <= _NINETY * np.sqrt(var)
    return Believed(estimate, estimate * np.sqrt(np.expm1(var)), float(inside.mean()))


def _policy(name: str, believed: Believed) -> Policy[Any]:
    kind, _, size = name.partition(" ")
    if kind == "greedy":
        return make_policy("greedy")
    options: dict[str, Any] = {"uncertainty": ByPair(believed.sd)}
    if size:
        options["tail" if kind == "cvar" else "width"] = float(size)
    return make_policy(kind, **options)


def _day(market: Market, day: int, values: Floats, policy: Policy[Any]) -> Played:
    seed = derive(market.seed, "day", day)
    arena = RoundsArena(market.world, seed)
    valuer = TableValuer(values, np.broadcast_to(1.0, values.shape))
    return Played(*play(arena, policy, valuer, arena.seats, seed))


def _numbers(table: str, name: str, days: list[Played], errors: Floats) -> Iterator[Number]:
    realised = np.array([d.outcome.revenue for d in days])
    expected = np.array([d.outcome.expected_revenue for d in days])
    capped = np.minimum(realised, np.quantile(realised, 0.99))
    yield Number(table, name, "cvar", worst(capped, TAIL))
    yield Number(table, name, "expected", float(expected.mean()))
    yield Number(table, name, "sd of a day", float(capped.std(ddof=1)))
    badly = errors == errors.max()
    shown = np.concatenate([d.outcome.streamer for d in days])
    yield Number(table, name, "to badly known", float(badly[shown].mean()))


def worst(x: Floats, tail: float) -> float:
    """Return the mean of the lowest share ``tail`` of x, CVaR; of at least one value.

    Examples
    --------
    >>> worst(np.array([5.0, 1.0, 3.0, 9.0]), 0.5)
    2.0
    """
    many = max(1, round(tail * len(x)))
    return float(np.sort(x)[:many].mean())
