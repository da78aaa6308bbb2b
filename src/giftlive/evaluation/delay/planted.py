"""Exposures whose chance and law of delay are known: what a treatment of late labels is judged on.

Two clocks, as in ``models.delay.follow_up``:

- ``arrivals``: labels come late because the data do. A gift of row i happens with probability
  p(x_i) and is known after a delay of the named law: ``none``, ``fast``, ``slow``, or ``amount``
  (the larger the gift the longer it takes), all Weibull; or ``half_late``, which is not: half of
  the gifts within ten minutes, the others after a day and an exponential day more.
- ``viewings``: the gift is sent within a viewing, unless the user leaves first. One latent intent
  moves both: those who mean to leave soon also give less.

Features: a user's propensity, the moment's mood, a relationship that shortens delays, and one that
moves with the calendar and has no effect (past sums do that). A method that takes young rows for
negatives credits the last with what is only youth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import expit

from giftlive.clock import MS_PER_SECOND
from giftlive.models.delay.follow_up import NEVER, History
from giftlive.rng import stream
from giftlive.types import Floats, Ints

Law = Literal["none", "fast", "slow", "amount", "half_late"]
LAWS: tuple[Law, ...] = ("none", "fast", "slow", "amount", "half_late")
DAY = 86_400.0
SCALES = {"none": 0.0, "fast": 600.0, "slow": 0.6 * DAY, "amount": 0.6 * DAY}
"""Scale of the Weibull delays in seconds, at an average relationship."""
SOON, HALF = 600.0, 0.5
"""Seconds within which that share of the gifts comes where the others come after a day."""

FEATURES = ("propensity", "mood", "relationship", "calendar")
_SLOPES = np.array([0.8, 0.5, 0.4, 0.0])
_COVARIANCE = np.eye(4)
_COVARIANCE[0, 2] = _COVARIANCE[2, 0] = 0.5


@dataclass(frozen=True)
class Plan:
    """Size and law of a planted log.

    Attributes
    ----------
    law : of the delay. rows, users, days : of the log. rate : share of exposures with a gift.
    shape : k of the Weibull delays. drift : change of the log-odds over the log, unknown to x.
    horizon_days : after which a gift no longer counts. calendar : whether the last feature moves
        with time; False: it is noise, and P(x) is the same at all times.
    """

    law: Law = "slow"
    rows: int = 40_000
    users: int = 4_000
    days: float = 6.0
    rate: float = 0.1
    shape: float = 0.8
    drift: float = 0.0
    horizon_days: float = 3.0
    calendar: bool = True


@dataclass(frozen=True)
class Planted:
    """A log and its truth.

    Attributes
    ----------
    history : of all exposures, in order of time. chance : [n] P(gift within the horizon | x).
    """

    history: History
    chance: Floats


def arrivals(plan: Plan, seed: int) -> Planted:
    """Draw a log whose labels arrive late."""
    rng = stream(seed, "planted arrivals", plan.law)
    ts, user, X, position = _exposures(rng, plan)
    chance = expit(_level(plan.rate) + X @ _SLOPES + plan.drift * (position - 0.5))
    gift = rng.random(plan.rows) < chance
    amount = np.ceil(np.exp(1.0 + rng.normal(size=plan.rows)))
    wait = _waits(rng, plan, X, amount)
    delay = np.where(gift, np.round(wait, 3), NEVER)
    horizon = plan.horizon_days * DAY
    history = History(
        X, ts, user, delay, np.full(plan.rows, NEVER), np.where(gift, amount, 0.0), horizon
    )
    return Planted(history, chance * _within(plan, X, horizon))


def _waits(rng: np.random.Generator, plan: Plan, X: Floats, amount: Floats) -> Floats:
    """Draw [n] seconds until a gift would be known."""
    if plan.law == "half_late":
        soon = rng.random(plan.rows) < HALF
        late = DAY + rng.exponential(DAY, plan.rows)
        return np.where(soon, SOON * rng.random(plan.rows), late)
    wait = SCALES[plan.law] * rng.weibull(plan.shape, plan.rows) * np.exp(-0.3 * X[:, 2])
    return wait * (amount / np.exp(1.5)) ** 0.5 if plan.law == "amount" else wait


def permuted_labels(history: History, seed: int) -> History:
    """Return the log with labels, delays and amounts exchanged between its rows at random.

    A negative control for leaks: whether a gift came now says nothing of its exposure. What a
    treatment closes of the gap on the true labels when it has learnt from this log it cannot have
    learnt from the log: it has seen labels that it must not see.
    """
    other = stream(seed, "shuffled delays").permutation(len(history))
    return replace(history, delay=history.delay[other], amount=history.amount[other])


def exchanged_delays(history: History, seed: int) -> History:
    """Return the log with the delays of its gifts exchanged among them: every label stays.

    A control for what the link between features and delays is worth: the law of all delays
    together is kept, what x says of them is gone. What a treatment closes less than before it had
    learnt from that link.
    """
    rows = np.flatnonzero(history.label)
    delay = history.delay.copy()
    delay[rows] = delay[stream(seed, "exchanged delays").permutation(rows)]
    return replace(history, delay=delay)


def _exposures(rng: np.random.Generator, plan: Plan) -> tuple[Ints, Ints, Floats, Floats]:
    """Draw [n] ms, [n] users, [n, 4] features and [n] the position in the log from 0 to 1."""
    position = np.sort(rng.random(plan.rows))
    user = rng.integers(0, plan.users, plan.rows)
    propensity = rng.normal(size=plan.users)[user]
    relationship = 0.5 * propensity + rng.normal(size=plan.rows) * 0.75**0.5
    calendar = 0.3 * rng.normal(size=plan.rows)
    if plan.calendar:
        calendar = calendar + (position - 0.5) * 12.0**0.5
    X = np.column_stack([propensity, rng.normal(size=plan.rows), relationship, calendar])
    ts = (position * plan.days * DAY * MS_PER_SECOND).astype(np.int64)
    return ts, user, X, position


def _level(rate: float) -> float:
    """Return the intercept with which the mean chance is ``rate``: E over a normal predictor."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    variance = _SLOPES @ _COVARIANCE @ _SLOPES
    mix = weights / weights.sum()
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2.0
        too_low = float(mix @ expit(middle + nodes * variance**0.5)) < rate
        low, high = (middle, high) if too_low else (low, middle)
    return low


def _within(plan: Plan, X: Floats, horizon: float) -> Floats:
    """Return [n] P(delay <= horizon | x, gift), over amounts where those matter."""
    if plan.law == "none":
        return np.ones(len(X))
    if plan.law == "half_late":
        late = -np.expm1(-max(horizon - DAY, 0.0) / DAY)
        return np.full(len(X), HALF * min(horizon / SOON, 1.0) + (1.0 - HALF) * late)
    scale = SCALES[plan.law] * np.exp(-0.3 * X[:, 2])
    if plan.law != "amount":
        return -np.expm1(-((horizon / scale) ** plan.shape))
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    stretch = (np.ceil(np.exp(1.0 + nodes)) / np.exp(1.5)) ** 0.5
    found = -np.expm1(-((horizon / (scale[:, None] * stretch)) ** plan.shape))
    return np.asarray(found @ (weights / weights.sum()))
