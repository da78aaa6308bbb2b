"""Shared array aliases and the records that cross the border between a world and a policy.

Shapes are written in comments as ``[n, m]``: *n* decisions of one batch, *m* candidate
columns. Users and rooms are dense indices here; public ids live in the logs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

UNLIMITED_SEATS = 1 << 40
"""Seats of a room without a hard limit."""


class Progress(Protocol):
    """Told how much of a long piece of work is done; never asks anything back."""

    def __call__(self, done: int, total: int, /) -> None:
        """Hear that ``done`` of ``total`` pieces are finished."""


def silent(done: int, total: int, /) -> None:
    """Be the progress listener that says nothing."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A batch of decisions to take, as a platform would see it: no latent quantity.

    Attributes
    ----------
    ts : [n] ms UTC. user, visit, slot : [n] dense user, its visit number, slot in the visit.
    rooms : [n, m] dense room index of each candidate, -1 where the row has fewer.
    streamers : [n, m] dense streamer index of each candidate, -1 as above.
    seats_left : [n, m] free seats when the batch was formed (``UNLIMITED_SEATS``: no limit).
    """

    ts: Ints
    user: Ints
    visit: Ints
    slot: Ints
    rooms: Ints
    streamers: Ints
    seats_left: Ints

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class DecisionBatch:
    """What a policy sees: the observation plus *estimates* of value and seat time.

    Attributes
    ----------
    values : [n, m] estimated E[gift amount | shown]; 0 at padding. Inside a wrapper with prices,
        less what it charges: what candidates are compared by.
    seat_seconds : [n, m] estimated seconds the user would hold a seat if shown the room.
    unpriced : [n, m] the values before a wrapper charged anything; None: nobody did.
    """

    observation: Observation
    values: Floats
    seat_seconds: Floats
    unpriced: Floats | None = None

    def __len__(self) -> int:
        return len(self.observation)

    @property
    def worth(self) -> Floats:
        """[n, m] the values as estimated, without charges: what is counted, and heard of later."""
        return self.values if self.unpriced is None else self.unpriced

    def priced(self, charges: Floats) -> DecisionBatch:
        """Return the batch with ``charges`` [n, m], 0 at padding, taken off its values."""
        return replace(self, values=self.values - charges, unpriced=self.worth)

    @property
    def available(self) -> Bools:
        """[n, m] True where there is a candidate."""
        return self.observation.rooms >= 0


@dataclass(frozen=True, slots=True)
class Decisions:
    """The answer to a batch.

    Attributes
    ----------
    choice : [n] column chosen in ``rooms``; -1 = nothing shown.
    propensities : [n, m] probability with which each column was chosen, rows sum to 1
        (to 0 where nothing could be shown).
    charges : [n, m] what the policy took off each value before it compared them, in money: a price
        is positive, a bonus negative, 0 at padding. None: it compared the values themselves.
    reason : [n] code of the rule that decided each row, "" where none but the score did; None: the
        policy has no rules.
    """

    choice: Ints
    propensities: Floats
    charges: Floats | None = None
    reason: Texts | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the platform learns right after a batch; the policy's ``update`` receives it.

    Attributes
    ----------
    ts : ms UTC at which the batch ended. user, room : [n] as decided (-1 = nothing shown).
    admitted, clicked : [n]. amount : [n] gifts of the viewing (known once it ended).
    occupancy, seats : [S] per dense room, after the batch.
    reward_ts : [n] ms UTC at which each amount is final, the end of the viewing; None: they all
        are by ``ts``. A policy that learns must not look at an amount before.
    value : [n] what the policy thought the shown room was worth, 0 where nothing was shown; who
        plays the policy fills it in (``policies.hear``), a world does not know it.
    """

    ts: int
    user: Ints
    room: Ints
    admitted: Bools
    clicked: Bools
    amount: Floats
    occupancy: Ints
    seats: Ints
    reward_ts: Ints | None = None
    value: Floats | None = None


class Decide(Protocol):
    """Anything that can answer a batch of a world: a policy, or the platform's own ranking."""

    def __call__(self, observation: Observation, /) -> Decisions:
        """Choose one candidate for every row of the batch."""


@dataclass(frozen=True)
class Message:
    """A sentence by key and parameters, so that a report can be printed in any language.

    Examples
    --------
    >>> Message("skipped.no_clicks", {"step": "labels"}).key
    'skipped.no_clicks'
    """

    key: str
    params: dict[str, Any]
