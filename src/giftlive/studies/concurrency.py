"""4.2 · What is one more viewer worth as rooms fill, under seats and under a soft response?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Figure, StudyResult, Table
from giftlive.evaluation.rollouts.concurrency import (
    NO_RESPONSE,
    POLICIES,
    RESPONSES,
    class_name,
    concurrency_cell,
    middles,
)
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import paired_t
from giftlive.studies.context import Context
from giftlive.studies.over_cells import Ask, Cells, cells_of, play_cells, result_of, text

NAME = "concurrency"
MONEY, SHARE, SLOPE = "platform unit", "share", "log revenue per log load"
ACTING = tuple(response for response in RESPONSES if response != NO_RESPONSE)
MODULES = {
    "marginals": "evaluation.rollouts.concurrency:marginals",
    "elasticity": "evaluation.rollouts.concurrency:elasticity",
    "overload": "evaluation.rollouts.contestants:overload",
    "cells": "evaluation.rollouts.cells:run_cells",
}


@dataclass(frozen=True)
class Concurrency:
    """Marginal revenue per viewer by load, paired with the same viewers in rooms without limit."""

    name: str = NAME
    id: str = "4.2"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Play every policy under every response; judge the elasticity in soft mode."""
        asked = context.config.concurrency
        cells = cells_of(
            asked,
            context.config.seed,
            sizes=asked.sizes,
            differentiation=asked.differentiation,
            alpha=asked.alpha,
            edges=asked.edges,
        )
        population = "viewers in rounds, expected revenue under the truth"
        found = play_cells(NAME, context, concurrency_cell, cells, population)
        names = [class_name(m) for m in middles(np.array(asked.edges))]
        rule, numbers = load_rules()[NAME], found.named(named(names))
        made = _checks(found, rule, names)
        gate = judge(rule, numbers, made)
        params: dict[str, Any] = {e.name: e.value or 0.0 for e in numbers} | {
            "seeds": asked.seeds,
            "world": asked.in_words,
            "played": ", ".join(POLICIES),
            "alpha": asked.alpha,
            "verdict": gate.verdict,
        }
        return result_of(
            self,
            context,
            asked,
            f"{asked.preset} {asked.sizes}",
            checks=made,
            estimates=numbers,
            gates=(gate,),
            tables=_tables(found, names),
            figures=(_figure(found, names, params),),
            text=text(NAME, gate, "soft_elasticity", MODULES, params),
        )


def where(policy: str, response: str) -> str:
    """Return the name of the readings of a policy under a response."""
    return f"{policy}, {response}"


def kept(policy: str, response: str, name: str) -> Ask:
    """Ask for a class's marginal revenue over that of the same viewers without a response."""
    return Ask(
        "ratio",
        SHARE,
        (where(policy, response), name, "marginal"),
        (where(policy, NO_RESPONSE), name, "marginal"),
    )


def slope(policy: str, response: str, kind: str = "paired") -> Ask:
    """Ask for the mean elasticity over seeds."""
    return Ask("level", SLOPE, (where(policy, response), "elasticity", kind))


def named(names: list[str]) -> dict[str, Ask]:
    """Return what the gate and the page name."""
    last = names[-1]
    return {
        "soft_elasticity": slope("greedy", "soft"),
        "hard_elasticity": slope("greedy", "hard"),
        "plain_elasticity": slope("greedy", NO_RESPONSE, "plain"),
        "uniform_soft_elasticity": slope("uniform", "soft"),
        "oracle_soft_elasticity": slope("oracle_greedy", "soft"),
        "soft_kept": kept("greedy", "soft", last),
        "hard_kept": kept("greedy", "hard", last),
        "overload": _overload("per round"),
        "overload_cumulative": _overload("cumulative"),
    }


def _overload(kind: str, policy: str = "greedy") -> Ask:
    return Ask("level", SHARE, (where(policy, "soft"), "overload", kind))


def _checks(found: Cells, rule: Rule, names: list[str]) -> tuple[Check, ...]:
    free, full = (
        found.found.column(where("greedy", "hard"), name, "kept") for name in (names[0], names[-1])
    )
    assert free is not None
    assert full is not None
    return (
        checks.a_a(found.found.ties("a_a", "greedy", "differs"), "greedy played twice"),
        checks.movable(
            paired_t(free, full, n_unit="worlds"),
            "share of a viewer's revenue kept under hard seats, first class against last",
            **rule.asked("movable"),
        ),
        checks.power(len(found.found.seeds), "worlds", **rule.asked("power")),
    )


def _tables(found: Cells, names: list[str]) -> tuple[Table, ...]:
    rows = {where(p, r): (p, r) for p in POLICIES for r in ACTING}
    by_load = found.table(
        "kept",
        "policy and response",
        dict.fromkeys(names, "share kept"),
        rows,
        lambda row, name: kept(*rows[row], name),
    )
    slopes = found.table(
        "elasticity",
        "policy and response",
        {"paired": SLOPE, "plain": SLOPE},
        rows,
        lambda row, kind: slope(*rows[row], kind),
    )
    overloads = found.table(
        "overload",
        "policy",
        {"per round": "share of (room, round)", "cumulative": "share of rooms"},
        POLICIES,
        lambda policy, kind: _overload(kind, policy),
    )
    return by_load, slopes, overloads


def _figure(found: Cells, names: list[str], params: dict[str, Any]) -> Figure:
    rows = {where(p, r): (p, r) for p in ("greedy", "uniform") for r in ACTING}
    return found.figure(
        "kept",
        f"At the highest load a viewer is worth {params['soft_kept']:.0%} of what he would be alone"
        f" under the soft response, {params['hard_kept']:.0%} under seats",
        f"{params['seeds']} seeds; greedy on estimated values, and uniform",
        ("load: viewers before over all seats", "marginal revenue over that without limit"),
        [
            found.dots(row, {name: kept(*which, name) for name in names})
            for row, which in rows.items()
        ],
        x_scale="category",
    )
