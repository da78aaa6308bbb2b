"""Events joined to decisions: what came of each, and when that is final.

A decision waits for a click, the viewing for its end, and the ended viewing for late gifts. Events
may come late and in any order: an event that names its decision is joined to it or to none,
another one to the latest decision that showed this user this room. What comes after a decision is
final changes it no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, NamedTuple

from giftlive.clock import MS_PER_HOUR, MS_PER_SECOND
from giftlive.service import events
from giftlive.service.events import Event
from giftlive.service.settings import JoinSettings

WAITING, INSIDE, LEFT = 0, 1, 2
ENTERS = frozenset(
    (events.CLICK, events.WATCH, events.GIFT, events.COMMENT, events.LIKE, events.LEAVE)
)
"""What nobody does without having entered: a click that is missing, or late, is taken for made."""

HASTY_MS = 3 * MS_PER_SECOND
"""Who leaves sooner is taken for having complained."""


class Shown(NamedTuple):
    """One room shown to one user: the place of a slate, or a single choice.

    Attributes
    ----------
    ts : of the log. clock_ts : what the clock said then, where it was behind; -1: it was not.
    """

    row_id: str
    decision_id: str
    user_id: int
    live_id: int
    slot: int
    ts: int
    value: float
    clock_ts: int = -1


@dataclass
class Open:
    """A decision whose outcome is not final.

    Attributes
    ----------
    stage : waiting, inside, left. due_ts : when the stage is over. held : it holds a seat.
    """

    shown: Shown
    due_ts: int
    stage: int = WAITING
    clicked: bool = False
    amount: int = 0
    watch_ms: int = 0
    end_ts: int = -1
    held: bool = True
    complained: bool = False


class Outcome(NamedTuple):
    """What came of a decision: final at ``reward_ts``."""

    shown: Shown
    clicked: bool
    amount: int
    watch_ms: int
    reward_ts: int
    complained: bool


@dataclass
class Joiner:
    """Open decisions, the oldest first.

    Attributes
    ----------
    open : row id to decision. latest : (user, room) to the row id of the latest decision.
    rows : (decision id, room) to row id. orphans : events that followed no open decision.
    """

    settings: JoinSettings
    open: dict[str, Open] = field(default_factory=dict)
    latest: dict[tuple[int, int], str] = field(default_factory=dict)
    rows: dict[tuple[str, int], str] = field(default_factory=dict)
    orphans: int = 0
    _dues: list[tuple[int, str]] = field(default_factory=list)

    def decided(self, shown: Shown) -> list[Open]:
        """Begin to wait; return decisions given up because there are too many."""
        due = shown.ts + int(self.settings.click_seconds * MS_PER_SECOND)
        self.open[shown.row_id] = Open(shown, due)
        heappush(self._dues, (due, shown.row_id))
        self.latest[shown.user_id, shown.live_id] = shown.row_id
        self.rows[shown.decision_id, shown.live_id] = shown.row_id
        given_up = []
        while len(self.open) > self.settings.remembered:
            given_up.append(self._finished(next(iter(self.open))))
        return given_up

    def find(self, event: Event) -> Open | None:
        """Return the open decision that an event follows from, None where there is none.

        An event that names a decision follows from that one or from none; none follows from a
        decision of another user, or from one that was taken after it happened.
        """
        if event.decision_id:
            row = self.rows.get((event.decision_id, event.live_id))
        else:
            row = self.latest.get((event.user_id, event.live_id))
        found = self.open.get(row) if row else None
        if found is None or event.user_id not in (-1, found.shown.user_id):
            return None
        early = int(self.settings.early_seconds * MS_PER_SECOND)
        taken = found.shown.clock_ts if found.shown.clock_ts >= 0 else found.shown.ts
        return found if event.ts >= taken - early else None

    def happened(self, event: Event, known_ts: int) -> Open | None:
        """Join an event that became known at ``known_ts``; return its decision."""
        found = self.find(event)
        if found is None:
            self.orphans += event.user_id >= 0
            return None
        if event.type in ENTERS and not found.clicked:
            found.clicked = True
            found.stage = max(found.stage, INSIDE)
            self._due(found, known_ts + int(self.settings.longest_hours * MS_PER_HOUR))
        if event.type == events.GIFT:
            found.amount += max(event.x, 0)
        found.complained |= event.type == events.UNFOLLOW
        if event.type in (events.WATCH, events.LEAVE):
            found.watch_ms = max(found.watch_ms, event.x)
        if event.type in (events.LEAVE, events.SKIP) and found.stage != LEFT:
            found.stage = LEFT
            found.end_ts = max(event.ts, found.shown.ts)
            self._due(found, known_ts + int(self.settings.settle_seconds * MS_PER_SECOND))
        return found

    def matured(self, now: int) -> list[tuple[Open, Outcome]]:
        """Return, and forget, what is final by ``now``, in the order of their times."""
        found = []
        while self._dues and self._dues[0][0] <= now:
            due, row = heappop(self._dues)
            if row in self.open and self.open[row].due_ts == due:  # else: it was put off
                found.append((one := self._finished(row), outcome_of(one, now)))
        return found

    def of_room(self, live_id: int) -> list[Open]:
        """Return the open decisions of a room."""
        return [o for o in self.open.values() if o.shown.live_id == live_id]

    def _due(self, found: Open, ts: int) -> None:
        found.due_ts = ts
        heappush(self._dues, (ts, found.shown.row_id))

    def _finished(self, row: str) -> Open:
        found = self.open.pop(row)
        shown = found.shown
        self.rows.pop((shown.decision_id, shown.live_id), None)
        if self.latest.get((shown.user_id, shown.live_id)) == row:
            del self.latest[shown.user_id, shown.live_id]
        return found

    def digest(self, sums: Any) -> None:
        """Tell ``sums``, a hash, everything that is here."""
        sums.update(repr((list(self.open.items()), self.orphans)).encode())
        sums.update(repr((list(self.latest.items()), list(self.rows.items()))).encode())


def outcome_of(found: Open, now: int) -> Outcome:
    """Return what came of a decision that is final by ``now``."""
    hasty = found.clicked and found.stage == LEFT and found.watch_ms < HASTY_MS
    complained = found.complained or hasty
    return Outcome(found.shown, found.clicked, found.amount, found.watch_ms, now, complained)
