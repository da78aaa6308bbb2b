"""Each policy check fails on a policy that breaks just this promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from giftlive.policies import DualPrice, Greedy, Policy, PriceState, Softmax, Uniform
from giftlive.policies.choice import choose_best
from giftlive.testing import ANONYMOUS_CHECKS, POLICY_CHECKS, SEAT_CHECKS, check_policy
from giftlive.testing import policies as promise
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints

Spoil = Callable[[DecisionBatch, Decisions], Decisions]


@dataclass(frozen=True)
class Spoiled:
    """A good policy whose answer is spoiled on its way out."""

    spoil: Spoil
    inner: Policy[Any] = field(default_factory=Uniform)
    name: str = "spoiled"

    def init(self, seats: Ints, /) -> Any:
        return self.inner.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        return self.spoil(batch, self.inner.decide(state, batch, rng))

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        return self.inner.update(state, feedback)


def one_hot(batch: DecisionBatch, choice: Ints) -> Decisions:
    chances = np.zeros(batch.values.shape)
    shown = np.flatnonzero(choice >= 0)
    chances[shown, choice[shown]] = 1.0
    return Decisions(choice, chances)


def first_column(batch: DecisionBatch, _: Decisions) -> Decisions:
    there = batch.available
    return one_hot(batch, np.where(there.any(axis=1), there.argmax(axis=1), -1))


def padding(batch: DecisionBatch, decisions: Decisions) -> Decisions:
    absent = ~batch.available
    some = absent.any(axis=1) & batch.available.any(axis=1)
    return one_hot(batch, np.where(some, absent.argmax(axis=1), decisions.choice))


def lowest_room(batch: DecisionBatch, _: Decisions) -> Decisions:
    return choose_best(batch, -batch.observation.rooms.astype(np.float64), guard=False)


def overwrite(batch: DecisionBatch, decisions: Decisions) -> Decisions:
    batch.values[:] = 0.0
    return decisions


class Absent(Spoiled):
    """Remembers how often it was asked, outside its state."""

    calls = count()

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        policy = Greedy() if next(self.calls) % 3 else Uniform()
        return policy.decide(self.inner.init(batch.observation.ts), batch, rng)


class InPlace(Spoiled):
    """Learns prices by writing into the state it was given."""

    def update(self, state: PriceState, feedback: Feedback, /) -> PriceState:
        state.factor[:] *= 2.0
        return state


def keep(batch: DecisionBatch, decisions: Decisions) -> Decisions:
    return decisions


def half(batch: DecisionBatch, decisions: Decisions) -> Decisions:
    return replace(decisions, propensities=decisions.propensities / 2.0)


def unlikely(batch: DecisionBatch, decisions: Decisions) -> Decisions:
    shown = np.flatnonzero(decisions.choice >= 0)
    elsewhere = np.zeros_like(decisions.propensities)
    elsewhere[shown, decisions.choice[shown] - 1] = 1.0
    return replace(decisions, propensities=elsewhere)


def somebody(batch: DecisionBatch, decisions: Decisions) -> Decisions:
    return replace(decisions, choice=np.maximum(decisions.choice, 0))


def best_but_says_uniform(batch: DecisionBatch, decisions: Decisions) -> Decisions:
    best = choose_best(batch, batch.values, guard=False)
    return replace(decisions, choice=best.choice)


temperatures = count(1)

PLANTED: tuple[tuple[promise.PolicyCheck, promise.PolicyFactory, str], ...] = (
    (promise.propensities_are_probabilities, lambda: Spoiled(half), "sum to 0.5"),
    (promise.propensities_are_probabilities, lambda: Spoiled(unlikely), "propensity is 0"),
    (promise.padding_is_never_chosen, lambda: Spoiled(padding), "padding"),
    (promise.empty_batches_are_answered, lambda: Spoiled(somebody), r"answered \[0\]"),
    (
        promise.frequencies_match_propensities,
        lambda: Spoiled(best_but_says_uniform),
        "more than its propensities say",
    ),
    (promise.equal_randomness_gives_equal_decisions, lambda: Absent(keep), "two different answers"),
    (promise.arguments_are_left_alone, lambda: Spoiled(overwrite), "the batch in place"),
    (promise.arguments_are_left_alone, lambda: InPlace(keep, DualPrice()), "the old state"),
    (
        promise.identical_policies_tie,
        lambda: Softmax(temperature=next(temperatures)),
        "did not tie",
    ),
    (promise.columns_have_no_order, lambda: Spoiled(first_column), "in another order"),
    (promise.rooms_have_no_names, lambda: Spoiled(lowest_room), "renumbering"),
    (promise.seats_are_never_exceeded, Greedy, "free seats was shown"),
)


@pytest.mark.parametrize(("check", "factory", "says"), PLANTED)
def test_a_broken_policy_is_caught(
    check: promise.PolicyCheck, factory: promise.PolicyFactory, says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        check(factory)
    with pytest.raises(AssertionError):
        check_policy(factory, guarded=True)


def test_every_policy_check_has_a_policy_that_breaks_it() -> None:
    every = {*POLICY_CHECKS, *ANONYMOUS_CHECKS, *SEAT_CHECKS}
    assert {check for check, _, _ in PLANTED} == every
