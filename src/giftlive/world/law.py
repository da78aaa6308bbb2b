"""One law of behaviour, for the twin, the arena and the bandit log alike.

For user u and room of streamer s, match m = scale * (p_u . q_s):

- click:  logit P = c0 + c1 m + c2 quality + c3 loyal - c4 crowding - c5 fatigue
- stay:   logit P = s0 + s1 m + s2 loyal - s3 log activity - s4 fatigue; otherwise a bounce
- settle: logit P(settle | stay) = l0 + l1 loyal
- watch:  W = LogNormal(bounce, stay or settle), held in [floor, min(cap, time left in the room)]
- gift:   logit P = g0 + g1 wealth + g2 m + g3 skill + g4 crowding + g5 loyal - g6 satiety
  - g7 again + g8 log popularity + b_u - g9 intent,
  times the multiplier of crowding and co-present whales; the intent to leave is that behind the
  watch: 1 of a bounce, 0 of a stay, -1 of settling
- amount: log A = a0 + a1 wealth + a2 m - price sensitivity_u + sigma N, moved to the nearest
  price in log space; above the user's purse it is the dearest price that the purse can pay, and
  no gift where there is none; with price tiers this location tilts their chances (``tiers``)
- time:   T = Weibull(shape, delay * A^power * exp(-d loyal)) seconds; the gift happens iff T < W

Loyal is a home's pull, 0 elsewhere: decay^k of the k-th home from 0, of a gift with a decay of its
own, of the platform, clicks, stays and settling times the user's devotion.

The functions of one pair are inlined into the compiled loops, and read rows by index: passed as
arguments, tuples of arrays would be counted at every call, which costs ten times the arithmetic.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.rng import normal, uniform
from giftlive.types import Floats
from giftlive.world.purposes import AMOUNT, CLICK, DELAY, GIFT, STAY, WATCH
from giftlive.world.tiers import TierTable, tilted_mean, tilted_price


class ValueTable(NamedTuple):
    """Log of E[amount 1{T < W} | latent gift, component], on a grid.

    ``log_value`` [R, 3, J, I]: relation; bounce, stay or settle; log seconds left, from 0 in steps
    of ``left_step``; location mu of the log amount, from ``mu_low`` in steps of ``mu_step``.
    ``reach`` [R, 3, J, P] is P(T < W) of every price, and ``worth`` [P] what a price counts for:
    itself. ``pace`` [R] multiplies the scale of T: of strangers, then of every home; R is 1 where
    the relation does not matter.
    """

    log_value: Floats
    left_step: float
    mu_low: float
    mu_step: float
    reach: Floats
    worth: Floats
    pace: Floats


class Law(NamedTuple):
    """The coefficients above as plain numbers, and the prices' log midpoints ``edges``."""

    match_scale: float
    home_decay: float
    click_base: float
    click_match: float
    click_quality: float
    click_loyal: float
    click_crowd: float
    click_fatigue: float
    stay_base: float
    stay_match: float
    stay_loyal: float
    stay_activity: float
    stay_fatigue: float
    settle_base: float
    settle_loyal: float
    bounce_mu: float
    bounce_sigma: float
    stay_mu: float
    stay_sigma: float
    settle_mu: float
    settle_sigma: float
    floor: float
    cap: float
    gift_base: float
    gift_wealth: float
    gift_match: float
    gift_skill: float
    gift_crowd: float
    gift_loyal: float
    gift_satiety: float
    gift_again: float
    gift_popularity: float
    gift_home_decay: float
    gift_leaving: float
    crowd_alpha: float
    whale_gamma: float
    delay: float
    delay_shape: float
    delay_power: float
    amount_base: float
    amount_wealth: float
    amount_match: float
    amount_sigma: float
    prices: Floats
    edges: Floats
    table: ValueTable
    tiers: TierTable


class Odds(NamedTuple):
    """A pair's chances: click, stay given click, latent gift given click, location mu.

    ``settle`` is the chance that a stay is a long one.
    ``purse`` is the most that the user can give now (infinite: no limit).
    ``gift`` is that of a stay; ``leaver`` and ``settler`` are how many times as likely a gift is in
    a bounce and where the user settles. ``relation`` is a row of the value table.
    """

    click: float
    stay: float
    gift: float
    mu: float
    purse: float = math.inf
    settle: float = 0.0
    leaver: float = 1.0
    settler: float = 1.0
    relation: int = 0


class Draw(NamedTuple):
    """One response: whether it clicked, seconds watched, amount, latent gift time (-1: none)."""

    clicked: bool
    watch: float
    amount: float
    delay: float


@njit(inline="always")
def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + math.exp(-x))


@njit(inline="always")
def dot(p, i, q, j):  # type: ignore[no-untyped-def]
    """Return p_i . q_j of two rows of tastes."""
    total = 0.0
    for k in range(p.shape[1]):
        total += p[i, k] * q[j, k]
    return total


@njit(inline="always")
def home_of(homes, user, streamer):  # type: ignore[no-untyped-def]
    """Return which (from 0) of the user's ``homes`` [U, L] a streamer is, else -1."""
    for k in range(homes.shape[1]):
        if homes[user, k] == streamer:
            return k
    return -1


@njit(inline="always")
def loyal_to(homes, decay, user, streamer):  # type: ignore[no-untyped-def]
    """Return decay^k for the k-th (from 0) of the user's ``homes`` [U, L], else 0."""
    k = home_of(homes, user, streamer)
    return decay**k if k >= 0 else 0.0


@njit(inline="always")
def odds_of(users, streamers, law, user, streamer, crowding, whales):  # type: ignore[no-untyped-def]
    """Return the ``Odds`` of a rested user with a full purse; see ``odds_in_state``."""
    purse = users.budget[user]
    return odds_in_state(
        users, streamers, law, user, streamer, crowding, whales, 0.0, 0.0, 0.0, purse
    )


@njit(inline="always")
def odds_in_state(  # type: ignore[no-untyped-def]
    users, streamers, law, user, streamer, crowding, whales, fatigue, satiety, again, purse
):
    """Return the ``Odds`` of a pair: the room's crowding and whales, the state of the user.

    ``again`` is 1 where the user was in this room a short while ago, else 0.
    """
    m = law.match_scale * dot(users.taste, user, streamers.taste, streamer)
    home = home_of(users.homes, user, streamer)
    drawn = users.devotion[user] * law.home_decay**home if home >= 0 else 0.0
    loyal = law.gift_home_decay**home if home >= 0 else 0.0
    wealth, generosity = users.wealth[user], users.generosity[user]
    quality, skill = streamers.quality[streamer], streamers.skill[streamer]
    log_activity = users.log_activity[user]
    click = law.click_base + law.click_match * m + law.click_loyal * drawn
    click += law.click_quality * quality - law.click_crowd * crowding
    click -= law.click_fatigue * fatigue
    stay = law.stay_base + law.stay_match * m + law.stay_loyal * drawn
    stay -= law.stay_activity * log_activity
    stay -= law.stay_fatigue * fatigue
    settle = law.settle_base + law.settle_loyal * drawn
    gift = law.gift_base + law.gift_match * m + law.gift_loyal * loyal + generosity
    gift += law.gift_wealth * wealth + law.gift_skill * skill
    gift -= law.gift_satiety * satiety + law.gift_again * again
    gift += law.gift_popularity * streamers.log_popularity[streamer]
    gift += law.gift_crowd * crowding
    beside = math.exp(-law.whale_gamma * max(0.0, whales - 1.0))
    chance = min(1.0, sigmoid(gift) / (1.0 + law.crowd_alpha * crowding) * beside)
    leaver, settler = 1.0, 1.0
    if law.gift_leaving != 0.0 and chance > 0.0:
        damped = beside / (1.0 + law.crowd_alpha * crowding)
        leaver = min(1.0, sigmoid(gift - law.gift_leaving) * damped) / chance
        settler = min(1.0, sigmoid(gift + law.gift_leaving) * damped) / chance
    relation = min(home + 1, law.table.pace.size - 1)
    mu = law.amount_base + law.amount_wealth * wealth + law.amount_match * m
    mu -= users.price_sensitivity[user]
    watch = (sigmoid(stay), sigmoid(settle))
    return Odds(sigmoid(click), watch[0], chance, mu, purse, watch[1], leaver, settler, relation)


@njit(inline="always")
def share_of(odds, component):  # type: ignore[no-untyped-def]
    """Return the chance of a bounce (0), a stay (1) or settling (2), given a click."""
    if component == 0:
        return 1.0 - odds.stay
    return odds.stay * (odds.settle if component == 2 else 1.0 - odds.settle)


@njit(inline="always")
def lean_of(odds, component):  # type: ignore[no-untyped-def]
    """Return how many times as likely as in a stay a gift is in a component."""
    if component == 1:
        return 1.0
    return odds.leaver if component == 0 else odds.settler


@njit(inline="always")
def price_of(law, log_amount):  # type: ignore[no-untyped-def]
    """Return the price nearest to ``log_amount`` in log space (ties to the higher one)."""
    if law.prices.size == 0:
        return math.exp(log_amount)
    low, high = 0, law.prices.size - 1
    while low < high:
        middle = (low + high) // 2
        if log_amount >= law.edges[middle]:
            low = middle + 1
        else:
            high = middle
    return law.prices[low]


@njit(inline="always")
def affordable(law, purse):  # type: ignore[no-untyped-def]
    """Return how many of the prices a purse can pay."""
    n = law.prices.size
    while n > 0 and law.prices[n - 1] > purse:
        n -= 1
    return n


@njit(inline="always")
def draw(law, odds, left, seed, user, visit, slot):  # type: ignore[no-untyped-def]
    """Draw the response keyed by (seed, user, visit, slot), ``left`` seconds before the end."""
    if uniform(seed, CLICK, user, visit, slot) >= odds.click:
        return Draw(False, 0.0, 0.0, -1.0)
    mu, sigma, component = law.bounce_mu, law.bounce_sigma, 0
    u = uniform(seed, STAY, user, visit, slot)
    if u < odds.stay * odds.settle:
        mu, sigma, component = law.settle_mu, law.settle_sigma, 2
    elif u < odds.stay:
        mu, sigma, component = law.stay_mu, law.stay_sigma, 1
    watch = math.exp(mu + sigma * normal(seed, WATCH, user, visit, slot))
    watch = max(law.floor, min(watch, law.cap, left))
    if uniform(seed, GIFT, user, visit, slot) >= odds.gift * lean_of(odds, component):
        return Draw(True, watch, 0.0, -1.0)
    if law.tiers.price.size > 0:
        amount = tilted_price(law.tiers, odds.mu, uniform(seed, AMOUNT, user, visit, slot))
    else:
        log_amount = odds.mu + law.amount_sigma * normal(seed, AMOUNT, user, visit, slot)
        amount = price_of(law, log_amount)
    if amount > odds.purse:
        n = affordable(law, odds.purse)
        if n == 0:
            return Draw(True, watch, 0.0, -1.0)
        amount = law.prices[n - 1]
    scale = law.delay * amount**law.delay_power * law.table.pace[odds.relation]
    hazard = -math.log(uniform(seed, DELAY, user, visit, slot))
    delay = scale * hazard ** (1.0 / law.delay_shape)
    return Draw(True, watch, amount if delay < watch else 0.0, delay)


@njit(inline="always")
def expected_amount(law, odds, left):  # type: ignore[no-untyped-def]
    """Return E[amount | shown and admitted] of a pair, ``left`` seconds before the room ends.

    P(click) sum over bounce, stay and settle of P(component) P(latent gift | component) exp(log H).
    Where the purse cannot pay every price, H is summed over those it can instead of tabulated.
    """
    if law.tiers.price.size > 0:
        return odds.click * odds.gift * tilted_mean(law.tiers, odds.mu, law.tiers.price)
    table, r, h = law.table, odds.relation, law.table.log_value
    _, _, rows, columns = h.shape
    y = rows - 1.0
    if left < law.cap:
        y = min(y, math.log(max(left, 1.0)) / table.left_step)
    if law.prices.size > 0 and odds.purse < law.prices[-1]:
        return odds.click * odds.gift * _within_purse(law, odds, y)
    x = min(max((odds.mu - table.mu_low) / table.mu_step, 0.0), columns - 1.0)
    j, i = min(int(y), rows - 2), min(int(x), columns - 2)
    total = 0.0
    for component in range(3):
        low = h[r, component, j, i] + (x - i) * (h[r, component, j, i + 1] - h[r, component, j, i])
        high = h[r, component, j + 1, i]
        high += (x - i) * (h[r, component, j + 1, i + 1] - h[r, component, j + 1, i])
        share = share_of(odds, component) * lean_of(odds, component)
        total += share * math.exp(low + (y - j) * (high - low))
    return odds.click * odds.gift * total


@njit(cache=True)
def _within_purse(law, odds, y):  # type: ignore[no-untyped-def]
    """Return E[amount | latent gift] of a purse, at row ``y`` of the table of times left.

    Prices dearer than the purse are paid as the dearest it can pay. Exact in mu and the purse;
    log-linear between rows of time left, as the table is.
    """
    reach, r, worth, edges = law.table.reach, odds.relation, law.table.worth, law.edges
    n = affordable(law, odds.purse)
    j = min(int(y), reach.shape[2] - 2)
    low, high = np.zeros(3), np.zeros(3)
    below = 0.0
    for k in range(n):
        above = 1.0 if k == n - 1 else _upper((odds.mu - edges[k]) / law.amount_sigma)
        for component in range(3):
            paid = (above - below) * worth[k]
            low[component] += paid * reach[r, component, j, k]
            high[component] += paid * reach[r, component, j + 1, k]
        below = above
    total = 0.0
    for component in range(3):
        if low[component] > 0.0:
            ratio = high[component] / low[component]
            share = share_of(odds, component) * lean_of(odds, component)
            total += share * low[component] * ratio ** (y - j)
    return total


@njit(inline="always")
def _upper(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2.0))


@njit(cache=True)
def _held_mean(mu, sigma, low, high):  # type: ignore[no-untyped-def]
    """Return E[min(max(W, low), high)] of a log-normal W."""
    a, b = (math.log(low) - mu) / sigma, (math.log(high) - mu) / sigma
    middle = math.exp(mu + 0.5 * sigma * sigma) * (_upper(a - sigma) - _upper(b - sigma))
    return low * (1.0 - _upper(a)) + middle + high * _upper(b)


@njit(inline="always")
def mean_seconds(odds, bounce, stay, settled):  # type: ignore[no-untyped-def]
    """Return E[seconds watched | shown and admitted] from the means of the three kinds."""
    total = share_of(odds, 0) * bounce + share_of(odds, 1) * stay + share_of(odds, 2) * settled
    return odds.click * total


@njit(cache=True)
def held_seconds(law, left):  # type: ignore[no-untyped-def]
    """Return E[seconds watched] of a bounce, of a stay and of settling, ``left`` seconds long."""
    high = max(law.floor, min(law.cap, left))
    bounce = _held_mean(law.bounce_mu, law.bounce_sigma, law.floor, high)
    stay = _held_mean(law.stay_mu, law.stay_sigma, law.floor, high)
    return bounce, stay, _held_mean(law.settle_mu, law.settle_sigma, law.floor, high)


@njit(cache=True)
def expected_seconds(law, odds, left):  # type: ignore[no-untyped-def]
    """Return E[seconds watched | shown and admitted], a mean of censored log-normals."""
    bounce, stay, settled = held_seconds(law, left)
    return mean_seconds(odds, bounce, stay, settled)
