"""The chance that somebody who watched a streamer today is back tomorrow."""

from __future__ import annotations

import numpy as np

from giftlive.errors import InputError
from giftlive.models.signals import RankOneRate, fit_rank_one
from giftlive.types import Ints


def next_day_return(
    user: Ints,
    streamer: Ints,
    day: Ints,
    *,
    users: int,
    streamers: int,
    last_day: int,
    prior_days: float = 10.0,
) -> RankOneRate:
    """Estimate P(active on day d + 1 | user u watched streamer s on day d) as g · a_u · b_s.

    The unit is a (user, streamer, day) with a viewing, however many; active means any viewing of
    the user, of whomever. Days whose next day is not whole inside the log are left out: nobody
    could be seen to return. a_u and b_s are shrunk towards 1 by ``prior_days`` units.

    Assumption: what a streamer adds is the same for all users. It is an association: users who
    would have come back anyway choose streamers too, and only an experiment tells them apart.

    Parameters
    ----------
    user, streamer : [n] dense indices of each viewing. day : [n] its local day.
    users, streamers : how many there are. last_day : the last whole local day of the log.

    Raises
    ------
    InputError
        Lengths differ, or an index is out of range.

    Examples
    --------
    >>> rate = next_day_return(np.array([0, 0, 1]), np.array([0, 0, 1]), np.array([1, 2, 1]),
    ...                        users=2, streamers=2, last_day=3, prior_days=1.0)
    >>> round(rate.mean, 3), rate.table().round(2).tolist()
    (0.333, [[0.59, 0.22], [0.22, 0.08]])
    """
    _indices(user, users, day, "user")
    _indices(streamer, streamers, day, "streamer")
    active = np.unique(np.column_stack([user, day]), axis=0)
    seen = np.unique(np.column_stack([user, streamer, day]), axis=0)
    seen = seen[seen[:, 2] < last_day]
    first = int(day.min()) if len(day) else 0
    width = int(day.max()) - first + 2 if len(day) else 1
    codes = active[:, 0] * width + active[:, 1] - first
    back = np.isin(seen[:, 0] * width + seen[:, 2] + 1 - first, codes).astype(np.float64)

    sides = ((seen[:, 0], users), (seen[:, 1], streamers))
    watched = [np.bincount(who, minlength=size) for who, size in sides]
    returns = [np.bincount(who, back, minlength=size).astype(np.float64) for who, size in sides]
    return fit_rank_one(
        watched[0], returns[0], watched[1], returns[1], prior_exposures=prior_days, upper=1.0
    )


def _indices(index: Ints, size: int, day: Ints, name: str) -> None:
    if len(index) != len(day):
        raise InputError(f"{len(index)} rows", f"argument {name}", f"{len(day)}, as day")
    if len(index) and (index.min() < 0 or index.max() >= size):
        raise InputError(
            f"values {index.min()}..{index.max()}", f"argument {name}", f"0..{size - 1}"
        )
