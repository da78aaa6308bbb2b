"""The price of a seat: one pricer, entropic mirror descent on occupancy against pace.

At every tick the price λ of a seat-second of each room with limited seats moves by::

    log λ ← log λ + clip(η · hours since the last tick · (demand / seats - target), ±δ)

where demand counts viewers inside and those refused since: λ rises while a room is fuller than
``target`` and falls while it is emptier. It stays between ``floor`` and ``largest`` times the mean
value of a seat-second; at the floor it counts as 0. A room opens at its streamer's last price (a
warm start). When decisions are taken but nothing is heard from the platform, occupancy is not to be
believed: prices are *stale* and stand still.

A second resource is the exposure of newcomers, rooms whose streamer was shown fewer than
``newcomer_decisions`` times: at least ``newcomer_floor`` of decisions are to go to them. Its dual
is a bonus μ per decision, in units of the mean value of a decision, by Euclidean mirror descent
(it must be able to leave 0)::

    step = clip(rate · hours · (floor - newcomers' share since the last tick), ±δ)
    μ ← clip(μ + step, 0, largest)

It is handed to policies as a price of minus μ over the seconds that a seat is expected to be held.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.clock import MS_PER_HOUR, MS_PER_SECOND
from giftlive.service.rooms import Rooms
from giftlive.service.settings import PricerSettings
from giftlive.types import UNLIMITED_SEATS, Floats

_REMEMBERED = 100_000


@dataclass
class Pricer:
    """Prices by slot.

    Attributes
    ----------
    log_price : [S] log of λ in units of the mean value of a seat-second. unit : that mean, money.
    version : number of the tick that set the prices. ts : of that tick. last : streamer to the
        log price of their last room. event_ts, decision_ts : when the platform was last heard,
        and last asked. stale : prices stand still.
    bonus : μ. value : mean value of a decision, money. known : streamer (or a room without one, as
        -1 - live_id) to how often they were shown. fresh, shown : decisions since the last tick
        that showed a newcomer, and all.
    """

    settings: PricerSettings
    places: int
    log_price: Floats = field(init=False)
    unit: float = 0.0
    version: int = 0
    ts: int = -1
    last: dict[int, float] = field(default_factory=dict)
    event_ts: int = -1
    decision_ts: int = -1
    stale: bool = False
    bonus: float = 0.0
    value: float = 0.0
    known: dict[int, int] = field(default_factory=dict)
    fresh: int = 0
    shown: int = 0

    def __post_init__(self) -> None:
        self.log_price = np.full(self.places, self.lowest)

    @property
    def lowest(self) -> float:
        """Log of the floor."""
        return float(np.log(self.settings.floor))

    def per_second(self) -> Floats:
        """Return [S] money per seat-second, 0 at the floor."""
        price = self.unit * np.exp(self.log_price)
        return np.where(self.log_price > self.lowest, price, 0.0)

    def charges(self, rooms: Rooms, seconds: Floats) -> Floats:
        """Return [S] money per seat-second with the bonus of newcomers in it: below 0 if larger.

        Parameters
        ----------
        seconds : [S] that a decision is expected to hold a seat.
        """
        prices = self.per_second()
        if self.bonus > 0.0:
            live = rooms.live()
            new = live[[self.is_new(rooms, slot) for slot in live.tolist()]]
            prices[new] -= self.bonus * self.value / seconds[new]
        return prices

    def is_new(self, rooms: Rooms, slot: int) -> bool:
        """Return whether the room of a slot is a newcomer's."""
        return self.known.get(_owner(rooms, slot), 0) < self.settings.newcomer_decisions

    def showed(self, rooms: Rooms, slot: int) -> None:
        """Count a decision that showed the room of a slot in its first place."""
        if self.settings.newcomer_floor == 0.0:
            return
        self.shown += 1
        self.fresh += self.is_new(rooms, slot)
        owner = _owner(rooms, slot)
        self.known[owner] = self.known.pop(owner, 0) + 1
        if len(self.known) > _REMEMBERED:
            del self.known[next(iter(self.known))]

    def opened(self, slot: int, streamer_id: int) -> None:
        """Give a new room the price of its streamer's last one."""
        self.log_price[slot] = self.last.get(streamer_id, self.lowest)

    def closed(self, slot: int, streamer_id: int) -> None:
        """Remember the price of a room that closes."""
        if streamer_id >= 0 and self.log_price[slot] > self.lowest:
            self.last.pop(streamer_id, None)
            self.last[streamer_id] = float(self.log_price[slot])
            if len(self.last) > _REMEMBERED:
                del self.last[next(iter(self.last))]
        self.log_price[slot] = self.lowest

    def tick(self, seq: int, ts: int, rooms: Rooms, unit: float, value: float = 0.0) -> None:
        """Move the prices by one bounded step.

        Parameters
        ----------
        unit : mean value of a seat-second, money: what prices are measured in. value : mean value
            of a decision, money: what the bonus is measured in.
        """
        hours = (ts - self.ts) / MS_PER_HOUR if self.ts >= 0 else 0.0
        self.ts, self.version, self.unit, self.value = ts, seq, unit, value
        self._move_bonus(hours)
        patience = int(self.settings.stale_after_seconds * MS_PER_SECOND)
        unheard = ts - self.event_ts > patience and self.decision_ts > self.event_ts
        self.stale = unheard and self.decision_ts >= 0 and ts - self.decision_ts <= patience
        if self.stale:
            return
        limited = (rooms.live_id >= 0) & (rooms.seats < UNLIMITED_SEATS)
        demand = rooms.inside[limited] + rooms.refused[limited]
        load = demand / np.maximum(rooms.seats[limited], 1)
        bound = self.settings.largest_step
        step = np.clip(
            self.settings.learning_rate * hours * (load - self.settings.target), -bound, bound
        )
        top = float(np.log(self.settings.largest))
        self.log_price[limited] = np.clip(self.log_price[limited] + step, self.lowest, top)

    def _move_bonus(self, hours: float) -> None:
        s = self.settings
        if self.shown:
            step = s.newcomer_rate * hours * (s.newcomer_floor - self.fresh / self.shown)
            step = min(max(step, -s.largest_step), s.largest_step)
            self.bonus = min(max(self.bonus + step, 0.0), s.newcomer_largest)
        self.fresh = self.shown = 0

    def digest(self, sums: Any) -> None:
        """Tell ``sums``, a hash, everything that is here."""
        plain = self.unit, self.version, self.ts, self.event_ts, self.decision_ts, self.stale
        sums.update(repr((plain, list(self.last.items()))).encode() + self.log_price.tobytes())
        new = self.bonus, self.value, self.fresh, self.shown, list(self.known.items())
        sums.update(repr(new).encode())


def _owner(rooms: Rooms, slot: int) -> int:
    streamer = int(rooms.streamer_id[slot])
    return streamer if streamer >= 0 else -1 - int(rooms.live_id[slot])
