"""Guardrails: what must not get worse, watched by intervals that may be looked at any time.

Every measure is the mean of bounded values, at most one of each user in a sample, so that
``stats.betting`` gives an interval that holds at all times at once. Samples overlap: two run side
by side, begun half a window apart, and the older one speaks; when it is a window old it is
dropped. A sample has half of the allowed error. A guardrail is breached when the whole interval of
the sample that speaks lies on the wrong side of its threshold. When somebody switches policies by
hand, all samples begin anew.

Measures (their unit in brackets): exit_rate, the user left the platform before the decision was
final (decision); complaint_rate, left within 3 s or unfollowed (decision); d1_return, d7_return, a
user of a day came back the day after, or a week after (user-day); revenue_per_user_day, cut at
``largest`` (user-day); overload_share, share of rooms with limited seats whose demand exceeds
them (minute; minutes are not independent, so its level is nominal); exposure_concentration, twice
the rank of the room shown among the rooms of the half window before, less one (decision): at most
the Gini coefficient of exposure, and equal to it while the ranking lasts; long_tail_share, the room
shown was outside the most shown fifth of the half window before (decision).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.clock import MS_PER_MINUTE, MS_PER_SECOND
from giftlive.service.guardrail_settings import GuardrailSettings
from giftlive.service.joining import Outcome
from giftlive.service.rooms import Rooms
from giftlive.stats.betting import Histogram, betting_of
from giftlive.stats.intervals import Interval
from giftlive.types import UNLIMITED_SEATS

_HEAD = 0.8
_REMEMBERED_EXITS = 100_000
_LOOK_EVERY_MS = 10 * MS_PER_SECOND
_LOWEST = {"exposure_concentration": -1.0}


@dataclass
class Sample:
    """Values since ``since_ts``: how often each occurred, and of whom."""

    since_ts: int
    counts: dict[float, int] = field(default_factory=dict)
    of: dict[int, None] = field(default_factory=dict)

    def add(self, unit: int, value: float) -> None:
        """Count the first value of a unit."""
        if unit not in self.of:
            self.of[unit] = None
            self.counts[value] = self.counts.get(value, 0) + 1


@dataclass(frozen=True)
class Trip:
    """A breach: which guardrail, when, on what evidence."""

    name: str
    ts: int
    value: float
    low: float
    high: float
    n: int
    threshold: float
    direction: str
    acted: bool


@dataclass
class Watch:
    """One guardrail: its two samples, the older first, and what it last said."""

    settings: GuardrailSettings
    samples: list[Sample] = field(default_factory=list)
    interval: Interval | None = None
    breached: bool = False

    def add(self, unit: int, value: float) -> None:
        """Count a value in both samples."""
        low = _LOWEST.get(self.settings.name, 0.0)
        cut = min(max(value, low), self.settings.largest)
        for sample in self.samples:
            sample.add(unit, cut)

    def roll(self, ts: int) -> None:
        """Begin and drop samples as time goes."""
        window = int(self.settings.window_seconds * MS_PER_SECOND)
        if not self.samples or ts - self.samples[-1].since_ts >= window // 2:
            self.samples.append(Sample(ts))
        if len(self.samples) > 1 and ts - self.samples[0].since_ts >= window:
            del self.samples[0]

    def restart(self) -> None:
        """Forget every value; the next roll begins a sample."""
        self.samples.clear()
        self.interval, self.breached = None, False

    def look(self, ts: int) -> Trip | None:
        """Compute the interval; return a trip where the guardrail was not breached before."""
        s, sample = self.settings, self.samples[0]
        values = np.array(sorted(sample.counts), dtype=np.float64)
        counts = np.array([sample.counts[v] for v in values.tolist()], dtype=np.int64)
        low, level = _LOWEST.get(s.name, 0.0), 1.0 - (1.0 - s.level) / 2.0
        i = self.interval = betting_of(Histogram(values, counts), low, s.largest, level)
        if i.low is None or i.high is None or i.value is None:
            self.breached = False
            return None
        bad = i.low > s.threshold if s.direction == "at_most" else i.high < s.threshold
        new = bad and not self.breached
        self.breached = bad
        if not new:
            return None
        return Trip(s.name, ts, i.value, i.low, i.high, i.n, s.threshold, s.direction, s.acts)


@dataclass
class Guardrails:
    """All guardrails and what their measures need to remember.

    Attributes
    ----------
    exits : user to the time of the latest exit. shown : exposures of each room in this half
        window, ``rank`` in [0, 1] by those of the one before. active : local day to its users.
        spent : amount of each user today. trips : all so far. since_ts : of the latest switch by
        hand; decisions before it are no evidence.
    """

    watches: dict[str, Watch]
    exits: dict[int, int] = field(default_factory=dict)
    shown: dict[int, int] = field(default_factory=dict)
    rank: dict[int, float] = field(default_factory=dict)
    block_ts: int = -1
    active: dict[int, dict[int, None]] = field(default_factory=dict)
    spent: dict[int, int] = field(default_factory=dict)
    today: int = -1
    minute: int = -1
    looked_ts: int = -1
    trips: list[Trip] = field(default_factory=list)
    since_ts: int = -1

    @staticmethod
    def of(settings: tuple[GuardrailSettings, ...]) -> Guardrails:
        """Return guardrails that have seen nothing."""
        return Guardrails({s.name: Watch(s) for s in settings})

    def add(self, name: str, unit: int, value: float) -> None:
        """Count a value, where there is such a guardrail."""
        watch = self.watches.get(name)
        if watch is not None:
            watch.add(unit, value)

    def decided(self, user_id: int, live_id: int) -> None:
        """Count one exposure."""
        self.shown[live_id] = self.shown.get(live_id, 0) + 1
        if self.rank:
            rank = self.rank.get(live_id, 0.0)
            self.add("exposure_concentration", user_id, 2.0 * rank - 1.0)
            self.add("long_tail_share", user_id, float(rank <= _HEAD))

    def exited(self, user_id: int, ts: int) -> None:
        """Remember that a user left the platform."""
        self.exits.pop(user_id, None)
        self.exits[user_id] = ts
        if len(self.exits) > _REMEMBERED_EXITS:
            del self.exits[next(iter(self.exits))]

    def came(self, outcome: Outcome) -> None:
        """Count what came of a decision."""
        shown = outcome.shown
        if shown.ts < self.since_ts:
            return
        left = self.exits.get(shown.user_id, -1) >= shown.ts
        self.add("exit_rate", shown.user_id, float(left))
        self.add("complaint_rate", shown.user_id, float(outcome.complained))

    def seen(self, user_id: int, amount: int) -> None:
        """Count a user, and what they gave, as of today."""
        self.active.setdefault(self.today, {})[user_id] = None
        if amount:
            self.spent[user_id] = self.spent.get(user_id, 0) + amount

    def restart(self, ts: int) -> None:
        """Forget the evidence: somebody chose who decides from now on, and harm trips anew."""
        self.since_ts = ts
        for watch in self.watches.values():
            watch.restart()

    def tick(self, ts: int, day: int, rooms: Rooms) -> list[Trip]:
        """Let time pass; return guardrails newly breached."""
        if day != self.today:
            self._new_day(day)
        if ts // MS_PER_MINUTE != self.minute:
            self.minute = ts // MS_PER_MINUTE
            self._overload(rooms)
        for watch in self.watches.values():
            watch.roll(ts)
        self._rank(ts)
        if ts - self.looked_ts < _LOOK_EVERY_MS:
            return []
        self.looked_ts = ts
        found = [trip for watch in self.watches.values() if (trip := watch.look(ts))]
        self.trips += found
        return found

    def _new_day(self, day: int) -> None:
        """Judge the day that ended: who came back, and what users gave."""
        ended, self.today = self.today, day
        there = self.active.get(ended, {})
        for name, ago in (("d1_return", 1), ("d7_return", 7)):
            for user in self.active.get(ended - ago, {}):
                self.add(name, user, float(user in there))
        for user in there:
            self.add("revenue_per_user_day", user, float(self.spent.get(user, 0)))
        self.spent.clear()
        self.active = {d: users for d, users in self.active.items() if d >= day - 7}

    def _overload(self, rooms: Rooms) -> None:
        limited = (rooms.live_id >= 0) & (rooms.seats < UNLIMITED_SEATS)
        if limited.any():
            demand = rooms.inside[limited] + rooms.refused[limited]
            share = float(np.mean(demand > rooms.seats[limited]))
            self.add("overload_share", self.minute, share)

    def _rank(self, ts: int) -> None:
        """Rank the rooms anew when half the window of exposures is over: mid-ranks in [0, 1]."""
        watch = self.watches.get("exposure_concentration") or self.watches.get("long_tail_share")
        if watch is None:
            return
        half = int(watch.settings.window_seconds * MS_PER_SECOND) // 2
        if self.block_ts >= 0 and ts - self.block_ts < half:
            return
        lives = sorted(self.shown)
        counts = np.array([self.shown[live] for live in lives], dtype=np.int64)
        ordered = np.sort(counts)
        below, upto = (np.searchsorted(ordered, counts, side=s) for s in ("left", "right"))
        rank = (below + upto) / (2.0 * max(len(lives), 1))
        self.rank = dict(zip(lives, rank.tolist(), strict=True))
        self.shown, self.block_ts = {}, ts

    def digest(self, sums: Any) -> None:
        """Tell ``sums``, a hash, everything that is here."""
        plain = [
            (
                name,
                [(s.since_ts, list(s.counts.items()), list(s.of)) for s in w.samples],
                w.breached,
            )
            for name, w in self.watches.items()
        ]
        sums.update(repr((plain, self.exits, self.shown, self.rank, self.block_ts)).encode())
        rest = self.active, self.spent, self.today, self.minute, self.looked_ts, self.trips
        sums.update(repr((rest, self.since_ts)).encode())
