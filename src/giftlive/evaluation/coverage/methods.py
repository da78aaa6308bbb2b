"""The interval methods of the coverage table, applied to a sample.

A maker returns the interval that the reports would print. Two statistics have no influence
values here: the quantile of rows and the tail index; their makers work on the rewards.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from giftlive.evaluation.coverage.populations import CAP
from giftlive.evaluation.coverage.sample import Sample
from giftlive.evaluation.coverage.statistics import estimate
from giftlive.metrics.influence import debiased_ece
from giftlive.stats.bernstein import empirical_bernstein
from giftlive.stats.betting import betting, log_capital_path
from giftlive.stats.bootstrap import percentile_interval, poisson_sums
from giftlive.stats.heavy_tails import hill
from giftlive.stats.influence import Scale, transformed
from giftlive.stats.intervals import (
    Interval,
    influence_t,
    proportion,
)
from giftlive.stats.quantiles import order_statistics, woodruff
from giftlive.stats.skewed import skew_t_of
from giftlive.types import Floats

Bounds = tuple[float, float]
Maker = Callable[[Sample, str, float], Bounds]
"""Maps a sample, a tail and the truth to the bounds; nan where there is no interval."""

REPLICATES = 400


def bounds(found: Interval) -> Bounds:
    """Return the bounds of an interval, nan where there is none."""
    if found.low is None or found.high is None:
        return math.nan, math.nan
    return found.low, found.high


def linear(statistic: str, method: str) -> Maker:
    """Return the maker of an interval from a statistic's influence values."""

    def make(sample: Sample, tail: str, truth: float) -> Bounds:
        found = estimate(statistic, sample, tail)
        if method == "influence_t":
            return bounds(influence_t(found.value, found.influence))
        if method == "skew_t":
            return bounds(skew_t_of(found.value, found.influence))
        scale: Scale = "log" if method == "influence_t(log)" else "logit"
        return bounds(transformed(found.value, found.influence, scale))

    return make


def of_sums(make: Callable[[Floats, Floats], Interval]) -> Maker:
    """Return the maker of an interval from the reward and the rows of every user."""
    return lambda sample, tail, _: bounds(make(sample.total(tail), sample.total("rows")))


def of_weighted(make: Callable[[Floats, Floats], Interval], shift: str) -> Maker:
    """Return the maker of an interval of a self-normalised weighted mean, SNIPS."""

    def maker(sample: Sample, tail: str, truth: float) -> Bounds:
        weighted, weight = sample.total(f"{tail} weighted {shift}"), f"weight_{shift}"
        return bounds(make(weighted, sample.total(weight)))

    return maker


def part_of(make: Callable[[Floats, Floats], Interval]) -> Maker:
    """Return the maker of an interval of a part of the money over the whole of it."""
    return lambda sample, tail, _: bounds(make(sample.total("part"), sample.total(tail)))


def of_totals(make: Callable[[Floats], Interval]) -> Maker:
    """Return the maker of an interval from the reward of every user."""
    return lambda sample, tail, _: bounds(make(sample.total(tail)))


def of_log(make: Callable[..., Interval]) -> Maker:
    """Return the maker of an interval of a weighted minus the plain mean."""

    def maker(sample: Sample, tail: str, truth: float) -> Bounds:
        names = (f"{tail} weighted", "weight", tail, "rows")
        return bounds(make(*(sample.total(name) for name in names)))

    return maker


def resampled(sample: Sample, tail: str, truth: float) -> Bounds:
    """Return the percentile interval over users resampled with Poisson(1) weights."""
    sums = np.stack([sample.total(tail), sample.total("rows")], axis=1)
    draws = poisson_sums(np.arange(len(sums)), sums, REPLICATES, seed=int(sample.users.sum()))
    value = float(sums[:, 0].sum() / sums[:, 1].sum())
    ratios = draws[:, 0] / np.maximum(draws[:, 1], 1.0)
    return bounds(percentile_interval(value, ratios, "poisson_bootstrap", len(sums), "users"))


def bernstein(sample: Sample, tail: str, truth: float) -> Bounds:
    """Return the empirical Bernstein interval of the mean reward of single rows."""
    return bounds(empirical_bernstein(sample.total(tail), 0.0, top(tail)))


def bet(sample: Sample, tail: str, truth: float) -> Bounds:
    """Return the confidence sequence's last bounds; a truth it lost before is lost for good.

    The sequence is read after every row, so that what is counted is time-uniform coverage.
    """
    total = sample.total(tail)
    low, high = bounds(betting(total, 0.0, top(tail)))
    path = log_capital_path(total, truth, 0.0, top(tail))
    if float(path.max(initial=0.0)) < math.log(1.0 / 0.05) or not low <= truth <= high:
        return low, high
    return math.nextafter(truth, math.inf), high  # it lost the truth on the way


def top(tail: str) -> float:
    """Return the largest reward that a tail allows."""
    return {"count": 1.0, "capped": CAP}[tail]


def wilson(sample: Sample, tail: str, truth: float) -> Bounds:
    """Return Wilson's interval of a share of independent rows."""
    total = sample.total(tail)
    return bounds(proportion(int(total.sum()), len(total)))


def of_gifts(p: float) -> Maker:
    """Return the maker of Woodruff's interval of the ``p`` quantile of the gifts' amounts."""

    def maker(sample: Sample, tail: str, truth: float) -> Bounds:
        return bounds(woodruff(sample.column(tail), sample.draw, p))

    return maker


def tail_of(sample: Sample, tail: str, truth: float) -> Bounds:
    """Return Hill's interval of the tail index, from the √n largest values."""
    return bounds(hill(sample.total(tail)))


def ordered(p: float) -> Maker:
    """Return the maker of the interval of the ``p`` quantile of independent values."""
    return lambda sample, tail, _: bounds(order_statistics(sample.total(tail), p))


def without_noise(sample: Sample, tail: str, truth: float) -> Bounds:
    """Return the interval of the calibration error without what noise adds to it."""
    return bounds(debiased_ece(sample.column(tail), sample.probability, sample.draw))
