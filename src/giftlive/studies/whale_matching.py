"""5.3 · When does spreading whales over rooms pay, and when does a cap on them do nothing?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from giftlive.config_rollouts import WhaleMatchingConfig
from giftlive.errors import UsageError
from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Figure, StudyResult, Table
from giftlive.evaluation.rollouts import Cell
from giftlive.evaluation.rollouts.whales import NULL, Point, null_cell, whale_cell
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import ratio_delta
from giftlive.studies.context import Context
from giftlive.studies.over_cells import (
    Ask,
    Cells,
    as_cells,
    cells_of,
    played_readings,
    result_of,
    text,
)
from giftlive.studies.over_worlds import columns_of

NAME = "whale_matching"
GATES = (NAME, "whale_matching_congested")
MONEY, SHARE, CHANGE = "platform unit", "share", "relative change"
COLUMNS = {
    "expected revenue": MONEY,
    "against greedy": CHANGE,
    "income Gini": "ratio",
    "overload": "share of (room, round)",
    "whales displaced": "share of their decisions",
}
MODULES = {
    "tier": "policies.whale_tier:WhaleTier",
    "first": "evaluation.rollouts.first_come:FirstCome",
    "bound": "allocation.batch_certificate:batch_certificate",
    "cells": "evaluation.rollouts.cells:run_cells",
}


@dataclass(frozen=True)
class WhaleMatching:
    """The published null with its cause, then caps where whales meet, their externality swept."""

    name: str = NAME
    id: str = "5.3"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Play the null, then every point; judge the exact assignment under the first cap."""
        asked = _valid(context.config.whale_matching)
        null, found = _played(context, asked)
        rules = load_rules()
        numbers = (*null.named(named_null(asked)), *found.named(named(asked)))
        made = _checks(found, rules[NAME], asked)
        gates = tuple(judge(rules[gate], numbers, made) for gate in GATES)
        params: dict[str, Any] = {e.name: e.value or 0.0 for e in numbers} | {
            "seeds": asked.seeds,
            "null_seeds": asked.null_seeds,
            "world": f"{asked.preset}, {asked.scale}",
            "played": "greedy, first come, exact assignment under k, spread by value",
            "gamma": asked.judged[1],
            "whales": asked.judged[0],
            "k": asked.caps[0],
            "largest": asked.null_caps[-1],
            "verdict": gates[0].verdict,
            "congested_verdict": gates[1].verdict,
        }
        return result_of(
            self,
            context,
            asked,
            f"{asked.preset} {asked.scale}",
            checks=made,
            estimates=numbers,
            gates=gates,
            tables=(_null_table(null, asked), *(_point(found, asked, p) for p in points(asked))),
            figures=_figures(found, asked, params),
            text=text(NAME, gates[0], "tier_revenue", MODULES, params),
        )


def _valid(asked: WhaleMatchingConfig) -> WhaleMatchingConfig:
    for name in ("judged", "congested"):
        if getattr(asked, name) not in asked.points:
            raise UsageError(f"{getattr(asked, name)}", f"{NAME}.{name}", "one of its points")
    return asked


def _played(context: Context, asked: WhaleMatchingConfig) -> tuple[Cells, Cells]:
    """Return the numbers of the null and those of the points, each over its own seeds."""
    first = context.config.seed
    rounds = {
        "rounds.rounds": str(asked.null_rounds),
        "rounds.users_per_round": str(asked.null_users),
    }
    overrides = tuple(sorted((asked.overrides | rounds).items()))
    settings = (("share", asked.null_share), ("caps", asked.null_caps))
    nulls = [
        Cell(NULL, first + k, asked.preset, asked.null_scale, overrides, settings)
        for k in range(asked.null_seeds)
    ]
    cells = cells_of(
        asked,
        first,
        caps=asked.caps,
        value_cap=asked.value_cap,
        points=asked.points,
        judged=asked.judged,
    )
    null = played_readings(context, null_cell, nulls)
    found = played_readings(context, whale_cell, cells)
    context.keep("readings", columns_of((*null, *found)))
    population = "rounds with soft seats, expected revenue under the truth"
    return as_cells(NAME, null, population), as_cells(NAME, found, population)


def points(asked: WhaleMatchingConfig) -> list[Point]:
    """Return the points in the order of the page."""
    return [Point(*given) for given in asked.points]


def level(table: str, who: str, measure: str, unit: str) -> Ask:
    """Ask for the mean of a measure."""
    return Ask("level", unit, (table, who, measure))


def gain(table: str, who: str, other: str) -> Ask:
    """Ask for expected revenue over that of another."""
    return Ask("gain", CHANGE, (table, who, "expected"), (table, other, "expected"))


def named_null(asked: WhaleMatchingConfig) -> dict[str, Ask]:
    """Return what is named of the published comparison."""
    least, most = (f"k = {k}" for k in (asked.null_caps[0], asked.null_caps[-1]))
    return {
        "null_displaced": level(NULL, most, "whales displaced", SHARE),
        "null_displaced_k1": level(NULL, least, "whales displaced", SHARE),
        "null_gain": gain(NULL, most, "greedy"),
        "null_whales": level(NULL, "whales", "per round", "whales"),
        "null_together": level(NULL, "whales", "in the favourite", "whales"),
    }


def named(asked: WhaleMatchingConfig) -> dict[str, Ask]:
    """Return what the gates and the page name: the exact assignment under the first cap."""
    k, found = asked.caps[0], dict[str, Ask]()
    for prefix, given in (("", asked.judged), ("congested_", asked.congested)):
        table, tier = Point(*given).name, f"k = {k}"
        found |= {
            f"{prefix}tier_overload": level(table, tier, "overload", SHARE),
            f"{prefix}tier_gini": Ask(
                "change", "ratio", (table, tier, "income Gini"), (table, "greedy", "income Gini")
            ),
            f"{prefix}tier_revenue": gain(table, tier, "greedy"),
            f"{prefix}tier_over_first_come": gain(table, tier, f"first come {k}"),
        }
    judged = Point(*asked.judged).name
    alone = Point(asked.judged[0], 0.0, asked.judged[2])
    found |= {
        "oracle_tier_revenue": gain(judged, f"oracle_k = {k}", "oracle_greedy"),
        "together": level(judged, "whales", "in the favourite", "whales"),
        "cap_costs": Ask(
            "ratio", SHARE, (judged, f"k = {k}", "bound"), (judged, f"k = {k}", "bound without")
        ),
    }
    if alone in points(asked):
        found["tier_revenue_alone"] = gain(alone.name, f"k = {k}", "greedy")
    return found


def _checks(found: Cells, rule: Rule, asked: WhaleMatchingConfig) -> tuple[Check, ...]:
    table, tier = Point(*asked.judged).name, f"k = {asked.caps[0]}"
    displaced = found.value(level(table, tier, "whales displaced", SHARE))
    price = found.value(level(table, tier, "price share", SHARE))
    one, other = (found.found.column(table, who, "expected") for who in (tier, "greedy"))
    assert one is not None
    assert other is not None
    return (
        checks.binding(displaced, price, "the whales under the cap", **rule.asked("binding")),
        checks.movable(
            ratio_delta(one - other, other, n_unit="worlds"),
            "the cap against greedy, relative expected revenue",
            **rule.asked("movable"),
        ),
        checks.a_a(found.found.ties("a_a", "greedy", "differs"), "greedy played twice"),
        checks.power(len(found.found.seeds), "worlds", **rule.asked("power")),
    )


def _cell(table: str, who: str, column: str) -> Ask | str:
    greedy = "oracle_greedy" if who.startswith("oracle_") else "greedy"
    if column == "against greedy":
        return "the reference" if who == greedy else gain(table, who, greedy)
    if column == "whales displaced" and who == greedy:
        return "the reference"
    measure = "expected" if column == "expected revenue" else column
    unit = MONEY if column == "expected revenue" else "ratio"
    return level(table, who, measure, SHARE if column in ("overload", "whales displaced") else unit)


def _money(table: str, who: str) -> Ask:
    return level(table, who, "expected", MONEY)


def _null_table(null: Cells, asked: WhaleMatchingConfig) -> Table:
    return null.table(
        "null",
        "policy",
        COLUMNS,
        ("greedy", *(f"k = {k}" for k in asked.null_caps)),
        lambda who, column: _cell(NULL, who, column),
        published="0.912 · 0.28 % · +0.07 %",
    )


def lineup(asked: WhaleMatchingConfig) -> tuple[str, ...]:
    """Return the policies of a point."""
    tiers = (f"k = {k}" for k in asked.caps)
    return ("greedy", f"first come {asked.caps[0]}", *tiers, "by value")


def _point(found: Cells, asked: WhaleMatchingConfig, point: Point) -> Table:
    names = lineup(asked)
    if point == Point(*asked.judged):
        names = (*names, *(f"oracle_{name}" for name in names))
    made = found.table(
        "point",
        "policy",
        COLUMNS,
        names,
        lambda who, column: _cell(point.name, who, column),
        point=point.name,
    )
    return replace(made, name=f"point_{points(asked).index(point)}")


def _figures(
    found: Cells, asked: WhaleMatchingConfig, params: dict[str, Any]
) -> tuple[Figure, ...]:
    places = {p.name: p for p in points(asked)}
    pay = found.figure(
        "pays",
        f"Spreading whales pays where they take from each other: {params['tier_revenue']:+.1%}"
        f" at gamma {params['gamma']:g}",
        f"{params['seeds']} seeds of {params['world']}, estimated values",
        ("point", "expected revenue against greedy"),
        [
            found.dots(who, {name: gain(name, who, "greedy") for name in places})
            for who in lineup(asked)[1:]
        ],
        x_scale="category",
        horizontal=True,
    )
    judged = Point(*asked.judged).name
    scatter = [
        found.path(who, [(level(judged, who, "income Gini", "ratio"), _money(judged, who))])
        for who in lineup(asked)
    ]
    even = found.figure(
        "even",
        f"The exact assignment earns {params['tier_over_first_come']:+.1%} over first come"
        " under the same cap",
        f"{judged}; {params['seeds']} seeds",
        ("Gini of expected income over all streamers", f"expected revenue ({MONEY})"),
        [replace(series, style="dots") for series in scatter],
    )
    return pay, even
