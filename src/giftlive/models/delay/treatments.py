"""The interface of every treatment of late labels, and the plain ones.

A treatment learns P(gift within the horizon | x) from what a cut T knew. All have one shape,
``fit(follow_up) → fitted``, ``fitted.probability(X)``, so that they can be compared on the same
rows; what they assume differs:

- ``Naive`` takes every exposure without a gift for a negative: right only without delay.
- ``FixedWindow`` uses exposures older than a window: right if nothing changes meanwhile, and
  what it knows is as old as the window.
- ``Recent`` wraps another treatment and forgets old rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.delay.chance import Chance, FittedChance, Logistic
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.maturity import settled_after
from giftlive.types import Bools


class Treatment(Protocol):
    """Settings of a way to learn from late labels."""

    def fit(self, follow_up: FollowUp, /) -> FittedChance:
        """Estimate P(gift within the horizon | x) from what the cut knew."""


@dataclass(frozen=True)
class Naive:
    """Every row counts with the label it shows at T: an open row is a negative.

    Bias: a row of age e shows its gift with probability F(e), so the level is too low by the
    share of gifts that are still to come, and a feature that moves with the calendar is
    credited with the difference between old and young rows.
    """

    chance: Chance = field(default_factory=Logistic)

    def fit(self, follow_up: FollowUp) -> FittedChance:
        """Fit to all rows."""
        return self.chance.fit(follow_up.X, follow_up.seen.astype(np.float64))


@dataclass(frozen=True)
class FixedWindow:
    """Rows older than a window only, with what is known of them.

    Parameters
    ----------
    window : seconds; ``None`` takes the horizon, or less by ``settled``. settled : share of the
        labels that must be there, by the log's own maturity curve; ``None``: all. back_fill : True
        counts gifts that came after the window and before T (a past negative is corrected when
        its gift arrives); False labels every row with what its first ``window`` seconds showed.

    Bias: with a window below the horizon, gifts that take longer are missed (all of them without
    back-fill, those still to come with it); with a longer one the newest rows are not used, so a
    drift is followed ``window`` seconds late.
    """

    window: float | None = None
    back_fill: bool = True
    chance: Chance = field(default_factory=Logistic)
    settled: float | None = None

    def fit(self, follow_up: FollowUp) -> FittedChance:
        """Fit to the rows that are old enough.

        Raises
        ------
        NotEnoughDataError
            No row is older than the window.
        """
        if self.window is not None and not self.window > 0.0:
            raise UsageError(f"window {self.window:g}", "argument window", "seconds > 0")
        window = waiting(follow_up, self.settled) if self.window is None else self.window
        old = old_enough(follow_up, window)
        gift = follow_up.seen[old]
        if not self.back_fill:
            gift = gift & (np.nan_to_num(follow_up.delay[old]) <= window)
        return self.chance.fit(follow_up.X[old], gift.astype(np.float64))


@dataclass(frozen=True)
class Recent:
    """Another treatment on the exposures of the last ``memory`` seconds only.

    What a drift asks for: how many give is then that of the last ``memory`` seconds. The treatment
    must be able to use rows whose labels are not there yet; a fixed window of the same length has
    no row left.
    """

    treatment: Treatment
    memory: float

    def fit(self, follow_up: FollowUp) -> FittedChance:
        """Fit to the rows that are young enough.

        Raises
        ------
        NotEnoughDataError
            No row is.
        """
        young = follow_up.age <= self.memory
        if not young.any():
            raise NotEnoughDataError(
                f"no row of the last {self.memory:g} s", "follow-up", "at least one"
            )
        return self.treatment.fit(follow_up.rows(young))


def waiting(follow_up: FollowUp, settled: float | None) -> float:
    """Return for how many seconds a label is waited for: the horizon, or until it is settled."""
    return follow_up.horizon if settled is None else settled_after(follow_up, settled)


def old_enough(follow_up: FollowUp, window: float) -> Bools:
    """Return [n] where a row is at least ``window`` seconds old.

    Raises
    ------
    NotEnoughDataError
        None is: a window longer than the log leaves nothing to learn from.
    """
    old = follow_up.age >= window
    if not old.any():
        oldest = follow_up.age.max(initial=0.0)
        raise NotEnoughDataError(
            f"the oldest of {len(follow_up)} rows is {oldest:g} s old, the window {window:g} s",
            "follow-up",
            "rows older than the window",
            "take a shorter window or a longer log",
        )
    return old
