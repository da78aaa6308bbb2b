"""Exploration where it is nearly free: among candidates whose scores tie, within a budget."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from giftlive.errors import ConfigError
from giftlive.policies.base import Policy, reasons_of
from giftlive.policies.exploring import drawn
from giftlive.policies.greedy import Greedy
from giftlive.policies.limits import Limit, ask_within, limits_of
from giftlive.types import DecisionBatch, Decisions, Feedback, Floats, Ints

TIE = "price_tie"
"""Code of a row in which more than one candidate had a chance because their scores tie."""


@dataclass(frozen=True)
class Spent:
    """The state of the policy, and the most money that exploring may have cost so far."""

    inner: Any
    money: float


@dataclass(frozen=True)
class TieExploration:
    """Draw among the candidates whose score, value less price, ties with the policy's choice.

    Score ties within ``band`` of the choice's value. With the tied set T, the loss of a uniform
    draw from it, L = score(choice) - mean over T, is paid up to ``per_decision``: the uniform draw
    has weight w = min(1, per_decision / L), the policy's own choice the rest, so that the expected
    cost of a decision is at most ``per_decision``, in value less price. When every decision heard
    has been charged that and ``budget`` is used up, exploring ends: the evening's expected cost
    never exceeds the budget. Rooms full before the batch and scores above the choice's (which the
    policy left for a reason) are not tied, nor what the policy's limits close (``Limited``).
    ``CapacityGuard`` around it keeps seats in a batch.

    Attributes
    ----------
    policy : decides; its charges, if it has prices, make the scores. band : share of value, >= 0.
    per_decision, budget : money, >= 0.
    """

    policy: Policy[Any] = field(default_factory=Greedy)
    band: float = 0.05
    per_decision: float = 0.01
    budget: float = float("inf")
    name: str = "tie_exploration"

    def __post_init__(self) -> None:
        for option in ("band", "per_decision", "budget"):
            if not getattr(self, option) >= 0.0:
                raise ConfigError(f"{getattr(self, option)}", f"tie_exploration.{option}", ">= 0")

    def init(self, seats: Ints, /) -> Spent:
        """Return nothing spent."""
        return Spent(self.policy.init(seats), 0.0)

    def decide(self, state: Spent, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Mix the policy's choice with a uniform draw among ties, as far as the money goes."""
        lasts = self._affordable(state)

        def ask(rest: DecisionBatch, stands: Ints) -> Decisions:
            return self._answer(state, rest, rng, lasts - float((stands >= 0).sum()))

        return ask_within(ask, batch, self.limits(state, batch))

    def limits(self, state: Spent, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return the limits of the policy."""
        return limits_of(self.policy, state.inner, batch)

    def update(self, state: Spent, feedback: Feedback, /) -> Spent:
        """Charge every decision in which something was shown, while there is money."""
        shown = min(float((feedback.room >= 0).sum()), self._affordable(state))
        spent = state.money + (self.per_decision * shown if self.per_decision > 0.0 else 0.0)
        return Spent(self.policy.update(state.inner, feedback), spent)

    def _answer(
        self, state: Spent, batch: DecisionBatch, rng: np.random.Generator, lasts: float
    ) -> Decisions:
        """Return the answers to a batch in which the money ``lasts`` for so many more rows."""
        uniforms = rng.random(len(batch))
        answer = self.policy.decide(state.inner, batch, rng)
        if batch.values.shape[1] == 0:
            return answer
        mixed = self._mixed(batch, answer)
        shown = answer.choice >= 0
        explores = shown & (np.cumsum(shown) <= lasts)
        chances = np.where(explores[:, None], mixed, answer.propensities)
        reason = reasons_of(answer)
        reason[explores & ((mixed > 0.0).sum(axis=1) > 1)] = TIE
        choice = np.where(explores, drawn(mixed, uniforms), answer.choice)
        return replace(answer, choice=choice, propensities=chances, reason=reason)

    def _affordable(self, state: Spent) -> float:
        """Return for how many more decisions the money lasts."""
        if self.per_decision == 0.0:
            return np.inf
        return float(np.floor((self.budget - state.money) / self.per_decision + 1e-9))

    def _mixed(self, batch: DecisionBatch, answer: Decisions) -> Floats:
        """Return [n, m] the propensities of the mixture."""
        rows = np.arange(len(batch))
        best = answer.propensities.argmax(axis=1)
        values = np.where(batch.available, batch.values, 0.0)
        scores = values if answer.charges is None else values - answer.charges
        top = scores[rows, best][:, None]
        near = top - self.band * np.abs(values[rows, best])[:, None]
        tied = batch.available & (batch.observation.seats_left > 0)
        tied &= (scores >= near) & (scores <= top)
        tied[rows, best] = answer.choice >= 0
        share = np.where(tied, 1.0 / np.maximum(tied.sum(axis=1, keepdims=True), 1), 0.0)
        own = answer.propensities * scores
        loss = own.sum(axis=1) - (share * scores).sum(axis=1)
        costs = loss > 1e-12 * np.abs(top[:, 0])
        weight = np.where(costs, np.minimum(1.0, self.per_decision / np.where(costs, loss, 1.0)), 1)
        return (1.0 - weight[:, None]) * answer.propensities + weight[:, None] * share
