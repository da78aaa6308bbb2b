"""The greedy policy on true values in rounds mode, compiled: the same decisions, far fewer sums.

Greedy shows every user u the streamer s of largest true value in an empty room,

    v(u, s) = P(click) sigmoid(x) A(mu),   x = base_u + g m + bonus_s,   mu = location_u + a m,

with match m = scale p_u . q_s, bonus_s the part of the gift logit that is the streamer's own,
and A the mean amount at a location. Only streamers that may be the largest are evaluated.

**Proposition.** Let slope(mu) = d log A / d mu lie in [low, high] over the user's locations and
g, a >= 0. For any streamer o (the incumbent) and t = 1 - sigmoid(x_o), every streamer s has

    log v(u, s) - log v(u, o) <= t (g d + bonus_s - bonus_o) + max(a low d, a high d) =: B(s),

d = m_s - m_o. *Proof.* log sigmoid is concave, so it lies below its tangent at x_o, of slope
t; log A changes by at most a high d upwards and at least a low |d| downwards. Hence B(s) < 0
implies v(u, s) < v(u, o). Further, Cauchy and Schwarz bound m_s by M = scale |p_u| max |q|, and B
grows with m and bonus: in order of falling bonus, once B of (M, next bonus) is negative no later
streamer can win. QED

So per user: matches are summed in that order, block by block, until the rest is excluded; those
with B(s) >= -margin are evaluated by the law itself, the function that ``true_value`` calls, and
the largest value wins, ties to the smallest index. ``margin`` (1e-9 on the log scale, relative to
the size of the terms) is orders of magnitude above the rounding of B and of v. The choice is
therefore that of ``argmax`` over ``true_value``, bit for bit, whatever was left out. With
log-normal amounts low = high = 1 (log A is linear); with price tiers log A(mu) =
log M(mu + 1) - log M(mu) and log M is convex, so that over locations in [l, h] its slope lies in
[M'(l + 1)/M(l + 1) - M'(h)/M(h), M'(h + 1)/M(h + 1) - M'(l)/M(l)].

A law outside the assumptions (clicks that depend on the streamer, home streamers, price atoms, a
negative coefficient) is answered by evaluating every pair, compiled too.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.errors import UsageError
from giftlive.types import Floats, Ints
from giftlive.world.entities import Scene, World
from giftlive.world.law import expected_amount, odds_of
from giftlive.world.outcome import Outcome, outcome_of
from giftlive.world.population import TASTE_DIM
from giftlive.world.rounds import rounds_seed, users_of_round, users_per_round
from giftlive.world.rounds_story import nobody, play_rounds, rules_of
from giftlive.world.state import Log, new_log
from giftlive.world.tiers import TierTable, tilted_mean

_BLOCK = 32  # streamers between two looks at the bound of the rest
_MARGIN = 1e-9
_REACH = 60.0  # of the table of log-normal amounts, beyond which log A is not linear


class _Shortlist(NamedTuple):
    """What the search reads: streamers by falling bonus, in blocks, and users.

    ``order`` [n * block] streamer, ``blocks`` [n, dim + 1, block] taste and bonus; the last
    streamer is repeated where the last block has no other. ``person`` [U, 4]: base of the gift
    logit, the furthest match possible, and the slopes a low and a high above.
    """

    order: Ints
    blocks: Floats
    person: Floats
    margin: float


def play_oracle_greedy(world: World, seed: int, threads: int = 1) -> Outcome:
    """Play all rounds under greedy on true values; see the module for method and proof.

    The outcome equals, bit for bit, that of ``RoundsArena`` with a policy that shows the candidate
    of largest ``true_value`` (ties to the smallest index), for any number of threads: a round
    depends on nothing but its own users. An oracle, because it looks at latent quantities.

    Parameters
    ----------
    world : in rounds mode. seed : as of ``make_arena``. threads : >= 1, over rounds.

    Raises
    ------
    UsageError
        The world has a clock, or ``threads`` < 1.

    Examples
    --------
    >>> from giftlive.world import build_world, load_scenario
    >>> world = build_world(load_scenario("v1", "tiny"), 1)
    >>> play_oracle_greedy(world, seed=1).decisions
    10000
    """
    if world.scenario.mode != "rounds":
        raise UsageError("the world has a clock", "play_oracle_greedy", "a world in rounds mode")
    if threads < 1:
        raise UsageError(f"{threads} threads", "threads", "1 or more")
    run_seed, rounds = rounds_seed(world, seed), world.scenario.rounds.rounds
    log, many = _opened(world, run_seed), users_per_round(world)
    shortlist, rules = _shortlist(world.scene), rules_of(world, run_seed)

    def play(first: int, last: int) -> None:
        rows = slice(first * many, last * many)
        log.room[rows] = _choices(world.scene, shortlist, log.user[rows])
        present = nobody(len(world.streamer_ids))
        play_rounds(world.scene, rules, present, log, first * many, last * many, many)

    if threads == 1:
        play(0, rounds)
    else:
        edges = [rounds * k // threads for k in range(threads + 1)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(play, edges[:-1], edges[1:]))
    return outcome_of(log, world.room_streamer, len(world.streamer_ids), 0, 0)


def _opened(world: World, run_seed: int) -> Log:
    """Return the log of all rounds with everything but what came of the decisions."""
    rounds, many = world.scenario.rounds.rounds, users_per_round(world)
    log = new_log(rounds * many)
    log.visit[:] = np.repeat(np.arange(rounds), many)
    log.ts[:] = world.origin_ms + log.visit * world.scene.rhythm.tick_ms
    log.user[:] = np.concatenate([users_of_round(world, run_seed, r) for r in range(rounds)])
    log.propensity[:] = 1.0
    return log


def _choices(scene: Scene, shortlist: _Shortlist | None, user: Ints) -> Ints:
    """Return the streamer of largest true value for each user."""
    best = np.full(len(scene.users.wealth), -1, dtype=np.int64)
    if shortlist is None:
        _best_of_all(scene, user, best)
    else:
        match, listed = np.empty(len(shortlist.order)), np.empty_like(shortlist.order)
        _best(scene, shortlist, user, match.reshape(-1, _BLOCK), listed, best)
    return best[user]


def _shortlist(scene: Scene) -> _Shortlist | None:
    """Return what the proposition needs, or None where it does not cover the law of a scene."""
    law, users, skill = scene.law, scene.users, scene.streamers.skill
    base = law.gift_base + law.gift_wealth * users.wealth + users.generosity
    location = law.amount_base + law.amount_wealth * users.wealth - users.price_sensitivity
    longest = np.linalg.norm(scene.streamers.taste, axis=1).max()
    furthest = law.match_scale * longest * np.linalg.norm(users.taste, axis=1)
    bonus = law.gift_skill * skill
    spread = law.amount_match * furthest
    reach = np.abs(bonus).max() + np.abs(law.gift_match * furthest) + np.abs(base)
    if not _is_covered(scene, float(reach.max()), float((np.abs(location) + spread).max())):
        return None
    low, high = _slopes(law.tiers, location - spread, location + spread)
    filled = -(-len(skill) // _BLOCK) * _BLOCK
    order = np.argsort(-bonus, kind="stable")[np.minimum(np.arange(filled), len(skill) - 1)]
    rows = np.column_stack([scene.streamers.taste[order], bonus[order]])
    return _Shortlist(
        order=order,
        blocks=np.ascontiguousarray(rows.reshape(-1, _BLOCK, TASTE_DIM + 1).transpose(0, 2, 1)),
        person=np.stack([base, furthest, law.amount_match * low, law.amount_match * high], axis=1),
        margin=_MARGIN * float(1.0 + (reach + high * spread).max()),
    )


def _is_covered(scene: Scene, logit: float, location: float) -> bool:
    """Return whether the proposition holds, and no value gets too small to be told from 0."""
    law = scene.law
    same_click = law.click_match == 0.0 and law.click_quality == 0.0
    no_homes = scene.users.homes.shape[1] == 0 and law.prices.size == 0
    rising = law.gift_match >= 0.0 and law.amount_match >= 0.0
    within = max(logit, location, -law.click_base) < _REACH
    return same_click and no_homes and rising and within


def _slopes(tiers: TierTable, lowest: Floats, highest: Floats) -> tuple[Floats, Floats]:
    """Return bounds [U] of d log A / d mu for locations mu in [lowest, highest]."""
    if tiers.price.size == 0:
        return np.ones_like(lowest), np.ones_like(lowest)
    slope = _mean_logs(tiers, np.stack([lowest, highest, lowest + 1.0, highest + 1.0]))
    return slope[2] - slope[1], slope[3] - slope[0]


@njit(cache=True)
def _mean_logs(tiers, tilt):  # type: ignore[no-untyped-def]
    out = np.empty(tilt.shape)
    for i in range(tilt.shape[0]):
        for j in range(tilt.shape[1]):
            out[i, j] = tilted_mean(tiers, tilt[i, j], tiers.log_price)
    return out


@njit(cache=True, nogil=True)
def _best(scene, shortlist, user, match, listed, best):  # type: ignore[no-untyped-def]
    """Write the streamer of largest true value of every ``user`` into ``best`` [U], -1 so far.

    By the proposition; ``match`` [n, block] and ``listed`` [n * block] are buffers.
    """
    users, streamers, law = scene.users, scene.streamers, scene.law
    taste, blocks, person, order = users.taste, shortlist.blocks, shortlist.person, shortlist.order
    slopes = (law.match_scale, law.gift_match, shortlist.margin)
    for i in range(user.size):
        u = user[i]
        if best[u] >= 0:  # rooms are empty again in every round: the same choice
            continue
        count, best_value = _search(taste, person, blocks, slopes, u, match, listed), -1.0
        best[u] = order[listed[0]]
        for c in range(count if count > 1 else 0):
            s = order[listed[c]]
            odds = odds_of(users, streamers, law, u, s, 0.0, 0)
            value = expected_amount(law, odds, law.cap)
            if value > best_value or (value == best_value and s < best[u]):
                best[u], best_value = s, value


@njit(inline="always")
def _search(taste, person, blocks, slopes, u, match, listed):  # type: ignore[no-untyped-def]
    """Write the places of those that may be the largest into ``listed``, return their number."""
    scale, g, margin = slopes
    base, far, low, high = person[u, 0], person[u, 1], person[u, 2], person[u, 3]
    m_o, bonus_o, t, count = 0.0, 0.0, 0.0, 0  # of the incumbent
    for b in range(blocks.shape[0]):
        _sum_matches(scale, taste, u, blocks, b, match)
        if b == 0:
            m_o, bonus_o = match[0, 0], blocks[0, TASTE_DIM, 0]
            t = 1.0 / (1.0 + math.exp(base + g * m_o + bonus_o))
        for j in range(_BLOCK):
            rise = _bound(match[b, j] - m_o, blocks[b, TASTE_DIM, j] - bonus_o, t, g, low, high)
            if rise >= -margin:
                listed[count] = b * _BLOCK + j
                count += 1
            if rise > 0.0:
                m_o, bonus_o = match[b, j], blocks[b, TASTE_DIM, j]
                t = 1.0 / (1.0 + math.exp(base + g * m_o + bonus_o))
        if b + 1 < blocks.shape[0]:
            more = blocks[b + 1, TASTE_DIM, 0] - bonus_o
            if _bound(far - m_o, more, t, g, low, high) < -margin:
                break
    kept = 0
    for c in range(count):
        b, j = listed[c] // _BLOCK, listed[c] % _BLOCK
        more = blocks[b, TASTE_DIM, j] - bonus_o
        if _bound(match[b, j] - m_o, more, t, g, low, high) >= -margin:
            listed[kept] = listed[c]
            kept += 1
    return kept


@njit(inline="always")
def _bound(d, more, t, g, low, high):  # type: ignore[no-untyped-def]
    """Return B of the proposition, for ``d`` more match and ``more`` bonus than the incumbent."""
    return t * (g * d + more) + max(low * d, high * d)


@njit(inline="always")
def _sum_matches(scale, taste, u, blocks, b, match):  # type: ignore[no-untyped-def]
    """Write the matches of a user with a block; constant bounds put streamers into lanes."""
    for j in range(_BLOCK):
        total = taste[u, 0] * blocks[b, 0, j]
        for k in range(1, TASTE_DIM):
            total += taste[u, k] * blocks[b, k, j]
        match[b, j] = scale * total


@njit(cache=True, nogil=True)
def _best_of_all(scene, user, best):  # type: ignore[no-untyped-def]
    """Do what ``_best`` does by evaluating every pair."""
    users, streamers, law = scene.users, scene.streamers, scene.law
    for i in range(user.size):
        u, best_value = user[i], -math.inf
        if best[u] >= 0:
            continue
        for s in range(streamers.skill.size):
            odds = odds_of(users, streamers, law, u, s, 0.0, 0)
            value = expected_amount(law, odds, law.cap)
            if value > best_value:
                best[u], best_value = s, value
