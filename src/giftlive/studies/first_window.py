"""1.4 · Which knowledge teaches gifts, and what do the first seconds of a viewing add?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from giftlive.evaluation import checks
from giftlive.evaluation.first_window import FULL, NOISE, PR_AUC, SNAPSHOT, Plan, read_worlds
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Estimate, Gate, StudyResult
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import paired_t
from giftlive.studies.context import Context, say, worlds_of
from giftlive.studies.first_window_tables import Groups, figures, listed, tables
from giftlive.studies.over_worlds import OverWorlds, columns_of
from giftlive.types import Message
from giftlive.world import load_scenario


@dataclass(frozen=True)
class FirstWindow:
    """One model on the same sessions, with one group of features more or less each time.

    Groups are compared at a moment when all of them exist, some seconds after the entry and among
    those who still watch. Columns drawn at random stand among them: they must teach nothing.
    """

    name: str = "first_window"
    id: str = "1.4"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Make every world, fit every variant, and judge whether the ranking has a first."""
        found, plan = _measured(context)
        context.keep("readings", columns_of(found.over.readings))
        rule = load_rules()["first_window"]
        made, named = _checks(found, rule), listed(found)
        gate = judge(rule, named, made)
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.first_window.question", {}),
            seed=context.config.seed,
            config=context.config.first_window.model_dump() | {"size": found.scale},
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


def _measured(context: Context) -> tuple[Groups, Plan]:
    asked = context.config.first_window
    plan = Plan(
        scenario=load_scenario(asked.preset, asked.scale, asked.overrides),
        seeds=tuple(context.config.seed + k for k in range(asked.seeds)),
        model=asked.model,
        dwell=asked.dwell_seconds,
        folds=context.config.tables.folds,
        memory_limit=context.config.memory_limit,
    )
    readings = read_worlds(plan, context.progress)
    over = OverWorlds(
        readings, plan.seeds, "sessions of the pooled test days of the calibrated world"
    )
    return Groups(over, plan.scenario.scale, plan.model, plan.dwell), plan


def _checks(found: Groups, rule: Rule) -> tuple[Check, ...]:
    one, other = (
        found.over.column("movable", name, PR_AUC)
        for name in ("pair_gift_sum", "streamer_gift_sum")
    )
    assert one is not None
    assert other is not None
    return (
        checks.a_a(
            found.over.ties("a_a", FULL, "differs"), "the full model fitted twice, on every world"
        ),
        checks.movable(
            paired_t(one, other, n_unit="worlds"),
            "PR-AUC of past spend of the pair against past income, first validation days",
            **rule.asked("movable"),
        ),
        checks.power(len(found.over.seeds), "worlds", **rule.asked("power")),
    )


def _text(found: Groups, named: tuple[Estimate, ...], gate: Gate) -> dict[str, tuple[Message, ...]]:
    name, value = "first_window", {e.name: e.value or 0.0 for e in named}
    order = found.ranked
    params: dict[str, Any] = {
        "model": found.model,
        "first": order[0],
        "second": order[1],
        "lead": value["lead_of_first"],
        "noise": value["noise_adds_to_clock"],
        "noise_rank": order.index(NOISE) + 1,
        "groups": len(order),
        "gain": value["rescoring_gain"],
        "stayed": value["staying_gain"],
        "seconds": found.dwell[0],
        "seeds": len(found.over.seeds),
        "scale": found.scale,
        "verdict": gate.verdict,
    }
    snapshot = "snapshot" if found.size(SNAPSHOT) else "no_snapshot"
    return {
        "finding": say(name, "finding", **params),
        "headline": say(name, "headline", estimate="lead_of_first", label=order[0]),
        "consensus": say(
            name, "consensus", evidence=gate.reason, decision=gate.consequence, **params
        ),
        "cannot_tell": say(name, "cannot_tell"),
        "mechanism": say(name, "mechanism"),
        "inputs": say(name, "inputs.worlds", value=worlds_of(len(found.over.seeds), found.scale)),
        "outputs": say(name, "outputs", value=", ".join(order)),
        "pipeline": say(name, "pipeline", "1", "2", "3", "4", "5"),
        "outcomes": say(name, "outcomes", "passed", "rejected", "anomaly"),
        "design": say(name, "design", **params),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "alone", "rest", **params),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "worlds", "winner"),
        "scope": say(name, "scope", **params),
        "limits": say(name, "limits", snapshot, "follows", "substitutes", "entry"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.groups", where="evaluation.first_window.groups:group_of"),
            *say(name, "modules.variants", where="evaluation.first_window.variants:measured"),
            *say(name, "modules.rescoring", where="evaluation.first_window.rescoring:rescored"),
        ),
    }
