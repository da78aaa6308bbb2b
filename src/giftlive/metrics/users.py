"""What users do: whether they come back, how long they stay, whether they mind, what they pay.

Three units, and every function names its own: the *view* (one user entering one room), the
*user-day* (one user active on one local day) and the *user*. Days are whole numbers in the
source's time zone (``clock.local_day``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from giftlive.clock import MS_PER_SECOND
from giftlive.errors import InputError
from giftlive.metrics.order import (
    flags,
    mean,
    not_negative,
    row_weights,
    share,
    whole_numbers,
)
from giftlive.types import Bools, Floats, Ints

SKIP_MS = 3_000
"""A view of at most this long is a skip, the proxy of a complaint."""

FULL_DWELL_SECONDS = 600.0
"""Watching this long counts in full in the satisfaction index; longer adds nothing."""


@dataclass(frozen=True, slots=True)
class UserDays:
    """Distinct (user, day) pairs, ascending by user, then day."""

    user: Ints
    day: Ints


@dataclass(frozen=True, slots=True)
class ReturnRate:
    """A return rate and what it rests on.

    Attributes
    ----------
    value : returned / counted; nan when nothing could be followed.
    counted, returned : weight of the user-days followed, and of those that came back.
    censored : weight of the user-days whose return day lies after the window.
    """

    value: float
    counted: float
    returned: float
    censored: float


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """What satisfaction is made of, per view; nan without views.

    Attributes
    ----------
    dwell : mean of min(watch, 600 s) / 600 s. engaged : share with a like or a comment.
    skip : share of skips. index : (dwell + engaged + 1 − skip) / 3, in [0, 1], a convention.
    """

    dwell: float
    engaged: float
    skip: float
    index: float


def user_days(user: ArrayLike, day: ArrayLike) -> UserDays:
    """Return the distinct user-days of a list of events.

    Examples
    --------
    >>> user_days([7, 7, 7], [1, 1, 2]).day.tolist()
    [1, 2]
    """
    who = whole_numbers(user, "user")
    pairs = np.unique(np.column_stack([who, whole_numbers(day, "day", len(who))]), axis=0)
    return UserDays(pairs[:, 0].copy(), pairs[:, 1].copy())


def return_rate(
    user: ArrayLike,
    day: ArrayLike,
    after: int,
    last_day: int,
    weights: ArrayLike | None = None,
) -> ReturnRate:
    """Estimate the share of user-days whose user is active again exactly ``after`` days later.

    D1 is ``after=1``, D7 ``after=7``. A user-day counts only if its return day is inside the
    window: days after ``last_day`` were not seen, and to call them a failure would make every
    rate fall towards the end of the log. Assumption: the window sees all activity of a user.

    Parameters
    ----------
    user, day : [n] distinct user-days, as :func:`user_days` returns them.
    after : days, >= 1. last_day : the last day that was observed *in full*.
    weights : [n] >= 0; the same for all days of a user when users are resampled.

    Raises
    ------
    InputError
        A user-day occurs twice (the unit would be the event), or lies after ``last_day``.

    Examples
    --------
    >>> return_rate([7, 7, 8], [1, 2, 2], after=1, last_day=2)
    ReturnRate(value=1.0, counted=1.0, returned=1.0, censored=2.0)
    """
    who = whole_numbers(user, "user")
    when = whole_numbers(day, "day", len(who))
    w = row_weights(weights, len(who))
    if after < 1:
        raise InputError(f"after {after}", "argument after", "a whole number of days >= 1")
    if len(when) and when.max() > last_day:
        raise InputError(f"day {when.max()}", "argument day", f"days up to {last_day}")
    back = _active_later(who, when, after)
    followed = when + after <= last_day
    counted, returned = float(w[followed].sum()), float(w[followed & back].sum())
    censored = float(w[~followed].sum())
    return ReturnRate(share(returned, counted), counted, returned, censored)


def _active_later(user: Ints, day: Ints, after: int) -> Bools:
    """Return [n] whether the same user has another user-day ``after`` days later."""
    _, who = np.unique(user, return_inverse=True)
    first = int(day.min(initial=0))
    span = int(day.max(initial=0)) - first + after + 1
    key = who * span + (day - first)
    if len(np.unique(key)) < len(key):
        hint = "pass the columns of user_days(user, day)"
        raise InputError("a user-day twice", "arguments user, day", "distinct user-days", hint)
    return np.isin(key + after, key)


def retained_user_days(user: ArrayLike, day: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate how many user-days follow an earlier one of the same user in the window.

    All user-days but the first of each user: what keeping users adds, in user-days.

    Examples
    --------
    >>> retained_user_days([7, 7, 7, 8], [1, 2, 9, 2])
    2.0
    """
    who = whole_numbers(user, "user")
    when = whole_numbers(day, "day", len(who))
    w = row_weights(weights, len(who))
    order = np.lexsort((when, who))
    again = np.diff(who[order]) == 0
    if (again & (np.diff(when[order]) == 0)).any():
        hint = "pass the columns of user_days(user, day)"
        raise InputError("a user-day twice", "arguments user, day", "distinct user-days", hint)
    return float(w[order][1:][again].sum())


def dwell_seconds(watch_ms: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the mean time watched per view, in seconds.

    Examples
    --------
    >>> dwell_seconds([1_000, 5_000])
    3.0
    """
    watch = not_negative(watch_ms, "watch_ms")
    return mean(watch / MS_PER_SECOND, row_weights(weights, len(watch)))


def exit_rate(
    user: ArrayLike,
    ts: ArrayLike,
    watch_ms: ArrayLike,
    gap_ms: int,
    window_end: int,
    weights: ArrayLike | None = None,
) -> float:
    """Estimate the share of views after which the user leaves the platform.

    A view is an exit when the user opens no other within ``gap_ms`` of its end. Views for which
    the window ends before that moment are not counted, whether or not the next view was seen: to
    count only those that are known to stay would make the rate too low.

    Parameters
    ----------
    user : [n] ids. ts : [n] ms, start of each view. watch_ms : [n] >= 0.
    gap_ms : pause that ends a visit. window_end : ms, first instant not observed.

    Returns
    -------
    float in [0, 1]; nan when no view could be followed.

    Examples
    --------
    >>> exit_rate([7, 7, 8], [0, 2_000, 0], [1_000, 1_000, 1_000], 60_000, window_end=600_000)
    0.6666666666666666
    """
    who = whole_numbers(user, "user")
    start = whole_numbers(ts, "ts", len(who))
    end = start + whole_numbers(watch_ms, "watch_ms", len(who))
    w = row_weights(weights, len(who))
    order = np.lexsort((end, start, who))
    who, start, deadline, w = who[order], start[order], end[order] + gap_ms, w[order]
    stays = np.zeros(len(who), dtype=np.bool_)
    stays[:-1] = (np.diff(who) == 0) & (start[1:] <= deadline[:-1])
    return mean(~stays, w * (deadline < window_end))


def skip_rate(watch_ms: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the share of views of at most 3 seconds, the complaint proxy.

    Examples
    --------
    >>> skip_rate([500, 3_000, 9_000, 60_000])
    0.5
    """
    watch = not_negative(watch_ms, "watch_ms")
    return mean(watch <= SKIP_MS, row_weights(weights, len(watch)))


def complaint_rate(
    watch_ms: ArrayLike, unfollowed: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Estimate the share of views that are a skip or end with the user unfollowing the streamer.

    For sources that log it; without unfollows the proxy is :func:`skip_rate` alone.

    Examples
    --------
    >>> complaint_rate([500, 9_000, 9_000, 9_000], [True, True, False, False])
    0.5
    """
    watch = not_negative(watch_ms, "watch_ms")
    minded = (watch <= SKIP_MS) | flags(unfollowed, "unfollowed", len(watch))
    return mean(minded, row_weights(weights, len(watch)))


def satisfaction(
    watch_ms: ArrayLike, engaged: ArrayLike, weights: ArrayLike | None = None
) -> Satisfaction:
    """Estimate the components of satisfaction per view, and their plain mean as an index.

    Parameters
    ----------
    watch_ms : [n] >= 0. engaged : [n] True for a view with a like or a comment.

    Examples
    --------
    >>> satisfaction([600_000, 0], [True, False])
    Satisfaction(dwell=0.5, engaged=0.5, skip=0.5, index=0.5)
    """
    watch = not_negative(watch_ms, "watch_ms")
    w = row_weights(weights, len(watch))
    stayed = np.minimum(watch / MS_PER_SECOND, FULL_DWELL_SECONDS) / FULL_DWELL_SECONDS
    dwell, skip = mean(stayed, w), mean(watch <= SKIP_MS, w)
    active = mean(flags(engaged, "engaged", len(watch)), w)
    return Satisfaction(dwell, active, skip, (dwell + active + 1.0 - skip) / 3.0)


def revenue_per_dau(amount: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the revenue per daily active user: Σ amount / user-days.

    Parameters
    ----------
    amount : [n] one per user-day, 0 for a day without a gift.

    Examples
    --------
    >>> revenue_per_dau([0.0, 0.0, 9.0])
    3.0
    """
    paid = not_negative(amount, "amount")
    return mean(paid, row_weights(weights, len(paid)))


def arppu(amount: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the average revenue per paying user of the window: Σ amount / payers.

    Parameters
    ----------
    amount : [u] one per active user, the sum over the window.

    Returns
    -------
    float; nan without a payer.

    Examples
    --------
    >>> arppu([0.0, 2.0, 4.0])
    3.0
    """
    paid, w = _per_user(amount, weights)
    return share(float(np.sum(w * paid)), float(np.sum(w * (paid > 0.0))))


def pay_conversion(amount: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the share of the window's active users who paid.

    ``amount`` as in :func:`arppu`; arppu × pay_conversion is the revenue per active user.

    Examples
    --------
    >>> pay_conversion([0.0, 2.0, 4.0, 0.0])
    0.5
    """
    paid, w = _per_user(amount, weights)
    return mean(paid > 0.0, w)


def _per_user(amount: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats]:
    paid = not_negative(amount, "amount")
    return paid, row_weights(weights, len(paid))
