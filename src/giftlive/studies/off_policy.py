"""3.1 · May a policy be judged from another policy's log, at these tails?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive import ope
from giftlive.evaluation import checks
from giftlive.evaluation.bandit import Contexts, Trial, first_weights, run_trials
from giftlive.evaluation.bandit_order import Pair, apart, hardest, near_share, pairs_of
from giftlive.evaluation.bandit_tails import ALWAYS_VALID
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.interference import interference
from giftlive.evaluation.results import Check, Estimate, Gate, StudyResult
from giftlive.evaluation.rules import Rule
from giftlive.evaluation.screening import bandit_contexts, rewards_of
from giftlive.stats.intervals import Interval, no_interval
from giftlive.studies import off_policy_figures as figures
from giftlive.studies import off_policy_tables as tables
from giftlive.studies.context import SHARE_OF_LOGS, Context, estimate, say
from giftlive.studies.off_policy_grid import grid_table
from giftlive.studies.off_policy_tables import ERRORS, GATED
from giftlive.types import Message

ORDERED = ("snips", "dr")
"""Estimators whose order of targets is looked at; the gate is about the first."""


@dataclass(frozen=True)
class OffPolicy:
    """IPS, SNIPS and DR against exact truth, over many logs of one size."""

    name: str = "off_policy"
    id: str = "3.1"
    needs: tuple[str, ...] = ("click", "negative")
    uses_evening: bool = True

    def run(self, context: Context) -> StudyResult:
        """Draw logs from a softmax policy with a random bucket and judge every estimate."""
        config, seed = context.config.off_policy, context.config.seed
        evening = context.tonight()
        rewards = rewards_of(evening)
        contexts, draw = bandit_contexts(evening, rewards)
        size = config.replications, config.decisions
        trials = run_trials(contexts, draw, rewards, *size, seed, context.progress, GATED[1])
        weights = first_weights(contexts, draw, config.decisions, seed)
        pairs = {e: pairs_of(trials, e, GATED[2]) for e in ORDERED}
        crowded = (
            interference(evening, config.evenings, seed, context.config.jobs, context.progress)
            if config.evenings
            else ()
        )
        context.keep("trials", tables.trial_rows(trials))
        context.keep("logs", tables.log_rows(trials))
        if crowded:
            context.keep("evenings", tables.night_rows(crowded))
        names = np.repeat(list(weights), config.decisions)
        context.keep("weights", {"target": names, "weight": np.concatenate([*weights.values()])})
        by_key = {(t.estimator, t.target, t.reward): t for t in trials}
        rule = load_rules()["off_policy"]
        made = _checks(contexts, trials, by_key[GATED], rule)
        estimates = _estimates(by_key, pairs, config.decisions)
        gate = judge(rule, estimates, made)
        caps = {r.name: r.cap for r in rewards if r.name == "capped"}
        grid = grid_table(evening, config, seed) if config.grid_decisions else None
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.off_policy.question", {}),
            seed=seed,
            config=config.model_dump() | {"gated": list(GATED), "cap": caps["capped"]},
            inputs=context.inputs() | {"world": evening.describe()},
            code_version=context.code_version,
            checks=made,
            estimates=estimates,
            gates=(gate,),
            tables=(
                tables.trial_table(trials),
                tables.pair_table(pairs),
                tables.weight_table(weights),
                *((tables.interference_table(crowded),) if crowded else ()),
                *((grid,) if grid else ()),
            ),
            figures=(
                figures.coverage_figure(trials, config.decisions),
                figures.forest_figure(trials, config.decisions),
                figures.weight_figure(weights, config.decisions),
                figures.order_figure(pairs, config.decisions),
            ),
            text=_text(gate, by_key, pairs, config.decisions, caps["capped"]),
        )


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
    by_key: dict[tuple[str, str, str], Trial],
    pairs: dict[str, tuple[Pair, ...]],
    decisions: int,
) -> tuple[Estimate, ...]:
    population = f"logs of {decisions:,} decisions of users drawn with replacement, seats unlimited"
    covered = [
        estimate(
            f"{e}_{r}_coverage",
            by_key[(e, GATED[1], r)].coverage,
            SHARE_OF_LOGS,
            unit="share",
            denominator="replications",
            population=population,
        )
        for e, r in (
            GATED[::2], ("snips", "capped"), ("snips", "full"), ("dr", "full"),
            *((e, r) for e in ALWAYS_VALID for r in ("count", "capped")),
        )
    ]  # fmt: skip
    bias = estimate(
        "snips_count_bias",
        by_key[GATED].bias,
        ERRORS,
        unit="gifts per decision",
        denominator="replications",
        population=population,
    )
    found = [(e, hardest(apart(pairs[e]))) for e in ORDERED]
    orders = [tables.order(e, pair, f"{e}_count_order") for e, pair in found if pair is not None]
    return (*covered, *orders, bias)


def _text(
    gate: Gate,
    by_key: dict[tuple[str, str, str], Trial],
    pairs: dict[str, tuple[Pair, ...]],
    decisions: int,
    cap: float,
) -> dict[str, tuple[Message, ...]]:
    name = "off_policy"
    gated, full = by_key[GATED], by_key[("snips", GATED[1], "full")]
    worst = {e: hardest(apart(found)) for e, found in pairs.items()}
    right = {e: 1.0 if pair is None else float(pair.right.mean()) for e, pair in worst.items()}
    params = {
        "coverage": gated.coverage.value,
        "full": full.coverage.value,
        "rmse": gated.relative_rmse,
        "full_rmse": full.relative_rmse,
        "n": decisions,
        "cap": cap,
        "order": right["snips"],
        "dr_order": right["dr"],
        "near": near_share(pairs["snips"]),
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
        "design": say(name, "design", **params),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "mechanism", "diagnostics", "design", **params),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "interference", "overlap"),
        "scope": say(name, "scope"),
        "limits": say(name, "limits", "size", "order", **params),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.bandit", where="evaluation.bandit:run_trials"),
            *say(name, "modules.estimators", where="ope.estimators:Estimator"),
        ),
    }
