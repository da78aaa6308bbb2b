"""The whole state of the service: a function of the log, and nothing else."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.clock import local_day, zone
from giftlive.service.guardrails import Guardrails
from giftlive.service.joining import Joiner
from giftlive.service.pricer import Pricer
from giftlive.service.rooms import Rooms
from giftlive.service.ruling import KILLED, Ruling
from giftlive.service.scoring import Values
from giftlive.service.settings import DecisiveSettings
from giftlive.service.vectors import Vectors
from giftlive.tables.online import OnlineFeatures
from giftlive.types import Floats, Ints

SPARE = 2000
"""Places for candidates that nobody has announced: the most that a request can name."""
PRIOR_WATCH_SECONDS, PRIOR_WEIGHT = 60.0, 20.0
"""Seconds that a decision holds a seat while nothing is known; how many decisions that is worth."""


@dataclass
class Totals:
    """Sums over all decisions: of final ones, and of what was expected when they were taken."""

    shown: float = 0.0
    clicked: float = 0.0
    earned: float = 0.0
    watched: float = 0.0
    expected_value: float = 0.0
    expected_seconds: float = 0.0
    decisions: int = 0
    events: int = 0
    duplicates: int = 0

    @property
    def mean_amount(self) -> float:
        """Amount per decision, 1 while nothing has been earned: then only ratios count."""
        return self.earned / self.shown if self.earned > 0.0 else 1.0

    @property
    def mean_watch(self) -> float:
        """Seconds per decision, shrunk to what is assumed at the start."""
        total = self.watched + PRIOR_WEIGHT * PRIOR_WATCH_SECONDS
        return total / (self.shown + PRIOR_WEIGHT)

    @property
    def decision_value(self) -> float:
        """Expected value of a decision, 0 before the first."""
        return self.expected_value / self.decisions if self.decisions else 0.0

    @property
    def second_value(self) -> float:
        """Expected value of a seat-second of what was shown, 0 before anything was."""
        return self.expected_value / self.expected_seconds if self.expected_seconds else 0.0


@dataclass
class Switch:
    """Which policy acts, which one only watches, and why.

    Attributes
    ----------
    acting : decides unless ``killed``. safe : behind the kill switch, greedy with seats.
    shadow : asked but not obeyed. changed_seq, changed_ts, because : of the last change.
    """

    acting: Ruling
    safe: Ruling
    shadow: Ruling | None = None
    killed: bool = False
    changed_seq: int = 0
    changed_ts: int = 0
    because: str = "start"

    @property
    def ruling(self) -> Ruling:
        """The policy that acts."""
        return self.safe if self.killed else self.acting

    @property
    def all(self) -> tuple[Ruling, ...]:
        """Every policy that learns."""
        return (self.acting, self.safe, *((self.shadow,) if self.shadow else ()))


@dataclass
class State:
    """Everything.

    Attributes
    ----------
    seq, ts : number and time of the last record applied. tick_seq, tick_ts : of the last tick.
    requests, decisions, event_ids : ids already known, the latest last; the first two with the
        number of their record.
    viewers : (user, room) inside, with the time they are taken for gone.
    left : latest leave of a (user, room) not inside. closed : rooms announced as closed, with when.
    holds : (due, row id) of seats held.
    learned : feedback rows since the last tick.
    library : values by version that bring their full model; not part of what a log determines.
    """

    settings: DecisiveSettings
    rooms: Rooms
    vectors: Vectors
    pricer: Pricer
    joiner: Joiner
    guardrails: Guardrails
    switch: Switch
    totals: Totals = field(default_factory=Totals)
    seq: int = 0
    ts: int = 0
    tick_seq: int = 0
    tick_ts: int = -1
    ticks: int = 0
    requests: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, int] = field(default_factory=dict)
    event_ids: dict[str, None] = field(default_factory=dict)
    viewers: dict[tuple[int, int], int] = field(default_factory=dict)
    left: dict[tuple[int, int], int] = field(default_factory=dict)
    closed: dict[int, int] = field(default_factory=dict)
    holds: deque[tuple[int, str]] = field(default_factory=deque)
    learned: list[Any] = field(default_factory=list)
    library: dict[str, Values] = field(default_factory=dict)

    @staticmethod
    def new(
        settings: DecisiveSettings, online: OnlineFeatures, values: Values | None = None
    ) -> State:
        """Return the state before anything happened."""
        rooms = Rooms(settings.rooms.largest, SPARE)
        version = values.version if values else "popularity"
        return State(
            settings,
            rooms,
            Vectors(settings, online, rooms.places, values),
            Pricer(settings.pricer, rooms.places),
            Joiner(settings.join),
            Guardrails.of(settings.guardrails),
            Switch(
                Ruling(dict(settings.policy), rooms.seats.copy(), version),
                Ruling(dict(KILLED), rooms.seats.copy(), version),
            ),
        )

    def seat_seconds(self, slots: Ints) -> Floats:
        """Return [m] seconds that a seat is expected to be held if the room is shown, shrunk."""
        r, mean = self.rooms, self.totals.mean_watch
        top = r.watched[slots] + PRIOR_WEIGHT * mean
        return np.asarray(top / (r.shown[slots] + PRIOR_WEIGHT))

    def charges(self) -> Floats:
        """Return [S] what policies are told that a seat-second costs, bonuses taken off."""
        return self.pricer.charges(self.rooms, self.seat_seconds(np.arange(self.rooms.places)))

    def day_of(self, ts: int) -> int:
        """Return the local day of a time, as a number."""
        return int(local_day(np.array([ts], dtype=np.int64), zone(self.settings.tz))[0])

    def digest(self) -> str:
        """Return 32 digits that are equal for equal states: all of it, to the bit."""
        sums = hashlib.blake2b(digest_size=16)
        plain = self.seq, self.ts, self.tick_seq, self.tick_ts, self.ticks, vars(self.totals)
        sums.update(repr(plain).encode())
        for name in ("requests", "decisions", "event_ids", "viewers", "left", "closed"):
            sums.update(repr(list(getattr(self, name).items())).encode())
        sums.update(repr((list(self.holds), self.learned)).encode())
        for part in (self.rooms, self.vectors, self.pricer, self.joiner, self.guardrails):
            part.digest(sums)
        s = self.switch
        sums.update(repr((s.killed, s.changed_seq, s.changed_ts, s.because)).encode())
        for ruling in s.all:
            ruling.digest(sums)
        return sums.hexdigest()
