"""The law as numbers, and the exact expectation of a gift's amount as a table.

Because the watch time given bounce, stay or settling has fixed parameters,
q[c, a](rho) = P(T_a < W_c) with rho seconds left in the room depends on the price a alone, and

    H_c(mu, rho) = sum over prices a of a P(a | mu) q[c, a](rho).

With a relation that shortens delays there is one q and one H per relation: strangers, then the
homes in their order. q is a Stieltjes sum of S_W dF_T on a log grid (step 0.0025: absolute error
< 1e-6); log H is interpolated linearly (steps 0.025 in mu, 0.05 in log rho: relative error < 3e-4,
and < 5e-5 at rho >= the cap, where no room end interferes). Tests hold all three, in every preset
with prices, against adaptive quadrature: mu from -10 to 20, rho from 1 s to beyond the cap.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from giftlive.types import Floats
from giftlive.world.behaviour import Watch
from giftlive.world.law import Law, ValueTable
from giftlive.world.scenario import Scenario
from giftlive.world.tiers import tier_table

LEFT_STEP = 0.05
MU_STEP = 0.0225
_REFINE = 20  # cells of the quadrature per cell of the table
_BELOW_ONE_SECOND = 160  # cells of the table's step below one second: from e^-8 s
_MU_REACH = 12.0


def build_law(scenario: Scenario) -> Law:
    """Return the compiled kernel's law of a scenario, with its value table."""
    click, watch, gift, amount = scenario.click, scenario.watch, scenario.gift, scenario.amount
    prices = np.sort(np.asarray(amount.prices, dtype=np.float64))
    edges = 0.5 * (np.log(prices[1:]) + np.log(prices[:-1]))
    return Law(
        match_scale=scenario.match_scale,
        home_decay=scenario.people.home_decay,
        click_base=click.base,
        click_match=click.match,
        click_quality=click.quality,
        click_loyal=click.loyal,
        click_crowd=click.crowd,
        click_fatigue=scenario.fatigue.click,
        stay_base=watch.stay_base,
        stay_match=watch.stay_match,
        stay_loyal=watch.stay_loyal,
        stay_activity=watch.stay_activity,
        stay_fatigue=scenario.fatigue.stay,
        settle_base=watch.settle_base,
        settle_loyal=watch.settle_loyal,
        bounce_mu=math.log(watch.bounce_seconds),
        bounce_sigma=watch.bounce_sigma,
        stay_mu=math.log(watch.stay_seconds),
        stay_sigma=watch.stay_sigma,
        settle_mu=math.log(watch.settle_seconds),
        settle_sigma=watch.settle_sigma,
        floor=watch.floor_seconds,
        cap=watch.cap_seconds,
        gift_base=gift.base,
        gift_wealth=gift.wealth,
        gift_match=gift.match,
        gift_skill=gift.skill,
        gift_crowd=gift.crowd,
        gift_loyal=gift.loyal,
        gift_satiety=gift.satiety,
        gift_again=gift.again,
        gift_popularity=gift.popularity,
        gift_home_decay=gift.home_decay,
        gift_leaving=gift.leaving,
        crowd_alpha=scenario.seats.alpha,
        whale_gamma=scenario.externality.whale_gamma,
        delay=gift.delay_seconds,
        delay_shape=gift.delay_shape,
        delay_power=gift.delay_power,
        amount_base=amount.base,
        amount_wealth=amount.wealth,
        amount_match=amount.match,
        amount_sigma=amount.sigma,
        prices=prices,
        edges=edges,
        table=_value_table(scenario, prices, edges),
        tiers=tier_table(scenario.tiers),
    )


def _value_table(scenario: Scenario, prices: Floats, edges: Floats) -> ValueTable:
    rows = math.ceil(math.log(scenario.watch.cap_seconds) / LEFT_STEP) + 3
    if prices.size == 0:
        return _continuous_table(scenario, rows)
    low = math.log(prices[0]) - _MU_REACH
    columns = math.ceil((math.log(prices[-1]) + _MU_REACH - low) / MU_STEP) + 1
    mu = low + MU_STEP * np.arange(columns)
    chance = price_probabilities(mu, edges, scenario.amount.sigma)
    pace = paces(scenario)
    reached = reach_probabilities(scenario, prices, rows, pace)
    value = (reached * prices) @ chance.T
    log_value = np.log(np.maximum(value, 1e-300))
    reached = np.ascontiguousarray(reached)
    return ValueTable(
        np.ascontiguousarray(log_value), LEFT_STEP, low, MU_STEP, reached, prices, pace
    )


def paces(scenario: Scenario) -> Floats:
    """Return [1 + homes] what multiplies the scale of a gift's time: exp(-d decay^k) of home k.

    ``[1]`` alone where d = 0: the relation does not matter.
    """
    gift = scenario.gift
    if gift.delay_loyal == 0.0:
        return np.ones(1)
    pull = gift.home_decay ** np.arange(scenario.people.homes, dtype=np.float64)
    return np.exp(-gift.delay_loyal * np.append(0.0, pull))


def _continuous_table(scenario: Scenario, rows: int) -> ValueTable:
    """Return the table of exp(mu + sigma^2/2): without prices and delay, log H is linear."""
    mu = np.array([-60.0, 60.0])
    log_value = np.broadcast_to(mu + 0.5 * scenario.amount.sigma**2, (1, 3, rows, 2)).copy()
    none = np.zeros((1, 3, rows, 0))
    return ValueTable(log_value, LEFT_STEP, -60.0, 120.0, none, np.zeros(0), np.ones(1))


def price_probabilities(mu: NDArray[np.floating[Any]], edges: Floats, sigma: float) -> Floats:
    """Return P(price | mu) [len(mu), n prices]: normal mass between log midpoints."""
    below = ndtr((edges[None, :] - mu[:, None]) / sigma)
    padded = np.hstack([np.zeros((len(mu), 1)), below, np.ones((len(mu), 1))])
    return np.diff(padded, axis=1)


def reach_probabilities(scenario: Scenario, prices: Floats, rows: int, pace: Floats) -> Floats:
    """Return q [R, 3, rows, n prices]: the chance that a gift comes before the viewer goes.

    Row j: a room that ends in exp(0.05 j) seconds. q bends at the cap, between two rows: the row
    after it is where the line from the row before through the cap leads, so that interpolation
    is right on both sides. The last two rows lie beyond the cap. ``pace`` [R] of ``paces``.
    """
    return np.stack([_reach(scenario, prices, rows, factor) for factor in pace.tolist()])


def _reach(scenario: Scenario, prices: Floats, rows: int, pace: float) -> Floats:
    cells = (rows - 1 + _BELOW_ONE_SECOND) * _REFINE
    log_t = -_BELOW_ONE_SECOND * LEFT_STEP + np.arange(cells + 1) * LEFT_STEP / _REFINE
    t = np.exp(log_t)
    gift, watch = scenario.gift, scenario.watch
    scale = max(gift.delay_seconds, 1e-9) * prices**gift.delay_power * pace
    before = -np.expm1(-((t[:, None] / scale) ** gift.delay_shape))
    laws = (
        (watch.bounce_seconds, watch.bounce_sigma),
        (watch.stay_seconds, watch.stay_sigma),
        (watch.settle_seconds, watch.settle_sigma),
    )
    out = [_stieltjes(before, _still_watching(log_t, law, watch)) for law in laws]
    reached = np.stack(out)[:, _BELOW_ONE_SECOND * _REFINE :: _REFINE]
    cap = math.log(watch.cap_seconds) / LEFT_STEP
    row = math.ceil(cap) - 1
    rise = reached[:, -1] - reached[:, row]
    reached[:, row + 1] = reached[:, row] + rise / (cap - row)
    return reached


def _still_watching(log_t: Floats, law: tuple[float, float], watch: Watch) -> Floats:
    """Return P(held watch time > t): 1 up to the floor, 0 from the cap on."""
    survival = ndtr((math.log(law[0]) - log_t) / law[1])
    survival = np.where(log_t < math.log(watch.floor_seconds), 1.0, survival)
    return np.where(log_t >= math.log(watch.cap_seconds), 0.0, survival)


def _stieltjes(before: Floats, watching: Floats) -> Floats:
    steps = np.diff(before, axis=0) * (0.5 * (watching[1:] + watching[:-1]))[:, None]
    return np.vstack([before[:1], before[:1] + np.cumsum(steps, axis=0)])
