"""Viewings in which a gift is sent before the user leaves, or not at all.

    gift at rate   g(x, u) = g₀·exp(0.6·x₁ + 0.4·x₂ − a·u)
    leaving at     l(x, u) = l₀·exp(−0.2·x₂ + 0.8·u)

One latent intent u ~ N(0, 1) moves both: those who mean to leave soon also give less (a > 0). A
viewing ends with leaving; a gift after it does not happen, and none counts after the horizon. The
true chance of a gift, P(gift before leaving, within H | x), is the integral over u of
g/(g + l)·(1 − e^{−(g + l)·H}).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.clock import MS_PER_SECOND
from giftlive.evaluation.delay.planted import Planted
from giftlive.models.delay.follow_up import NEVER, History
from giftlive.rng import stream
from giftlive.types import Floats

HOUR = 3_600.0
_NODES = 61


@dataclass(frozen=True)
class ViewingPlan:
    """Size and law of a planted log of viewings.

    Attributes
    ----------
    rows, users, hours : of the log. gift_after, leave_after : mean seconds at average features.
    shared_intent : a; 0: leaving says nothing about giving. horizon : seconds.
    """

    rows: int = 30_000
    users: int = 3_000
    hours: float = 1.0
    gift_after: float = 2_000.0
    leave_after: float = 300.0
    shared_intent: float = 1.0
    horizon: float = HOUR


def viewings(plan: ViewingPlan, seed: int) -> Planted:
    """Draw a log whose labels are late because the viewings are not over."""
    rng = stream(seed, "planted viewings")
    ts = np.sort(rng.integers(0, int(plan.hours * HOUR * MS_PER_SECOND), plan.rows))
    user = rng.integers(0, plan.users, plan.rows)
    X = np.column_stack([rng.normal(size=plan.users)[user], rng.normal(size=plan.rows)])
    gift_rate, leave_rate = _rates(plan, X, rng.normal(size=plan.rows))
    gift, leave = rng.exponential(1.0 / gift_rate), rng.exponential(1.0 / leave_rate)
    given = (gift < leave) & (gift <= plan.horizon)
    delay = np.where(given, np.round(gift, 3), NEVER)
    left = np.where(given, np.maximum(np.round(leave, 3), np.round(gift, 3)), np.round(leave, 3))
    amount = np.where(given, np.ceil(rng.exponential(5.0, plan.rows)), 0.0)
    return Planted(History(X, ts, user, delay, left, amount, plan.horizon), _true_chance(plan, X))


def _rates(plan: ViewingPlan, X: Floats, intent: Floats) -> tuple[Floats, Floats]:
    """Return [n] gifts and [n] leavings per second."""
    give = 0.6 * X[:, 0] + 0.4 * X[:, 1] - plan.shared_intent * intent
    leave = -0.2 * X[:, 1] + 0.8 * intent
    return np.exp(give) / plan.gift_after, np.exp(leave) / plan.leave_after


def _true_chance(plan: ViewingPlan, X: Floats) -> Floats:
    """Return [n] P(gift | x), integrated over the intent."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    found = np.zeros(len(X))
    for node, weight in zip(nodes.tolist(), (weights / weights.sum()).tolist(), strict=True):
        gift, leave = _rates(plan, X, np.full(len(X), node))
        found += weight * gift / (gift + leave) * -np.expm1(-(gift + leave) * plan.horizon)
    return found
