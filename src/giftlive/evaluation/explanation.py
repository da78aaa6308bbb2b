"""Why a room was shown: what the policy took off its value, and a short code for the reason."""

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
        """Return the book of ``policy``, whose opening ``state`` holds its first prices.

        Wrappers are looked into: their policy and their state's ``inner`` or ``rest``.
        """
        while not isinstance(policy, DualPrice):
            inside = getattr(policy, "policy", None) or getattr(policy, "rest", None)
            if inside is None:
                return PriceBook(None, False)
            policy, state = inside, getattr(state, "inner", getattr(state, "rest", state))
        return PriceBook(version_of(state.per_second), policy.learning_rate > 0.0)

    def version(self, heard: int) -> str | None:
        """Return the version in force after ``heard`` feedbacks: opening prices and sequence."""
        if self.opening is None:
            return None
        return f"{self.opening}.{heard if self.learns else 0}"


def prices_of(batch: DecisionBatch, decisions: Decisions) -> Floats:
    """Return [n, m] what was taken off each value: price of the stay less bonus; 0 without any.

    The policy's score is value less this; 0 at padding.
    """
    return np.zeros(batch.values.shape) if decisions.charges is None else decisions.charges


def reasons(batch: DecisionBatch, decisions: Decisions, prices: Floats) -> Any:
    """Return [n] short codes: how each choice follows from propensities, values, prices, seats.

    ``random``: drawn, its propensity is below 1. Else ``greedy``: no candidate has a larger
    value; ``price``: none has a larger value net of price (or, where nothing is shown, all of
    those are negative); ``seat``: better ones had no free seat; ``no_candidate``. Where the policy
    names a rule of its own that fired, the code is that.
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
    found = np.select(conditions, codes, default=SEAT).astype(object)
    if decisions.reason is not None:
        named = ~conditions[0] & (decisions.reason != "")
        found[named] = decisions.reason[named]
    return found
