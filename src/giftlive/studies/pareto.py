"""5.5 · What do revenue, retention, diversity, evenness and calm cost each other?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Figure, StudyResult, Table
from giftlive.evaluation.rollouts import ORACLE
from giftlive.evaluation.rollouts.pareto import AIMS, WORLD, pareto_cell, weightings
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import paired_t
from giftlive.studies.context import Context
from giftlive.studies.over_cells import Ask, Cells, cells_of, play_cells, result_of, text

NAME = "pareto"
ALONE = "revenue alone"
MONEY, SHARE, CHANGE = "platform unit", "share", "relative change"
GUARD = 0.05
"""Share of the revenue of revenue alone that a guarded point may cost."""
COLUMNS = {
    "on the frontier": "share of seeds",
    "revenue": CHANGE,
    **dict.fromkeys(AIMS[1:], "difference"),
}
MODULES = {
    "policy": "policies.multi_objective:MultiObjective",
    "frontier": "evaluation.rollouts.pareto:frontier",
    "dominated": "evaluation.rollouts.frontier:non_dominated",
    "cells": "evaluation.rollouts.cells:run_cells",
}


@dataclass(frozen=True)
class Pareto:
    """Weights on five aims, each alone and all together, against revenue alone."""

    name: str = NAME
    id: str = "5.5"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Play every weighting on every seed; count who is not dominated."""
        asked = context.config.pareto
        cells = cells_of(asked, context.config.seed, strengths=asked.strengths, margin=asked.margin)
        population = "rounds with soft seats, five aims under the truth"
        found = play_cells(NAME, context, pareto_cell, cells, population)
        names = list(weightings(asked.strengths))
        rule, numbers = load_rules()[NAME], found.named(named(names))
        made = _checks(found, rule, names)
        gate = judge(rule, numbers, made)
        params: dict[str, Any] = {e.name: e.value or 0.0 for e in numbers} | {
            "seeds": asked.seeds,
            "world": asked.preset,
            "played": f"{len(names)} weightings",
            "weightings": len(names),
            "guarded": len(guarded(found, names)),
            "guard": GUARD,
            "margin": asked.margin,
            "verdict": gate.verdict,
        }
        return result_of(
            self,
            context,
            asked,
            asked.preset,
            checks=made,
            estimates=numbers,
            gates=(gate,),
            tables=(_table(found, names, ""), _table(found, names, ORACLE), _levels(found, names)),
            figures=_figures(found, names, params),
            text=text(NAME, gate, "frontier_points", MODULES, params),
        )


def level(who: str, aim: str, unit: str = SHARE) -> Ask:
    """Ask for the mean of an aim."""
    return Ask("level", unit, (WORLD, who, aim))


def against(who: str, aim: str) -> Ask:
    """Ask for an aim against revenue alone: revenue as a relative change, others as differences."""
    alone = f"{ORACLE}{ALONE}" if who.startswith(ORACLE) else ALONE
    kind, unit = ("gain", CHANGE) if aim == "revenue" else ("change", "ratio")
    return Ask(kind, unit, (WORLD, who, aim), (WORLD, alone, aim))  # type: ignore[arg-type]


def named(names: list[str]) -> dict[str, Ask]:
    """Return what the gate and the page name."""
    most, middle = names[-1], names[-2]
    return {
        "frontier_points": Ask("level", "points", (WORLD, "frontier", "points")),
        "oracle_frontier_points": Ask("level", "points", (WORLD, "oracle_frontier", "points")),
        "all_revenue": against(middle, "revenue"),
        "all_evenness": against(middle, "evenness"),
        "all_diversity": against(middle, "diversity"),
        "strongest_revenue": against(most, "revenue"),
        "alone_on_frontier": level(ALONE, "on the frontier"),
    }


def guarded(found: Cells, names: list[str]) -> list[str]:
    """Return the weightings that cost at most ``GUARD`` of the revenue of revenue alone."""
    others = [name for name in names if name != ALONE]
    return [name for name in others if found.value(against(name, "revenue")) > -GUARD]


def _checks(found: Cells, rule: Rule, names: list[str]) -> tuple[Check, ...]:
    one, other = (found.found.column(WORLD, who, "evenness") for who in (names[-1], ALONE))
    assert one is not None
    assert other is not None
    return (
        checks.a_a(found.found.ties("a_a", ALONE, "differs"), "revenue alone played twice"),
        checks.movable(
            paired_t(one, other, n_unit="worlds"),
            f"evenness of {names[-1]} against revenue alone",
            **rule.asked("movable"),
        ),
        checks.power(len(found.found.seeds), "worlds", **rule.asked("power")),
    )


def _table(found: Cells, names: list[str], prefix: str) -> Table:
    def asked(name: str, column: str) -> Ask | str:
        if column == "on the frontier":
            return level(f"{prefix}{name}", column)
        return "the reference" if name == ALONE else against(f"{prefix}{name}", column)

    made = found.table("aims", "weights", COLUMNS, names, asked)
    return replace(made, name="oracle_aims" if prefix else "aims")


def _levels(found: Cells, names: list[str]) -> Table:
    """Return the places of the figure."""
    units = {"revenue": MONEY, "evenness": "1 - exposure Gini"}
    return found.table(
        "levels",
        "weights",
        units,
        names,
        lambda name, aim: level(name, aim, MONEY if aim == "revenue" else "ratio"),
    )


def _figures(found: Cells, names: list[str], params: dict[str, Any]) -> tuple[Figure, ...]:
    families: dict[str, list[str]] = {}
    for name in names:
        if name != ALONE:
            families.setdefault(name.rpartition(" ")[0], []).append(name)
    plane = found.figure(
        "plane",
        f"{params['frontier_points']:.0f} of {params['weightings']} weightings are beaten by none"
        " in all five aims",
        f"{params['seeds']} seeds, estimated values; paths from weak to strong weights",
        ("evenness: 1 - exposure Gini", f"expected revenue ({MONEY})"),
        [
            found.path(
                family,
                [
                    (level(n, "evenness", "ratio"), level(n, "revenue", MONEY))
                    for n in (ALONE, *members)
                ],
                by_x=False,
            )
            for family, members in families.items()
        ],
    )
    return (plane,)
