"""5.4 · Do bounds on uncertain values protect a bad day, and what do they cost?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Figure, StudyResult, Table
from giftlive.evaluation.rollouts.risks import BELIEFS, ORACLE_GREEDY, POLICIES, risk_cell
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import paired_t
from giftlive.studies.context import Context
from giftlive.studies.over_cells import Ask, Cells, cells_of, play_cells, result_of, text

NAME = "risk"
GATES = (NAME, "risk_pooled")
SHARE, CHANGE = "share", "relative change"
COLUMNS = {"CVaR": CHANGE, "expected revenue": CHANGE, "to badly known": "share of decisions"}
MODULES = {
    "policy": "policies.risk:lcb",
    "belief": "evaluation.rollouts.risks:believe",
    "cvar": "evaluation.rollouts.risks:worst",
    "cells": "evaluation.rollouts.cells:run_cells",
}


@dataclass(frozen=True)
class Risk:
    """UCB, LCB and CVaR on uncertainty that is calibrated by user, and on one that is pooled."""

    name: str = NAME
    id: str = "5.4"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Play many days of every world; judge the chosen bound under both beliefs."""
        asked = context.config.risk
        cells = cells_of(
            asked,
            context.config.seed,
            known=asked.known,
            unknown=asked.unknown,
            share=asked.share,
            days=asked.days,
        )
        population = f"{asked.days} days of each world, revenue of a day capped at its 99 % point"
        found = play_cells(NAME, context, risk_cell, cells, population)
        rules, numbers = load_rules(), found.named(named(asked.judged))
        made = _checks(found, rules[NAME])
        gates = tuple(judge(rules[gate], numbers, made) for gate in GATES)
        params: dict[str, Any] = {e.name: e.value or 0.0 for e in numbers} | {
            "seeds": asked.seeds,
            "days": asked.days,
            "world": asked.preset,
            "played": ", ".join((*POLICIES, ORACLE_GREEDY)),
            "judged": asked.judged,
            "verdict": gates[0].verdict,
            "pooled_verdict": gates[1].verdict,
        }
        return result_of(
            self,
            context,
            asked,
            asked.preset,
            checks=made,
            estimates=numbers,
            gates=gates,
            tables=tuple(_table(found, belief) for belief in BELIEFS),
            figures=(_figure(found, params),),
            text=text(NAME, gates[0], "by_user_cvar", MODULES, params),
        )


def gain(belief: str, who: str, what: str) -> Ask:
    """Ask for CVaR or expected revenue over that of greedy under the same belief."""
    return Ask("gain", CHANGE, (belief, who, what), (belief, "greedy", what))


def named(judged: str) -> dict[str, Ask]:
    """Return what the gates and the page name."""
    found: dict[str, Ask] = {}
    for belief in BELIEFS:
        found |= {
            f"{belief}_cvar": gain(belief, judged, "cvar"),
            f"{belief}_revenue": gain(belief, judged, "expected"),
            f"{belief}_covered": Ask("level", SHARE, (belief, "uncertainty", "covered")),
            f"{belief}_to_badly_known": Ask("level", SHARE, (belief, "greedy", "to badly known")),
        }
    truth = ("truth", ORACLE_GREEDY)
    for what, name in (("cvar", "oracle_cvar"), ("expected", "oracle_revenue")):
        found[name] = Ask("gain", CHANGE, (*truth, what), ("by_user", "greedy", what))
    return found


def _checks(found: Cells, rule: Rule) -> tuple[Check, ...]:
    low, high = (
        found.found.column("pooled", who, "to badly known") for who in ("lcb 0.5", "ucb 0.5")
    )
    assert low is not None
    assert high is not None
    return (
        checks.a_a(found.found.ties("a_a", "greedy", "differs"), "greedy played twice"),
        checks.movable(
            paired_t(high, low, n_unit="worlds"),
            "share of decisions for badly known streamers, ucb against lcb",
            **rule.asked("movable"),
        ),
        checks.power(len(found.found.seeds), "worlds", **rule.asked("power")),
    )


def _table(found: Cells, belief: str) -> Table:
    def asked(who: str, column: str) -> Ask | str:
        if column == "to badly known":
            return Ask("level", SHARE, (belief, who, column))
        return gain(belief, who, "cvar" if column == "CVaR" else "expected")

    others = [who for who in POLICIES if who != "greedy"]
    made = found.table("bounds", "policy", COLUMNS, others, asked, belief=belief)
    return Table(belief, made.columns, made.units, made.rows, made.caption)


def _figure(found: Cells, params: dict[str, Any]) -> Figure:
    others = [who for who in POLICIES if who != "greedy"]
    return found.figure(
        "cvar",
        f"{params['judged']} changes CVaR by {params['by_user_cvar']:+.1%} where uncertainty is"
        f" calibrated by user, by {params['pooled_cvar']:+.1%} where it is pooled",
        f"{params['seeds']} worlds of {params['days']} days; mean of the worst 5 % of days",
        ("policy", "CVaR against greedy on the same belief"),
        [
            found.dots(belief, {who: gain(belief, who, "cvar") for who in others})
            for belief in BELIEFS
        ],
        x_scale="category",
    )
