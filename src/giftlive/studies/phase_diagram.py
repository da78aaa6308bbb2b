"""5.2 · Where do prices of seats pay, by load, differentiation and errors of the values?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from giftlive.config_rollouts import PhaseDiagramConfig
from giftlive.errors import UsageError
from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Figure, Series, StudyResult, Table
from giftlive.evaluation.rollouts.phases import phase, phase_cell
from giftlive.evaluation.rollouts.seats import OPTIMUM
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import ratio_delta
from giftlive.studies.context import Context
from giftlive.studies.over_cells import Ask, Cells, cells_of, play_cells, result_of, text

NAME = "phase_diagram"
GATES = (NAME, "phase_diagram_oracle")
POLICIES = (
    *("greedy", "greedy_with_cap", "greedy_with_rules"),
    *("one_price", "dual_price", "batch_optimal"),
)
SHARE, CHANGE = "share", "relative change"
MODEL, TRUTH = 1.0, 0.0
"""Factors of the errors: those of the value model, and none."""

MODULES = {
    "prices": "evaluation.rollouts.seats:seat_prices",
    "optimum": "evaluation.rollouts.seats:optimum",
    "policy": "policies.dual_price:DualPrice",
    "cells": "evaluation.rollouts.cells:run_cells",
}


@dataclass(frozen=True)
class PhaseDiagram:
    """Six policies in every phase, as shares of the exact offline optimum on true values."""

    name: str = NAME
    id: str = "5.2b"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Play every phase on every seed; check that seats bind where the gates ask."""
        asked = _valid(context.config.phase_diagram)
        cells = cells_of(
            asked,
            context.config.seed,
            sizes=asked.sizes,
            loads=asked.loads,
            differentiations=asked.differentiations,
            factors=asked.factors,
        )
        population = "rounds with hard seats, expected revenue under the truth"
        found = play_cells(NAME, context, phase_cell, cells, population)
        rules, numbers = load_rules(), found.named(named(asked))
        made = _checks(found, rules[NAME], asked)
        gates = tuple(judge(rules[gate], numbers, made) for gate in GATES)
        params: dict[str, Any] = {e.name: e.value or 0.0 for e in numbers} | {
            "seeds": asked.seeds,
            "phases": len(asked.loads) * len(asked.differentiations) * len(asked.factors),
            "world": asked.in_words,
            "played": ", ".join(POLICIES),
            "load": asked.judged_load,
            "steep": asked.judged_differentiation,
            "verdict": gates[0].verdict,
            "oracle_verdict": gates[1].verdict,
        }
        return result_of(
            self,
            context,
            asked,
            f"{asked.preset} {asked.sizes}",
            checks=made,
            estimates=numbers,
            gates=gates,
            tables=tables(found, asked),
            figures=figures(found, asked),
            text=text(NAME, gates[0], "dual_price_share", MODULES, params),
        )


def _valid(asked: PhaseDiagramConfig) -> PhaseDiagramConfig:
    """Return the configuration, if the judged phase is one of those that are played."""
    for name, value, values in (
        ("judged_load", asked.judged_load, asked.loads),
        ("judged_differentiation", asked.judged_differentiation, asked.differentiations),
    ):
        if value not in values:
            raise UsageError(f"{value:g}", f"{NAME}.{name}", f"one of {values}")
    if not {MODEL, TRUTH} <= set(asked.factors):
        raise UsageError(f"{asked.factors}", f"{NAME}.factors", "0 and 1 among them")
    return asked


def share(table: str, policy: str) -> Ask:
    """Ask for expected revenue as a share of the offline optimum."""
    return Ask("ratio", SHARE, (table, policy, "expected"), (table, OPTIMUM, "expected"))


def gain(table: str, policy: str, other: str) -> Ask:
    """Ask for expected revenue over that of another policy."""
    return Ask("gain", CHANGE, (table, policy, "expected"), (table, other, "expected"))


def named(asked: PhaseDiagramConfig) -> dict[str, Ask]:
    """Return what the gates and the page name: all in the judged phase."""
    found: dict[str, Ask] = {}
    for prefix, factor in (("", MODEL), ("oracle_", TRUTH)):
        table = phase(asked.judged_load, asked.judged_differentiation, factor)
        found |= {
            f"{prefix}dual_price_share": share(table, "dual_price"),
            f"{prefix}capped_share": share(table, "greedy_with_cap"),
            f"{prefix}batch_share": share(table, "batch_optimal"),
            f"{prefix}dual_minus_capped": gain(table, "dual_price", "greedy_with_cap"),
            f"{prefix}dual_minus_one_price": gain(table, "dual_price", "one_price"),
        }
    return found


def _checks(found: Cells, rule: Rule, asked: PhaseDiagramConfig) -> tuple[Check, ...]:
    table = phase(asked.judged_load, asked.judged_differentiation, MODEL)
    displaced, price = (
        found.value(Ask("level", SHARE, (table, *place)))
        for place in (("dual_price", "displaced"), ("seats", "price share"))
    )
    one, other = (
        found.found.column(table, policy, "expected") for policy in ("batch_optimal", "greedy")
    )
    assert one is not None
    assert other is not None
    return (
        checks.binding(displaced, price, "dual_price", **rule.asked("binding")),
        checks.movable(
            ratio_delta(one - other, other, n_unit="worlds"),
            "batch_optimal against greedy, relative expected revenue",
            **rule.asked("movable"),
        ),
        checks.a_a(found.found.ties("a_a", "dual_price", "differs"), "dual_price played twice"),
        checks.power(len(found.found.seeds), "worlds", **rule.asked("power")),
    )


def tables(found: Cells, asked: PhaseDiagramConfig) -> tuple[Table, ...]:
    """Return one table of shares per error of the values, and one of what prices add."""
    made = []
    factors = sorted(asked.factors, key=lambda factor: (factor != MODEL, factor))
    for factor in factors:
        places = {
            f"load {load:g}, differentiation {steep:g}": phase(load, steep, factor)
            for load in asked.loads
            for steep in asked.differentiations
        }
        made.append(
            found.table(
                f"shares_x{factor:g}",
                "phase",
                dict.fromkeys(POLICIES, "share of the optimum"),
                places,
                _shares(places),
            )
        )
    return (_guidance(found, asked), *made, _added(found, asked))


SIMPLEST = ("greedy", "greedy_with_cap", "greedy_with_rules", "one_price", "dual_price")
"""Policies that decide user by user, the simplest first."""
WITHIN = 0.02
"""Of the offline optimum: what a simpler policy may miss and still be recommended."""


def _guidance(found: Cells, asked: PhaseDiagramConfig) -> Table:
    """Return which policy to take when: the simplest within 2 % of the best, by phase."""
    rows = [
        (f"errors x{factor:g}, differentiation {steep:g}", factor, steep)
        for factor in asked.factors
        for steep in asked.differentiations
    ]
    named_rows = {label: (factor, steep) for label, factor, steep in rows}

    def asked_for(label: str, column: str) -> str:
        factor, steep = named_rows[label]
        return recommended(found, phase(loads[column], steep, factor))

    loads = {f"load {load:g}": load for load in asked.loads}
    columns = dict.fromkeys(loads, "policy")
    return found.table("guidance", "phase", columns, named_rows, asked_for, within=WITHIN)


def recommended(found: Cells, table: str) -> str:
    """Return the simplest policy that earns the optimum's share of the best but for ``WITHIN``."""
    shares = {policy: found.value(share(table, policy)) for policy in SIMPLEST}
    enough = max(shares.values()) - WITHIN
    return next(policy for policy in SIMPLEST if shares[policy] >= enough)


def _shares(places: dict[str, str]) -> Callable[[str, str], Ask]:
    return lambda label, policy: share(places[label], policy)


def _added(found: Cells, asked: PhaseDiagramConfig) -> Table:
    """Return what prices of every room add, at the errors of the model."""
    others = {f"over {other}": other for other in ("greedy_with_cap", "one_price")}
    places = {
        f"load {load:g}, differentiation {steep:g}": phase(load, steep, MODEL)
        for load in asked.loads
        for steep in asked.differentiations
    }
    return found.table(
        "added",
        "phase",
        dict.fromkeys(others, "gain of dual_price"),
        places,
        lambda label, column: gain(places[label], "dual_price", others[column]),
    )


def figures(found: Cells, asked: PhaseDiagramConfig) -> tuple[Figure, ...]:
    """Return the map of dual prices per error, and the map of what they add to capped greedy."""
    made = [
        _map(
            found,
            asked,
            f"dual_x{factor:g}",
            f"Dual prices reach {_range(_over_phases(found, asked, _dual(factor)))} of the offline"
            f" optimum {_words(factor)}",
            _dual(factor),
        )
        for factor in asked.factors
    ]
    gains = _range(_over_phases(found, asked, _over_capped), "+")
    title = f"Prices earn {gains} against capped greedy with the errors of a value model"
    return (*made, _map(found, asked, "added", title, _over_capped))


def _over_capped(load: float, steep: float) -> Ask:
    return gain(phase(load, steep, MODEL), "dual_price", "greedy_with_cap")


def _dual(factor: float) -> Callable[[float, float], Ask]:
    return lambda load, steep: share(phase(load, steep, factor), "dual_price")


def _map(
    found: Cells,
    asked: PhaseDiagramConfig,
    name: str,
    title: str,
    of: Callable[[float, float], Ask],
) -> Figure:
    rows = [
        Series(
            name=f"differentiation {steep:g}",
            x=tuple(f"load {load:g}" for load in asked.loads),
            y=tuple(found.value(of(load, steep)) for load in asked.loads),
            style="cells",
        )
        for steep in asked.differentiations
    ]
    what = "gain over greedy_with_cap" if name == "added" else "share of the offline optimum"
    values = [y for series in rows for y in series.y]
    return found.figure(
        name,
        title,
        f"{what}: lightest {min(values):z.0%}, darkest {max(values):z.0%}; {asked.seeds} seeds",
        ("users of a round over all seats", "weight of a streamer's own quality"),
        rows,
        x_scale="category",
    )


def _over_phases(
    found: Cells, asked: PhaseDiagramConfig, of: Callable[[float, float], Ask]
) -> list[float]:
    return [found.value(of(x, steep)) for x in asked.loads for steep in asked.differentiations]


def _range(values: Sequence[float], sign: str = "") -> str:
    """Return the least and the largest in per cent; one where both read alike.

    Examples
    --------
    >>> _range([0.121, 0.35], "+"), _range([0.894, 0.891]), _range([-0.004, 0.35])
    ('+12% to +35%', '89%', '0% to 35%')
    """
    ends = (f"{min(values):{sign}z.0%}", f"{max(values):{sign}z.0%}")
    return " to ".join(dict.fromkeys(ends))


def _words(factor: float) -> str:
    if factor == TRUTH:
        return "on true values"
    if factor == MODEL:
        return "with the errors of a value model"
    return f"with {factor:g} times the errors of a value model"
