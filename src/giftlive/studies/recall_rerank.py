"""5.1 · Does a second stage put the rooms that the direct model recalls in a better order?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.reranking import DIRECT, NDCG, Plan, read_worlds
from giftlive.evaluation.results import Check, Estimate, Gate, StudyResult
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import paired_t
from giftlive.studies.context import Context, say, worlds_of
from giftlive.studies.over_worlds import OverWorlds, columns_of
from giftlive.studies.recall_rerank_tables import Lists, figures, listed, tables
from giftlive.types import Message
from giftlive.world import load_scenario


@dataclass(frozen=True)
class RecallRerank:
    """A list recalled by one model and ordered by another, decision by decision.

    A metric over a week of sessions hardly moves when neighbours in a list change places; what
    moves is the order within a decision. Only a world knows what each room of a list was worth.
    """

    name: str = "recall_rerank"
    id: str = "5.1"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Make every world, order its lists at every length, and judge Gate-5A."""
        found, plan = _measured(context)
        context.keep("readings", columns_of(found.over.readings))
        rule = load_rules()["recall_rerank"]
        made, named = _checks(found, rule), listed(found)
        gate = judge(rule, named, made)
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.recall_rerank.question", {}),
            seed=context.config.seed,
            config=context.config.recall_rerank.model_dump() | {"size": found.scale},
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


def _measured(context: Context) -> tuple[Lists, Plan]:
    asked = context.config.recall_rerank
    plan = Plan(
        scenario=load_scenario(asked.preset, asked.scale, asked.overrides),
        seeds=tuple(context.config.seed + k for k in range(asked.seeds)),
        direct=asked.direct,
        staged=asked.staged,
        length=asked.length,
        lengths=tuple(sorted({*asked.lengths, asked.length})),
        decisions=asked.decisions,
        folds=context.config.tables.folds,
        memory_limit=context.config.memory_limit,
    )
    readings = read_worlds(plan, context.progress)
    over = OverWorlds(
        readings, plan.seeds, "decisions of the pooled test days of the calibrated world"
    )
    found = Lists(over, plan.scenario.scale, plan.direct, plan.staged, plan.length, plan.lengths)
    return found, plan


def _checks(found: Lists, rule: Rule) -> tuple[Check, ...]:
    one, other = (
        found.over.column("movable", name, NDCG) for name in ("pair_gift_sum", "streamer_gift_sum")
    )
    changed = found.over.column("reordered", "asked", "share")
    assert one is not None
    assert other is not None
    assert changed is not None
    return (
        checks.a_a(
            found.over.ties("a_a", DIRECT, "differs"),
            "lists re-ranked by the direct model itself, on every world",
        ),
        checks.movable(
            paired_t(one, other, n_unit="worlds"),
            "NDCG@10 of the list by past spend of the pair against past income",
            **rule.asked("movable"),
        ),
        checks.reordered(
            float(changed.mean()),
            f"lists of {found.length} rooms, mean of worlds",
            **rule.asked("reordered"),
        ),
        checks.power(len(found.over.seeds), "worlds", **rule.asked("power")),
    )


def _text(found: Lists, named: tuple[Estimate, ...], gate: Gate) -> dict[str, tuple[Message, ...]]:
    name, value = "recall_rerank", {e.name: e.value or 0.0 for e in named}
    params: dict[str, Any] = {
        "direct": found.direct,
        "staged": found.staged,
        "length": found.length,
        "ndcg": value["ndcg_10_change"],
        "capture": 100 * value["capture_1pct_change"],
        "slate": value["slate_change"],
        "reached": value["share_of_the_order_reached"],
        "seeds": len(found.over.seeds),
        "scale": found.scale,
        "verdict": gate.verdict,
    }
    return {
        "finding": say(name, "finding", **params),
        "headline": say(name, "headline", estimate="ndcg_10_change", label=found.staged),
        "consensus": say(
            name, "consensus", evidence=gate.reason, decision=gate.consequence, **params
        ),
        "cannot_tell": say(name, "cannot_tell"),
        "mechanism": say(name, "mechanism"),
        "inputs": say(name, "inputs.worlds", value=worlds_of(len(found.over.seeds), found.scale)),
        "outputs": say(name, "outputs", value=", ".join(str(n) for n in found.lengths)),
        "pipeline": say(name, "pipeline", "1", "2", "3", "4", "5"),
        "outcomes": say(name, "outcomes", "passed", "rejected", "anomaly"),
        "design": say(name, "design", **params),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "mechanism", "revenue", "room", **params),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "worlds", "truth"),
        "scope": say(name, "scope"),
        "limits": say(name, "limits", "candidates", "realised", "permutation"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.lists", where="evaluation.reranking.lists:reranked"),
            *say(name, "modules.decisions", where="evaluation.reranking.decisions:listed"),
            *say(name, "modules.measure", where="evaluation.reranking.measure:scores"),
        ),
    }
