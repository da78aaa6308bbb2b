"""Why a room was shown: what its seat costs the policy, and a short code for the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.evaluation.version import version_of
from giftlive.policies import DualPrice
from giftlive.types import DecisionBatch, Decisions, Floats

GREEDY, PRICE, RANDOM, SEAT, NO_CANDIDATE = "greedy", "price", "random", "seat", "no_candidate"
"""Largest value; largest value net of price, or all of them negative; drawn; what would have been
better had no free seat; nobody was live."""


@dataclass(frozen=True)
class PriceBook:
    """How a policy's prices are named in a log.

    Attributes
    ----------
    opening : version of the prices before the first decision; None: the policy has none.
    learns : whether every feedback moves them.
    """

    opening: str | None
    learns: bool

    @staticmethod
    def of(policy: Any, state: Any) -> PriceBook:
        """Return the book of ``policy``, whose opening ``state`` holds its first prices."""
        if not isinstance(policy, DualPrice):
            return PriceBook(None, False)
        return PriceBook(version_of(state.per_second), policy.learning_rate > 0.0)

    def version(self, heard: int) -> str | None:
        """Return the version in force after ``heard`` feedbacks: opening prices and sequence."""
        if self.opening is None:
            return None
        return f"{self.opening}.{heard if self.learns else 0}"

    def stay_prices(self, policy: Any, state: Any, batch: DecisionBatch) -> Floats:
        """Return [n, m] what the expected stay costs: price of a seat-second times seat seconds.

        The policy's score is value less this, to the bit; 0 at padding and without prices.
        """
        costs = np.zeros(batch.values.shape)
        if self.opening is None:
            return costs
        seen, there = batch.observation, batch.available
        when = np.zeros_like(seen.ts) if policy.prices is None else policy.prices.bucket(seen.ts)
        row, column = np.nonzero(there)
        room = seen.rooms[row, column]
        price = state.per_second[room, when[row]] * state.factor[room]
        costs[row, column] = price * batch.seat_seconds[row, column]
        return costs


def reasons(batch: DecisionBatch, decisions: Decisions, prices: Floats) -> Any:
    """Return [n] short codes: how each choice follows from propensities, values, prices, seats.

    ``random``: drawn, its propensity is below 1. Else ``greedy``: no candidate has a larger
    value; ``price``: none has a larger value net of price (or, where nothing is shown, all of
    those are negative); ``seat``: better ones had no free seat; ``no_candidate``.
    """
    rows, there = np.arange(len(batch)), batch.available
    shown, column = decisions.choice >= 0, decisions.choice.clip(0)
    net = batch.values - prices
    best_net = np.where(there, net, -np.inf).max(axis=1, initial=-np.inf)
    by_value = np.where(there, batch.values, -np.inf).max(axis=1, initial=-np.inf)
    conditions = [
        ~there.any(axis=1),
        shown & (decisions.propensities[rows, column] < 1.0),
        shown & (batch.values[rows, column] >= by_value),
        np.where(shown, net[rows, column] >= best_net, best_net < 0.0),
    ]
    codes = [NO_CANDIDATE, RANDOM, GREEDY, PRICE]
    return np.select(conditions, codes, default=SEAT).astype(object)
