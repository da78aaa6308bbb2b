"""Whether new streamers get a start, and whether they stay.

By intention to treat: who is judged depends on when a streamer debuts, never on what the policy
then did to them. A policy that shows nobody new must not score well for lack of newcomers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from giftlive.clock import MS_PER_DAY
from giftlive.errors import InputError
from giftlive.metrics.order import row_weights, share, whole_numbers
from giftlive.types import Bools, Ints

NEVER = -1
"""The first exposure of a streamer who was never shown."""

MIN_GIVERS = 2
"""Distinct users whose gifts make a newcomer a success."""


@dataclass(frozen=True, slots=True)
class NewcomerSuccess:
    """The share of newcomers with a start, and what it rests on (weights of streamers).

    Attributes
    ----------
    value : succeeded / debuted; nan when nobody could be followed.
    debuted : newcomers followed in full, the denominator. succeeded : with gifts of two users.
    never_exposed : of the debuted, never shown in the window; failures.
    incomplete : of the debuted, shown so late that their 7 days leave the window, without
        success so far; failures too, so that showing somebody late cannot pay. (succeeded +
        incomplete) / debuted is the upper bound.
    censored : debuts too late to be followed in full; not in the denominator.
    """

    value: float
    debuted: float
    succeeded: float
    never_exposed: float
    incomplete: float
    censored: float


@dataclass(frozen=True, slots=True)
class Gifts:
    """Gifts to streamers.

    Attributes
    ----------
    streamer : [g] position of the receiver in the columns of streamers. user : [g] id.
    ts : [g] ms.
    """

    streamer: Ints
    user: Ints
    ts: Ints


@dataclass(frozen=True, slots=True)
class SupplyRetention:
    """The share of new streamers who are live again, and what it rests on.

    Attributes
    ----------
    value : live / followed; nan when nobody could be followed. followed, live : weights.
    censored : debuts whose day to look at lies after the window.
    """

    value: float
    followed: float
    live: float
    censored: float


def newcomer_success(
    debut_ts: ArrayLike,
    first_exposure_ts: ArrayLike,
    gifts: Gifts,
    window: tuple[int, int],
    days: int = 7,
    weights: ArrayLike | None = None,
) -> NewcomerSuccess:
    """Estimate the share of debuting streamers whom two users give to within a week.

    A success is at least one gift from each of at least two distinct users in
    [first exposure, first exposure + ``days``). The denominator is every streamer who debuts in
    the window at least ``days`` before its end, exposed or not.

    Parameters
    ----------
    debut_ts : [s] ms, when each streamer first went live; those outside the window are no
        newcomers. first_exposure_ts : [s] ms, ``NEVER`` without one.
    gifts : gifts of the window. window : ms, [first instant, first instant not observed).
    weights : [s] >= 0, of streamers.

    Raises
    ------
    InputError
        A streamer was exposed before the debut, or a gift names no streamer.

    Examples
    --------
    >>> given = Gifts(np.array([0, 0, 1]), np.array([5, 6, 5]), np.array([1, 2, 3]))
    >>> newcomer_success([0, 0, 0], [0, 0, NEVER], given, (0, 8 * MS_PER_DAY)).succeeded
    1.0
    """
    debut = whole_numbers(debut_ts, "debut_ts")
    shown = whole_numbers(first_exposure_ts, "first_exposure_ts", len(debut))
    w = row_weights(weights, len(debut))
    exposed = shown != NEVER
    if (exposed & (shown < debut)).any():
        rule = f"{NEVER} or a time from the debut on"
        raise InputError("exposed before the debut", "argument first_exposure_ts", rule)
    start, end = window
    horizon = days * MS_PER_DAY
    exposed &= shown < end
    started = _givers(gifts, shown, exposed, horizon, end) >= MIN_GIVERS
    newcomer = (debut >= start) & (debut < end)
    followed = newcomer & (debut + horizon <= end)
    late = followed & exposed & ~started & (shown + horizon > end)

    def weight(who: Bools) -> float:
        return float(w[who].sum())

    return NewcomerSuccess(
        value=share(weight(followed & started), weight(followed)),
        debuted=weight(followed),
        succeeded=weight(followed & started),
        never_exposed=weight(followed & ~exposed),
        incomplete=weight(late),
        censored=weight(newcomer & ~followed),
    )


def _givers(gifts: Gifts, shown: Ints, exposed: Bools, horizon: int, end: int) -> Ints:
    """Return [s] how many distinct users gave within ``horizon`` of the first exposure."""
    to = whole_numbers(gifts.streamer, "gifts.streamer")
    user = whole_numbers(gifts.user, "gifts.user", len(to))
    ts = whole_numbers(gifts.ts, "gifts.ts", len(to))
    if len(to) and (to.min() < 0 or to.max() >= len(shown)):
        what = f"streamers from {to.min()} to {to.max()}"
        raise InputError(what, "argument gifts", f"positions 0 to {len(shown) - 1}")
    since = ts - shown[to]
    timely = exposed[to] & (since >= 0) & (since < horizon) & (ts < end)
    pairs = np.unique(np.column_stack([to[timely], user[timely]]), axis=0)
    return np.bincount(pairs[:, 0], minlength=len(shown)).astype(np.int64)


def supply_retention(
    debut_day: ArrayLike,
    live_streamer: ArrayLike,
    live_day: ArrayLike,
    last_day: int,
    after: int = 14,
    weights: ArrayLike | None = None,
) -> SupplyRetention:
    """Estimate the share of debuting streamers who are live on day 14 after their debut.

    Exactly that day, as for the return of users: "on day 14 or later" would rise with the length
    of the log. Debuts whose day 14 lies after ``last_day`` are censored.

    Parameters
    ----------
    debut_day : [s] local day of each newcomer's debut.
    live_streamer, live_day : [k] position of a streamer and a day with a live room, in any order.
    last_day : the last day that was observed in full. weights : [s] >= 0.

    Examples
    --------
    >>> supply_retention([0, 0, 9], [0, 1, 0], [0, 0, 14], last_day=20)
    SupplyRetention(value=0.5, followed=2.0, live=1.0, censored=1.0)
    """
    debut = whole_numbers(debut_day, "debut_day")
    who = whole_numbers(live_streamer, "live_streamer")
    day = whole_numbers(live_day, "live_day", len(who))
    w = row_weights(weights, len(debut))
    if len(who) and (who.min() < 0 or who.max() >= len(debut)):
        what = f"streamers from {who.min()} to {who.max()}"
        raise InputError(what, "argument live_streamer", f"positions 0 to {len(debut) - 1}")
    again = np.zeros(len(debut), dtype=np.bool_)
    again[who[day == debut[who] + after]] = True
    seen = debut + after <= last_day
    followed, live = float(w[seen].sum()), float(w[seen & again].sum())
    return SupplyRetention(share(live, followed), followed, live, float(w[~seen].sum()))
