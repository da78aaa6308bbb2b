"""Limits kept around any policy: what is used up is closed before the policy decides again.

A limit is a set of resources: every candidate uses one unit of one of them (a seat of its room, a
showing of this room to this user, a decision of this user). Within a batch the rows before count.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit

from giftlive.policies.base import Policy, reasons_of
from giftlive.types import Bools, DecisionBatch, Decisions, Ints, Texts


def masked(batch: DecisionBatch, keep: Bools) -> DecisionBatch:
    """Return the batch with the candidates outside ``keep`` [n, m] made padding, columns kept."""
    seen = batch.observation
    keep = keep & (seen.rooms >= 0)
    return DecisionBatch(
        replace(
            seen,
            rooms=np.where(keep, seen.rooms, -1),
            streamers=np.where(keep, seen.streamers, -1),
            seats_left=np.where(keep, seen.seats_left, 0),
        ),
        np.where(keep, batch.values, 0.0),
        np.where(keep, batch.seat_seconds, 0.0),
    )


def rows_of(batch: DecisionBatch, rows: slice) -> DecisionBatch:
    """Return some rows of a batch."""
    seen = batch.observation
    parts = (getattr(seen, name)[rows] for name in seen.__slots__)
    return DecisionBatch(type(seen)(*parts), batch.values[rows], batch.seat_seconds[rows])


def first_nan(batch: DecisionBatch) -> int:
    """Return the first row with a candidate whose value is not a number, -1 if there is none."""
    bad = (np.isnan(batch.values) & batch.available).any(axis=1)
    return int(np.argmax(bad)) if bad.any() else -1


def without(batch: DecisionBatch, gone: Bools, choice: Ints) -> DecisionBatch:
    """Return the batch without the candidates of rows ``gone`` [n] and the seats of ``choice``."""
    if not gone.any():
        return batch
    return masked(seated(batch, choice), np.broadcast_to(~gone[:, None], batch.values.shape))


def seated(batch: DecisionBatch, choice: Ints) -> DecisionBatch:
    """Return the batch with the seats of ``choice`` [n] taken; -1 takes none."""
    seen, rows = batch.observation, np.flatnonzero(choice >= 0)
    taken = seen.rooms[rows, choice[rows]]
    used = np.bincount(taken, minlength=int(seen.rooms.max(initial=0)) + 1)
    left = np.where(seen.rooms >= 0, np.maximum(seen.seats_left - used[seen.rooms], 0), 0)
    return replace(batch, observation=replace(seen, seats_left=left))


def decide_within(
    policy: Policy[Any],
    state: Any,
    batch: DecisionBatch,
    rng: np.random.Generator,
    resource: Ints,
    left: Ints,
    code: str,
) -> Decisions:
    """Let ``policy`` decide among candidates whose resource is not used up.

    The policy answers all rows; its answers stand up to the first row whose candidates an earlier
    answer has used up, and the rest is asked again without those. Whether an answer stands depends
    only on answers before it, so the propensities of those that stand are exact. There are at
    most as many askings as resources used up, and one. The seats of answers that stand are taken
    when the rest is asked again; what else a policy counts *within* a batch it forgets then.

    Parameters
    ----------
    resource : [n, m] index of what each candidate uses, any where there is none.
    left : [R] units left. code : reason of rows whose most valuable candidate was closed.
    """
    n, left = len(batch), left.copy()
    choice = np.full(n, -1, dtype=np.int64)
    chances, charges = np.zeros(batch.values.shape), np.zeros(batch.values.shape)
    reason = np.full(n, "", dtype=object)
    first, explains = 0, False
    while first < n:
        rows = slice(first, None)
        rest = rows_of(seated(batch, choice) if first else batch, rows)
        opened = rest.available & (left[np.where(rest.available, resource[rows], 0)] > 0)
        answer = policy.decide(state, masked(rest, opened), rng)
        stands = _stands(resource[rows], opened, answer.choice, left)
        part = slice(first, first + stands)
        choice[part] = answer.choice[:stands]
        chances[part] = answer.propensities[:stands]
        if answer.charges is not None:
            charges[part], explains = answer.charges[:stands], True
        reason[part] = _reasons(rest, opened, answer, code)[:stands]
        first += stands
    return Decisions(choice, chances, charges if explains else None, reason)


def _reasons(batch: DecisionBatch, opened: Bools, answer: Decisions, code: str) -> Texts:
    found = reasons_of(answer)
    best = np.where(batch.available, batch.values, -np.inf).max(axis=1, initial=-np.inf)
    still = np.where(opened, batch.values, -np.inf).max(axis=1, initial=-np.inf)
    found[(found == "") & (still < best)] = code
    return found


@njit(cache=True)
def _stands(resource: Ints, opened: Bools, choice: Ints, left: Ints) -> int:
    """Return how many rows stand, >= 1, and take what they use from ``left``."""
    n, m = resource.shape
    for i in range(n):
        if i > 0:
            for j in range(m):
                if opened[i, j] and left[resource[i, j]] <= 0:
                    return i
        if choice[i] >= 0:
            left[resource[i, choice[i]]] -= 1
    return n
