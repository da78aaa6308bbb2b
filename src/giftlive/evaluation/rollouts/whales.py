"""One seed of study 5.3: whales spread over rooms, where a cap per room binds and where not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from giftlive.allocation import Batch, batch_certificate
from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.contestants import Contestant, Played, differs, measured, played
from giftlive.evaluation.rollouts.first_come import FirstCome
from giftlive.evaluation.rollouts.market import Market, Truth
from giftlive.evaluation.rollouts.value_errors import ErrorLaw
from giftlive.policies.greedy import Greedy
from giftlive.types import Bools, Floats

NULL = "null"
GREEDY = Contestant("greedy", "greedy")


@dataclass(frozen=True)
class Point:
    """Where whales are spread: who is one, and how much they take from each other.

    Attributes
    ----------
    share : of users, by wealth, who are whales. gamma : a gift is shared, A / (1 + gamma · whales
        already in the room in this round). crowding : factor on all soft seats.
    """

    share: float
    gamma: float
    crowding: float = 1.0

    @property
    def name(self) -> str:
        """Name of its readings."""
        return f"whales {self.share:g}, gamma {self.gamma:g}, seats x{self.crowding:g}"


def null_cell(cell: Cell) -> tuple[Number, ...]:
    """Return the published comparison again: few whales a round, and caps that never bind.

    Settings of the cell: ``share`` of whales, ``caps`` on whales per room.
    """
    market = Market.of(cell, ErrorLaw(0.0))
    whales = market.whales(cell.setting("share"))
    base, found = played(market, GREEDY), list[Number]()
    found += _measures(market, GREEDY, base, base, whales, NULL)
    found += list(_meeting(market, market.true, whales, NULL))
    for cap in cell.setting("caps"):
        tier = _tier(cap, whales)
        found += _measures(market, tier, played(market, tier), base, whales, NULL)
    return tuple(found)


def whale_cell(cell: Cell) -> tuple[Number, ...]:
    """Return every number of one seed.

    Settings of the cell: ``errors``, ``caps``, ``value_cap`` in mean whale values of a favourite
    room, ``points`` (share, gamma, crowding), ``judged`` (the point whose oracle is played too).
    """
    found: list[Number] = []
    truth: Truth | None = None  # points differ in what users do to each other, not in empty rooms
    for given in cell.setting("points"):
        point = Point(*given)
        market = _market(cell, point, truth)
        truth = market.truth
        found += _played(market, cell, point, oracle=False)
        if tuple(given) == tuple(cell.setting("judged")):
            found += _played(market, cell, point, oracle=True)
            again = [played(market, GREEDY) for _ in range(2)]
            found.append(Number("a_a", "greedy", "differs", differs(*again)))
    return tuple(found)


def _market(cell: Cell, point: Point, truth: Truth | None = None) -> Market:
    seats = [max(1, round(point.crowding * s)) for s in (100, 50, 20)]
    changed = dict(cell.overrides) | {
        "people.whale_share": f"{point.share:g}",
        "externality.donor_gamma": f"{point.gamma:g}",
        "tiers.seats": str(seats),
    }
    here = replace(cell, overrides=tuple(sorted(changed.items())))
    return Market.of(here, ErrorLaw(*cell.setting("errors")), truth)


def _played(market: Market, cell: Cell, point: Point, oracle: bool) -> Iterator[Number]:
    whales = market.world.scene.users.whale
    values = market.true if oracle else market.estimated
    caps = cell.setting("caps")
    most = cell.setting("value_cap") * float(values[whales].max(axis=1).mean())
    by_value = {"k": len(whales), "largest_value": most}
    lineup = [
        Contestant(f"first come {caps[0]}", "first_come"),
        *(_tier(cap, whales) for cap in caps),
        Contestant("by value", "whale_tier", _tier(caps[0], whales).options | by_value),
    ]
    greedy = GREEDY.oracle() if oracle else GREEDY
    base = played(market, greedy)
    yield from _measures(market, greedy, base, base, whales, point.name)
    for contestant in lineup:
        who = contestant.oracle() if oracle else contestant
        if who.policy == "first_come":
            policy = FirstCome(caps[0], whales, Greedy())
            result = played(market, who, policy)
        else:
            result = played(market, who)
        yield from _measures(market, who, result, base, whales, point.name)
    if oracle:
        yield from _bound(market, whales, caps, point.name)
    else:
        yield from _meeting(market, values, whales, point.name)


def _tier(cap: int, whales: Bools) -> Contestant:
    options: dict[str, Any] = {
        "k": int(cap), "whales": whales, "rest": Greedy(), "respect_seats": False
    }  # fmt: skip
    return Contestant(f"k = {cap}", "whale_tier", options)


def _measures(
    market: Market, who: Contestant, found: Played, base: Played, whales: Bools, table: str
) -> list[Number]:
    """Return the measures, and the share of whales' decisions that differ from greedy's."""
    many = market.rounds.shape[1]
    numbers = list(measured(who.name, table, found, market.seats, many))
    whale = whales[found.outcome.user]
    changed = found.outcome.room[whale] != base.outcome.room[whale]
    share = float(changed.mean()) if whale.any() else 0.0
    return [*numbers, Number(table, who.name, "whales displaced", share)]


def _meeting(market: Market, values: Floats, whales: Bools, table: str) -> Iterator[Number]:
    """Yield W, the whales of a round, and W p: how many of them share the favourite room."""
    counts, most = [], []
    for users in market.rounds:
        here = users[whales[users]]
        favourites = np.bincount(values[here].argmax(axis=1), minlength=values.shape[1])
        counts.append(len(here))
        most.append(int(favourites.max()))
    w, together = float(np.mean(counts)), float(np.mean(most))
    yield Number(table, "whales", "per round", w)
    yield Number(table, "whales", "in the favourite", together)


def _bound(market: Market, whales: Bools, caps: tuple[int, ...], table: str) -> Iterator[Number]:
    """Yield the dual bound of the first round under each cap, and what the cap costs in it."""
    users = market.rounds[0]
    streamers = market.true.shape[1]
    rooms = np.tile(np.arange(streamers), (len(users), 1))
    for cap in caps:
        batch = Batch(
            values=market.true[users],
            rooms=rooms,
            capacity=np.full(streamers, np.inf),
            whale=whales[users],
            whale_cap=np.full(streamers, float(cap)),
        )
        priced = batch_certificate(batch, passes=40, tolerance=2e-3)
        yield Number(table, f"k = {cap}", "price share", max(priced.price_share, 0.0))
        yield Number(table, f"k = {cap}", "bound", priced.bound)
        yield Number(table, f"k = {cap}", "bound without", priced.greedy_value)
