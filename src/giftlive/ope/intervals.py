"""The intervals of a smooth function of users' sums: one file for every kind of estimator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from giftlive.ope.forms import RATIO, Form
from giftlive.stats.bootstrap import percentile_interval, poisson_sums
from giftlive.stats.intervals import Interval, influence_t, ratio_delta
from giftlive.stats.skewed import skew_t, skew_t_of
from giftlive.types import Floats, Ints


def delta(form: Form, own: Floats, level: float = 0.95) -> Interval:
    """Return the delta-method interval of ``form`` from the users' sums ``own`` [G, K].

    Width exactly 0 where no user moves the value: a self-normalised mean of a constant reward.
    """
    own = np.ascontiguousarray(own)  # sums add up alike however the columns came
    if form == RATIO:
        return ratio_delta(own[:, 0], own[:, 1], level=level, n_unit="users")
    value, error = form.errors(own)
    return influence_t(value, error, None, level, "users", "ratio_delta")


def skew_corrected(form: Form, own: Floats, level: float = 0.95) -> Interval:
    """Return the delta-method interval with the skewness of the users' errors taken out."""
    own = np.ascontiguousarray(own)
    if form == RATIO:
        return skew_t(own[:, 0], own[:, 1], level=level, n_unit="users")
    return skew_t_of(*form.errors(own), level, "users")


def bootstrap(
    form: Form, users: Ints, own: Floats, replicates: int, seed: int, level: float = 0.95
) -> Interval:
    """Return the percentile interval over users resampled with keyed Poisson(1) weights."""
    return from_draws(form, own, poisson_sums(users, own, replicates, seed), level)


def from_draws(form: Form, own: Floats, draws: Floats, level: float = 0.95) -> Interval:
    """Turn the users' sums [G, K] and their resampled totals [R, K] into an interval."""
    own = np.ascontiguousarray(own)
    value = float(form.value(own.sum(axis=0)))
    method = f"poisson_bootstrap({len(draws)})"
    if np.isfinite(value) and len(own) > 1 and not np.any(form.errors(own)[1]):
        # resampled totals differ by rounding alone, or are empty
        return Interval(value, value, value, method, len(own), "users")
    return percentile_interval(value, form.value(draws), method, len(own), "users", level)


def named(interval: Interval, name: str) -> Interval:
    """Return ``interval`` with the estimator's name before that of its method."""
    return replace(interval, method=f"{name}, {interval.method}")
