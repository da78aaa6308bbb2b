"""What study 3.1 prints as tables, and the rows it keeps behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from giftlive import ope
from giftlive.evaluation.bandit import Trial
from giftlive.evaluation.bandit_order import Pair
from giftlive.evaluation.bandit_tails import ALWAYS_VALID
from giftlive.evaluation.interference import Interference
from giftlive.evaluation.results import Estimate, Table
from giftlive.ope.weight_sums import WeightSums, weight_sums
from giftlive.stats.coverage_table import HIGHEST, LOWEST
from giftlive.stats.intervals import Interval, withheld
from giftlive.studies.context import EVENING_RATIO, SHARE_OF_LOGS, Kind, estimate
from giftlive.types import Floats, Message

GATED = ("snips", "greedy", "count")
"""Estimator, target policy and reward that the gate is about; fixed before any run."""

ERRORS = Kind("mean", "light")
"""The mean error of the gated estimator over many logs, each a sum over thousands of decisions."""

ORDERS = Kind("proportion", "count")
"""A share of logs near 1, whose complement may be as rare as gifts are."""


def trial_table(trials: tuple[Trial, ...]) -> Table:
    """Return one row per reward, target and estimator."""
    columns = ("reward", "target", "estimator", "truth", "one log", "coverage", "bias", "rel. RMSE")
    return Table(
        name="trials",
        columns=columns,
        units=("", "", "", "per decision", "95 % interval", "share of logs", "per decision", ""),
        rows=tuple(
            (
                t.reward,
                t.target,
                t.estimator,
                round(t.truth, 6),
                one_log(t),
                _shown(t, "coverage", t.coverage, SHARE_OF_LOGS, "share"),
                _bias(t),
                round(t.relative_rmse, 3),
            )
            for t in trials
        ),
        caption=Message("study.off_policy.table.trials", {}),
    )


def one_log(trial: Trial) -> Estimate:
    """Return one log's interval, where intervals like it held the truth in all the logs."""
    value, low, high = trial.first
    method = ALWAYS_VALID.get(trial.estimator, "ratio_delta")
    interval = Interval(value, low, high, method, trial.decisions, "decisions")
    covered = trial.coverage.value or 0.0
    highest = 1.0 if trial.estimator in ALWAYS_VALID else HIGHEST  # a promise of 95 % or more
    if not LOWEST <= covered <= highest:
        interval = withheld(interval, f"intervals like it hold the truth in {covered:.0%} of logs")
    statistic = "ratio" if method == "ratio_delta" else "mean"
    return _shown(trial, "one_log", interval, Kind(statistic, trial.reward), "ratio")


def pair_table(by_estimator: Mapping[str, Sequence[Pair]]) -> Table:
    """Return one row per pair of targets, from the nearest in true value to the farthest."""
    names = tuple(by_estimator)
    return Table(
        name="pairs",
        columns=("better", "worse", "truly better by", *names, "may speak"),
        units=("", "", "relative", *["share of logs in this order"] * len(names), "share of logs"),
        rows=tuple(
            (
                same[0].better,
                same[0].worse,
                round(same[0].difference, 4),
                *(order(name, pair) for name, pair in zip(names, same, strict=True)),
                round(float(same[0].answered.mean()), 3),
            )
            for same in zip(*by_estimator.values(), strict=True)
        ),
        caption=Message("study.off_policy.table.pairs", {}),
    )


def order(estimator: str, pair: Pair, name: str = "order") -> Estimate:
    """Return the share of logs that put a pair in its true order."""
    return estimate(
        name,
        pair.share,
        ORDERS,
        unit="share",
        denominator="replications",
        population=f"{estimator} of {pair.better} and {pair.worse}, gift count",
    )


def weight_table(weights: Mapping[str, Floats]) -> Table:
    """Return what one log's weights are worth to every target, with the verdict on them."""
    rows = []
    for name, weight in weights.items():
        d = ope.diagnostics_of(weight_state(weight))
        k = None if d.pareto_k is None else round(d.pareto_k, 3)
        numbers = round(d.effective_n, 1), round(d.mean_weight, 4), round(d.max_weight, 2), k
        rows.append((name, *numbers, d.reason or "ok"))
    return Table(
        name="weights",
        columns=("target", "effective decisions", "mean weight", "largest", "Pareto k", "verdict"),
        units=("", "of one log", "", "", "", ""),
        rows=tuple(rows),
        caption=Message("study.off_policy.table.weights", {}),
    )


def weight_state(weight: Floats) -> WeightSums:
    """Return the sums that a verdict needs, of weights [n] of one decision per user."""
    n = len(weight)
    sure = np.ones((n, 1))
    log = ope.Interactions(
        np.arange(n), np.zeros(n, dtype=np.int64), np.ones(n), np.zeros(n), sure,
        propensities=sure, marginal_weight=weight,
    )  # fmt: skip
    return weight_sums(log, lambda found: found.marginal_weight)  # type: ignore[arg-type, return-value]


def interference_table(found: Sequence[Interference]) -> Table:
    """Return what logs say and what targets earn, with seats and without limit."""
    return Table(
        name="interference",
        columns=("rooms", "target", "truth", "from the log", "error", "held", "refused"),
        units=("", "", "gifts per decision", "gifts per decision", "relative to the truth",
               "evenings whose interval holds it", "share of decisions"),
        rows=tuple(
            (
                "with seats" if f.seats else "without limit",
                f.target,
                round(f.truth, 5),
                round(f.estimated, 5),
                led_astray(f),
                f"{f.held} of {len(f.nights)}",
                round(f.refused, 3),
            )
            for f in found
        ),
        caption=Message("study.off_policy.table.interference", {}),
    )  # fmt: skip


def led_astray(found: Interference) -> Estimate:
    """Return the relative error of the log about a target."""
    where = "with seats" if found.seats else "seats without limit"
    return estimate(
        "error",
        found.error,
        EVENING_RATIO,
        unit="ratio",
        denominator="gifts per decision where the target plays",
        population=f"snips of {found.target} on whole evenings, {where}",
    )


def trial_rows(trials: tuple[Trial, ...]) -> dict[str, list[Any]]:
    """Return one row per trial."""
    names = ("estimator", "target", "reward", "truth", "rmse")
    found: dict[str, list[Any]] = {name: [getattr(t, name) for t in trials] for name in names}
    found["coverage"] = [t.coverage.value for t in trials]
    found["bias"] = [t.bias.value for t in trials]
    return found | {"replications": [t.coverage.n for t in trials]}


def log_rows(trials: tuple[Trial, ...]) -> dict[str, Any]:
    """Return one row per log and trial, trials numbered as in ``trials``."""
    value, low, high = np.concatenate([t.logs for t in trials], axis=1)
    number = np.repeat(np.arange(len(trials)), [t.logs.shape[1] for t in trials])
    effective = np.concatenate([t.effective for t in trials])
    return {"trial": number, "value": value, "low": low, "high": high, "effective": effective}


def night_rows(found: Sequence[Interference]) -> dict[str, list[Any]]:
    """Return one row per target, kind of rooms and evening."""
    names = ("weighted", "weight", "gifts", "decisions", "refused")
    every = [(f, night) for f in found for night in f.nights]
    rows: dict[str, list[Any]] = {name: [getattr(n, name) for _, n in every] for name in names}
    rooms = ["with seats" if f.seats else "without limit" for f, _ in every]
    return {"rooms": rooms, "target": [f.target for f, _ in every]} | rows


def _shown(trial: Trial, name: str, interval: Interval, kind: Kind, unit: str) -> Estimate:
    population = f"{trial.estimator} of {trial.target}, {trial.reward}"
    return estimate(
        name, interval, kind, unit=unit, denominator="replications", population=population
    )


def _bias(trial: Trial) -> Estimate:
    bias = trial.bias
    if (trial.estimator, trial.target, trial.reward) != GATED:
        bias = withheld(bias, "its errors are more skewed than sums over an evening")
    return _shown(trial, "bias", bias, ERRORS, "ratio")
