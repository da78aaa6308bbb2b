"""What names a decision of a world, and what it takes to make it again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from giftlive.rng import bits, derive
from giftlive.types import Ints

REPLAY_KEY = ("policy", "policy_version", "price_version", "seed", "user_id", "visit", "slot")
"""Columns that determine a decision of a world, the world itself being named by the run.

``policy`` and ``policy_version`` fix the rule, ``price_version`` the prices in force, ``seed`` the
evening: its visitors, their candidates and the policy's own random stream. ``user_id``, ``visit``
and ``slot`` point at one row of that evening. State and random stream advance batch by batch, so
a decision is replayed by playing its evening from the start.
"""


def world_decision_id(seed: int, user_id: Ints, visit: Ints, slot: Ints) -> NDArray[Any]:
    """Return the names of decisions of a world: 128-bit hashes of (seed, user, visit, slot).

    Equal keys give equal names on every machine and under every policy, so that two policies'
    logs of one evening join row by row. Distinct keys collide like random 128-bit numbers: among
    n decisions with probability below n² / 2^129, that is 1.5e-21 at n = 10^9.

    Parameters
    ----------
    seed : of the evening. user_id, visit, slot : [n] as in the log's columns.

    Returns
    -------
    array of str, [n]
        32 hexadecimal digits each.

    Examples
    --------
    >>> one = np.array([7])
    >>> world_decision_id(1, one, one, one)[0]
    'd3b1dbf93dbcda70acff6d5c9754f0e5'
    """
    columns = (np.ascontiguousarray(c, dtype=np.int64) for c in (user_id, visit, slot))
    words = _hashes(derive(seed, "decision id"), *columns)
    digits = words.astype(">u8").tobytes().hex().encode()
    return np.frombuffer(digits, dtype="S32").astype("U32").astype(object)


@njit(cache=True)
def _hashes(seed: int, user: Ints, visit: Ints, slot: Ints) -> NDArray[np.uint64]:
    words = np.empty((user.size, 2), np.uint64)
    for i in range(user.size):
        for half in range(2):
            words[i, half] = bits(seed, half, user[i], visit[i], slot[i])
    return words
