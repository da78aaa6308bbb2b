"""What is known at a cut T about labels that come late, and nothing that is known only after it.

Two clocks start at an exposure, and each has its own censoring:

- *within the viewing*: the gift is sent ``delay`` seconds after entry, unless the user leaves
  first (``left_after``, the watch time). Leaving is a competing risk: no gift comes after it.
- *arrival*: the label reaches the data ``delay`` seconds after the exposure (the gift's own time
  plus the recorder's lag). Leaving ends nothing on this clock: a late record may still come, so
  ``left_after`` stays infinite.

A ``FollowUp`` describes one of them. On both, an exposure of age e = T − ts that shows no gift is
*open* while it could still show one, and a negative for good only when it is older than
``horizon`` (the attribution window) or its user has left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from giftlive.clock import MS_PER_SECOND
from giftlive.errors import InputError, LeakError, UsageError
from giftlive.types import Bools, Floats, Ints

NEVER = float(np.inf)
"""Seconds until something that does not happen, or that nobody has seen happen."""


@dataclass(frozen=True)
class FollowUp:
    """Exposures as known at the cut T.

    Attributes
    ----------
    X : [n, p] features known at the exposure, finite. age : [n] seconds from exposure to T, >= 0.
    seen : [n] a gift is known at T. delay : [n] seconds to it, nan where none is seen.
    left_after : [n] seconds from exposure to leaving, ``NEVER`` where not known to have left.
    amount : [n] of the gift, 0 where none is seen.
    horizon : seconds after which a gift no longer counts for its exposure, ``NEVER`` if always.
    """

    X: Floats
    age: Floats
    seen: Bools
    delay: Floats
    left_after: Floats
    amount: Floats
    horizon: float = NEVER

    def __post_init__(self) -> None:
        """Refuse rows that contradict each other, and rows that know the future."""
        _same_rows(self.X, self.age, self.seen, self.delay, self.left_after, self.amount)
        _refuse(~(np.isfinite(self.age) & (self.age >= 0.0)), "an age", "finite, >= 0")
        _only_truths(self.seen)
        _refuse(np.isnan(self.delay) == self.seen, "a delay", "a number exactly where seen")
        _refuse(~_is_amount(self.amount), "an amount", "finite, >= 0")
        if (early := (self.amount > 0.0) & ~self.seen).any():
            raise LeakError(
                f"an amount is known in {int(early.sum())} rows that show no gift",
                "follow-up",
                "0 where none is seen",
                "build it with History.at, which forgets what the cut could not know",
            )
        _refuse(~(self.left_after >= 0.0), "left_after", ">= 0, infinite where not known")
        known = np.where(self.seen, self.delay, 0.0)
        _refuse(~((known >= 0.0) & (known <= self.horizon)), "a delay", "in [0, horizon]")
        _not_after(known, self.age, "a gift")
        _not_after(
            np.where(np.isfinite(self.left_after), self.left_after, 0.0), self.age, "leaving"
        )
        if (known > self.left_after).any():
            raise InputError(
                f"{int((known > self.left_after).sum())} gifts after leaving",
                "arguments delay, left_after",
                "delay <= left_after",
                "on the clock of arrivals leaving ends nothing: give no left_after there",
            )

    def __len__(self) -> int:
        return len(self.age)

    @property
    def left(self) -> Bools:
        """[n] True where the user has left without a gift: a negative for good."""
        return np.isfinite(self.left_after) & (self.left_after <= self.horizon) & ~self.seen

    @property
    def mature(self) -> Bools:
        """[n] True where no label can change any more, chosen by age alone: age >= horizon.

        A choice by age does not depend on the label; "seen or old" would keep too many gifts.
        """
        return self.age >= self.horizon

    @property
    def watched_for(self) -> Floats:
        """[n] seconds during which a gift would have been seen: until it, leaving, or T."""
        until = np.minimum(np.minimum(self.age, self.left_after), self.horizon)
        return np.where(self.seen, np.nan_to_num(self.delay), until)

    def rows(self, at: Ints | Bools) -> FollowUp:
        """Return some of the rows."""
        return FollowUp(
            self.X[at],
            self.age[at],
            self.seen[at],
            self.delay[at],
            self.left_after[at],
            self.amount[at],
            self.horizon,
        )


@dataclass(frozen=True)
class History:
    """Exposures with everything that ever became known about them; what T knew is ``at(T)``.

    Attributes
    ----------
    X : [n, p]. ts : [n] ms of the exposure. user : [n]. delay : [n] seconds to the first gift,
        ``NEVER`` where none came. left_after : [n] seconds to leaving, ``NEVER`` on the clock of
        arrivals. amount : [n] of the first gift, known when it is; 0 without. horizon : as in
        ``FollowUp``.
    """

    X: Floats
    ts: Ints
    user: Ints
    delay: Floats
    left_after: Floats
    amount: Floats
    horizon: float

    def __post_init__(self) -> None:
        """Refuse columns of different lengths and impossible delays."""
        _same_rows(self.X, self.ts, self.user, self.delay, self.left_after, self.amount)
        _refuse(~(self.delay >= 0.0), "a delay", ">= 0, infinite where no gift came")
        _refuse(~(self.left_after >= 0.0), "left_after", ">= 0, infinite where not known")
        _refuse(~_is_amount(self.amount), "an amount", "finite, >= 0")
        if not self.horizon > 0.0:
            raise UsageError(f"horizon {self.horizon:g}", "argument horizon", "a positive number")

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def label(self) -> Bools:
        """[n] True where a gift came within the horizon: what every treatment estimates."""
        return self.delay <= self.horizon

    def age(self, cut_ms: int) -> Floats:
        """Return [n] seconds from exposure to the cut; negative where it is still to come."""
        return (cut_ms - self.ts) / MS_PER_SECOND

    def shown_before(self, cut_ms: int) -> Ints:
        """Return the rows exposed strictly before the cut, the rows of ``at``."""
        return np.flatnonzero(self.ts < cut_ms)

    def mature_at(self, cut_ms: int) -> Bools:
        """Return [n] where the label is final at the cut, chosen by age alone."""
        return self.age(cut_ms) >= self.horizon

    def rows(self, at: Ints | Bools) -> History:
        """Return some of the exposures."""
        left, amount = self.left_after[at], self.amount[at]
        return History(
            self.X[at], self.ts[at], self.user[at], self.delay[at], left, amount, self.horizon
        )

    def at(self, cut_ms: int) -> FollowUp:
        """Return what was known at the cut about the exposures before it.

        Examples
        --------
        >>> h = History(np.zeros((2, 1)), np.array([0, 0]), np.array([1, 2]), np.array([3.0, 9.0]),
        ...             np.full(2, NEVER), np.ones(2), horizon=60.0)
        >>> h.at(5_000).seen.tolist()
        [True, False]
        """
        rows = self.shown_before(cut_ms)
        age, delay, left = self.age(cut_ms)[rows], self.delay[rows], self.left_after[rows]
        seen = (delay <= age) & (delay <= self.horizon)
        return FollowUp(
            self.X[rows],
            age,
            seen,
            np.where(seen, delay, np.nan),
            np.where(left <= age, left, NEVER),
            np.where(seen, self.amount[rows], 0.0),
            self.horizon,
        )


def _same_rows(X: Floats, *columns: ArrayLike) -> None:
    shapes = {np.shape(column) for column in columns}
    if X.ndim != 2 or shapes != {X.shape[:1]}:
        raise UsageError(
            f"shapes {X.shape}, {sorted(shapes)}", "follow-up", "[n, p], and [n] for the others"
        )
    if not np.isfinite(X).all():
        raise InputError(
            f"{int((~np.isfinite(X)).sum())} features are not finite",
            "argument X",
            "finite numbers",
            "say what an unknown feature means before: models.basis does",
        )


def _only_truths(seen: Bools) -> None:
    """Refuse 0 and 1: in numpy ~0 is -1, and rows would be chosen by position."""
    if np.asarray(seen).dtype != np.bool_:
        raise InputError(
            f"seen holds {np.asarray(seen).dtype}", "follow-up", "True and False", "seen == 1"
        )


def _is_amount(amount: Floats) -> Bools:
    return np.isfinite(amount) & (amount >= 0.0)


def _refuse(bad: Bools, what: str, expected: str) -> None:
    if bad.any():
        raise InputError(f"{what} is wrong in {int(bad.sum())} rows", "follow-up", expected)


def _not_after(known: Floats, age: Floats, what: str) -> None:
    late = known > age
    if late.any():
        raise LeakError(
            f"{what} is known in {int(late.sum())} rows before it happened",
            "follow-up",
            "seconds <= age",
            "build it with History.at, which forgets what the cut could not know",
        )
