"""The live rooms: each has a slot, a dense number that policies can index by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.types import UNLIMITED_SEATS, Floats, Ints


@dataclass
class Rooms:
    """Slots of rooms; a closed room's slot is given to another, lowest first.

    Beyond the ``size`` slots of rooms there are ``spare`` that are always empty: candidates that
    nobody has announced stand there while one decision is taken, and are forgotten with it.

    Attributes
    ----------
    slot_of : live_id to slot. live_id, streamer_id : [S], -1 where free. seats : [S].
    inside : [S] viewers now. held : [S] decisions that wait for the click.
    refused : [S] clicks into a full room since the last tick.
    start_ts, heard_ts : [S] ms. shown, entered, earned, watched : [S] decisions shown whose outcome
    is known, clicks, amount and seconds of them. recent : [S] entries, fading.
    """

    size: int
    spare: int
    slot_of: dict[int, int] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    live_id: Ints = field(init=False)
    streamer_id: Ints = field(init=False)
    seats: Ints = field(init=False)
    inside: Ints = field(init=False)
    held: Ints = field(init=False)
    refused: Ints = field(init=False)
    start_ts: Ints = field(init=False)
    heard_ts: Ints = field(init=False)
    shown: Floats = field(init=False)
    entered: Floats = field(init=False)
    earned: Floats = field(init=False)
    watched: Floats = field(init=False)
    recent: Floats = field(init=False)

    def __post_init__(self) -> None:
        n = self.places
        self.free = list(range(self.size - 1, -1, -1))
        for name in _INTS:
            setattr(self, name, np.zeros(n, dtype=np.int64))
        for name in _FLOATS:
            setattr(self, name, np.zeros(n))
        self.live_id[:] = self.streamer_id[:] = -1
        self.seats[:] = UNLIMITED_SEATS

    @property
    def places(self) -> int:
        """Slots and spare places together: the rooms that policies are told of."""
        return self.size + self.spare

    @property
    def full(self) -> bool:
        """Whether no further room can be remembered."""
        return not self.free

    def live(self) -> Ints:
        """Return [k] the slots of live rooms, ascending."""
        return np.flatnonzero(self.live_id >= 0)

    def open(self, live_id: int, streamer_id: int, seats: int, ts: int) -> int:
        """Give a room a slot, or learn what it announces; return the slot. There must be one."""
        slot = self.slot_of.get(live_id, -1)
        if slot < 0:
            slot = self.free.pop()
            self.slot_of[live_id] = slot
            for name in (*_INTS, *_FLOATS):
                getattr(self, name)[slot] = 0
            self.live_id[slot], self.start_ts[slot] = live_id, ts
        self.streamer_id[slot], self.seats[slot], self.heard_ts[slot] = streamer_id, seats, ts
        return slot

    def close(self, live_id: int) -> int:
        """Free a room's slot and return it, -1 where it has none."""
        slot = self.slot_of.pop(live_id, -1)
        if slot >= 0:
            self.live_id[slot] = self.streamer_id[slot] = -1
            self.seats[slot] = UNLIMITED_SEATS
            self.inside[slot] = self.held[slot] = 0
            self.free.append(slot)
            self.free.sort(reverse=True)
        return slot

    def silent_before(self, ts: int) -> list[int]:
        """Return the ids of live rooms of which nothing was heard since before ``ts``."""
        slots = self.live()
        return self.live_id[slots[self.heard_ts[slots] < ts]].tolist()

    def seats_left(self, slots: Ints) -> Ints:
        """Return [k] free seats, holds counted as taken."""
        return np.asarray(self.seats[slots] - self.inside[slots] - self.held[slots])

    def digest(self, sums: Any) -> None:
        """Tell ``sums``, a hash, everything that is here."""
        sums.update(repr((self.size, self.spare, list(self.slot_of.items()), self.free)).encode())
        for name in (*_INTS, *_FLOATS):
            sums.update(getattr(self, name).tobytes())


_INTS = (*("live_id", "streamer_id", "seats", "inside", "held", "refused", "start_ts", "heard_ts"),)
_FLOATS = ("shown", "entered", "earned", "watched", "recent")


def digest_of(*parts: Any) -> str:
    """Return 32 hexadecimal digits of values whose ``repr`` says all.

    Examples
    --------
    >>> len(digest_of(1, "a"))
    32
    """
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
