"""Giving against leaving: closed forms, and worlds where one intent moves both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from giftlive.errors import UsageError
from giftlive.models.delay.discrete_hazard import DiscreteHazard
from giftlive.models.delay.follow_up import NEVER, FollowUp
from giftlive.models.delay.law import GiftLaw
from giftlive.models.delay.mean_amount import DelayedAmount
from giftlive.models.delay.survival_chance import SurvivalChance
from giftlive.rng import stream
from giftlive.types import Floats

ROWS = np.array([[0.0], [1.0]])


@dataclass(frozen=True)
class Exponential:
    rate: float

    def survival(self, X: Floats, t: Floats) -> Floats:
        return np.exp(-self.rate * np.exp(X[:, :1]) * t[None, :])


@dataclass(frozen=True)
class Worth:
    """An amount of 1 + d / 100 after d seconds."""

    def mean(self, X: Floats, delay: Floats) -> Floats:
        return np.tile(1.0 + delay / 100.0, (len(X), 1))


def test_two_exponential_laws_share_in_proportion_to_their_rates() -> None:
    law, t = GiftLaw(Exponential(0.01), Exponential(0.03)), np.array([0.0, 20.0, 500.0])
    grow = np.exp(ROWS)
    truth = 0.25 * (1.0 - np.exp(-0.04 * grow * t[None, :]))
    assert law.incidence(ROWS, t) == pytest.approx(truth, abs=2e-4)
    alone = GiftLaw(Exponential(0.01))
    assert alone.incidence(ROWS, t) == pytest.approx(1.0 - np.exp(-0.01 * grow * t), abs=1e-12)
    assert law.survival(ROWS, t) == pytest.approx(np.exp(-0.01 * grow * t), abs=1e-12)


def test_gone_with_and_without_a_gift_and_still_there_are_all() -> None:
    t = np.array([3.0, 40.0, 300.0])
    a, b = Exponential(0.02), Exponential(0.005)
    gift, left = GiftLaw(a, b).incidence(ROWS, t), GiftLaw(b, a).incidence(ROWS, t)
    assert gift + left + a.survival(ROWS, t) * b.survival(ROWS, t) == pytest.approx(1.0, abs=1e-4)


def test_amount_by_t_is_the_integral_of_chance_times_amount() -> None:
    law, t, r = GiftLaw(Exponential(0.01)), np.array([0.0, 50.0, 1_000.0]), 0.01
    # ∫₀ᵗ (1 + u/100)·r·e^(−ru) du = (1 − e^(−rt)) + (1/(100r))·(1 − (1 + rt)·e^(−rt))
    gone = np.exp(-r * t)
    truth = 1.0 - gone + (1.0 - (1.0 + r * t) * gone) / (100.0 * r)
    assert law.amount_by(ROWS[:1], t, Worth())[0] == pytest.approx(truth, abs=1e-3)


def test_times_that_are_not_seconds_are_refused() -> None:
    for t in (-1.0, np.inf, np.nan):
        with pytest.raises(UsageError, match="seconds"):
            GiftLaw(Exponential(0.01), Exponential(0.01)).incidence(ROWS, t)


HORIZON = 600.0


def viewings(seed: int, n: int, cut: bool) -> tuple[FollowUp, Floats, Floats]:
    """Viewings in which one latent intent shortens the watch and lowers the hazard of a gift.

    Returns the follow-up, the latent delay (before leaving or never) and its amount, which grows
    with the delay.
    """
    rng = stream(seed, "viewings")
    x, intent = rng.normal(size=n), rng.normal(size=n)
    leave = rng.exponential(150.0 * np.exp(-0.8 * intent))
    gift = rng.exponential(400.0 * np.exp(-0.6 * x + 1.2 * intent))
    delay = np.where((gift < leave) & (gift <= HORIZON), gift, np.inf)
    amount = np.where(np.isfinite(delay), (1.0 + np.minimum(delay, HORIZON)) ** 0.5, 0.0)
    amount = amount * rng.exponential(size=n)
    age = rng.uniform(0.0, 400.0, n) if cut else np.full(n, 1e6)
    seen = delay <= age
    follow_up = FollowUp(
        x[:, None],
        age,
        seen,
        np.where(seen, delay, np.nan),
        np.where(leave <= age, leave, NEVER),
        np.where(seen, amount, 0.0),
        HORIZON,
    )
    return follow_up, delay, amount


def test_leaving_intent_that_moves_giving_does_not_bias_the_chance_of_a_gift() -> None:
    known, delay, _ = viewings(1, 20_000, cut=True)
    model = SurvivalChance(DiscreteHazard())
    fitted = model.fit(known)
    for t in (60.0, 200.0, HORIZON):
        truth = (delay <= t).mean()
        assert fitted.incidence(known.X, t).mean() == pytest.approx(truth, rel=0.03)
    assert known.seen.mean() < 0.85 * (delay <= HORIZON).mean()  # what naive would say
    # Leaving out the competing risk takes those who left for people who may still give.
    alone = GiftLaw(fitted.law.gift).incidence(known.X, HORIZON).mean()
    assert alone > 1.3 * (delay <= HORIZON).mean()


def test_what_is_given_by_t_comes_back_where_late_gifts_are_larger() -> None:
    known, delay, amount = viewings(2, 20_000, cut=True)
    fitted = SurvivalChance(DiscreteHazard()).fit(known)
    worth = DelayedAmount().fit(known)
    for t in (60.0, 300.0, HORIZON):
        truth = float(np.where(delay <= t, amount, 0.0).mean())
        found = float(fitted.amount_by(known.X, t, worth).mean())
        assert found == pytest.approx(truth, rel=0.06)
    seen_mean = known.amount[known.seen].mean()
    assert seen_mean < 0.95 * amount[np.isfinite(delay)].mean()  # early gifts are smaller


def test_where_nobody_leaves_there_is_one_law() -> None:
    known, delay, _ = viewings(3, 5_000, cut=False)
    stay = FollowUp(
        known.X,
        known.age,
        known.seen,
        known.delay,
        np.full(len(known), NEVER),
        known.amount,
        HORIZON,
    )
    fitted = SurvivalChance(DiscreteHazard()).fit(stay)
    assert fitted.law.leaving is None
    assert fitted.probability(stay.X).mean() == pytest.approx((delay <= HORIZON).mean(), rel=0.01)
    assert fitted.survival(stay.X, HORIZON)[:, 0] == pytest.approx(1.0 - fitted.probability(stay.X))
