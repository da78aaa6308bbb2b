"""2.1 · Do falling returns spread income more cheaply than caps, and do they reach their bound?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from giftlive.errors import UsageError
from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Figure, StudyResult, Table
from giftlive.evaluation.rollouts import ORACLE
from giftlive.evaluation.rollouts.concave import (
    BEST_RULE,
    CONCAVE,
    RULES,
    TWICE,
    WORLD,
    concave_cell,
    level_table,
)
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import paired_t
from giftlive.studies.context import Context
from giftlive.studies.over_cells import Ask, Cells, cells_of, play_cells, result_of, text

NAME = "concave_returns"
GATES = (NAME, "concave_returns_oracle", "concave_returns_published")
FAMILIES = (*CONCAVE, *RULES)
MONEY, GINI, SHARE, CHANGE = "platform unit", "ratio", "share", "relative change"


@dataclass(frozen=True)
class ConcaveReturns:
    """Paths of falling returns beside paths of caps, on estimated and on true values."""

    name: str = NAME
    id: str = "2.1"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Play all settings on every seed; compare families at the same Gini of expected income."""
        asked = context.config.concave_returns
        if asked.judged not in asked.levels:
            raise UsageError(f"{asked.judged:g}", f"{NAME}.judged", f"one of {asked.levels}")
        paths = {family: getattr(asked, family) for family in FAMILIES}
        cells = cells_of(
            asked,
            context.config.seed,
            paths=tuple(paths.items()),
            levels=asked.levels,
            scale=asked.scale_of_bound,
        )
        population = f"rounds of {asked.preset}, expected revenue under the truth"
        found = play_cells(NAME, context, concave_cell, cells, population)
        rules, numbers = load_rules(), found.named(named(asked.judged, asked.scale_of_bound))
        made = _checks(found, rules[NAME], asked.scale_of_bound)
        gates = tuple(judge(rules[gate], numbers, made) for gate in GATES)
        values = {e.name: e.value or 0.0 for e in numbers}
        params: dict[str, Any] = values | {
            "seeds": asked.seeds,
            "world": f"{asked.preset}, {asked.scale}",
            "played": ", ".join(FAMILIES),
            "level": asked.judged,
            "verdict": gates[0].verdict,
            "oracle_verdict": gates[1].verdict,
            "published_verdict": gates[2].verdict,
        }
        return result_of(
            self,
            context,
            asked,
            f"{asked.preset} {asked.scale}",
            checks=made,
            estimates=numbers,
            gates=gates,
            tables=tables(found, asked.levels, paths, params),
            figures=_figures(found, paths, params),
            text=text(NAME, gates[0], "equal_gini_gain", MODULES, params),
        )


MODULES = {
    "policy": "policies.concave:Concave",
    "bound": "allocation.batch_certificate:batch_certificate",
    "level": "evaluation.rollouts.frontier:at_level",
    "cells": "evaluation.rollouts.cells:run_cells",
}


def named(level: float, scale: float) -> dict[str, Ask]:
    """Return what the gates and the page name."""
    found: dict[str, Ask] = {}
    for prefix in ("", ORACLE):
        found |= {
            f"{prefix}equal_gini_gain": at_equal_gini(prefix, "log", level),
            f"{prefix}own_bound_share": own(f"{prefix}log"),
            f"{prefix}log_minus_greedy": gain(f"{prefix}log {scale:g}", f"{prefix}greedy"),
        }
    return found | {
        "greedy_own_bound_share": own("greedy"),
        "greedy_of_oracle": Ask(
            "ratio", SHARE, (WORLD, "greedy", "expected"), (WORLD, "oracle_greedy", "expected")
        ),
    }


def at_equal_gini(prefix: str, family: str, level: float) -> Ask:
    """Ask for the gain of a family over the better of both rules where all have the same Gini."""
    table = level_table(level)
    one, other = prefix + family, prefix + BEST_RULE
    return Ask("gain", CHANGE, (table, one, "expected"), (table, other, "expected"))


def own(who: str) -> Ask:
    """Ask for Σ g(V) of a policy over the bound on Σ g(V)."""
    return Ask("ratio", SHARE, ("own", who, "objective"), ("own", "bound", "objective"))


def gain(who: str, other: str) -> Ask:
    """Ask for expected revenue over that of another."""
    return Ask("gain", CHANGE, (WORLD, who, "expected"), (WORLD, other, "expected"))


def level_of(who: str, measure: str, unit: str) -> Ask:
    """Ask for the mean of a measure of a policy."""
    return Ask("level", unit, (WORLD, who, measure))


def _checks(found: Cells, rule: Rule, scale: float) -> tuple[Check, ...]:
    greedy, log = (
        found.found.column(WORLD, who, "income Gini") for who in ("greedy", f"log {scale:g}")
    )
    assert greedy is not None
    assert log is not None
    return (
        checks.a_a(found.found.all_ties(*TWICE), f"{' and '.join(TWICE)} played twice"),
        checks.movable(
            paired_t(greedy, log, n_unit="worlds"),
            "income Gini of greedy against log returns",
            **rule.asked("movable"),
        ),
        checks.power(len(found.found.seeds), "worlds", **rule.asked("power")),
    )


COLUMNS = {
    "expected revenue": MONEY,
    "against greedy": CHANGE,
    "income Gini": GINI,
    "exposure Gini": GINI,
    "displaced": "share of decisions",
}


def tables(
    found: Cells,
    levels: tuple[float, ...],
    paths: dict[str, tuple[float, ...]],
    params: dict[str, Any],
) -> tuple[Table, ...]:
    """Return the tables in the order of the page."""
    told = {"level": params["level"]}
    families = [f"{prefix}{family}" for prefix in ("", ORACLE) for family in FAMILIES]
    equal = found.table(
        "equal_gini",
        "family",
        {f"Gini {level:g}": "gain over the best rule" for level in levels},
        families,
        _gained,
        **told,
    )
    owners = ("log", "oracle_log", "greedy")
    owned = found.table(
        "own_bound", "policy", {"share of its bound": SHARE}, owners, lambda who, _: own(who)
    )
    settings = [
        f"{p}{who}" for p in ("", ORACLE) for who in ("uniform", "greedy", *_settings(paths))
    ]
    return equal, owned, found.table("settings", "policy", COLUMNS, settings, _measure)


def _gained(who: str, column: str) -> Ask:
    prefix = ORACLE if who.startswith(ORACLE) else ""
    level = float(column.removeprefix("Gini "))
    return at_equal_gini(prefix, who.removeprefix(ORACLE), level)


def _settings(paths: dict[str, tuple[float, ...]]) -> list[str]:
    return [f"{family} {x:g}" for family, multiples in paths.items() for x in multiples]


def _measure(who: str, column: str) -> Ask | str:
    if column == "against greedy":
        greedy = "oracle_greedy" if who.startswith(ORACLE) else "greedy"
        return "the reference" if who == greedy else gain(who, greedy)
    if column == "expected revenue":
        return level_of(who, "expected", MONEY)
    unit = "share" if column == "displaced" else GINI
    return level_of(who, column, unit)


def _figures(
    found: Cells, paths: dict[str, tuple[float, ...]], params: dict[str, Any]
) -> tuple[Figure, ...]:
    def drawn(prefix: str, family: str) -> list[tuple[Ask, Ask]]:
        whose = [f"{prefix}{family} {x:g}" for x in paths[family]] + [f"{prefix}greedy"]
        return [
            (level_of(who, "income Gini", GINI), level_of(who, "expected", MONEY)) for who in whose
        ]

    made = []
    for name, prefix, values in (
        ("frontier", "", "estimated values"),
        ("oracle_frontier", ORACLE, "true values"),
    ):
        more = params[f"{prefix}equal_gini_gain"]
        made.append(
            found.figure(
                name,
                f"At an income Gini of {params['level']:g} log returns earn {more:+.1%}"
                f" over the best cap, on {values}",
                f"{params['seeds']} seeds of {params['world']}; every path ends at greedy",
                ("Gini of expected income over all streamers", f"expected revenue ({MONEY})"),
                [found.path(family, drawn(prefix, family)) for family in FAMILIES],
            )
        )
    return tuple(made)
