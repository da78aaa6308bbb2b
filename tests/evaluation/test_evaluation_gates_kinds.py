"""Every kind of rule on evenings made for it: PASS, FAIL, INCONCLUSIVE and NOT ANSWERABLE.

The whole path is real: arrays of paired evenings, an interval from ``giftlive.stats``, an
``Estimate``, the checks with the thresholds of the rules, the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from giftlive import metrics
from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge
from giftlive.evaluation.results import Check, Estimate, Gate
from giftlive.evaluation.rules import Rule, load_rules
from giftlive.rng import stream
from giftlive.stats.intervals import Interval, paired_t, ratio_delta, student_t
from giftlive.types import Floats

WORDS = """
study = "x"
rule = "r"
as_published = "p"
on_pass = "adopt"
on_fail = "keep"
"""
CHECKS = """
[{0}.checks]
a_a = {{}}
binding = {{ least_displaced = 0.05, least_price_share = 0.01 }}
movable = {{ smallest = 0.02 }}
power = {{ detects = 0.02, sd = 0.03, chance = 0.8 }}
"""
KINDS = {
    "above": 'kind = "above"\nestimate = "gain"\nthreshold = 0.05\nrelative = true',
    "below": 'kind = "below"\nestimate = "overload"\nthreshold = 0.10',
    "within": 'kind = "within"\nestimate = "calibration"\nlow = 0.9\nhigh = 1.1',
    "not_down": 'kind = "not_down"\nestimate = "gain"\nmargin = 0.01',
    "all_of": """kind = "all_of"
parts = [
  { kind = "below", estimate = "overload", threshold = 0.10 },
  { kind = "below", estimate = "gini_change", threshold = 0.0 },
  { kind = "above", estimate = "gain", threshold = -0.05, relative = true },
]""",
}
RULES = load_rules("".join(f"[{k}]{WORDS}{v}\n{CHECKS.format(k)}" for k, v in KINDS.items()))


@dataclass(frozen=True)
class World:
    """Evenings of a platform with and without a change; the defaults are a good change.

    lift : true relative change of revenue. overload : true share of overloaded rooms.
    calibration : predicted / actual. evenness : incomes are raised to the power of 1 - it.
    seats_missing : share of arrivals for whom the limit binds. uniform : revenue of a reference.
    carried : whether the second play of the same policy goes on with the first one's generator.
    """

    lift: float = 0.10
    overload: float = 0.05
    calibration: float = 1.0
    evenness: float = 0.2
    seats_missing: float = 0.3
    uniform: float = 0.5
    carried: bool = False
    n: int = 40


@dataclass(frozen=True)
class Evenings:
    """What was measured: one row per evening."""

    control: Floats
    again: Floats
    treated: Floats
    uniform: Floats
    overload: Floats
    predicted: Floats
    gini: Floats
    gini_treated: Floats
    displaced: Floats
    price_share: Floats


def played(world: World) -> Evenings:
    """Play the evenings; the change and the reference meet the same visitors."""
    g = stream(3, "kinds")
    n, rooms = world.n, 30
    visitors = g.gamma(20.0, 50.0, n)
    noise = g.normal(0.0, 0.03, (6, n))
    income = g.lognormal(0.0, 1.0, (n, rooms))
    treated = income ** (1 - world.evenness) * g.lognormal(0.0, 0.05, rooms)
    control = visitors * (1 + noise[0])
    return Evenings(
        control=control,
        again=visitors * (1 + noise[5 if world.carried else 0]),
        treated=control * (1 + world.lift + noise[1]),
        uniform=control * world.uniform,
        overload=world.overload * (1 + 5 * noise[2]),
        predicted=control * (world.calibration + noise[3]),
        gini=np.array([metrics.gini(row) for row in income]),
        gini_treated=np.array([metrics.gini(row) for row in treated]),
        displaced=(g.random((n, 500)) < world.seats_missing).mean(axis=1),
        price_share=world.seats_missing * g.uniform(0.2, 0.4, n),
    )


def checked(found: Evenings, rule: Rule) -> tuple[Check, ...]:
    apart = ratio_delta(found.control - found.uniform, found.uniform, n_unit="evenings")
    displaced, price = float(found.displaced.mean()), float(found.price_share.mean())
    return (
        checks.a_a([np.array_equal(found.control, found.again)], "control played twice"),
        checks.binding(displaced, price, "control", **rule.asked("binding")),
        checks.movable(apart, "control against uniform", **rule.asked("movable")),
        checks.power(len(found.control), "evenings", **rule.asked("power")),
    )


def number(name: str, i: Interval, unit: str) -> Estimate:
    return Estimate(
        name, i.value, i.low, i.high, i.method, i.n, i.n_unit, unit, "evening", "evenings",
        i.status, i.reason,
    )  # fmt: skip


def estimated(found: Evenings) -> tuple[Estimate, ...]:
    gain = ratio_delta(found.treated - found.control, found.control, n_unit="evenings")
    ratio = ratio_delta(found.predicted, found.control, n_unit="evenings")
    apart = paired_t(found.gini_treated, found.gini, n_unit="evenings")
    return (
        number("gain", gain, "relative change"),
        number("overload", student_t(found.overload, n_unit="evenings"), "share"),
        number("calibration", ratio, "ratio"),
        number("gini_change", apart, "ratio"),
    )


def verdict(kind: str, world: World) -> Gate:
    found = played(world)
    return judge(RULES[kind], estimated(found), checked(found, RULES[kind]))


WORLDS = {
    "above": {"PASS": World(), "FAIL": World(lift=0.02), "INCONCLUSIVE": World(lift=0.05)},
    "below": {
        "PASS": World(),
        "FAIL": World(overload=0.15),
        "INCONCLUSIVE": World(overload=0.10),
    },
    "within": {
        "PASS": World(),
        "FAIL": World(calibration=1.2),
        "INCONCLUSIVE": World(calibration=1.1),
    },
    "not_down": {
        "PASS": World(lift=0.0, n=100),
        "FAIL": World(lift=-0.05),
        "INCONCLUSIVE": World(lift=-0.01),
    },
    "all_of": {
        "PASS": World(),
        "FAIL": World(lift=-0.1),
        "INCONCLUSIVE": World(lift=-0.05),
    },
}
CASES = [(kind, said, world) for kind, said_by in WORLDS.items() for said, world in said_by.items()]


@pytest.mark.parametrize(("kind", "said", "world"), CASES)
def test_every_kind_has_a_world_for_every_verdict(kind: str, said: str, world: World) -> None:
    gate = verdict(kind, world)
    assert gate.verdict == said, gate.reason
    wanted = {"PASS": "adopt", "FAIL": "keep"}
    assert gate.consequence == wanted.get(said, "no change until the question is decided")


DEFECTS: dict[str, dict[str, Any]] = {
    "binding": {"seats_missing": 0.0},
    "movable": {"uniform": 1.0},
    "a_a": {"carried": True},
    "power": {"n": 6},
}


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("said", ["PASS", "FAIL"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_is_answerable_where_a_check_refuses(kind: str, said: str, defect: str) -> None:
    world = replace(WORLDS[kind][said], **DEFECTS[defect])
    found = played(world)
    refused = [check.name for check in checked(found, RULES[kind]) if not check.passed]
    assert refused == [defect]
    gate = verdict(kind, world)
    assert gate.verdict == "NOT ANSWERABLE"
    assert gate.reason.startswith(f"checks failed: {defect} (")


@pytest.mark.parametrize("kind", KINDS)
def test_one_evening_is_a_point_and_not_answerable(kind: str) -> None:
    """Even where every check were to pass: one evening has no interval."""
    everything = [Check(name, True, 1.0, "", "") for name in RULES[kind].checks]
    gate = judge(RULES[kind], estimated(played(World(n=1))), everything)
    assert gate.verdict == "NOT ANSWERABLE"
    assert "1 evenings: an interval needs at least 2" in gate.reason


@pytest.mark.parametrize("wrong", ["PASS", "FAIL"])
def test_a_wrong_verdict_is_as_rare_as_the_interval_says(wrong: str) -> None:
    """At the border itself, 2,000 times 40 evenings: 2.5 % on either side (error 0.35 %)."""
    rule, everything = RULES["below"], [Check(n, True, 1.0, "", "") for n in RULES["below"].checks]
    x = 0.10 + stream(4, "border").normal(0.0, 0.05, (2_000, 40))
    said = [judge(rule, number("overload", student_t(row), "share"), everything) for row in x]
    assert np.mean([gate.verdict == wrong for gate in said]) == pytest.approx(0.025, abs=0.012)


def parts(world: World, without: Sequence[str] = ()) -> Gate:
    found = played(world)
    given = [e for e in estimated(found) if e.name not in without]
    return judge(RULES["all_of"], given, checked(found, RULES["all_of"]))


def test_a_compound_rule_says_what_each_part_says() -> None:
    gate = parts(World(lift=-0.1))
    words = gate.reason.split("; ")
    assert [w.split(":")[0] for w in words] == ["overload PASS", "gini_change PASS", "gain FAIL"]
    assert gate.estimate is not None
    assert (gate.estimate.name, gate.threshold, gate.threshold_high) == ("gain", -0.05, None)


def test_a_compound_rule_passes_only_where_no_part_objects() -> None:
    assert parts(World()).verdict == "PASS"
    assert parts(World(evenness=-0.1)).verdict == "FAIL"  # incomes drift apart
    assert parts(World(overload=0.10)).verdict == "INCONCLUSIVE"


def test_a_part_without_an_estimate_is_not_passed_over() -> None:
    gate = parts(World(), without=["gini_change"])
    assert gate.verdict == "NOT ANSWERABLE"
    assert "gini_change NOT ANSWERABLE: gini_change was not computed" in gate.reason
    assert parts(World(lift=-0.1), without=["gini_change"]).verdict == "FAIL"


def test_a_relative_threshold_asks_for_a_relative_change() -> None:
    """Five percent of what? A difference in units has no answer to that."""
    found = played(World())
    difference = number("gain", paired_t(found.treated, found.control), "units")
    assert difference.value is not None
    assert difference.value > 0.05
    for kind in ("above", "not_down"):
        gate = judge(RULES[kind], difference, checked(found, RULES[kind]))
        assert gate.verdict == "NOT ANSWERABLE"
        assert gate.reason == "gain is in units, the rule asks for a relative change"
