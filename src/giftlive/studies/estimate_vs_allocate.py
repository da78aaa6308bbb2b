"""6.1 · Which lever is larger where seats are scarce: better values or a better allocation?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from giftlive.errors import UsageError
from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Figure, StudyResult, Table
from giftlive.evaluation.rollouts.levers import (
    ALLOCATORS,
    FLAT,
    LEARNT,
    MODEL,
    WORLD,
    lever_cell,
    row,
    values_named,
)
from giftlive.evaluation.rollouts.seats import OPTIMUM
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import ratio_delta
from giftlive.studies.context import Context
from giftlive.studies.over_cells import Ask, Cells, cells_of, play_cells, result_of, text

NAME = "estimate_vs_allocate"
SHARE = "share"
BANDITS = ("room_thompson", "epsilon_greedy")
LEVERS = {
    "value_lever_capped": "values, capped",
    "value_lever_priced": "values, priced",
    "allocation_lever": "allocation, model",
    "allocation_lever_truth": "allocation, truth",
    "allocation_over_values": "allocation over values",
}
MODULES = {
    "levers": "evaluation.rollouts.levers:lever_cell",
    "ips": "evaluation.rollouts.levers:learnt_by_ips",
    "prices": "evaluation.rollouts.seats:clearing_prices",
    "cells": "evaluation.rollouts.cells:run_cells",
}


@dataclass(frozen=True)
class EstimateVsAllocate:
    """Levels of values x allocators, as shares of the exact offline optimum."""

    name: str = NAME
    id: str = "6.1"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Play every allocator on every level of values, and the comparators without a model."""
        asked = context.config.estimate_vs_allocate
        if not {0.0, 1.0} <= set(asked.factors):
            raise UsageError(f"{asked.factors}", f"{NAME}.factors", "0 and 1 among them")
        cells = cells_of(
            asked,
            context.config.seed,
            sizes=asked.sizes,
            load=asked.load,
            differentiation=asked.differentiation,
            factors=asked.factors,
        )
        population = "rounds with hard seats, expected revenue under the truth"
        found = play_cells(NAME, context, lever_cell, cells, population)
        rule, numbers = load_rules()[NAME], found.named(named())
        made = _checks(found, rule)
        gate = judge(rule, numbers, made)
        params: dict[str, Any] = {e.name: e.value or 0.0 for e in numbers} | {
            "seeds": asked.seeds,
            "world": asked.in_words,
            "played": ", ".join((*ALLOCATORS, *BANDITS)),
            "load": asked.load,
            "verdict": gate.verdict,
        }
        levels = (*values_named(asked.factors), FLAT, LEARNT)
        return result_of(
            self,
            context,
            asked,
            f"{asked.preset} {asked.sizes}",
            checks=made,
            estimates=numbers,
            gates=(gate,),
            tables=tables(found, levels),
            figures=(_figure(found, levels, params),),
            text=text(NAME, gate, "allocation_over_values", MODULES, params),
        )


def of_optimum(name: str, column: str = "expected") -> Ask:
    """Ask for a number as a share of the offline optimum."""
    return Ask("ratio", SHARE, (WORLD, name, column), (WORLD, OPTIMUM, "expected"))


def named() -> dict[str, Ask]:
    """Return what the gate and the page name."""
    found = {name: of_optimum(lever, "lever") for name, lever in LEVERS.items()}
    return found | {
        "model_capped": of_optimum(row(MODEL, "greedy_with_cap")),
        "model_priced": of_optimum(row(MODEL, "dual_price")),
        "ips_capped": of_optimum(row(LEARNT, "greedy_with_cap")),
        "thompson": of_optimum("room_thompson"),
        "epsilon_greedy": of_optimum("epsilon_greedy"),
    }


def _checks(found: Cells, rule: Rule) -> tuple[Check, ...]:
    priced = row(MODEL, "dual_price")
    displaced = found.value(Ask("level", SHARE, (WORLD, priced, "displaced")))
    price = found.value(Ask("level", SHARE, (WORLD, "seats", "price share")))
    one, other = (
        found.found.column(WORLD, row(MODEL, a), "expected") for a in ("batch_optimal", "uniform")
    )
    assert one is not None
    assert other is not None
    return (
        checks.binding(displaced, price, "dual_price", **rule.asked("binding")),
        checks.movable(
            ratio_delta(one - other, other, n_unit="worlds"),
            "batch_optimal against uniform, relative expected revenue",
            **rule.asked("movable"),
        ),
        checks.a_a(found.found.ties("a_a", "uniform", "differs"), "uniform played twice"),
        checks.power(len(found.found.seeds), "worlds", **rule.asked("power")),
    )


def tables(found: Cells, levels: tuple[str, ...]) -> tuple[Table, ...]:
    """Return the grid, the levers, and the bandits that have no model."""
    unit = "share of the optimum"
    grid = found.table(
        "grid",
        "values",
        dict.fromkeys(ALLOCATORS, unit),
        levels,
        lambda level, allocator: of_optimum(row(level, allocator)),
    )
    levers = found.table(
        "levers", "lever", {"adds": unit}, LEVERS.values(), lambda one, _: of_optimum(one, "lever")
    )
    bandits = found.table(
        "bandits", "policy", {"earns": unit}, BANDITS, lambda who, _: of_optimum(who)
    )
    return grid, levers, bandits


def _figure(found: Cells, levels: tuple[str, ...], params: dict[str, Any]) -> Figure:
    return found.figure(
        "grid",
        f"Prices on a model's values beat capped greedy on true ones by"
        f" {params['allocation_over_values']:+.0%} of the optimum",
        f"{params['seeds']} seeds; load {params['load']:g}",
        ("values", "expected revenue as a share of the offline optimum"),
        [found.dots(a, {level: of_optimum(row(level, a)) for level in levels}) for a in ALLOCATORS],
        x_scale="category",
        horizontal=True,
    )
