"""One seed of study 2.2: exposure for newcomers whose quality nobody knows yet.

Some streamers are new: the value model says of each user's value in their rooms what it says of
established streamers on average. The good ones among them, the upper part by true mean value, are
what is to be discovered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.allocation import Batch, batch_certificate
from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollout import TableValuer, play
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.contestants import Played, differs, measured
from giftlive.evaluation.rollouts.market import Market, in_empty_rooms
from giftlive.evaluation.rollouts.quota import Quota
from giftlive.evaluation.rollouts.value_errors import ErrorLaw
from giftlive.metrics.newcomers import MIN_GIVERS
from giftlive.policies.base import Policy
from giftlive.policies.greedy import Greedy
from giftlive.policies.registry import make_policy
from giftlive.policies.signals import ByPair, ByStreamer
from giftlive.rng import stream
from giftlive.types import Bools, Floats, Ints
from giftlive.world.outcome import Outcome
from giftlive.world.truth import true_seat_seconds

WORLD = "world"
FLOOR = "priced floor"
LINEUP = (
    "greedy", "bonus", "quota", FLOOR, "ucb", "lin_ucb", "thompson", "thompson + floor",
    "oracle_greedy",
)  # fmt: skip
TWICE = (FLOOR, "thompson + floor")
"""Policies that are played twice: the one that the gate asks about, and one that draws."""
TRAINING_ROUNDS = 8


@dataclass(frozen=True)
class Cold:
    """A market with newcomers.

    Attributes
    ----------
    new, good : [S] who is a newcomer, and which of them are good. values : [U, S] as estimated,
        newcomers unknown. attention : [U, S] expected stay over the longest, in [0, 1].
    """

    market: Market
    new: Bools
    good: Bools
    values: Floats
    attention: Floats


def cold_cell(cell: Cell) -> tuple[Number, ...]:
    """Return every number of one seed.

    Settings of the cell: ``errors``, ``share`` of newcomers, ``good`` share among them, ``floor``
    guaranteed attention of a newcomer per round, ``supply`` (weight, exposure, income) of the
    chance to come back.
    """
    cold = cold_market(cell)
    floor = float(cell.setting("floor"))
    prices, cost = floor_prices(cold, floor)
    found: list[Number] = []
    plays: dict[str, Played] = {}
    for name in LINEUP:
        plays[name] = _play(cold, name, policies(cold, prices, floor)[name])
        found += _numbers(cell, cold, name, plays[name])
    for name in TWICE:
        again = _play(cold, name, policies(cold, prices, floor)[name])
        found.append(Number("a_a", name, "differs", differs(plays[name], again)))
    bought = _attention(cold, plays[FLOOR].outcome) - _attention(cold, plays["greedy"].outcome)
    lost = plays["greedy"].outcome.expected_revenue - plays[FLOOR].outcome.expected_revenue
    return (
        *found,
        Number(WORLD, "floor", "price", cost),
        Number(WORLD, "floor", "bought", bought),
        Number(WORLD, "floor", "lost", lost),
    )


def cold_market(cell: Cell) -> Cold:
    """Return the market of a cell with its newcomers drawn and what is known of them."""
    market = Market.of(cell, ErrorLaw(*cell.setting("errors")))
    streamers = market.true.shape[1]
    g, many = stream(cell.seed, "newcomers"), round(cell.setting("share") * streamers)
    new = np.zeros(streamers, dtype=np.bool_)
    new[g.choice(streamers, many, replace=False)] = True
    mean = market.true[market.rounds.ravel()].mean(axis=0)
    least = np.quantile(mean[new], 1.0 - cell.setting("good"))
    values = market.estimated.copy()
    values[:, new] = market.estimated[:, ~new].mean(axis=1, keepdims=True)
    stay = in_empty_rooms(true_seat_seconds, market.world)
    return Cold(market, new, new & (mean >= least), values, stay / stay.max())


def floor_prices(cold: Cold, floor: float) -> tuple[Floats, float]:
    """Return [S] the price of a unit of guaranteed attention, and its mean over newcomers.

    From rounds of other users, on estimated values: the duals of the minimum, weighted by
    attention, because a minimum by heads is met with whoever costs least.
    """
    market = cold.market
    known = np.unique(market.rounds)
    many = TRAINING_ROUNDS * market.rounds.shape[1]
    users = stream(market.seed, "users of another day").choice(known, many)
    streamers = len(cold.new)
    batch = Batch(
        values=cold.values[users],
        rooms=np.tile(np.arange(streamers), (many, 1)),
        capacity=np.full(streamers, np.inf),
        affinity=cold.attention[users],
        minimum=np.where(cold.new, TRAINING_ROUNDS * floor, 0.0),
        label="estimated",
    )
    price = batch_certificate(batch, passes=80, tolerance=1e-3).prices.floor
    return price, float(price[cold.new].mean())


def policies(cold: Cold, prices: Floats, floor: float) -> dict[str, Policy[Any]]:
    """Return the policies of the comparison.

    bonus : the same money for every newcomer, as much as the floor costs on average. quota : heads
    instead of attention. priced floor : v + μ_s a_us. thompson : learns each room's factor.
    ucb : the upper bound of that factor. lin_ucb : learns each room's error from a constant
    and from what the user is worth.
    """
    new = cold.new.astype(np.float64)
    paid = (prices * cold.attention)[:, cold.new].mean()
    floored = ByPair(prices * cold.attention * new)
    learning = make_policy("room_thompson", prior_sd=1.0)
    heads = max(1, round(floor / float(cold.attention.mean())))
    return {
        "greedy": Greedy(),
        "oracle_greedy": Greedy(),
        "bonus": make_policy(
            "greedy_with_rules", newcomer_bonus=float(paid), newcomers=ByStreamer(new)
        ),
        FLOOR: make_policy("greedy_with_rules", newcomer_bonus=1.0, newcomers=floored),
        "quota": Quota(np.where(cold.new, heads, 0), Greedy()),
        "ucb": make_policy("room_ucb", prior_sd=1.0),
        "lin_ucb": make_policy("lin_ucb", features=_worth(cold)),
        "thompson": learning,
        "thompson + floor": WithBonus(floored.table, learning),
    }


@dataclass(frozen=True)
class WithBonus:
    """A policy that sees values with a bonus [U, S] added, and learns from those without."""

    table: Floats
    policy: Policy[Any]
    name: str = "with_bonus"

    def init(self, seats: Ints, /) -> Any:
        """Return the policy's state."""
        return self.policy.init(seats)

    def decide(self, state: Any, batch: Any, rng: np.random.Generator, /) -> Any:
        """Decide on the values with their bonus."""
        return self.policy.decide(state, batch.priced(-ByPair(self.table)(batch)), rng)

    def update(self, state: Any, feedback: Any, /) -> Any:
        """Learn from values without the bonus."""
        return self.policy.update(state, feedback)


def _worth(cold: Cold) -> Floats:
    """Return [U, 2] the constant 1, and a user's mean estimated value over that of all."""
    mean = cold.values.mean(axis=1)
    return np.column_stack([np.ones(len(mean)), mean / mean[mean > 0.0].mean()])


def _play(cold: Cold, name: str, policy: Policy[Any]) -> Played:
    market = cold.market
    values = market.true if name.startswith("oracle_") else cold.values
    valuer = TableValuer(values, np.broadcast_to(1.0, values.shape))
    return Played(*play(market.arena(), policy, valuer, market.seats, market.seed))


def _attention(cold: Cold, o: Outcome) -> float:
    """Return the attention that newcomers were given, in units of the floor."""
    to_new = o.shown & cold.new[o.streamer]
    return float(cold.attention[o.user[to_new], o.streamer[to_new]].sum())


def _numbers(cell: Cell, cold: Cold, name: str, found: Played) -> Iterator[Number]:
    o, rounds = found.outcome, len(cold.market.rounds)
    many = cold.market.rounds.shape[1]
    yield from measured(name, WORLD, found, cold.market.seats, many)
    when = discovered(o, len(cold.new))
    yield Number(WORLD, name, "success", float((when[cold.new] < rounds).mean()))
    yield Number(WORLD, name, "good success", float((when[cold.good] < rounds).mean()))
    yield Number(WORLD, name, "rounds to discovery", float(when[cold.good].clip(0, rounds).mean()))
    shown = o.streamer_exposure[cold.new].sum() / max(1, o.decisions)
    yield Number(WORLD, name, "to newcomers", float(shown))
    weight, exposure, income = cell.setting("supply")
    luck = 1.0 + o.streamer_exposure / exposure + o.streamer_income / income
    stay = (1.0 - weight / luck)[cold.good]
    yield Number(WORLD, name, "good stay", float(stay.mean()))


def discovered(o: Outcome, streamers: int) -> Ints:
    """Return [S] the round in which a second user gave to a streamer; a later one than any: never.

    Success by intention to treat: a streamer who is never shown is never discovered.
    """
    never = int(o.visit.max(initial=0)) + 1
    when = np.full(streamers, never, dtype=np.int64)
    gave = np.flatnonzero(o.amount > 0.0)
    for s in np.unique(o.streamer[gave]):
        rows = gave[o.streamer[gave] == s]
        _, first = np.unique(o.user[rows], return_index=True)
        if len(first) >= MIN_GIVERS:
            when[s] = o.visit[rows[np.sort(first)[MIN_GIVERS - 1]]]
    return when
