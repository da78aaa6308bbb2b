"""What all policies promise beyond the public suite: currencies, names over an evening, edges."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from giftlive.errors import ConfigError, InputError
from giftlive.policies import Policy
from giftlive.rng import stream
from giftlive.testing import ROOMS, feedback_to, make_batch, seats_of_rooms
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints, Observation

TICKS = 25


def evening(policy: Policy[Any], unit: float = 1.0, names: Ints | None = None) -> list[Decisions]:
    """Return the decisions of ``TICKS`` batches with feedback, rooms renamed by ``names`` [S]."""
    new = np.arange(ROOMS) if names is None else names
    seats = np.empty_like(seats_of_rooms())
    seats[new] = seats_of_rooms()
    state, rng, story = policy.init(seats), stream(0, "evening"), []
    for tick in range(TICKS):
        batch = make_batch(0, rows=8, tick=tick)
        told = replace(batch, values=batch.values * unit, observation=_renamed(batch, new))
        decisions = policy.decide(state, told, rng)
        heard = _renamed_feedback(feedback_to(batch, decisions), new)
        value = np.zeros(0) if heard.value is None else heard.value
        state = policy.update(state, replace(heard, amount=heard.amount * unit, value=value * unit))
        story.append(decisions)
    return story


def same_choices_in_any_currency(make: Any) -> None:
    """Require equal decisions when all values, amounts and settings are four times as large."""
    for one, two in zip(evening(make(1.0)), evening(make(4.0), 4.0), strict=True):
        assert one.choice.tolist() == two.choice.tolist()
        assert two.propensities == pytest.approx(one.propensities, rel=1e-6, abs=1e-9)


def same_choices_under_other_names(make: Any) -> None:
    """Require equal decisions over an evening when the rooms are renumbered."""
    new = stream(0, "names").permutation(ROOMS)
    for one, two in zip(evening(make(1.0)), evening(make(1.0), names=new), strict=True):
        assert one.choice.tolist() == two.choice.tolist()
        assert two.propensities == pytest.approx(one.propensities, rel=1e-6, abs=1e-9)


def nothing_to_choose_from(make: Any) -> None:
    """Require nothing shown when no room is live: all padding, or no columns at all."""
    policy = make(1.0)
    for width in (0, 5):
        listed = np.full((3, width), -1, dtype=np.int64)
        batch = _batch(listed, np.zeros((3, width)), listed * 0)
        state = policy.init(seats_of_rooms())
        decisions = policy.decide(state, batch, stream(0, "edge"))
        assert decisions.choice.tolist() == [-1] * 3
        assert decisions.propensities.shape == (3, width)
        assert not decisions.propensities.any()
        policy.update(state, feedback_to(make_batch(0), _nothing(make_batch(0))))


def no_seat_anywhere(make: Any, guarded: bool) -> None:
    """Require nothing shown by who looks at seats, and a room by who does not."""
    policy, batch = make(1.0), make_batch(4, rows=8)
    seen = replace(batch.observation, seats_left=np.zeros(batch.values.shape, dtype=np.int64))
    decisions = policy.decide(
        policy.init(np.zeros(ROOMS, dtype=np.int64)), replace(batch, observation=seen),
        stream(0, "edge"),
    )  # fmt: skip
    if guarded:
        assert (decisions.choice == -1).all()
        assert not decisions.propensities.any()
    else:
        assert (decisions.choice[1:] >= 0).any()


def no_room_at_all(make: Any) -> None:
    """Require nothing shown on a platform without a single room; prices of rooms say so instead."""
    policy, none = make(1.0), np.zeros(0, dtype=np.int64)
    listed = np.full((3, 2), -1, dtype=np.int64)
    batch = _batch(listed, np.zeros((3, 2)), listed * 0)
    state = _opened(policy, none)
    if state is None:
        return
    decisions = policy.decide(state, batch, stream(0, "edge"))
    assert decisions.choice.tolist() == [-1] * 3
    assert not decisions.propensities.any()
    heard = feedback_to(batch, decisions)
    policy.update(state, replace(heard, occupancy=none, seats=none))


def a_room_nobody_told_of_is_refused_or_needs_no_memory(make: Any) -> None:
    """Require that a room beyond those of ``init`` is refused by who keeps anything per room."""
    policy, seats = make(1.0), seats_of_rooms()[:-1]
    state = _opened(policy, seats)
    if state is None:
        return
    listed = np.tile(np.array([[0, ROOMS - 1]]), (3, 1))
    batch = _batch(listed, np.ones((3, 2)), listed * 0 + 9)
    if _by_room(state, len(seats)):
        with pytest.raises(InputError, match=f"room {ROOMS - 1}, {len(seats)} rooms"):
            policy.decide(state, batch, stream(0, "edge"))
    else:
        assert (policy.decide(state, batch, stream(0, "edge")).choice >= 0).any()


def numbers_at_padding_are_not_read(make: Any) -> None:
    """Require the same answer, charges included, whatever stands where there is no candidate."""
    policy, batch = make(1.0), make_batch(2)
    other = replace(batch, values=np.where(batch.available, batch.values, np.nan))
    one, two = (
        policy.decide(policy.init(seats_of_rooms()), b, stream(0, "edge")) for b in (batch, other)
    )
    assert one.choice.tolist() == two.choice.tolist()
    assert np.array_equal(one.propensities, two.propensities)
    if one.charges is not None and two.charges is not None:
        assert np.array_equal(one.charges, two.charges)


def a_value_that_is_no_number_is_refused(make: Any) -> None:
    """Require an error, not a choice, where a candidate's value is NaN."""
    policy, batch = make(1.0), make_batch(1)
    bad = replace(batch, values=np.where(batch.available, np.nan, 0.0))
    with pytest.raises(InputError, match="number"):
        policy.decide(policy.init(seats_of_rooms()), bad, stream(0, "edge"))


def charges_explain_the_score(make: Any) -> None:
    """Require what a log needs: finite charges, 0 at padding, a text for every row."""
    for tick, decisions in enumerate(evening(make(1.0))):
        batch = make_batch(0, rows=8, tick=tick)
        if decisions.charges is not None:
            assert decisions.charges.shape == batch.values.shape
            assert np.isfinite(decisions.charges).all()
            assert not decisions.charges[~batch.available].any()
        if decisions.reason is not None:
            assert decisions.reason.shape == (len(batch),)
            assert all(isinstance(code, str) for code in decisions.reason)


def _opened(policy: Policy[Any], seats: Ints) -> Any:
    """Return the opening state; None where prices of other rooms are refused."""
    try:
        return policy.init(seats)
    except ConfigError:
        return None


def _by_room(state: Any, rooms: int) -> bool:
    """Return whether a state, or the state of a policy inside it, holds an entry per room."""
    if isinstance(state, np.ndarray):
        return state.ndim > 0 and len(state) == rooms
    if dataclasses.is_dataclass(state):
        return any(_by_room(getattr(state, f.name), rooms) for f in dataclasses.fields(state))
    return False


def _renamed(batch: DecisionBatch, new: Ints) -> Observation:
    rooms = np.where(batch.available, new[batch.observation.rooms], -1)
    return replace(batch.observation, rooms=rooms, streamers=rooms)


def _renamed_feedback(feedback: Feedback, new: Ints) -> Feedback:
    occupancy, seats = np.empty_like(feedback.occupancy), np.empty_like(feedback.seats)
    occupancy[new], seats[new] = feedback.occupancy, feedback.seats
    room = np.where(feedback.room >= 0, new[feedback.room], -1)
    return replace(feedback, room=room, occupancy=occupancy, seats=seats)


def _nothing(batch: DecisionBatch) -> Decisions:
    return Decisions(np.full(len(batch), -1, dtype=np.int64), np.zeros(batch.values.shape))


def _batch(rooms: Ints, values: Any, left: Ints) -> DecisionBatch:
    zero = np.zeros(len(rooms), dtype=np.int64)
    seen = Observation(zero, np.arange(len(rooms)), zero, zero, rooms, rooms, left)
    return DecisionBatch(seen, values, np.ones(values.shape))
