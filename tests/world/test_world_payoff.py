"""Other payoffs of the same draws: counts and capped amounts, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from giftlive.errors import UsageError
from giftlive.types import Floats
from giftlive.world import World, build_world, load_scenario, potential_arrivals
from giftlive.world.payoff import with_payoff
from giftlive.world.truth import respond, true_value


def values(world: World, payoff: Floats | None = None) -> Floats:
    seen = potential_arrivals(world, 1)
    paying = world if payoff is None else with_payoff(world, payoff)
    return true_value(paying, seen.user[:, None], seen.rooms, seen.ts[:, None])


def test_the_amount_as_its_own_payoff_changes_no_bit(evening: World) -> None:
    assert_array_equal(values(evening, evening.scene.law.prices), values(evening))


def test_payoffs_scale_and_are_ordered(evening: World) -> None:
    prices, full = evening.scene.law.prices, values(evening)
    assert_allclose(values(evening, 3.0 * prices), 3.0 * full, rtol=1e-9)
    capped = values(evening, np.minimum(prices, 50.0))
    count = values(evening, np.ones(len(prices)))
    assert np.all(capped <= full * (1 + 1e-9))
    assert np.all(count <= capped * (1 + 1e-9))  # no price lies below 1
    assert np.all(capped <= 50.0 * count * (1 + 1e-9))
    assert capped.sum() < 0.9 * full.sum()


def test_a_cap_above_every_price_caps_nothing(evening: World) -> None:
    prices = evening.scene.law.prices
    assert_array_equal(values(evening, np.minimum(prices, prices[-1])), values(evening))


@pytest.mark.parametrize("cap", [None, 20.0])
def test_draws_have_the_payoff_as_their_mean(evening: World, cap: float | None) -> None:
    """A z-test of 400,000 draws against the mean of the exact expectations."""
    seen, prices = potential_arrivals(evening, 1), evening.scene.law.prices
    row = np.tile(np.arange(len(seen)), 400_000 // len(seen))
    user, room, ts = seen.user[row], seen.rooms[row, 0], seen.ts[row]
    amount = respond(evening, user, room, ts, 11).amount
    payoff = np.ones(len(prices)) if cap is None else np.minimum(prices, cap)
    expected = true_value(with_payoff(evening, payoff), user, room, ts)
    drawn = (amount > 0).astype(float) if cap is None else np.minimum(amount, cap)
    error = drawn - expected
    assert abs(error.mean()) / (error.std() / np.sqrt(len(row))) < 4.0
    assert drawn.mean() > 0


def test_draws_do_not_change(evening: World) -> None:
    seen = potential_arrivals(evening, 1)
    counting = with_payoff(evening, np.ones(len(evening.scene.law.prices)))
    one = respond(evening, seen.user, seen.rooms[:, 0], seen.ts, 4)
    other = respond(counting, seen.user, seen.rooms[:, 0], seen.ts, 4)
    assert_array_equal(one.amount, other.amount)


def test_a_payoff_needs_a_price_each(evening: World) -> None:
    count = len(evening.scene.law.prices)
    with pytest.raises(UsageError, match=f"payoffs for {count} prices"):
        with_payoff(evening, np.ones(3))
    continuous = build_world(load_scenario("v1", "tiny"), 1)
    with pytest.raises(UsageError, match="payoffs for 0 prices"):
        with_payoff(continuous, np.ones(0))
