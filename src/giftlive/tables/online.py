"""The declared features one event at a time, for a service: the compiled rules of the sweep.

Told the events of a log in time order and asked at its probes, it returns the features of the
batch, row for row and bit for bit. What a probe may know is decided by the clock: an event counts
from the millisecond after it became known, so events of the current millisecond wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from giftlive.clock import day_starts_ms, local_day, local_hour, local_weekday, zone
from giftlive.errors import InputError, UsageError, Where
from giftlive.logs.schema import MAX_AMOUNT, MAX_TS, MAX_WATCH_MS
from giftlive.tables.features.declare import FEATURES, SNAPSHOT_FEATURES, Feature
from giftlive.tables.features.passes import go_through, story_of
from giftlive.tables.features.records import KINDS, PROBE
from giftlive.tables.features.sweep_state import SweepState
from giftlive.tables.features.tally import tell_categories, tell_negatives
from giftlive.tables.matrix import read_dictionary
from giftlive.tables.parts import STATE
from giftlive.types import Floats, Ints

NEGATIVE = "negative"
_TIMED = {kind: number for number, kind in enumerate(KINDS) if number != PROBE}
_MAX_ID = (1 << 63) - 1


class Event(NamedTuple):
    """Something that became known at ``known_ts`` (ms UTC).

    Attributes
    ----------
    kind : entry, viewing (it ended), gift, gift_anonymous, comment, like or negative.
    user_id, streamer_id, live_id : ids, -1 unknown. x : amount of a gift, watch_ms of a viewing.
    """

    kind: str
    known_ts: int
    user_id: int
    streamer_id: int
    live_id: int
    x: int = 0


@dataclass(frozen=True)
class Catalogue:
    """What is known of rooms and people without any event; the caller keeps it up to date.

    Attributes
    ----------
    rooms : live_id to start_ts, ``category`` (the code that tastes go by) and the codes of the
        room's features. users, streamers : id to the codes of their features. What is absent is
        unknown (-1).
    """

    rooms: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    users: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    streamers: Mapping[int, Mapping[str, int]] = field(default_factory=dict)

    def entries_of(self, group: str) -> tuple[str, Mapping[int, Mapping[str, int]]]:
        """Return the id column and the entries that the features of a profile group read."""
        return {
            "room_profile": ("live_id", self.rooms),
            "user_profile": ("user_id", self.users),
            "streamer_profile": ("streamer_id", self.streamers),
        }[group]


class OnlineFeatures:
    """Features as known at the clock, which only goes forward.

    Parameters
    ----------
    tz : zone of the source. catalogue : rooms and profiles.
    features : declarations, in the order of the columns. state : goes on from here (a sweep's
        state at the end of a day); None: nothing has happened yet.
    """

    def __init__(
        self,
        tz: str,
        catalogue: Catalogue,
        features: Sequence[Feature] = FEATURES,
        state: SweepState | None = None,
    ) -> None:
        self.features = tuple(features)
        self.catalogue = catalogue
        self._tz, self._zone = tz, zone(tz)
        self._state = SweepState() if state is None else state
        self._waiting: list[Event] = []
        self._clock = self._state.until_ts
        self._day_end = -1
        nothing = np.zeros(0, dtype=np.int64)
        self._local: tuple[int, Ints, Ints] = (-1, nothing, nothing)

    @property
    def clock_ts(self) -> int:
        """Return the time of the latest event or question."""
        return self._clock

    def update(self, event: Event) -> None:
        """Learn that something happened.

        Raises
        ------
        UsageError
            It became known before the clock, or is not an event.
        """
        _require_event(event)
        self._advance(event.known_ts)
        self._waiting.append(event)

    def at(self, user_id: int, streamers: Ints, lives: Ints, as_of_ts: int) -> Floats:
        """Return the features [m, p] of one user and ``m`` candidates as known before ``as_of_ts``.

        Parameters
        ----------
        user_id, streamers, lives : ids, [m] each of the candidates; -1 unknown.

        Raises
        ------
        UsageError
            ``as_of_ts`` is before the clock, or the lengths differ.
        """
        _require("user_id", user_id, -1, _MAX_ID)
        users = np.full(len(lives), user_id, dtype=np.int64)
        return self.of_pairs(users, streamers, lives, as_of_ts)

    def of_pairs(
        self,
        users: Ints,
        streamers: Ints,
        lives: Ints,
        as_of_ts: int,
        features: Sequence[Feature] | None = None,
    ) -> Floats:
        """Return features [n, p] of n pairs as known before ``as_of_ts``.

        Parameters
        ----------
        users, streamers, lives : [n] ids, -1 unknown. features : some of them; None: all.

        Raises
        ------
        UsageError
            ``as_of_ts`` is before the clock, or the lengths differ.
        """
        users, streamers, lives = (
            np.ascontiguousarray(ids, dtype=np.int64) for ids in (users, streamers, lives)
        )
        if not len(users) == len(streamers) == len(lives):
            raise UsageError(
                f"{len(users)} users, {len(streamers)} streamers and {len(lives)} rooms",
                "candidates",
                "as many",
            )
        _require("as_of_ts", as_of_ts, 0, MAX_TS)
        self._advance(int(as_of_ts))
        self._begin_day()
        asked = self.features if features is None else tuple(features)
        columns = self._columns(users, streamers, lives, int(as_of_ts))
        X = np.empty((len(lives), len(asked)), dtype=np.float64)
        for j, feature in enumerate(asked):
            X[:, j] = (
                self._coded(feature, columns)
                if feature.group.endswith("_profile")
                else (feature.value.of(columns))
            )
        return X

    def digest(self) -> bytes:
        """Return 16 bytes that are equal for equal states: what is told, waits, and the clock."""
        waiting = [list(event) for event in self._waiting]
        return self._state.digest(repr((self._clock, self._tz, waiting)).encode())

    def save(self, folder: Path) -> None:
        """Write everything needed to go on into ``folder``, replacing it at the end."""
        extra = {"clock": self._clock, "tz": self._tz, "waiting": [list(e) for e in self._waiting]}
        self._state.save(folder, extra)

    @staticmethod
    def load(
        folder: Path, catalogue: Catalogue, features: Sequence[Feature] = FEATURES
    ) -> OnlineFeatures:
        """Return what :meth:`save` wrote, with a catalogue.

        Raises
        ------
        InputError
            A file is missing, of another version, or not as it was written; or the state is that
            of a tables folder.
        """
        state, extra = SweepState.load_with_extra(folder)
        if "tz" not in extra:
            raise InputError(
                "the state of a tables folder",
                Where(str(folder)),
                "what OnlineFeatures.save wrote",
                "start from the folder that holds it with OnlineFeatures.from_tables",
            )
        online = OnlineFeatures(extra["tz"], catalogue, features, state)
        online._waiting = [Event(*fields) for fields in extra["waiting"]]
        online._clock = extra["clock"]
        return online

    @staticmethod
    def from_tables(folder: Path, catalogue: Catalogue) -> OnlineFeatures:
        """Return the features of a tables folder, ready for what becomes known after its last row.

        The columns of :meth:`at` are those of the folder's features, in their order.

        Parameters
        ----------
        folder : written by ``giftlive tables`` in the native form.

        Raises
        ------
        InputError
            It is no such folder, its state is not as it was written, or it has features that no
            service can know when it is asked.
        """
        dictionary = read_dictionary(folder)
        place = Path(folder) / STATE
        if not place.is_dir():
            found = "tables without a state"
            raise InputError(found, Where(str(place)), "tables in the native form on duckdb")
        state, extra = SweepState.load_with_extra(place)
        if extra:
            raise InputError(
                "the state of a service",
                Where(str(place)),
                "the state that `giftlive tables` wrote",
                "go on from it with OnlineFeatures.load, and keep it beside the tables",
            )
        features = _served(dictionary, Where(str(folder)))
        return OnlineFeatures(dictionary["source"]["tz"], catalogue, features, state)

    def _advance(self, ts: int) -> None:
        if ts < self._clock:
            raise UsageError(
                f"time {ts} is before the clock at {self._clock}",
                "OnlineFeatures",
                "events and questions in the order in which they became known",
                "stamp a late event with the time at which it arrived",
            )
        if ts > self._clock:
            self._tell_waiting()
            self._clock = ts

    def _tell_waiting(self) -> None:
        """Tell the events of the clock's millisecond, kind by kind; their day has begun."""
        if self._waiting:
            self._begin_day()
        timed = [e for e in self._waiting if e.kind != NEGATIVE]
        if timed:
            timed.sort(key=lambda e: _TIMED[e.kind])
            kinds = np.array([_TIMED[e.kind] for e in timed], dtype=np.int8)
            columns = np.array([e[1:] for e in timed], dtype=np.int64).T
            self._tell_rooms(columns[3])
            self._go_through(kinds, columns)
        for event in self._waiting:
            if event.kind == NEGATIVE:
                self._tell_negative(event)
        self._waiting.clear()

    def _tell_rooms(self, lives: Ints) -> None:
        """Let rooms have their category before their first event; it stays what it was then."""
        lives = lives[lives >= 0]
        room = self._state.tally.room
        at = room.rows_of(lives, np.zeros_like(lives), np.ones(len(lives), dtype=np.bool_))
        category = _column(self.catalogue.rooms, lives, "category")
        for k in range(len(lives)):
            tell_categories(room.rows, at[k : k + 1], category[k : k + 1])

    def _tell_negative(self, event: Event) -> None:
        for actor, key in (("user", event.user_id), ("streamer", event.streamer_id)):
            if key >= 0:
                ledger = getattr(self._state.tally, actor)
                one = np.ones(1, dtype=np.int64)
                at = ledger.book.rows_of(one * key, one * 0, one > 0)
                tell_negatives(ledger.shown_rows(), at, one, self._state.epoch)

    def _go_through(self, kinds: NDArray[np.int8], columns: Any) -> dict[str, NDArray[Any]]:
        sources = np.arange(len(kinds), dtype=np.int64)
        story = story_of(kinds, sources, tuple(np.ascontiguousarray(c) for c in columns))
        return go_through(self._state.tally, self._state.epoch, story)

    def _begin_day(self) -> None:
        """Roll over if the clock is in another local day than the state."""
        if self._clock < self._day_end:
            return
        today = local_day(np.array([self._clock], dtype=np.int64), self._zone)
        start, self._day_end = day_starts_ms(today + np.arange(2), self._zone).tolist()
        self._state.begin_day(start)

    def _columns(
        self, users: Ints, streamers: Ints, lives: Ints, as_of_ts: int
    ) -> dict[str, NDArray[Any]]:
        m = len(lives)
        times = np.full(m, as_of_ts)
        category = _column(self.catalogue.rooms, lives, "category")
        asked = times, users, streamers, lives, category
        columns = self._go_through(np.full(m, PROBE, dtype=np.int8), asked)
        columns.update((name, np.full(m, x)) for name, x in self._state.daily.items())
        start = _column(self.catalogue.rooms, lives, "start_ts")
        columns["room_start_ts"] = np.where(start < as_of_ts, start, -1)
        columns["as_of_ts"], columns["user_id"] = times, users
        columns["streamer_id"], columns["live_id"] = streamers, lives
        if self._local[0] != as_of_ts:  # many are asked as of one tick
            hour, weekday = (of(times[:1], self._zone) for of in (local_hour, local_weekday))
            self._local = as_of_ts, hour, weekday
        columns["hour"], columns["weekday"] = (np.repeat(x, m) for x in self._local[1:])
        return columns

    def _coded(self, feature: Feature, columns: Mapping[str, NDArray[Any]]) -> Ints:
        key, entries = self.catalogue.entries_of(feature.group)
        return _column(entries, columns[key], feature.name)


def _served(dictionary: Mapping[str, Any], where: Where) -> tuple[Feature, ...]:
    """Return the features of a data dictionary, having seen that each can be known when asked."""
    if dictionary["options"]["as_of"] != "event":
        raise InputError("features as of the day's start", where, "tables.as_of = 'event'")
    known = {feature.name: feature for feature in (*FEATURES, *SNAPSHOT_FEATURES)}
    names = [feature["name"] for feature in dictionary["features"]]
    unknown = [name for name in names if name not in known]
    if unknown:
        expected = "tables without a dwell and without a planted leak"
        raise InputError(f"no service knows {', '.join(unknown)}", where, expected)
    return tuple(known[name] for name in names)


def _column(entries: Mapping[int, Mapping[str, int]], ids: Ints, name: str) -> Ints:
    if not entries:
        return np.full(len(ids), -1, dtype=np.int64)
    unknown: Mapping[str, int] = {}
    found = [entries.get(key, unknown).get(name, -1) for key in ids.tolist()]
    return np.array(found, dtype=np.int64)


def _require_event(event: Event) -> None:
    if event.kind != NEGATIVE and event.kind not in _TIMED:
        raise UsageError(f"unknown kind {event.kind!r}", "Event", f"one of {(*_TIMED, NEGATIVE)}")
    for name, most in (("known_ts", MAX_TS + MAX_WATCH_MS), ("x", MAX_AMOUNT)):
        _require(name, getattr(event, name), 0, most)
    for name in ("user_id", "streamer_id", "live_id"):
        _require(name, getattr(event, name), -1, _MAX_ID)


def _require(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UsageError(f"{name} is {value}", "OnlineFeatures", f"{least} to {most}")
