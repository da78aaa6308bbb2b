"""A binary heap of (time, id) pairs in two arrays: the kernel's calendar of what is due."""

from __future__ import annotations

from numba import njit


@njit(inline="always")
def _before(times, ids, a, b):  # type: ignore[no-untyped-def]
    return times[a] < times[b] or (times[a] == times[b] and ids[a] < ids[b])


@njit(inline="always")
def _swap(times, ids, a, b):  # type: ignore[no-untyped-def]
    times[a], times[b] = times[b], times[a]
    ids[a], ids[b] = ids[b], ids[a]


@njit(inline="always")
def push(times, ids, size, time, what):  # type: ignore[no-untyped-def]
    """Add a pair to a heap of ``size`` pairs and return the new size."""
    k = size
    times[k], ids[k] = time, what
    while k > 0 and _before(times, ids, k, (k - 1) // 2):
        _swap(times, ids, k, (k - 1) // 2)
        k = (k - 1) // 2
    return size + 1


@njit(inline="always")
def pop(times, ids, size):  # type: ignore[no-untyped-def]
    """Move the earliest pair to the place just after the heap and return the new size."""
    size -= 1
    _swap(times, ids, 0, size)
    k = 0
    while 2 * k + 1 < size:
        child = 2 * k + 1
        if child + 1 < size and _before(times, ids, child + 1, child):
            child += 1
        if not _before(times, ids, child, k):
            break
        _swap(times, ids, k, child)
        k = child
    return size
