"""What a user's past does: tiredness, joy, the purse of a period, staying away, leaving for good.

- fatigue F: hours watched, F -> F exp(-idle / recovery) + watched; c5 F and s4 F are taken from
  the logits of a click and of a stay
- satisfaction S: 1 at first, S -> S + rate (joy - S) at every decision; the joy of a skip, of a
  refusal and of a visit to which nothing is shown is 0, of a viewing
  min(1, 1 - exp(-watched / dwell) + comment 1{commented})
- satiety: exp(-(time since the user left the viewing of the last gift)/``gift.satiety_hours``); g6
  times it is taken from the logit of a gift
- again: 1 where the room is one of the last ``RECENT_ROOMS`` that the user entered, else 0; g7
  times it is taken from the logit of a gift: who meant to give mostly did so at once
- purse: the budget less what was given in the running period; the gift belongs to the period in
  which its viewing began
- potential visits are exogenous; one happens with probability
  (1 - weight (1 - S)) exp(-v F), unless the user leaves for good at it, with probability
  hazard max(0, 1 - S / below)

Every draw is keyed by the potential visit, so a policy moves what happens, never the luck.
"""

from __future__ import annotations

import math

from numba import njit

from giftlive.rng import uniform
from giftlive.world.purposes import CHURN, COMMENT, RETURN
from giftlive.world.social import happens


@njit(inline="always")
def fatigue_at(fatigue, rested_ms, habits, user, ts):  # type: ignore[no-untyped-def]
    """Return the hours of watching that the user has not yet recovered from."""
    if habits.recovery_ms == 0.0:
        return 0.0
    idle = max(0.0, float(ts - rested_ms[user]))
    return fatigue[user] * math.exp(-idle / habits.recovery_ms)


@njit(inline="always")
def satiety_at(gift_ms, habits, user, ts):  # type: ignore[no-untyped-def]
    """Return 1 right after the viewing of the user's last gift, less and less from then on."""
    if habits.satiety_ms == 0.0 or gift_ms[user] < 0:
        return 0.0
    return math.exp(-max(0.0, float(ts - gift_ms[user])) / habits.satiety_ms)


@njit(inline="always")
def again_in(recent, user, room):  # type: ignore[no-untyped-def]
    """Return 1 where the room is among those that the user entered last, else 0."""
    for k in range(recent.shape[1]):
        if recent[user, k] == room:
            return 1.0
    return 0.0


@njit(inline="always")
def remember_room(recent, user, room):  # type: ignore[no-untyped-def]
    """Put a room in front of those that the user entered last; the oldest is forgotten."""
    for k in range(recent.shape[1] - 1, 0, -1):
        recent[user, k] = recent[user, k - 1]
    recent[user, 0] = room


@njit(inline="always")
def purse_at(purse, period, budget, habits, user, since_ms):  # type: ignore[no-untyped-def]
    """Return what is left of the user's budget ``since_ms`` after the start of the window."""
    if habits.budget_ms == 0:
        return math.inf
    now = since_ms // habits.budget_ms
    if period[user] != now:
        period[user], purse[user] = now, budget[user]
    return purse[user]


@njit(inline="always")
def joy_of(habits, talk, generosity, watch_ms, key):  # type: ignore[no-untyped-def]
    """Return the joy, in [0, 1], of a viewing; ``key`` = (seed, user, visit, slot)."""
    if habits.dwell_seconds == 0.0:
        return 1.0
    joy = 1.0 - math.exp(-0.001 * watch_ms / habits.dwell_seconds)
    if habits.joy_comment > 0.0 and happens(
        talk.comment_base, talk.generosity * generosity, watch_ms, COMMENT, key
    ):
        joy = min(1.0, joy + habits.joy_comment)
    return joy


@njit(inline="always")
def leaves(habits, satisfaction, user, visit, seed):  # type: ignore[no-untyped-def]
    """Return whether the user, come to this potential visit, leaves for good instead."""
    low = 1.0 - satisfaction / habits.churn_below
    if habits.churn_hazard == 0.0 or low <= 0.0:
        return False
    return uniform(seed, CHURN, user, visit, 0) < habits.churn_hazard * low


@njit(inline="always")
def comes(habits, satisfaction, fatigue, user, visit, seed):  # type: ignore[no-untyped-def]
    """Return whether a potential visit happens."""
    chance = 1.0 - habits.visit_weight * (1.0 - satisfaction)
    chance *= math.exp(-habits.visit_fatigue * fatigue)
    return uniform(seed, RETURN, user, visit, 0) >= 1.0 - chance
