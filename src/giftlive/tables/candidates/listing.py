"""The rooms live at one time, listed without a sweep: a search tree over the ends.

Intervals stand in order of their start, in blocks; a binary tree holds the latest end below each
node. A query visits only nodes that start by t and end after it: O(log n) to find the prefix,
then O(k log(n / k)) for an answer of k rooms. Many queries in time order are cheaper by the sweep
of :mod:`giftlive.tables.candidates.live_set`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from giftlive.tables.candidates.rooms import Codes, RoomIndex
from giftlive.types import Ints

_BLOCK = 16
_DEPTH = 64


@dataclass(frozen=True)
class Listing:
    """Ends of the intervals in order of their start, and the tree of the latest end by block."""

    index: RoomIndex
    end: Ints
    latest: Ints

    @staticmethod
    def of(index: RoomIndex) -> Listing:
        """Build the tree in O(n)."""
        end = index.end[np.argsort(index.start, kind="stable")]
        blocks = max(1, -(-len(end) // _BLOCK))
        leaves = 1 << (blocks - 1).bit_length()
        return Listing(index, end, _tree(end, leaves))

    def live_rooms(self, ts: int) -> Codes:
        """Return the rooms live at ``ts``, by (start, live id).

        Examples
        --------
        >>> index = RoomIndex.of([7, 8, 9], [1, 1, 2], [0, 5, 20], [60, 9, -1], last_ts=99)
        >>> index.live_id[Listing.of(index).live_rooms(20)].tolist()
        [7, 9]
        """
        prefix = int(np.searchsorted(self.index.open_ts, ts, side="right"))
        many = int(self.index.count_live([ts])[0])
        return self.index.open_room[_ending_after(self.end, self.latest, prefix, ts, many)]


@njit(cache=True)
def _tree(end, leaves):  # type: ignore[no-untyped-def]
    latest = np.full(2 * leaves, np.iinfo(np.int64).min, dtype=np.int64)
    for i in range(end.size):
        leaf = leaves + i // _BLOCK
        latest[leaf] = max(latest[leaf], end[i])
    for node in range(leaves - 1, 0, -1):
        latest[node] = max(latest[2 * node], latest[2 * node + 1])
    return latest


@njit(cache=True)
def _ending_after(end, latest, prefix, ts, many):  # type: ignore[no-untyped-def]
    """Return the positions below ``prefix`` whose end is after ``ts``, ascending."""
    leaves = latest.size // 2
    found, n = np.empty(many, dtype=np.int64), 0
    stack, depth = np.empty(_DEPTH, dtype=np.int64), 1
    stack[0] = 1
    while depth > 0 and n < many:
        depth -= 1
        node = stack[depth]
        if latest[node] <= ts:
            continue
        if node < leaves:
            stack[depth], stack[depth + 1] = 2 * node + 1, 2 * node
            depth += 2
            continue
        block = (node - leaves) * _BLOCK
        for i in range(block, min(block + _BLOCK, prefix)):
            if end[i] > ts:
                found[n] = i
                n += 1
    return found[:n]
