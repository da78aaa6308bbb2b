"""Tables of keys that grow as keys come, and the whole of them: the tally."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from giftlive.tables.features.records import (
    GIFTS,
    HEAD,
    HEAT,
    RECENT,
    ROOM,
    SHOWN,
    TAIL_60M,
    TASTE,
    VISITS,
    Records,
)
from giftlive.tables.features.slots import Slots, grown, locate, slots_for
from giftlive.types import Floats, Ints

_FEWEST_RECENT = 1024


@dataclass
class Book:
    """Keys of two words with a record each; the first ``size[0]`` of ``rows`` are taken."""

    rows: Records
    slots: Slots
    size: Ints

    @staticmethod
    def of(rows: Records) -> Book:
        """Return the book of these rows, with no room left."""
        return Book(rows, slots_for(rows, len(rows), len(rows)), np.array([len(rows)], dtype="i8"))

    def taken(self) -> Records:
        """Return the rows in use."""
        return self.rows[: self.size[0]]

    def rows_of(self, a: Ints, b: Ints, adds: NDArray[np.bool_]) -> Ints:
        """Return the rows of keys (a, b) [n], -1 where a key has none and does not add one."""
        at = np.empty(len(a), dtype=np.int64)
        done = 0
        while (done := locate(self.slots, self.rows, self.size, a, b, adds, at, done)) < len(a):
            taken = int(self.size[0])
            self.rows = grown(self.rows, taken, 1)
            self.slots = slots_for(self.rows, taken, taken + taken // 2 + 1)
        return at


@dataclass
class Ledger:
    """An actor's keys (VISITS), what some of them got (GIFTS, row 0 nobody's) and prior moments.

    ``moments``: Σ n, Σ g, Σ n², Σ g², Σ amount over keys with n entries and g gifts.
    ``shown`` [rows]: negatives, of actors that have any.
    """

    book: Book = field(default_factory=lambda: Book.of(np.zeros(0, VISITS)))
    gifts: Records = field(default_factory=lambda: np.zeros(1, GIFTS))
    gift_size: Ints = field(default_factory=lambda: np.ones(1, dtype=np.int64))
    shown: Records = field(default_factory=lambda: np.zeros(0, SHOWN))
    moments: Ints = field(default_factory=lambda: np.zeros(5, dtype=np.int64))

    def make_room_for_gifts(self, more: int) -> None:
        """Make room for ``more`` keys that get their first gift, comment or like."""
        self.gifts = grown(self.gifts, int(self.gift_size[0]), more)

    def shown_rows(self) -> Records:
        """Return ``shown`` with a place for every row in use."""
        self.shown = as_long(self.shown, int(self.book.size[0]))
        return self.shown


@dataclass
class Tally:
    """The state of all keys.

    Attributes
    ----------
    heat : [streamer rows] sliding windows. ring : [2^k] the streamers' events of the last hour.
    clock : [3] ends of ring and windows. efficiency : [streamer rows when the day began].
    """

    pair: Ledger = field(default_factory=Ledger)
    user: Ledger = field(default_factory=Ledger)
    streamer: Ledger = field(default_factory=Ledger)
    room: Book = field(default_factory=lambda: Book.of(np.zeros(0, ROOM)))
    taste: Book = field(default_factory=lambda: Book.of(np.zeros(0, TASTE)))
    heat: Records = field(default_factory=lambda: np.zeros(0, HEAT))
    ring: Records = field(default_factory=lambda: np.zeros(_FEWEST_RECENT, RECENT))
    clock: Ints = field(default_factory=lambda: np.zeros(3, dtype=np.int64))
    efficiency: Floats = field(default_factory=lambda: np.zeros(0))

    def heat_rows(self) -> Records:
        """Return ``heat`` with a place for every streamer."""
        self.heat = as_long(self.heat, int(self.streamer.book.size[0]))
        return self.heat

    def recent(self) -> Records:
        """Return the streamers' events of the last hour in time order."""
        return self.ring[self._recent_places(len(self.ring))]

    def make_room_for_recent(self, more: int) -> None:
        """Make room in the ring for ``more`` events."""
        used = int(self.clock[HEAD] - self.clock[TAIL_60M])
        if used + more > len(self.ring):
            self.hold(self.recent(), used + more)

    def hold(self, recent: Records, places: int) -> None:
        """Replace the ring by one with at least so many places that holds ``recent``."""
        ring = np.zeros(max(_FEWEST_RECENT, 1 << places.bit_length()), dtype=RECENT)
        ring[self._recent_places(len(ring))] = recent
        self.ring = ring

    def _recent_places(self, places: int) -> Ints:
        at: Ints = np.arange(self.clock[TAIL_60M], self.clock[HEAD], dtype=np.int64)
        return at & (places - 1)


def as_long(records: Records, n: int) -> Records:
    """Return ``records`` with zeroed places up to ``n``."""
    return records if len(records) >= n else grown(records, len(records), n - len(records))
