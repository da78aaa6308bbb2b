"""Policies on a congested evening, against the certificate of that evening."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from giftlive.allocation import Prices, certificate, train_prices
from giftlive.policies import DualPrice, Greedy, GreedyWithCap, Softmax, Uniform
from giftlive.rng import stream

BUCKET_MS = 600_000
Make = Callable[..., Any]


def yesterday(evenings: Make, **options: Any) -> Prices:
    """Prices of another evening of the same world, from its arrivals."""
    return train_prices(
        replace(evenings(101, **options).problem, label="estimated"), 0, BUCKET_MS, passes=30
    )


@pytest.mark.parametrize(("load", "lift"), [(0.5, 1.5), (1.0, 2.0)])
def test_priced_seats_earn_far_more_than_greedy_and_nobody_beats_the_bound(
    evenings: Make, played: Make, load: float, lift: float
) -> None:
    tonight, prices = evenings(1, load=load), yesterday(evenings, load=load)
    bound = certificate(tonight.problem)
    assert bound.overflow_share > 0.3
    greedy, capped, priced = (
        played(tonight, policy) for policy in (Greedy(), GreedyWithCap(), DualPrice(prices))
    )
    assert priced.value > lift * capped.value
    assert priced.value > lift * greedy.value
    assert max(greedy.value, capped.value, priced.value) < bound.bound
    assert priced.value > 0.7 * bound.bound
    assert greedy.refused > 0 == capped.refused == priced.refused


def test_without_congestion_every_greedy_rule_is_optimal(evenings: Make, played: Make) -> None:
    tonight = evenings(1, n=1500, load=0.005)
    bound = certificate(tonight.problem)
    assert bound.status == "uncongested"
    for policy in (Greedy(), GreedyWithCap(), DualPrice(None)):
        assert played(tonight, policy).value == pytest.approx(bound.bound)


def test_no_seat_is_exceeded_in_a_hundred_thousand_decisions(evenings: Make, played: Make) -> None:
    tonight, prices = evenings(2, n=25_000), yesterday(evenings, n=6000)
    policies = (
        GreedyWithCap(),
        DualPrice(prices),
        Uniform(respect_seats=True),
        Softmax(respect_seats=True),
    )
    for policy in policies:
        outcome = played(tonight, policy)
        assert outcome.refused == outcome.violations == 0


def test_a_policy_ties_exactly_with_itself(evenings: Make, played: Make) -> None:
    tonight, prices = evenings(3, n=2000), yesterday(evenings, n=2000)
    for policy in (Softmax(), DualPrice(prices)):
        one, two = played(tonight, policy), played(tonight, replace(policy, name="b"))
        assert (one.value, one.refused) == (two.value, two.refused)
        assert (one.choice == two.choice).all()


def test_noisy_estimates_cost_value_but_prices_still_pay(evenings: Make, played: Make) -> None:
    tonight, prices = evenings(4), yesterday(evenings)
    noise = np.exp(stream(0, "noise").normal(-0.5, 1.0, tonight.values.shape))
    exact, noisy = (
        played(tonight, DualPrice(prices), estimates=tonight.values * factor).value
        for factor in (np.ones_like(noise), noise)
    )
    capped = played(tonight, GreedyWithCap(), estimates=tonight.values * noise).value
    assert exact > noisy > 1.3 * capped
