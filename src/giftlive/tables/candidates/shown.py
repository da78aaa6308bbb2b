"""The rooms a decision is known to have shown: the chosen one and the negatives joined to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from giftlive.clock import MS_PER_DAY
from giftlive.tables.candidates.exposures import EXPOSURE
from giftlive.tables.candidates.listed_rows import Shown
from giftlive.tables.candidates.rooms import RoomIndex
from giftlive.tables.candidates.stream import Retrieved, columns
from giftlive.types import Ints

_SKIPS = f"""select sample_id, live_id, streamer_id, place from {EXPOSURE}
where label = 0 and decision_ts >= {{start}} and decision_ts < {{end}}
order by decision_ts, sample_id, place"""


class Skips:
    """Negatives by decision, read one day at a time; it counts those it leaves out."""

    def __init__(self, con: Any, index: RoomIndex, most: int) -> None:
        self._con, self._index, self._most = con, index, most
        self._day, self._rows = -1, dict[str, Ints]()
        self.not_live, self.over = 0, 0

    def beside(self, part: Retrieved) -> Shown:
        """Return the shown rooms of each decision: the chosen one, then its live negatives."""
        every = np.arange(len(part))
        owner, live_id, streamer_id = self._negatives(part)
        owner = np.concatenate([every, owner])
        live_id = np.concatenate([part.live_id, live_id])
        streamer_id = np.concatenate([part.streamer_id, streamer_id])
        room = self._index.room_of(live_id)
        live = self._index.room_is_live(room, part.ts[owner])
        kept = live | (np.arange(len(owner)) < len(part))
        self.not_live += int((~kept).sum())
        order = np.argsort(owner[kept], kind="stable")
        first = np.searchsorted(owner[kept][order], np.arange(len(part) + 1))
        order = np.flatnonzero(kept)[order]
        return Shown(first, live_id[order], streamer_id[order], room[order], live[order])

    def _negatives(self, part: Retrieved) -> tuple[Ints, Ints, Ints]:
        """Return (decision in the chunk, live id, streamer id) of the nearest negatives."""
        none = np.zeros(0, dtype=np.int64)
        if not self._most or not len(part):
            return none, none, none
        day = int(part.ts[0]) // MS_PER_DAY * MS_PER_DAY
        if day != self._day:
            sql = _SKIPS.format(start=day, end=day + MS_PER_DAY)
            self._day, self._rows = day, columns(self._con, sql)
        by_id = np.argsort(part.sample_id)
        place = np.searchsorted(part.sample_id[by_id], self._rows["sample_id"])
        owner = by_id[np.minimum(place, len(part) - 1)]
        mine = part.sample_id[owner] == self._rows["sample_id"]
        near = mine & (self._rows["place"] <= self._most)
        self.over += int((mine & ~near).sum())
        return owner[near], self._rows["live_id"][near], self._rows["streamer_id"][near]
