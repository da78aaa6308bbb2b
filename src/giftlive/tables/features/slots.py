"""Open addressing, compiled: two 64-bit words of a key to a dense row number.

A table is ``slots`` (a power of two of 32-bit row numbers, -1 where empty) over ``rows`` (records
with the fields ``a`` and ``b``, the key). The key lies beside the data it leads to, so that a
lookup costs two cache lines. Rows are numbered as they come and never leave.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Rows = NDArray[Any]
Slots = NDArray[np.int32]

_G1 = np.uint64(0x9E3779B97F4A7C15)
_G2 = np.uint64(0xBF58476D1CE4E5B9)
_G3 = np.uint64(0x94D049BB133111EB)
_S29, _S32 = np.uint64(29), np.uint64(32)
_FEWEST = 1024


@njit(inline="always")
def _home(slots, a, b):  # type: ignore[no-untyped-def]
    h = np.uint64(a) * _G1
    h = ((h ^ (h >> _S32)) + np.uint64(b)) * _G2
    h = (h ^ (h >> _S29)) * _G3
    return np.int64((h ^ (h >> _S32)) & np.uint64(slots.size - 1))


@njit(cache=True)
def locate(slots, rows, size, a, b, adds, at, first):  # type: ignore[no-untyped-def]
    """Write the rows of keys (a, b) [n] into ``at`` [n], -1 where there is none.

    Keys are taken in order from ``first`` on; one that ``adds`` and has no row gets one. A
    negative word is no key. The lookups do not wait for each other, so that their cache misses
    overlap.

    Returns
    -------
    int
        How many keys are done: fewer than n where the rows are full, or half of the slots are.
    """
    mask = slots.size - 1
    for i in range(first, a.size):
        at[i] = -1
        if a[i] < 0 or b[i] < 0:
            continue
        k = _home(slots, a[i], b[i])
        row = np.int64(slots[k])
        while row >= 0 and (rows[row].a != a[i] or rows[row].b != b[i]):
            k = (k + 1) & mask
            row = np.int64(slots[k])
        if row < 0 and adds[i]:
            row = size[0]
            if row == rows.size or 2 * row >= slots.size:
                return i
            size[0] += 1
            slots[k] = row
            rows[row].a, rows[row].b = a[i], b[i]
        at[i] = row
    return a.size


@njit(cache=True)
def _place(slots, rows, n):  # type: ignore[no-untyped-def]
    for row in range(n):
        k = _home(slots, rows[row].a, rows[row].b)
        while slots[k] >= 0:
            k = (k + 1) & (slots.size - 1)
        slots[k] = row


def slots_for(rows: Rows, n: int, capacity: int) -> Slots:
    """Return the table of the first ``n`` rows, with places for ``capacity`` of them."""
    places = max(_FEWEST, 1 << (2 * capacity - 1).bit_length())
    slots = np.full(places, -1, dtype=np.int32)
    _place(slots, rows, n)
    return slots


def grown(rows: Rows, n: int, more: int) -> Rows:
    """Return ``rows`` with at least ``more`` zeroed places after the first ``n``.

    There are four times as many places: those that nothing was written to take no memory, and
    copying what is there costs more than the lookups, most of it in the system's page faults.
    """
    if n + more <= len(rows):
        return rows
    wider: Rows = np.zeros(max(n + more, 4 * n, _FEWEST), dtype=rows.dtype)
    used = n * rows.itemsize
    wider.view(np.uint8)[:used] = rows.view(np.uint8)[:used]
    return wider
