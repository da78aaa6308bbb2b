"""3.1 · May a policy be judged from another policy's log, at these tails?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive import ope
from giftlive.evaluation import checks
from giftlive.evaluation.bandit import Contexts, Trial, run_trials
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Estimate, Figure, Gate, Series, StudyResult, Table
from giftlive.evaluation.rules import Rule
from giftlive.evaluation.screening import bandit_contexts, rewards_of
from giftlive.stats.coverage_table import HIGHEST, LOWEST
from giftlive.stats.intervals import Interval, no_interval, withheld
from giftlive.studies.context import SHARE_OF_LOGS, Context, Kind, estimate, say
from giftlive.types import Message

GATED = ("snips", "greedy", "count")
"""Estimator, target policy and reward that the gate is about; fixed before any run."""

ERRORS = Kind("mean", "light")
"""The mean error of the gated estimator over many logs, each a sum over thousands of decisions."""


@dataclass(frozen=True)
class OffPolicy:
    """IPS, SNIPS and DR against exact truth, over many logs of one size."""

    name: str = "off_policy"
    id: str = "3.1"
    needs: tuple[str, ...] = ("click", "negative")
    uses_evening: bool = True

    def run(self, context: Context) -> StudyResult:
        """Draw logs from a softmax policy with a uniform floor and judge every estimate."""
        config = context.config.off_policy
        evening = context.tonight()
        rewards = rewards_of(evening)
        contexts, draw = bandit_contexts(evening, rewards)
        trials = run_trials(
            contexts,
            draw,
            rewards,
            config.replications,
            config.decisions,
            context.config.seed,
            context.progress,
        )
        context.keep("trials", _rows(trials))
        context.keep("logs", _logs(trials))
        by_key = {(t.estimator, t.target, t.reward): t for t in trials}
        gated = by_key[GATED]
        rule = load_rules()["off_policy"]
        made = _checks(contexts, trials, gated, rule)
        estimates = _estimates(gated, by_key, config.decisions)
        gate = judge(rule, estimates, made)
        caps = {r.name: r.cap for r in rewards if r.name == "capped"}
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.off_policy.question", {}),
            seed=context.config.seed,
            config=config.model_dump() | {"gated": list(GATED), "cap": caps["capped"]},
            inputs=context.inputs() | {"world": evening.describe()},
            code_version=context.code_version,
            checks=made,
            estimates=estimates,
            gates=(gate,),
            tables=(_trial_table(trials),),
            figures=(
                _coverage_figure(trials, config.decisions),
                _truth_figure(trials, config.decisions),
            ),
            text=_text(gate, gated, by_key, config.decisions, caps["capped"]),
        )


def _rows(trials: tuple[Trial, ...]) -> dict[str, list[Any]]:
    names = ("estimator", "target", "reward", "truth", "rmse")
    found: dict[str, list[Any]] = {name: [getattr(t, name) for t in trials] for name in names}
    found["coverage"] = [t.coverage.value for t in trials]
    found["bias"] = [t.bias.value for t in trials]
    return found | {"replications": [t.coverage.n for t in trials]}


def _logs(trials: tuple[Trial, ...]) -> dict[str, Any]:
    """Return one row per log and trial, trials numbered as in ``trials``."""
    value, low, high = np.concatenate([t.logs for t in trials], axis=1)
    number = np.repeat(np.arange(len(trials)), [t.logs.shape[1] for t in trials])
    return {"trial": number, "value": value, "low": low, "high": high}


def _checks(
    contexts: Contexts, trials: tuple[Trial, ...], gated: Trial, rule: Rule
) -> tuple[Check, ...]:
    gap = _same_policy_gap(contexts)
    return (
        checks.a_a([gap == 0.0], f"the logging policy as its own target, gap {gap:g}"),
        checks.movable(
            _true_spread(trials, gated.reward),
            "highest against lowest true gift rate of the targets, relative",
            **rule.asked("movable"),
        ),
        checks.power(gated.coverage.n, "replications", **rule.asked("power")),
    )


def _true_spread(trials: tuple[Trial, ...], reward: str) -> Interval:
    """Return highest / lowest true value of the targets - 1, known without error."""
    truths = {t.target: t.truth for t in trials if t.reward == reward}
    if not min(truths.values()) > 0.0:
        return no_interval("undefined", "a target earns nothing", "exact", len(truths), "targets")
    return checks.exact(max(truths.values()) / min(truths.values()) - 1.0, "targets")


def _same_policy_gap(contexts: Contexts) -> float:
    """Return SNIPS minus the plain mean when the target is the logging policy: exactly 0.

    The estimator is the one the trials use: any other may differ by rounding alone.
    """
    n = min(len(contexts.user), 500)
    rows, action = np.arange(n), contexts.logging[:n].argmax(axis=1)
    propensity = contexts.logging[rows, action][None, :]
    reward = contexts.q["count"][rows, action][None, :]
    value, _, _ = ope.snips_replications(reward, propensity, propensity)
    return float(value[0] - reward.sum(axis=1)[0] / n)


def _estimates(
    gated: Trial, by_key: dict[tuple[str, str, str], Trial], decisions: int
) -> tuple[Estimate, ...]:
    population = f"logs of {decisions:,} decisions of users drawn with replacement, seats unlimited"
    first = estimate(
        "snips_count_coverage",
        gated.coverage,
        SHARE_OF_LOGS,
        unit="share",
        denominator="replications",
        population=population,
    )
    others = [
        estimate(
            f"{e}_{r}_coverage",
            by_key[(e, GATED[1], r)].coverage,
            SHARE_OF_LOGS,
            unit="share",
            denominator="replications",
            population=population,
        )
        for e, r in (("snips", "capped"), ("snips", "full"), ("dr", "full"))
    ]
    bias = estimate(
        "snips_count_bias",
        gated.bias,
        ERRORS,
        unit="gifts per decision",
        denominator="replications",
        population=population,
    )
    return (first, *others, bias)


def _trial_table(trials: tuple[Trial, ...]) -> Table:
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
                _one_log(t),
                _shown(t, "coverage", t.coverage, SHARE_OF_LOGS, "share"),
                _bias(t),
                round(t.relative_rmse, 3),
            )
            for t in trials
        ),
        caption=Message("study.off_policy.table.trials", {}),
    )


def _shown(trial: Trial, name: str, interval: Interval, kind: Kind, unit: str) -> Estimate:
    population = f"{trial.estimator} of {trial.target}, {trial.reward}"
    return estimate(
        name, interval, kind, unit=unit, denominator="replications", population=population
    )


def _one_log(trial: Trial) -> Estimate:
    """Return one log's interval, where intervals like it held the truth in all the logs."""
    value, low, high = trial.first
    interval = Interval(value, low, high, "ratio_delta", trial.decisions, "decisions")
    covered = trial.coverage.value or 0.0
    if not LOWEST <= covered <= HIGHEST:
        interval = withheld(interval, f"intervals like it hold the truth in {covered:.0%} of logs")
    return _shown(trial, "one_log", interval, Kind("ratio", trial.reward), "ratio")


def _bias(trial: Trial) -> Estimate:
    bias = trial.bias
    if (trial.estimator, trial.target, trial.reward) != GATED:
        bias = withheld(bias, "its errors are more skewed than sums over an evening")
    return _shown(trial, "bias", bias, ERRORS, "ratio")


def _coverage_figure(trials: tuple[Trial, ...], decisions: int) -> Figure:
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


def _truth_figure(trials: tuple[Trial, ...], decisions: int) -> Figure:
    found = [t for t in trials if (t.estimator, t.reward) == ("snips", "count")]
    names = tuple(t.target for t in found)
    inside = sum(t.first[1] <= t.truth <= t.first[2] for t in found)
    logs = [_one_log(t) for t in found]
    drawn = all(log.low is not None for log in logs)
    return Figure(
        name="against_truth",
        title=f"In one log, {inside} of {len(found)} intervals hold the true gift rate",
        subtitle=f"SNIPS from one log of {decisions:,} decisions, and the exact truth",
        x_label="target policy",
        y_label="gifts per decision",
        series=(
            Series(
                name="SNIPS, one log",
                x=names,
                y=tuple(log.value or 0.0 for log in logs),
                style="dots",
                low=tuple(log.low or 0.0 for log in logs) if drawn else None,
                high=tuple(log.high or 0.0 for log in logs) if drawn else None,
            ),
            Series(name="truth", x=names, y=tuple(t.truth for t in found), style="dots"),
        ),
        shows=Message("study.off_policy.figure.truth.shows", {}),
        follows=Message("study.off_policy.figure.truth.follows", {}),
        x_scale="category",
        horizontal=True,
    )


def _text(
    gate: Gate,
    gated: Trial,
    by_key: dict[tuple[str, str, str], Trial],
    decisions: int,
    cap: float,
) -> dict[str, tuple[Message, ...]]:
    name = "off_policy"
    full = by_key[("snips", GATED[1], "full")]
    params = {
        "coverage": gated.coverage.value,
        "full": full.coverage.value,
        "rmse": gated.relative_rmse,
        "full_rmse": full.relative_rmse,
        "n": decisions,
        "cap": cap,
        "verdict": gate.verdict,
    }
    return {
        "finding": say(name, "finding", **params),
        "headline": say(name, "headline", estimate="snips_count_coverage", **params),
        "consensus": say(
            name, "consensus", evidence=gate.reason, decision=gate.consequence, **params
        ),
        "cannot_tell": say(name, "cannot_tell"),
        "mechanism": say(name, "mechanism"),
        "inputs": (
            *say(name, "inputs.log", value=f"{decisions:,} decisions, users with replacement"),
            *say(name, "inputs.rewards", value=f"count, value capped at {cap:,.0f}, full value"),
        ),
        "outputs": say(name, "outputs", value="coverage, bias and RMSE of each estimator"),
        "pipeline": say(name, "pipeline", "1", "2", "3", "4", "5"),
        "outcomes": say(name, "outcomes", "passed", "rejected", "anomaly"),
        "design": say(name, "design"),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "mechanism", "diagnostics", "design", **params),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "interference", "overlap"),
        "scope": say(name, "scope"),
        "limits": say(name, "limits", "size", "order"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.bandit", where="evaluation.bandit:run_trials"),
            *say(name, "modules.estimators", where="ope.estimators:Estimator"),
        ),
    }
