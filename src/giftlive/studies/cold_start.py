"""2.2 · What does guaranteed exposure for newcomers cost, and does it find the good ones?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Figure, StudyResult, Table
from giftlive.evaluation.rollouts.cold_start import FLOOR, LINEUP, TWICE, WORLD, cold_cell
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import ratio_delta
from giftlive.studies.context import Context
from giftlive.studies.over_cells import Ask, Cells, cells_of, play_cells, result_of, text

NAME = "cold_start"
GATES = (NAME, "cold_start_learning")
LEARNING = "thompson + floor"
SHOWN = ("greedy", "quota", FLOOR, "ucb", "lin_ucb", LEARNING, "oracle_greedy")
MONEY, SHARE, CHANGE = "platform unit", "share", "relative change"
COLUMNS = {
    "expected revenue": MONEY,
    "against greedy": CHANGE,
    "success": "share of newcomers",
    "good success": "share of the good",
    "rounds to discovery": "rounds, good newcomers",
    "to newcomers": "share of decisions",
    "good stay": "share of the good",
    "income Gini": "ratio",
}
MODULES = {
    "floor": "evaluation.rollouts.cold_start:floor_prices",
    "quota": "evaluation.rollouts.quota:Quota",
    "discovered": "evaluation.rollouts.cold_start:discovered",
    "cells": "evaluation.rollouts.cells:run_cells",
}


@dataclass(frozen=True)
class ColdStart:
    """Bonus, quota by heads, floor priced by the dual, and learning: newcomers are unknown."""

    name: str = NAME
    id: str = "2.2"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Play every policy on every seed; judge the priced floor, and the floor that learns."""
        asked = context.config.cold_start
        cells = cells_of(
            asked,
            context.config.seed,
            share=asked.share,
            good=asked.good,
            floor=asked.floor,
            supply=asked.supply,
        )
        population = "rounds with newcomers, expected revenue under the truth"
        found = play_cells(NAME, context, cold_cell, cells, population)
        rules, numbers = load_rules(), found.named(named())
        made = _checks(found, rules[NAME])
        gates = tuple(judge(rules[gate], numbers, made) for gate in GATES)
        params: dict[str, Any] = {e.name: e.value or 0.0 for e in numbers} | {
            "seeds": asked.seeds,
            "world": f"{asked.preset} with {asked.share:.0%} newcomers",
            "played": ", ".join(LINEUP),
            "floor": asked.floor,
            "verdict": gates[0].verdict,
            "learning_verdict": gates[1].verdict,
        }
        return result_of(
            self,
            context,
            asked,
            asked.preset,
            checks=made,
            estimates=numbers,
            gates=gates,
            tables=(_table(found),),
            figures=_figures(found, params),
            text=text(NAME, gates[0], "floor_success", MODULES, params),
        )


def level(who: str, measure: str, unit: str) -> Ask:
    """Ask for the mean of a measure of a policy."""
    return Ask("level", unit, (WORLD, who, measure))


def gain(who: str) -> Ask:
    """Ask for expected revenue over greedy."""
    return Ask("gain", CHANGE, (WORLD, who, "expected"), (WORLD, "greedy", "expected"))


def more(who: str, measure: str, unit: str = "ratio") -> Ask:
    """Ask for the difference of a measure to greedy."""
    return Ask("change", unit, (WORLD, who, measure), (WORLD, "greedy", measure))


def named() -> dict[str, Ask]:
    """Return what the gates and the page name."""
    found: dict[str, Ask] = {}
    for prefix, who in (("floor", FLOOR), ("learning", LEARNING), ("quota", "quota")):
        found |= {
            f"{prefix}_revenue": gain(who),
            f"{prefix}_success": more(who, "success"),
            f"{prefix}_good_success": more(who, "good success"),
            f"{prefix}_sooner": more(who, "rounds to discovery", "rounds"),
        }
    return found | {
        "thompson_revenue": gain("thompson"),
        "ucb_revenue": gain("ucb"),
        "ucb_good_success": more("ucb", "good success"),
        "lin_ucb_revenue": gain("lin_ucb"),
        "lin_ucb_good_success": more("lin_ucb", "good success"),
        "oracle_revenue": gain("oracle_greedy"),
        "oracle_to_newcomers": level("oracle_greedy", "to newcomers", SHARE),
        "floor_good_stay": more(FLOOR, "good stay"),
        "price_of_exposure": level("floor", "price", MONEY),
        "paid_for_exposure": Ask(
            "ratio", "platform unit per unit of attention", (WORLD, "floor", "lost"),
            (WORLD, "floor", "bought"),
        ),
    }  # fmt: skip


def _checks(found: Cells, rule: Rule) -> tuple[Check, ...]:
    displaced = found.value(level(FLOOR, "displaced", SHARE))
    one, other = (found.found.column(WORLD, who, "expected") for who in ("oracle_greedy", "greedy"))
    assert one is not None
    assert other is not None
    return (
        checks.reordered(displaced, "decisions under the floor", **rule.asked("reordered")),
        checks.movable(
            ratio_delta(one - other, other, n_unit="worlds"),
            "greedy on true values against greedy on estimates",
            **rule.asked("movable"),
        ),
        checks.a_a(found.found.all_ties(*TWICE), f"{' and '.join(TWICE)} played twice"),
        checks.power(len(found.found.seeds), "worlds", **rule.asked("power")),
    )


def _table(found: Cells) -> Table:
    def asked(who: str, column: str) -> Ask | str:
        if column == "against greedy":
            return "the reference" if who == "greedy" else gain(who)
        if column == "expected revenue":
            return level(who, "expected", MONEY)
        unit = "rounds" if column == "rounds to discovery" else COLUMNS[column]
        return level(who, column, unit)

    return found.table("policies", "policy", COLUMNS, LINEUP, asked)


def _figures(found: Cells, params: dict[str, Any]) -> tuple[Figure, ...]:
    plane = found.figure(
        "price",
        f"A floor finds {params['floor_good_success']:+.0%} of the good newcomers for"
        f" {params['floor_revenue']:+.1%} of revenue",
        f"{params['seeds']} seeds; values estimated but for oracle_greedy",
        ("share of newcomers to whom two users gave", f"expected revenue ({MONEY})"),
        [
            found.path(who, [(level(who, "success", "ratio"), level(who, "expected", MONEY))])
            for who in SHOWN
        ],
    )
    time = found.figure(
        "time",
        f"Good newcomers are found {-params['floor_sooner']:.0f} rounds sooner under the floor",
        f"{params['seeds']} seeds; never within the horizon counts as its end",
        ("policy", "rounds until two users gave"),
        [
            found.dots(
                "good newcomers",
                {who: level(who, "rounds to discovery", "rounds") for who in LINEUP},
            )
        ],
        x_scale="category",
        horizontal=True,
    )
    return plane, time
