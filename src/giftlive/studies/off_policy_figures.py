"""Figures of study 3.1: coverage, one log beside the truth, its weights, and the order of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from giftlive.evaluation.bandit import Trial
from giftlive.evaluation.bandit_order import APART, Pair
from giftlive.evaluation.results import Figure, Series
from giftlive.ope.diagnostics import effective_n
from giftlive.stats.heavy_tails import exceedance_curve
from giftlive.studies.off_policy_tables import GATED, one_log, order
from giftlive.types import Floats, Message

NEAREST, FARTHEST = 1e-3, 1e3
"""Ends of the axis of differences: what is nearer or farther stands there."""

WEIGHED, SMALLEST = ("greedy", "concave", "dual_price", "cold_start", "uniform"), 0.1
"""Targets whose weights are drawn, and from which weight on."""


def coverage_figure(trials: tuple[Trial, ...], decisions: int) -> Figure:
    """Return how often intervals hold the truth, by reward and estimator."""
    rewards = ("count", "capped", "full")
    chosen = {
        e: [
            next(t for t in trials if (t.estimator, t.target, t.reward) == (e, GATED[1], r))
            for r in rewards
        ]
        for e in ("ips", "snips", "dr")
    }
    full = chosen["snips"][2].coverage.value or 0.0
    series = tuple(
        Series(
            name=name,
            x=rewards,
            y=tuple(t.coverage.value or 0.0 for t in found),
            style="dots",
            low=tuple(t.coverage.low or 0.0 for t in found),
            high=tuple(t.coverage.high or 0.0 for t in found),
            n=tuple(t.coverage.n for t in found),
        )
        for name, found in chosen.items()
    )
    nominal = Series(name="nominal 95 %", x=rewards, y=(0.95, 0.95, 0.95), style="reference")
    return Figure(
        name="coverage",
        title=f"A nominal 95 % interval of full value covers {full:.0%} of the time",
        subtitle=f"true value of greedy; {chosen['snips'][0].coverage.n:,} logs"
        f" of {decisions:,} decisions",
        x_label="reward",
        y_label="share of logs whose interval holds the truth",
        series=(*series, nominal),
        shows=Message("study.off_policy.figure.coverage.shows", {}),
        follows=Message("study.off_policy.figure.coverage.follows", {}),
        x_scale="category",
    )


def forest_figure(trials: tuple[Trial, ...], decisions: int) -> Figure:
    """Return one log's estimates of every target beside the truth, bounds where they hold."""
    snips = [t for t in trials if (t.estimator, t.reward) == ("snips", "count")]
    held = sum(t.first[1] <= t.truth <= t.first[2] for t in snips)
    return Figure(
        name="against_truth",
        title=f"In one log, {held} of {len(snips)} intervals hold the true gift rate",
        subtitle=f"one log of {decisions:,} decisions; no bar where such intervals hold too rarely",
        x_label="target policy",
        y_label="gifts per decision",
        series=(
            *_forest(trials, "snips"),
            *_forest(trials, "dr")[:1],
            Series(
                name="truth",
                x=tuple(t.target for t in snips),
                y=tuple(t.truth for t in snips),
                style="dots",
            ),
        ),
        shows=Message("study.off_policy.figure.truth.shows", {}),
        follows=Message("study.off_policy.figure.truth.follows", {}),
        x_scale="category",
        horizontal=True,
    )


def forest_names(estimator: str) -> tuple[str, str]:
    """Return the names of the two series of an estimator: with bounds, and without."""
    return estimator.upper(), f"{estimator.upper()}, no bar"


def _forest(trials: Sequence[Trial], estimator: str) -> tuple[Series, ...]:
    found = [t for t in trials if (t.estimator, t.reward) == (estimator, "count")]
    logs = [(t.target, one_log(t)) for t in found]
    series = []
    for name, bounded in zip(forest_names(estimator), (True, False), strict=True):
        some = [(target, log) for target, log in logs if (log.low is not None) == bounded]
        if some:
            series.append(
                Series(
                    name=name,
                    x=tuple(target for target, _ in some),
                    y=tuple(log.value or 0.0 for _, log in some),
                    style="dots",
                    low=tuple(log.low or 0.0 for _, log in some) if bounded else None,
                    high=tuple(log.high or 0.0 for _, log in some) if bounded else None,
                )
            )
    return tuple(series)


def weight_figure(weights: Mapping[str, Floats], decisions: int) -> Figure:
    """Return the tails of one log's weights, each with what the log is worth to the target."""
    worth = {name: effective_n(weight) for name, weight in weights.items()}
    least = min(worth, key=lambda name: worth[name])
    return Figure(
        name="weights",
        title=f"To {least}, a log of {decisions:,} decisions is worth {worth[least]:.0f}",
        subtitle="importance weights of one log; in brackets what it is worth in decisions",
        x_label="weight",
        y_label="share of decisions with this weight or more",
        series=tuple(weight_series(name, weights[name]) for name in WEIGHED if name in weights),
        shows=Message("study.off_policy.figure.weights.shows", {}),
        follows=Message("study.off_policy.figure.weights.follows", {}),
        x_scale="log",
        y_scale="log",
    )


def weight_series(name: str, weight: Floats) -> Series:
    """Return the share of decisions with weights of ``SMALLEST`` or more that were seen."""
    x, y = exceedance_curve(weight[weight >= SMALLEST])
    share = float(np.mean(weight >= SMALLEST))
    label = f"{name} ({effective_n(weight):,.0f})"
    return Series(name=label, x=tuple(float(f"{v:.6g}") for v in x), y=tuple((share * y).tolist()))


def place(pair: Pair) -> float:
    """Return where a pair stands on the logarithmic axis: its difference, at least ``NEAREST``."""
    return min(max(pair.difference, NEAREST), FARTHEST)


def order_figure(by_estimator: Mapping[str, Sequence[Pair]], decisions: int) -> Figure:
    """Return how often pairs come out in their true order, by how far they are apart."""
    series = []
    for name, pairs in by_estimator.items():
        shares = [order(name, pair) for pair in pairs]
        series.append(
            Series(
                name=name.upper(),
                x=tuple(place(pair) for pair in pairs),
                y=tuple(share.value or 0.0 for share in shares),
                style="dots",
                n=tuple(share.n for share in shares),
            )
        )
    every = next(iter(by_estimator.values()))
    spread = (min(map(place, every)), max(map(place, every)))
    asked = Series(name="asked beyond 5 %", x=spread, y=(0.95, 0.95), style="reference")
    far = [pair for pair in every if pair.difference >= APART]
    wrong = sum(float(p.right.mean()) < 0.95 for p in far)
    return Figure(
        name="order",
        title=f"{wrong} of {len(far)} pairs that differ by 5 % or more are often exchanged",
        subtitle=f"gift count, two targets judged from the same log of {decisions:,} decisions",
        x_label="true value of the better over the worse, less 1",
        y_label="share of logs in the true order",
        series=(*series, asked),
        shows=Message("study.off_policy.figure.order.shows", {}),
        follows=Message("study.off_policy.figure.order.follows", {}),
        x_scale="log",
    )
