"""What every policy promises (the contract is ``policies.base.Policy``)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np

from giftlive.policies.base import Policy
from giftlive.rng import stream
from giftlive.testing.batches import ROOMS, feedback_to, make_batch, seats_of_rooms
from giftlive.testing.promise import identical, require, strays
from giftlive.types import DecisionBatch, Decisions

PolicyFactory = Callable[[], Policy[Any]]
PolicyCheck = Callable[[PolicyFactory], None]

BATCHES = 25
DRAWS = 3_000


def check_policy(factory: PolicyFactory, *, guarded: bool = False, anonymous: bool = True) -> None:
    """Raise AssertionError at the first promise that the policies of ``factory`` break.

    Parameters
    ----------
    factory : makes equal policies, one per call; a policy class is one.
    guarded : whether the policy promises never to show a room without a free seat.
    anonymous : False for a policy configured room by room (it must know ``ROOMS`` rooms).

    Examples
    --------
    >>> from giftlive.policies import GreedyWithCap
    >>> check_policy(GreedyWithCap, guarded=True)
    """
    for check in POLICY_CHECKS:
        check(factory)
    for check in ANONYMOUS_CHECKS if anonymous else ():
        check(factory)
    for check in SEAT_CHECKS if guarded else ():
        check(factory)


def propensities_are_probabilities(factory: PolicyFactory) -> None:
    """Require propensities >= 0 that sum to 1 where a room is shown and to 0 where none is."""
    for seed in range(BATCHES):
        batch, decisions = _first(factory, seed)
        choice, chances = decisions.choice, decisions.propensities
        n, m = batch.values.shape
        require(
            choice.shape == (n,) and chances.shape == (n, m),
            f"choice {choice.shape} and propensities {chances.shape} answer a batch ({n}, {m})",
        )
        require(
            ((choice >= -1) & (choice < m)).all(),
            f"choices {choice.tolist()} are not all columns 0 … {m - 1}, or -1",
        )
        require((chances >= 0.0).all(), "a propensity is negative or not a number")
        off = np.abs(chances.sum(axis=1) - (choice >= 0))
        row = int(off.argmax())
        require(
            off[row] <= 1e-9,
            f"row {row} chose {choice[row]} and its propensities sum to {chances[row].sum():.9g}:"
            " they must sum to 1, or to 0 where nothing is shown",
        )
        rows = np.flatnonzero(choice >= 0)
        require(
            (chances[rows, choice[rows]] > 0.0).all(),
            "a column was chosen whose propensity is 0",
        )


def padding_is_never_chosen(factory: PolicyFactory) -> None:
    """Require that a column without a room is neither chosen nor given a propensity."""
    for seed in range(BATCHES):
        batch, decisions = _first(factory, seed)
        rows = np.flatnonzero(decisions.choice >= 0)
        rooms = batch.observation.rooms[rows, decisions.choice[rows]]
        bad = rows[rooms < 0]
        require(not len(bad), f"row {bad[:1]} chose padding (rooms = -1)")
        given = decisions.propensities[~batch.available]
        require(not given.any(), f"padding has propensity {given.max(initial=0.0):g}, not 0")


def empty_batches_are_answered(factory: PolicyFactory) -> None:
    """Require no decisions for no rows, and nothing shown to a user without candidates."""
    policy = factory()
    state = policy.init(seats_of_rooms())
    for rows in (0, 1):
        batch = _rows(make_batch(0), np.arange(rows))
        decisions = policy.decide(state, batch, stream(0, "conformance"))
        require(
            decisions.choice.tolist() == [-1] * rows
            and decisions.propensities.shape == batch.values.shape,
            f"{rows} rows without candidates were answered {decisions.choice.tolist()}",
        )


def frequencies_match_propensities(factory: PolicyFactory) -> None:
    """Require that columns are chosen as often as the propensities say.

    A propensity is the probability given the decisions before it in the batch, so the counts less
    the propensities are a martingale, and Freedman's (1975) inequality bounds them exactly.
    """
    policy, batch, rng = factory(), make_batch(3), stream(0, "conformance")
    state = policy.init(seats_of_rooms())
    excess, variance = np.zeros(batch.values.shape), np.zeros(batch.values.shape)
    rows = np.arange(len(batch))
    for _ in range(DRAWS):
        decisions = policy.decide(state, batch, rng)
        shown = decisions.choice >= 0
        excess -= decisions.propensities
        excess[rows[shown], decisions.choice[shown]] += 1.0
        variance += decisions.propensities * (1.0 - decisions.propensities)
    bound = strays(variance.clip(0.0))
    row, column = np.unravel_index(np.argmax(np.abs(excess) - bound), excess.shape)
    require(
        (np.abs(excess) <= bound).all(),
        f"row {row}, column {column} was chosen {excess[row, column]:+.0f} times more than its"
        f" propensities say in {DRAWS} draws; chance explains {bound[row, column]:.0f}",
    )


def equal_randomness_gives_equal_decisions(factory: PolicyFactory) -> None:
    """Require that decisions depend on state, batch and generator only, not on earlier calls."""
    policy = factory()
    state = policy.init(seats_of_rooms())
    for seed in range(BATCHES):
        first = policy.decide(state, make_batch(seed), stream(seed, "conformance"))
        policy.decide(state, make_batch(seed + 1), stream(seed + 1, "conformance"))
        again = policy.decide(state, make_batch(seed), stream(seed, "conformance"))
        require(
            identical(first, again),
            "the same state, batch and generator gave two different answers",
        )


def arguments_are_left_alone(factory: PolicyFactory) -> None:
    """Require that ``decide`` and ``update`` change no state, batch or feedback in place."""
    policy = factory()
    state = policy.init(seats_of_rooms())
    for tick in range(BATCHES):
        batch = make_batch(1, tick=tick)
        before = deepcopy((state, batch))
        decisions = policy.decide(state, batch, stream(tick, "conformance"))
        require(identical(before[0], state), "decide changed the state in place")
        require(identical(before[1], batch), "decide changed the batch in place")
        feedback = feedback_to(batch, decisions)
        heard = deepcopy(feedback)
        following = policy.update(state, feedback)
        require(identical(before[0], state), "update changed the old state in place")
        require(identical(heard, feedback), "update changed the feedback in place")
        state = following


def identical_policies_tie(factory: PolicyFactory) -> None:
    """Require that two policies of one factory decide and learn alike: an exact A/A test."""
    one, two = _evening(factory()), _evening(factory())
    require(identical(one, two), "two identical policies did not tie on the same evening")


def columns_have_no_order(factory: PolicyFactory) -> None:
    """Require that a room's propensity does not depend on the column in which it is offered."""
    policy = factory()
    state = policy.init(seats_of_rooms())
    for seed in range(BATCHES):
        batch = _rows(make_batch(seed), np.array([1]))
        order = stream(seed, "columns").permutation(batch.values.shape[1])
        seen = batch.observation
        moved = DecisionBatch(
            replace(
                seen,
                rooms=seen.rooms[:, order],
                streamers=seen.streamers[:, order],
                seats_left=seen.seats_left[:, order],
            ),
            batch.values[:, order],
            batch.seat_seconds[:, order],
        )
        one = policy.decide(state, batch, stream(seed, "conformance")).propensities
        two = policy.decide(state, moved, stream(seed, "conformance")).propensities
        require(
            np.allclose(one[:, order], two, rtol=1e-9, atol=1e-12),
            f"the same candidates in another order got propensities {two.ravel().round(6)}"
            f" instead of {one[:, order].ravel().round(6)}",
        )


def rooms_have_no_names(factory: PolicyFactory) -> None:
    """Require that renumbering the rooms changes no decision where values do not tie."""
    policy = factory()
    new = stream(0, "names").permutation(ROOMS)
    renamed_seats = np.empty_like(seats_of_rooms())
    renamed_seats[new] = seats_of_rooms()
    for seed in range(BATCHES):
        batch = make_batch(seed)
        rooms = np.where(batch.available, new[batch.observation.rooms], -1)
        renamed = replace(batch.observation, rooms=rooms, streamers=rooms)
        states = policy.init(seats_of_rooms()), policy.init(renamed_seats)
        one = policy.decide(states[0], batch, stream(seed, "conformance"))
        two = policy.decide(
            states[1], replace(batch, observation=renamed), stream(seed, "conformance")
        )
        require(identical(one, two), "renumbering the rooms changed a decision")


def seats_are_never_exceeded(factory: PolicyFactory) -> None:
    """Require that no batch shows a room more often than it had free seats."""
    policy = factory()
    state = policy.init(seats_of_rooms())
    for tick in range(4 * BATCHES):
        batch = make_batch(2, rows=1 + tick % 20, tick=tick)
        decisions = policy.decide(state, batch, stream(tick, "conformance"))
        rows = np.flatnonzero(decisions.choice >= 0)
        rooms = batch.observation.rooms[rows, decisions.choice[rows]]
        left = batch.observation.seats_left[rows, decisions.choice[rows]]
        shown = np.bincount(rooms, minlength=ROOMS)[rooms]
        worst = int(np.argmax(shown - left)) if len(rows) else 0
        require(
            (shown <= left).all(),
            f"a room with {left[worst : worst + 1]} free seats was shown"
            f" {shown[worst : worst + 1]} times in one batch",
        )
        state = policy.update(state, feedback_to(batch, decisions))


POLICY_CHECKS: tuple[PolicyCheck, ...] = (
    propensities_are_probabilities,
    padding_is_never_chosen,
    empty_batches_are_answered,
    frequencies_match_propensities,
    equal_randomness_gives_equal_decisions,
    arguments_are_left_alone,
    identical_policies_tie,
    columns_have_no_order,
)
"""What every policy promises."""

ANONYMOUS_CHECKS: tuple[PolicyCheck, ...] = (rooms_have_no_names,)
"""What a policy promises that is not configured room by room."""

SEAT_CHECKS: tuple[PolicyCheck, ...] = (seats_are_never_exceeded,)
"""What a policy promises that looks at the seats."""


def _first(factory: PolicyFactory, seed: int) -> tuple[DecisionBatch, Decisions]:
    policy, batch = factory(), make_batch(seed)
    state = policy.init(seats_of_rooms())
    return batch, policy.decide(state, batch, stream(seed, "conformance"))


def _evening(policy: Policy[Any]) -> list[Any]:
    """Return the decisions and states of ``BATCHES`` batches with feedback."""
    state, rng = policy.init(seats_of_rooms()), stream(0, "conformance")
    story: list[Any] = []
    for tick in range(BATCHES):
        batch = make_batch(0, tick=tick)
        decisions = policy.decide(state, batch, rng)
        state = policy.update(state, feedback_to(batch, decisions))
        story += [decisions, deepcopy(state)]
    return story


def _rows(batch: DecisionBatch, rows: Any) -> DecisionBatch:
    seen = batch.observation
    columns = (getattr(seen, name)[rows] for name in seen.__slots__)
    return DecisionBatch(type(seen)(*columns), batch.values[rows], batch.seat_seconds[rows])
