"""1.1 · Does a chance times an amount beat one direct regression, and what is still missing?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Estimate, Gate, StudyResult
from giftlive.evaluation.rules import Rule
from giftlive.evaluation.stages import Plan, read_worlds
from giftlive.stats.intervals import paired_t
from giftlive.studies.context import Context, say, worlds_of
from giftlive.studies.over_worlds import OverWorlds, columns_of
from giftlive.studies.two_stage_tables import Stages, figures, listed, tables
from giftlive.types import Message
from giftlive.world import load_scenario


@dataclass(frozen=True)
class TwoStage:
    """Direct, two-stage, gift-only and the Y > 0 bound on worlds made for the question.

    Only a world knows P(gift) and E[amount | gift], so that either can be swapped in; and over
    worlds, each on a seed of its own, intervals hold at tails where none over users does.
    """

    name: str = "two_stage"
    id: str = "1.1"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Make every world, fit every arm with and without the leak, and judge Gate-1 (a)."""
        found, plan = _measured(context)
        context.keep("readings", columns_of(found.over.readings))
        rule = load_rules()["two_stage"]
        made, named = _checks(found, rule), listed(found)
        gate = judge(rule, named, made)
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.two_stage.question", {}),
            seed=context.config.seed,
            config=context.config.stages.model_dump() | {"size": found.scale},
            inputs=context.inputs()
            | {"world": f"{plan.scenario.name} {plan.scenario.fingerprint}"},
            code_version=context.code_version,
            checks=made,
            estimates=named,
            gates=(gate,),
            tables=tables(found),
            figures=figures(found),
            text=_text(found, named, gate),
        )


def _measured(context: Context) -> tuple[Stages, Plan]:
    asked = context.config.stages
    first = context.config.seed
    plan = Plan(
        scenario=load_scenario(asked.preset, asked.scale, asked.overrides),
        seeds=tuple(first + k for k in range(asked.seeds)),
        teachers=tuple(first + asked.seeds + k for k in range(asked.teachers)),
        direct=asked.direct,
        staged=asked.staged,
        folds=context.config.tables.folds,
        memory_limit=context.config.memory_limit,
    )
    readings = read_worlds(plan, context.progress)
    over = OverWorlds(
        readings, plan.seeds, "sessions of the pooled test days of the calibrated world"
    )
    return Stages(over, plan.scenario.scale, plan.direct, plan.staged), plan


def _checks(found: Stages, rule: Rule) -> tuple[Check, ...]:
    ties = found.over.ties("a_a", found.staged[0], "differs")
    one, other = (
        found.over.column("movable", name, "PR-AUC")
        for name in ("pair_gift_sum", "streamer_gift_sum")
    )
    assert one is not None
    assert other is not None
    return (
        checks.a_a(ties, "a model fitted twice, on every world"),
        checks.movable(
            paired_t(one, other, n_unit="worlds"),
            "PR-AUC of past spend of the pair against past income, first validation days",
            **rule.asked("movable"),
        ),
        checks.power(len(found.over.seeds), "worlds", **rule.asked("power")),
    )


def _text(found: Stages, named: tuple[Estimate, ...], gate: Gate) -> dict[str, tuple[Message, ...]]:
    name, value = "two_stage", {e.name: e.value or 0.0 for e in named}
    params: dict[str, Any] = {
        "direct": found.direct,
        "staged": found.staged[0],
        "gain": 100 * value["pr_auc_relative_gain"],
        "chance": value["gap_closed_by_true_chance"],
        "amount": value["gap_closed_by_true_amount"],
        "seeds": len(found.over.seeds),
        "scale": found.scale,
        "verdict": gate.verdict,
    }
    return {
        "finding": say(name, "finding", **params),
        "headline": say(name, "headline", estimate="pr_auc_staged", label=found.staged[0]),
        "consensus": say(
            name, "consensus", evidence=gate.reason, decision=gate.consequence, **params
        ),
        "cannot_tell": say(name, "cannot_tell"),
        "mechanism": say(name, "mechanism"),
        "inputs": say(name, "inputs.worlds", value=worlds_of(len(found.over.seeds), found.scale)),
        "outputs": say(name, "outputs", value=f"{found.direct}, {', '.join(found.staged)}"),
        "pipeline": say(name, "pipeline", "1", "2", "3", "4", "5"),
        "outcomes": say(name, "outcomes", "passed", "rejected", "anomaly"),
        "design": say(name, "design", **params),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "mechanism", "leak", **params),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "worlds", "truth"),
        "scope": say(name, "scope"),
        "limits": say(name, "limits", "leak", "ceiling", "published"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.arms", where="evaluation.stages.arms:arms_of"),
            *say(name, "modules.leak", where="evaluation.stages.leak:with_leak"),
            *say(name, "modules.swap", where="evaluation.stages.measure:versions"),
        ),
    }
