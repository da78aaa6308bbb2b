"""6.2 · What do experiments say of an allocation policy when users compete for seats?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from giftlive.errors import UsageError
from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Figure, StudyResult, Table
from giftlive.evaluation.rollouts.conversion import ACTIONS, POOL
from giftlive.evaluation.rollouts.interference import SPLITS, interference_cell, table
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import ratio_delta
from giftlive.studies.context import Context
from giftlive.studies.over_cells import Ask, Cells, cells_of, play_cells, result_of, text

NAME = "interference"
MONEY, SHARE, CHANGE = "platform unit", "share", "relative change"
DESIGNS = ("truth", *SPLITS)
COLUMNS = {
    "control": f"{MONEY} per decision",
    "treatment": f"{MONEY} per decision",
    "lift": CHANGE,
}
POOL_COLUMNS = {
    "expected revenue": f"{MONEY} per decision",
    "against none": CHANGE,
    "acts": SHARE,
    "to pool streamers": SHARE,
    "income Gini": "ratio",
}
MODULES = {
    "arms": "evaluation.rollouts.experiments:TwoArms",
    "halves": "evaluation.rollouts.experiments:paired_halves",
    "prices": "evaluation.rollouts.seats:clearing_prices",
    "pool": "evaluation.rollouts.conversion:pool_of",
    "cells": "evaluation.rollouts.cells:run_cells",
}


@dataclass(frozen=True)
class Interference:
    """Dual prices against capped greedy: the truth, a user split, a budget split, a switchback."""

    name: str = NAME
    id: str = "6.2"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Play everybody under each policy, then the same world under each experiment."""
        asked = context.config.interference
        if asked.judged_load not in asked.loads:
            raise UsageError(f"{asked.judged_load:g}", f"{NAME}.judged_load", f"{asked.loads}")
        cells = cells_of(
            asked,
            context.config.seed,
            sizes=asked.sizes,
            loads=asked.loads,
            differentiation=asked.differentiation,
            nudge=asked.nudge,
        )
        population = "decisions in rounds with hard seats, expected revenue under the truth"
        found = play_cells(NAME, context, interference_cell, cells, population)
        rule, numbers = load_rules()[NAME], found.named(named(asked.judged_load))
        made = _checks(found, rule, asked.judged_load)
        gate = judge(rule, numbers, made)
        params: dict[str, Any] = {e.name: e.value or 0.0 for e in numbers} | {
            "seeds": asked.seeds,
            "world": asked.in_words,
            "played": ", ".join(DESIGNS),
            "load": asked.judged_load,
            "nudge": asked.nudge,
            "verdict": gate.verdict,
        }
        tables = tuple(_table(found, load) for load in asked.loads)
        return result_of(
            self,
            context,
            asked,
            f"{asked.preset} {asked.sizes}",
            checks=made,
            estimates=numbers,
            gates=(gate,),
            tables=(*tables, _once(found, asked.judged_load), _pool(found, asked.nudge)),
            figures=_figures(found, asked.loads, params),
            text=text(NAME, gate, "user_split_lift", MODULES, params),
        )


def lift(load: float, design: str) -> Ask:
    """Ask for Σ treatment / Σ control - 1 over seeds."""
    where = table(load)
    return Ask("gain", CHANGE, (where, design, "treatment"), (where, design, "control"))


def named(load: float) -> dict[str, Ask]:
    """Return what the gate and the page name."""
    where = table(load)
    ratios = {
        f"{split}_of_truth": Ask(
            "ratio", SHARE, (where, f"{split} effect", "effect"), (where, "truth effect", "effect")
        )
        for split in SPLITS
    }
    lifts = {f"{split}_split_lift": lift(load, split) for split in SPLITS}
    actions = {f"{name.replace(' ', '_')}_gain": acted(name) for name in ACTIONS[1:]}
    return {"true_lift": lift(load, "truth"), **lifts, **ratios, **actions}


def acted(action: str) -> Ask:
    """Ask for what an action on the conversion pool earns over none."""
    return Ask("gain", CHANGE, (POOL, action, "expected"), (POOL, "none", "expected"))


def _checks(found: Cells, rule: Rule, load: float) -> tuple[Check, ...]:
    where = table(load)
    displaced = found.value(Ask("level", SHARE, (where, "treatment", "displaced")))
    price = found.value(Ask("level", SHARE, (where, "seats", "price share")))
    one, other = (found.found.column(where, "truth", arm) for arm in ("treatment", "control"))
    assert one is not None
    assert other is not None
    return (
        checks.binding(displaced, price, "the treatment", **rule.asked("binding")),
        checks.movable(
            ratio_delta(one - other, other, n_unit="worlds"),
            "everybody treated against nobody",
            **rule.asked("movable"),
        ),
        checks.a_a(found.found.ties("a_a", "user", "differs"), "one policy in both arms and alone"),
        checks.power(len(found.found.seeds), "worlds", **rule.asked("power")),
    )


def _table(found: Cells, load: float) -> Table:
    def asked(design: str, column: str) -> Ask:
        if column == "lift":
            return lift(load, design)
        return Ask("level", MONEY, (table(load), design, column))

    made = found.table("load", "design", COLUMNS, DESIGNS, asked, load=load)
    return Table(f"load_{load:g}", made.columns, made.units, made.rows, made.caption)


def _once(found: Cells, load: float) -> Table:
    """Return what a single experiment of each design says, arms not exchanged."""
    return found.table(
        "once",
        "design",
        {"lift": CHANGE, "treatment - control": f"{MONEY} per decision"},
        SPLITS,
        lambda design, column: (
            lift(load, f"{design}, once") if column == "lift" else _difference(load, design)
        ),
    )


def _pool(found: Cells, nudge: float) -> Table:
    """Return what each action on the conversion pool does."""

    def asked(action: str, column: str) -> Ask | str:
        if column == "against none":
            return "the reference" if action == "none" else acted(action)
        name = "expected" if column == "expected revenue" else column
        return Ask("level", POOL_COLUMNS[column], (POOL, action, name))

    return found.table("pool", "action", POOL_COLUMNS, ACTIONS, asked, nudge=nudge)


def _difference(load: float, design: str) -> Ask:
    where, row = table(load), f"{design}, once"
    return Ask("change", MONEY, (where, row, "treatment"), (where, row, "control"))


def _figures(found: Cells, loads: tuple[float, ...], params: dict[str, Any]) -> tuple[Figure, ...]:
    flip = found.figure(
        "lifts",
        f"The user split says {params['user_split_lift']:+.0%}, the truth is"
        f" {params['true_lift']:+.0%}",
        f"{params['seeds']} seeds; load: users of a round over all seats",
        ("load", "treatment over control"),
        [
            found.dots(design, {f"load {load:g}": lift(load, design) for load in loads})
            for design in DESIGNS
        ],
        x_scale="category",
    )
    return (flip,)
