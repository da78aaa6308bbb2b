"""The clocked hard-seat problem: who is shown which room when a viewing holds a seat for a while.

Decision *i* may show at most one of its candidates *s*. Showing it is worth ``v_is`` and takes
``e_ist`` expected seat-seconds of room *s* in time bucket *t*; the room offers ``C_st``::

    maximise   Σ_is v_is x_is
    subject to Σ_s x_is <= 1,   Σ_i e_ist x_is <= C_st,   x >= 0.

``e_ist`` is factored as seat-seconds times the share of the stay that falls in each bucket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from giftlive.errors import InputError, UsageError
from giftlive.types import Floats, Ints

Label = Literal["true", "estimated"]


def _whole_stay_in_one_bucket() -> Floats:
    return np.ones(1)


@dataclass(frozen=True)
class Problem:
    """One day of decisions and seats, as arrays.

    Attributes
    ----------
    values : [n, m] E[amount | shown] of each candidate, in the unit of the amounts.
    rooms : [n, m] dense room index, -1 where the row has fewer candidates.
    seat_seconds : [n, m] expected seat-seconds of the whole stay if the room is shown, >= 0.
    bucket : [n] time bucket in which the decision falls, 0..T-1.
    capacity : [S, T] seat-seconds each room offers in each bucket, >= 0 (seats * bucket length).
    spill : share of the stay that falls in bucket ``bucket + k``, k = 0..K-1, summing to at most
        1: [K] for all decisions, [n, K] per decision or [n, m, K] per candidate. Time spent in
        buckets beyond T, or beyond K, is not charged, which only loosens the constraint: the
        bound stays a bound.
    label : ``true`` if values and seat-seconds are the truth, ``estimated`` otherwise; a
        certificate of an estimated problem bounds estimated, not real, value.

    Raises
    ------
    InputError
        When shapes disagree, an index is out of range, or a number is negative or not finite.
    """

    values: Floats
    rooms: Ints
    seat_seconds: Floats
    bucket: Ints
    capacity: Floats
    spill: Floats = field(default_factory=_whole_stay_in_one_bucket)
    label: Label = "true"

    def __post_init__(self) -> None:
        if self.rooms.ndim != 2 or self.capacity.ndim != 2:
            raise InputError("not tables of edges and seats", "Problem.rooms", "[n, m] and [S, T]")
        n, m = self.rooms.shape
        expected = {"values": (n, m), "seat_seconds": (n, m), "bucket": (n,)}
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise InputError(
                    f"shape {getattr(self, name).shape}", f"Problem.{name}", f"{shape}, as rooms"
                )
        rooms, buckets = self.capacity.shape
        _within(self.rooms, -1, rooms, "Problem.rooms")
        _within(self.bucket, 0, buckets, "Problem.bucket")
        real = self.rooms >= 0
        _finite(self.values[real], "Problem.values", minimum=-np.inf)
        _finite(self.seat_seconds[real], "Problem.seat_seconds")
        _finite(self.capacity, "Problem.capacity")
        _finite(self.spill, "Problem.spill")
        self._check_spill(n, m)

    def _check_spill(self, n: int, m: int) -> None:
        k = self.spill.shape[-1]
        if self.spill.shape not in {(k,), (n, k), (n, m, k)}:
            raise InputError(
                f"shape {self.spill.shape}", "Problem.spill", f"[K], [{n}, K] or [{n}, {m}, K]"
            )
        total = float(self.spill.sum(axis=-1).max(initial=0.0))
        if total > 1.0 + 1e-9:
            raise InputError(f"shares sum to {total:g}", "Problem.spill", "at most 1 per stay")

    @property
    def shares(self) -> Floats:
        """``spill`` as [1 or n, 1 or m, K], contiguous, as the compiled kernels read it."""
        spill = self.spill
        middle = spill[:, None, :] if spill.ndim == 2 else spill
        return np.ascontiguousarray(middle if spill.ndim > 1 else spill[None, None, :])


def _within(x: Ints, low: int, high: int, where: str) -> None:
    if x.size and (x.min() < low or x.max() >= high):
        raise InputError(f"values {x.min()}..{x.max()}", where, f"{low}..{high - 1}")


def _finite(x: Floats, where: str, minimum: float = 0.0) -> None:
    if not np.isfinite(x).all():
        raise InputError(f"{(~np.isfinite(x)).sum()} values are not finite", where, "numbers")
    if x.size and x.min() < minimum:
        raise InputError(f"smallest value {x.min():g}", where, f">= {minimum:g}")


def time_buckets(ts: Ints, start_ms: int, bucket_ms: int, buckets: int) -> Ints:
    """Return the bucket 0..buckets-1 of each ``ts`` [n]; earlier and later fall in the end ones.

    Parameters
    ----------
    ts : [n] ms. start_ms : of bucket 0. bucket_ms : length of a bucket, >= 1. buckets : >= 1.

    Raises
    ------
    UsageError
        When a bucket has no length, or there is none.

    Examples
    --------
    >>> time_buckets(np.array([0, 999, 1000, 99_000]), 0, 1000, 3).tolist()
    [0, 0, 1, 2]
    """
    if bucket_ms < 1:
        raise UsageError(f"buckets of {bucket_ms} ms", "bucket_ms", ">= 1 ms")
    if buckets < 1:
        raise UsageError(f"{buckets} buckets", "buckets", ">= 1")
    return np.clip((np.asarray(ts, dtype=np.int64) - start_ms) // bucket_ms, 0, buckets - 1)


def stay_profile(
    ts: Ints, stays: Floats, start_ms: int, bucket_ms: int, depth: int, buckets: int | None = None
) -> Floats:
    """Return the share of an average stay that falls in each bucket from the decision on.

    With L(y) = E[min(stay, y)] and y_k the seconds from the decision to the end of its k-th
    bucket (y_0 = 0), the share of bucket k is (L(y_k+1) - L(y_k)) / E[stay]: exact for the given
    law of stays, whatever the moment within the bucket.

    Parameters
    ----------
    ts : [n] ms of the decisions. stays : sample of stay lengths in seconds, >= 0.
    start_ms, bucket_ms : the grid of buckets. depth : number of buckets K to follow.
    buckets : the last bucket's count T, when decisions may fall after it (see ``time_buckets``).

    Returns
    -------
    Floats
        [n, K]; rows sum to at most 1 (to less when stays outlast ``depth`` buckets).

    Raises
    ------
    InputError
        When a stay is negative, or their mean is not a positive number.
    UsageError
        As ``time_buckets``.

    Examples
    --------
    >>> stay_profile(np.array([0, 500]), np.array([1.0]), 0, 1000, 2).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    ordered = np.sort(np.asarray(stays, dtype=np.float64))
    if ordered.size and ordered[0] < 0.0:
        raise InputError(f"a stay of {ordered[0]:g}", "stays", "seconds >= 0")
    mean = float(ordered.mean()) if ordered.size else 0.0
    if not mean > 0.0:
        raise InputError(f"mean stay {mean:g}", "stays", "a sample with positive mean")
    top = np.iinfo(np.int64).max if buckets is None else buckets
    bucket = time_buckets(ts, start_ms, bucket_ms, top)
    to_end = np.maximum((start_ms + (bucket + 1) * bucket_ms - ts) / 1000.0, 0.0)
    ends = to_end[:, None] + np.arange(depth) * (bucket_ms / 1000.0)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    shorter = np.searchsorted(ordered, ends)
    limited = (sums[shorter] + ends * (ordered.size - shorter)) / ordered.size
    return np.diff(limited, axis=1, prepend=0.0) / mean
