"""0.2b · Which value model is right about expected amounts, in order and in level?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.errors import UsageError
from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.leaderboard import TRIVIAL
from giftlive.evaluation.results import Check, Estimate, Gate, StudyResult
from giftlive.evaluation.rollouts import CellStore
from giftlive.evaluation.rules import Rule
from giftlive.evaluation.value_models import BAYES, LEVEL, REFERENCE, Plan, read_worlds
from giftlive.evaluation.value_models.measure import ALL
from giftlive.stats.intervals import Interval, paired_t, ratio_delta
from giftlive.studies.context import Context, say, worlds_of
from giftlive.studies.over_worlds import columns_of
from giftlive.studies.value_models_tables import ValueNumbers, figures, listed, tables
from giftlive.types import Message
from giftlive.world import load_scenario


@dataclass(frozen=True)
class ValueModels:
    """Every value model on worlds whose expected amounts are known exactly.

    Realised amounts are so heavy-tailed that no log of this size tells two good models apart;
    expected amounts do. Intervals are over worlds, each made on a seed of its own.
    """

    name: str = "value_models"
    id: str = "0.2b"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Make every world, fit every model, and judge the default one."""
        plan = plan_of(context)
        found = ValueNumbers(
            read_worlds(plan, context.progress, CellStore(context.cells, context.code_version)),
            plan.seeds,
            "sessions of the pooled test days of the calibrated world",
            plan.scenario.scale,
            plan.names,
            plan.default,
        )
        context.keep("readings", columns_of(found.readings))
        named, rules = listed(found), load_rules()
        made = _checks(found, rules["value_models"])
        gates = tuple(judge(rules[name], named, made) for name in ("value_models", "value_ceiling"))
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.value_models.question", {}),
            seed=context.config.seed,
            config=context.config.value_models.model_dump() | {"size": found.scale},
            inputs=context.inputs()
            | {"world": f"{plan.scenario.name} {plan.scenario.fingerprint}"},
            code_version=context.code_version,
            checks=made,
            estimates=named,
            gates=gates,
            tables=tables(found),
            figures=figures(found),
            text=_text(found, named, gates[0]),
        )


def plan_of(context: Context) -> Plan:
    """Return the worlds and models that are asked for.

    Raises
    ------
    UsageError
        ``names`` holds no ridge or no trivial ranker, or not the default model.
    """
    asked, first = context.config.value_models, context.config.seed
    missing = [name for name in (REFERENCE, asked.default) if name not in asked.names]
    if missing or not set(asked.names) & set(TRIVIAL):
        raise UsageError(
            f"names {', '.join(asked.names)}",
            "value_models.names",
            f"{REFERENCE}, {asked.default} and at least one of {', '.join(TRIVIAL)}",
            "every model is compared with them",
        )
    return Plan(
        scenario=load_scenario(asked.preset, asked.scale, asked.overrides),
        seeds=tuple(first + k for k in range(asked.seeds)),
        teachers=tuple(first + asked.seeds + k for k in range(asked.teachers)),
        names=asked.names,
        default=asked.default,
        folds=context.config.tables.folds,
        memory_limit=context.config.memory_limit,
        jobs=context.config.jobs,
    )


def _checks(found: ValueNumbers, rule: Rule) -> tuple[Check, ...]:
    simple = [name for name in found.names if name == REFERENCE or name in TRIVIAL]
    ginis = [found.column("order", name, "norm. Gini") for name in simple]
    best = np.max([x for x in ginis if x is not None], axis=0)
    return (
        checks.a_a(
            found.ties("a_a", found.default, "differs"), "a model fitted twice, on every world"
        ),
        checks.movable(
            paired_t(np.ones_like(best), best, n_unit="worlds"),
            f"norm. Gini of the true order (1) against the best of {', '.join(simple)}",
            **rule.asked("movable"),
        ),
        checks.power(len(found.seeds), "worlds", **rule.asked("power")),
        checks.ceiling(_of_ceiling(found), f"the {BAYES} of capture at 1 %"),
    )


def _of_ceiling(found: ValueNumbers) -> dict[str, Interval]:
    """Return what every model captures of the Bayes ceiling; nothing where no world taught one."""
    best = found.column("head", BAYES, ALL)
    own = {name: found.column("head", name, ALL) for name in found.names}
    return {
        name: ratio_delta(x, best, n_unit="worlds")
        for name, x in own.items()
        if x is not None and best is not None
    }


def _text(
    found: ValueNumbers, named: tuple[Estimate, ...], gate: Gate
) -> dict[str, tuple[Message, ...]]:
    name, value = "value_models", {e.name: e.value or 0.0 for e in named}
    params: dict[str, Any] = {
        "default": found.default,
        "reference": REFERENCE,
        "gini": value["gini_default"],
        "gain": value["gini_gain_over_ridge"],
        "level": value["level_of_default"],
        "level_percent": 100 * LEVEL,
        "covered": value["coverage"],
        "best": found.ranked[0],
        "seeds": len(found.seeds),
        "scale": found.scale,
        "verdict": gate.verdict,
    }
    return {
        "finding": say(name, "finding", **params),
        "headline": say(name, "headline", estimate="gini_default", label=found.default),
        "consensus": say(
            name, "consensus", evidence=gate.reason, decision=gate.consequence, **params
        ),
        "cannot_tell": say(name, "cannot_tell"),
        "mechanism": say(name, "mechanism"),
        "inputs": say(name, "inputs.worlds", value=worlds_of(len(found.seeds), found.scale)),
        "outputs": say(name, "outputs", value=", ".join(found.names)),
        "pipeline": say(name, "pipeline", "1", "2", "3", "4"),
        "outcomes": say(name, "outcomes", "passed", "rejected", "anomaly"),
        "design": say(name, "design", **params),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "luck", "level", **params),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "worlds", "truth"),
        "scope": say(name, "scope"),
        "limits": say(name, "limits", "clicks", "ceiling", "coverage"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.measure", where="evaluation.value_models.measure:measured"),
            *say(name, "modules.truth", where="evaluation.leaderboard.truth:truth_of"),
            *say(name, "modules.coverage", where="evaluation.value_models.coverage:covered"),
        ),
    }
