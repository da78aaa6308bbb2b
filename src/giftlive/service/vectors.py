"""Users, rooms and pairs as the Scorer sees them: computed at ticks, read by decisions.

Online features move only at ticks, so that between two ticks a decision is a pure function of
what it is asked. At a tick all events since the last one become known together; the vectors of
all live rooms are computed, those of users whose history changed or had grown old, and the terms
of the pairs that these users have a history with. A user of whom nothing is known has the vector
of nobody: the population's prior.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.clock import MS_PER_SECOND
from giftlive.service import events
from giftlive.service.events import Event
from giftlive.service.rooms import Rooms
from giftlive.service.scoring import Values
from giftlive.service.settings import DecisiveSettings
from giftlive.tables.features.declare import Feature
from giftlive.tables.online import NEGATIVE, OnlineFeatures
from giftlive.tables.online import Event as Known
from giftlive.types import Floats, Ints

_KNOWN = {
    events.CLICK: "entry",
    events.LEAVE: "viewing",
    events.GIFT: "gift",
    events.COMMENT: "comment",
    events.LIKE: "like",
    events.SKIP: NEGATIVE,
}
_NOTHING: Mapping[int, float] = {}


@dataclass
class Vectors:
    """The state of all features, and the vectors made of it.

    Attributes
    ----------
    online : what was told up to the last tick. told : events since. users : user id to row of
        ``user`` [n, d]; row 0 is nobody's. computed_ts : [n] tick of each row. pairs : user id to
        streamers (latest last) with the context term of each. nobody : the term of a pair without
        a history. room : [S, d]. asked : users of decisions since the last tick.
    """

    settings: DecisiveSettings
    online: OnlineFeatures
    places: int
    values: Values | None = None
    told: list[Event] = field(default_factory=list)
    users: dict[int, int] = field(default_factory=dict)
    user: Floats = field(init=False)
    computed_ts: Ints = field(init=False)
    pairs: dict[int, dict[int, float]] = field(default_factory=dict)
    nobody: float = 0.0
    room: Floats = field(init=False)
    asked: dict[int, None] = field(default_factory=dict)
    _wanted: tuple[tuple[str, ...], list[Feature]] = ((), [])

    def __post_init__(self) -> None:
        self.use(self.values)

    def use(self, values: Values | None) -> None:
        """Take other values; vectors are empty until they are computed again."""
        self.values = values
        d = 1 if values is None else values.scorer.width
        self.user, self.room = np.zeros((len(self.users) + 1, d)), np.zeros((self.places, d))
        self.computed_ts = np.full(len(self.users) + 1, -1, dtype=np.int64)

    def tick(self, ts: int, rooms: Rooms) -> None:
        """Let all events since the last tick become known, and compute vectors as of ``ts``."""
        changed = dict.fromkeys(e.user_id for e in self.told if e.user_id >= 0)
        for event in self.told:
            self._tell(event, ts - 1)
        self.told.clear()
        old = ts - int(self.settings.user_refresh_seconds * MS_PER_SECOND)
        for user in self.asked:
            row = self.users.get(user, 0)
            if row == 0 or self.computed_ts[row] < old:
                changed[user] = None
        self.asked.clear()
        if self.values is not None:
            self._rooms(self.values, ts, rooms)
            self._users(self.values, ts, list(changed))

    def recompute(self, ts: int, rooms: Rooms) -> None:
        """Compute every vector as of ``ts``, the last tick: the values are others."""
        if self.values is not None:
            self._rooms(self.values, ts, rooms)
            self._users(self.values, ts, list(self.users))

    def scores(self, user_id: int, slots: Ints, streamers: Ints) -> Floats:
        """Return [m] values of candidates by the Scorer.

        Parameters
        ----------
        slots, streamers : [m] of the candidates; unknown rooms have a spare slot and no streamer.
        """
        assert self.values is not None
        terms = np.full(len(slots), self.nobody)
        known = self.pairs.get(user_id, _NOTHING)
        for streamer, term in known.items():
            terms[streamers == streamer] = term
        row = self.users.get(user_id, 0)
        found = self.values.scorer.score_rooms(
            self.user[row : row + 1], self.room, slots[None, :], terms[None, :]
        )
        return np.asarray(found[0])

    def _tell(self, event: Event, known_ts: int) -> None:
        kind = _KNOWN.get(event.type)
        if kind is None:
            return
        x = max(event.x, 0) if event.type in (events.LEAVE, events.GIFT) else 0
        self.online.update(
            Known(kind, known_ts, event.user_id, event.streamer_id, event.live_id, x)
        )
        if event.user_id >= 0 and event.streamer_id >= 0 and kind != NEGATIVE:
            streamers = self.pairs.setdefault(event.user_id, {})
            streamers[event.streamer_id] = streamers.pop(event.streamer_id, 0.0)
            while len(streamers) > self.settings.pairs_per_user:
                del streamers[next(iter(streamers))]

    def _rooms(self, values: Values, ts: int, rooms: Rooms) -> None:
        """Compute the vectors of all live rooms and of an unknown one, which spare slots have."""
        live = rooms.live()
        streamers = np.append(rooms.streamer_id[live], -1)
        lives = np.append(rooms.live_id[live], -1)
        nobody = np.full(len(lives), -1)
        X = self.online.of_pairs(nobody, streamers, lives, ts, values.room)
        vectors = values.scorer.room_vectors(X)
        self.room[:] = vectors[-1]
        self.room[live] = vectors[:-1]

    def _users(self, values: Values, ts: int, changed: Sequence[int]) -> None:
        """Compute the vectors of nobody and of ``changed`` users, and the terms of their pairs."""
        new = [user for user in changed if user not in self.users]
        self.users.update(zip(new, range(len(self.users) + 1, 10**12), strict=False))
        self._make_room(len(self.users) + 1)
        ids = np.array([-1, *changed], dtype=np.int64)
        rows = np.array([0, *(self.users[user] for user in changed)], dtype=np.int64)
        nobody = np.full(len(ids), -1)
        X = self.online.of_pairs(ids, nobody, nobody, ts, values.user)
        self.user[rows] = values.scorer.user_vectors(X)
        self.computed_ts[rows] = ts
        pairs = [(user, s) for user in changed for s in self.pairs.get(user, _NOTHING)]
        of, streamers = np.array([(-1, -1), *pairs], dtype=np.int64).T
        X = self.online.of_pairs(of, streamers, np.full(len(of), -1), ts, values.pair)
        terms = values.scorer.context_terms(X).tolist()
        self.nobody = terms[0]
        for (user, streamer), term in zip(pairs, terms[1:], strict=True):
            self.pairs[user][streamer] = term

    def _make_room(self, n: int) -> None:
        more = n - len(self.user)
        if more > 0:
            more = max(more, n // 2)
            self.user = np.vstack([self.user, np.zeros((more, self.user.shape[1]))])
            self.computed_ts = np.append(self.computed_ts, np.full(more, -1))

    def features(
        self, user_id: int, streamers: Ints, lives: Ints, names: tuple[str, ...]
    ) -> Floats:
        """Return [m, p] features by name as of the last tick, for the full model."""
        if self._wanted[0] != names:
            known = {feature.name: feature for feature in self.online.features}
            self._wanted = names, [known[name] for name in names]
        users = np.full(len(lives), user_id)
        return self.online.of_pairs(users, streamers, lives, self.online.clock_ts, self._wanted[1])

    def digest(self, sums: Any) -> None:
        """Tell ``sums``, a hash, everything that is here."""
        used = len(self.users) + 1
        sums.update(self.online.digest())
        sums.update(repr((self.told, list(self.users.items()), self.nobody)).encode())
        sums.update(repr((list(self.pairs.items()), list(self.asked))).encode())
        sums.update(self.user[:used].tobytes() + self.room.tobytes())
        sums.update(self.computed_ts[:used].tobytes())
