"""Time to an event, right-censored: what every law of time is fitted on.

A follow-up holds two such samples. *Gifts*: time to the gift, censored at leaving, at the cut and
at the horizon. *Leavings*: time to leaving without a gift, censored at the gift. Both hazards are
cause-specific: they describe those still in the room without a gift, and are identified whether
or not users who mean to leave soon are also those who do not give.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError, UsageError
from giftlive.models.delay.follow_up import FollowUp
from giftlive.types import Bools, Floats


@dataclass(frozen=True)
class Durations:
    """n right-censored times.

    Attributes
    ----------
    X : [n, p] features, finite. time : [n] seconds under observation, >= 0. event : [n] True
        where the time ends with the event, False where it was only not seen up to then.
    """

    X: Floats
    time: Floats
    event: Bools

    def __post_init__(self) -> None:
        """Refuse shapes that do not fit and times that are not numbers."""
        if self.X.ndim != 2 or {self.time.shape, self.event.shape} != {self.X.shape[:1]}:
            shapes = f"shapes {self.X.shape}, {self.time.shape}, {self.event.shape}"
            raise UsageError(shapes, "durations", "[n, p], [n], [n]")
        if not (np.isfinite(self.time) & (self.time >= 0.0)).all():
            raise InputError("a time is negative or not finite", "argument time", "seconds >= 0")

    def __len__(self) -> int:
        return len(self.time)


def gifts(follow_up: FollowUp) -> Durations:
    """Return time to the gift; leaving, the cut and the horizon censor it."""
    return Durations(follow_up.X, follow_up.watched_for, follow_up.seen)


def leavings(follow_up: FollowUp) -> Durations | None:
    """Return time to leaving without a gift; ``None`` where nobody is known to have left."""
    left = follow_up.left
    if not np.isfinite(follow_up.left_after).any():
        return None
    return Durations(follow_up.X, follow_up.watched_for, left)
