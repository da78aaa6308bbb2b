"""A batch of users and rooms, every user with at most a few rooms, and what limits them.

User *u* takes the share x_us in [0, 1] of candidate *s*, worth v_us in expectation::

    maximise   Σ_s g_s(V_s),             V_s = Σ_u v_us x_us
    subject to Σ_s x_us <= b_u           rooms per user
               Σ_u x_us <= C_s           seats
               Σ_u a_us x_us >= L_s      guaranteed exposure, weighted by affinity
               Σ_{u whale} x_us <= k_s   whales per room
               Σ_{u whale} v_us x_us <= K_s   value of whales per room
               Σ_{s in G} Σ_u x_us <= K_G     head exposure, guilds

A minimum by mere count would be met with worthless viewers at no cost, one by value with a single
whale; weighted by affinity, a_us = P(watch >= 60 s | shown), it buys attention.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from giftlive.allocation.problem import Label
from giftlive.allocation.returns import Returns
from giftlive.errors import InputError
from giftlive.types import Bools, Floats, Ints


@dataclass(frozen=True)
class Batch:
    """Users, candidate edges and limits as arrays. ``None`` means: no such limit.

    Attributes
    ----------
    values : [n, m] E[amount | shown] >= 0 of each candidate, in the unit of the amounts.
    rooms : [n, m] dense room index, -1 where the row has fewer candidates; a row names a room once.
    capacity : [S] seats C_s >= 0; infinite for a room without a limit.
    per_user : [n] rooms b_u >= 0 each user may take; None: one each.
    affinity : [n, m] a_us in [0, 1]; needed where there is a minimum.
    minimum : [S] L_s >= 0, affinity-weighted viewers guaranteed to the room.
    shortfall_price : money per unit of a minimum that is missed, taken off the objective; infinite:
        minima are hard.
    whale : [n] who counts against the caps on whales; needed where there is one.
    whale_cap, whale_value_cap : [S] k_s and K_s >= 0, infinite for a room without.
    groups : [G, S] which rooms belong to each group. group_cap : [G] K_G >= 0.
    returns : g, with its scale.
    label : ``true`` or ``estimated``, as in ``Problem``.

    Raises
    ------
    InputError
        When types or shapes disagree, an index is out of range, a row repeats a room, a number is
        negative, not a number, or above 1 where it is a probability, or a limit lacks what it
        counts.
    """

    values: Floats
    rooms: Ints
    capacity: Floats
    per_user: Ints | None = None
    affinity: Floats | None = None
    minimum: Floats | None = None
    shortfall_price: float = np.inf
    whale: Bools | None = None
    whale_cap: Floats | None = None
    whale_value_cap: Floats | None = None
    groups: Bools | None = None
    group_cap: Floats | None = None
    returns: Returns = field(default_factory=Returns)
    label: Label = "true"

    def __post_init__(self) -> None:
        if self.rooms.ndim != 2 or self.capacity.ndim != 1:
            raise InputError("not tables of edges and seats", "Batch.rooms", "[n, m] and [S]")
        self._check_types()
        self._check_shapes()
        self._check_numbers()
        for limit, counted in (
            ("minimum", "affinity"), ("whale_cap", "whale"), ("whale_value_cap", "whale"),
            ("group_cap", "groups"), ("groups", "group_cap"),
        ):  # fmt: skip
            if getattr(self, limit) is not None and getattr(self, counted) is None:
                raise InputError(f"{counted} is missing", f"Batch.{limit}", f"{counted} beside it")
        if self.rooms.size and not _each_room_once(self.rooms, self.room_count):
            raise InputError("a row names a room twice", "Batch.rooms", "every room once per row")

    def _check_shapes(self) -> None:
        (n, m), rooms = self.rooms.shape, self.room_count
        counted = self.group_cap if self.groups is None else self.groups
        groups = 0 if counted is None else len(counted)
        expected: dict[str, tuple[int, ...]] = {
            "values": (n, m), "affinity": (n, m), "per_user": (n,), "whale": (n,),
            "minimum": (rooms,), "whale_cap": (rooms,), "whale_value_cap": (rooms,),
            "groups": (groups, rooms), "group_cap": (groups,),
        }  # fmt: skip
        for name, shape in expected.items():
            given = getattr(self, name)
            if given is not None and given.shape != shape:
                raise InputError(f"shape {given.shape}", f"Batch.{name}", f"{shape}")
        scale = np.shape(self.returns.scale)
        if scale not in {(), (rooms,)}:
            raise InputError(f"shape {scale}", "Batch.returns.scale", f"() or ({rooms},)")

    def _check_types(self) -> None:
        """Refuse what would be read otherwise than meant: 1.5 rooms as one, 0 and 1 as indices."""
        for name, kinds, expected in (
            ("rooms", "iu", "whole numbers"), ("per_user", "iu", "whole numbers"),
            ("whale", "b", "True or False"), ("groups", "b", "True or False"),
        ):  # fmt: skip
            given = getattr(self, name)
            if given is not None and given.dtype.kind not in kinds:
                raise InputError(f"type {given.dtype}", f"Batch.{name}", expected)

    def _check_numbers(self) -> None:
        real = self.rooms >= 0
        if self.rooms.size and (self.rooms.min() < -1 or self.rooms.max() >= self.room_count):
            raise InputError(
                f"values {self.rooms.min()}..{self.rooms.max()}",
                "Batch.rooms",
                f"-1..{self.room_count - 1}",
            )
        _bounded(self.values[real], "values", finite=True)
        if self.affinity is not None:
            _bounded(self.affinity[real], "affinity", highest=1.0)
        if self.minimum is not None:
            _bounded(self.minimum, "minimum", finite=True)
        _bounded(np.asarray(self.shortfall_price), "shortfall_price")
        for name in ("capacity", "per_user", "whale_cap", "whale_value_cap", "group_cap"):
            if getattr(self, name) is not None:
                _bounded(getattr(self, name), name)

    def __len__(self) -> int:
        return len(self.rooms)

    @property
    def room_count(self) -> int:
        """S, the number of rooms."""
        return len(self.capacity)

    @property
    def takes(self) -> Ints:
        """b_u [n], with ``None`` read as one each."""
        return np.ones(len(self), np.int64) if self.per_user is None else self.per_user

    @property
    def is_whale(self) -> Bools:
        """Whale flags [n], with ``None`` read as nobody."""
        return np.zeros(len(self), np.bool_) if self.whale is None else self.whale


def _bounded(x: Floats | Ints, name: str, highest: float = np.inf, finite: bool = False) -> None:
    wrong = np.isnan(x) | (x < 0.0) | (x > highest)
    if finite:
        wrong |= np.isinf(x)
    if wrong.any():
        what = f"{x[wrong].ravel()[0]:g} among {int(wrong.sum())} such values"
        raise InputError(what, f"Batch.{name}", f"numbers in [0, {highest:g}]")


@njit(cache=True)
def _each_room_once(rooms: Ints, room_count: int) -> bool:
    last = np.full(room_count, -1, np.int64)
    for i in range(rooms.shape[0]):
        for j in range(rooms.shape[1]):
            s = rooms[i, j]
            if s >= 0:
                if last[s] == i:
                    return False
                last[s] = i
    return True
