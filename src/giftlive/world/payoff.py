"""The same world, valued by something else than the amount: a count of gifts, a capped amount."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from giftlive.errors import UsageError
from giftlive.types import Floats
from giftlive.world.entities import World
from giftlive.world.value_table import LEFT_STEP, price_probabilities, reach_probabilities


def with_payoff(world: World, payoff: Floats) -> World:
    """Return ``world`` with every price worth ``payoff`` instead of itself, in expectations only.

    ``true_value`` of the result is the exact E[payoff(price) 1{gift happens} | shown]; draws are
    unchanged. The table's grid is that of the original, and so is its error.

    Parameters
    ----------
    payoff : [prices] >= 0, in the order of the law's prices: ones count gifts,
        ``np.minimum(prices, c)`` caps them.

    Raises
    ------
    UsageError
        The world has continuous amounts, or the lengths differ.
    """
    law = world.scene.law
    if not law.prices.size or payoff.shape != law.prices.shape:
        raise UsageError(
            f"{payoff.shape} payoffs for {law.prices.size} prices",
            "payoff",
            "one number per price of a world with price atoms",
        )
    _, _, rows, columns = law.table.log_value.shape
    mu = law.table.mu_low + law.table.mu_step * np.arange(columns)
    chance = price_probabilities(mu, law.edges, law.amount_sigma)
    reached = reach_probabilities(world.scenario, law.prices, rows, law.table.pace)
    value = np.log(np.maximum((reached * payoff) @ chance.T, 1e-300))
    table = law.table._replace(
        log_value=np.ascontiguousarray(value), worth=np.asarray(payoff, dtype=np.float64)
    )
    assert math.isclose(law.table.left_step, LEFT_STEP)
    return replace(world, scene=world.scene._replace(law=law._replace(table=table)))
