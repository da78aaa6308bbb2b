"""Limits kept around any policy: what is used up is closed before the policy decides again.

A limit is a set of resources: every candidate uses some of at most one of them (a seat of its room,
a showing of this room to this user, a decision of this user, a whale's place). Within a batch the
rows before count. A policy that has limits of its own states them (``Limited``), so that whoever
replaces its answers, or asks it again in the middle of a batch, keeps them too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numba import njit

from giftlive.policies.base import Policy, reasons_of
from giftlive.types import Bools, DecisionBatch, Decisions, Floats, Ints, Texts

Ask = Callable[[DecisionBatch, Ints], Decisions]
"""Answers the last rows of a batch, given the columns [i] that stand in the rows before."""


@dataclass(frozen=True)
class Limit:
    """What the candidates of a batch may use up.

    Attributes
    ----------
    resource : [n, m] index of what each candidate uses; -1: nothing. left : [R] of each resource.
    code : reason of rows whose most valuable candidate it closes.
    amount : [n, m] each candidate uses, >= 0; None: 1.
    """

    resource: Ints
    left: Floats
    code: str
    amount: Floats | None = None

    def fits(self, rows: slice, left: Floats) -> Bools:
        """Return [n', m] which candidates of ``rows`` use nothing, or no more than is ``left``."""
        resource = self.resource[rows]
        if not len(left):
            return np.ones(resource.shape, dtype=np.bool_)
        return (resource < 0) | (self.uses(rows) <= left[resource.clip(0)])

    def uses(self, rows: slice) -> Floats:
        """Return [n', m] how much each candidate of ``rows`` uses."""
        if self.amount is None:
            return np.ones(self.resource[rows].shape)
        return np.ascontiguousarray(self.amount[rows])

    def sparing(self, rows: Bools, column: Ints | None = None) -> Limit:
        """Return the limit that ``rows`` [n] use nothing of, or only their ``column`` [n]."""
        spared = np.broadcast_to(rows[:, None], self.resource.shape)
        if column is not None:
            spared = spared & (np.arange(spared.shape[1]) == column[:, None])
        return replace(self, resource=np.where(spared, -1, self.resource))


@runtime_checkable
class Limited(Protocol):
    """A policy that keeps limits, or stands around one that does."""

    def limits(self, state: Any, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return what may be used up from this batch on, given ``state``."""


def limits_of(policy: Policy[Any], state: Any, batch: DecisionBatch) -> tuple[Limit, ...]:
    """Return the limits that ``policy`` states, none if it states none."""
    return policy.limits(state, batch) if isinstance(policy, Limited) else ()


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
        None if batch.unpriced is None else np.where(keep, batch.unpriced, 0.0),
    )


def rows_of(batch: DecisionBatch, rows: slice) -> DecisionBatch:
    """Return some rows of a batch."""
    seen = batch.observation
    parts = (getattr(seen, name)[rows] for name in seen.__slots__)
    unpriced = None if batch.unpriced is None else batch.unpriced[rows]
    return DecisionBatch(type(seen)(*parts), batch.values[rows], batch.seat_seconds[rows], unpriced)


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
    *limits: Limit,
) -> Decisions:
    """Let ``policy`` decide within ``limits`` and those it states itself; see `ask_within`."""

    def ask(rest: DecisionBatch, _: Ints) -> Decisions:
        return policy.decide(state, rest, rng)

    return ask_within(ask, batch, (*limits, *limits_of(policy, state, batch)))


def ask_within(ask: Ask, batch: DecisionBatch, limits: tuple[Limit, ...]) -> Decisions:
    """Return answers that use up no more than ``limits`` leave.

    All rows are asked without the candidates that no longer fit; the answers stand up to the first
    row of which an earlier answer has closed a candidate, and the rest is asked again without it.
    Whether an answer stands depends only on answers before it, so the propensities of those that
    stand are exact. There are at most as many askings as there are closings, and one. The seats of
    answers that stand are taken when the rest is asked again; what else a policy counts *within*
    a batch and does not state as a limit it forgets then.
    """
    if not limits:
        return ask(batch, np.zeros(0, dtype=np.int64))
    n, lefts = len(batch), [np.asarray(limit.left, dtype=np.float64).copy() for limit in limits]
    choice = np.full(n, -1, dtype=np.int64)
    chances, charges = np.zeros(batch.values.shape), np.zeros(batch.values.shape)
    reason = np.full(n, "", dtype=object)
    first, explains = 0, False
    while first < n:
        rows = slice(first, None)
        rest = rows_of(seated(batch, choice) if first else batch, rows)
        fits = [limit.fits(rows, left) for limit, left in zip(limits, lefts, strict=True)]
        opened = rest.available & np.logical_and.reduce(fits)
        answer = ask(masked(rest, opened), choice[:first])
        stands = _stand(limits, lefts, rows, opened, answer.choice)
        part = slice(first, first + stands)
        choice[part] = answer.choice[:stands]
        chances[part] = answer.propensities[:stands]
        if answer.charges is not None:
            charges[part], explains = answer.charges[:stands], True
        reason[part] = _reasons(rest, fits, answer, [limit.code for limit in limits])[:stands]
        first += stands
    return Decisions(choice, chances, charges if explains else None, reason)


def _reasons(batch: DecisionBatch, fits: list[Bools], answer: Decisions, codes: list[str]) -> Texts:
    """Return the answer's reasons; where it has none, the first limit that closed the best."""
    found = reasons_of(answer)
    values = np.where(batch.available, batch.values, -np.inf)
    best, opened = values.max(axis=1, initial=-np.inf), np.logical_and.reduce(fits)
    still = np.where(opened, values, -np.inf).max(axis=1, initial=-np.inf)
    unnamed = (found == "") & (still < best)
    for fit, code in zip(fits, codes, strict=True):
        closed = ((values == best[:, None]) & ~fit).any(axis=1)
        found[unnamed & (found == "") & closed] = code
    return found


def _stand(
    limits: tuple[Limit, ...], lefts: list[Floats], rows: slice, opened: Bools, choice: Ints
) -> int:
    """Return how many rows stand, >= 1, and take what they use from ``lefts``."""
    uses = [limit.uses(rows) for limit in limits]
    resources = [np.ascontiguousarray(limit.resource[rows]) for limit in limits]
    many = len(choice)
    for resource, amount, left in zip(resources, uses, lefts, strict=True):
        many = min(many, _stands(resource, amount, opened[:many], choice, left.copy()))
    for resource, amount, left in zip(resources, uses, lefts, strict=True):
        _stands(resource, amount, opened[:many], choice, left)
    return many


@njit(cache=True)
def _stands(resource: Ints, amount: Floats, opened: Bools, choice: Ints, left: Floats) -> int:
    """Return how many of the rows of ``opened`` stand, and take what they use from ``left``."""
    n, m = opened.shape
    for i in range(n):
        if i > 0:
            for j in range(m):
                r = resource[i, j]
                if opened[i, j] and r >= 0 and amount[i, j] > left[r]:
                    return i
        if choice[i] >= 0 and resource[i, choice[i]] >= 0:
            left[resource[i, choice[i]]] -= amount[i, choice[i]]
    return n
