"""The four checks: borders by hand, their limits, and that power is what it says."""

from __future__ import annotations

import ast
import inspect
import math
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.errors import InputError
from giftlive.evaluation import checks
from giftlive.evaluation.gates import load_rules
from giftlive.rng import stream
from giftlive.stats.intervals import Interval, paired_t
from giftlive.studies import (
    first_window,
    off_policy,
    recall_rerank,
    shadow_price,
    world_fidelity,
)

BINDING = {"least_displaced": 0.05, "least_price_share": 0.01}
POWER = {"detects": 0.02, "sd": 0.03, "chance": 0.8}


@pytest.mark.parametrize(
    ("displaced", "price_share", "passed"),
    [
        (0.30, 0.10, True),
        (0.05, 0.01, True),
        (0.0499, 0.10, False),
        (0.61, 0.0004, False),  # a price that is felt nowhere
        (0.0, 0.0, False),
        (float("nan"), 0.10, False),
        (float("inf"), 0.10, False),
        (np.float64(0.30), np.float64(0.10), True),  # a plain bool whatever was measured
    ],
)
def test_binding_asks_for_both(displaced: float, price_share: float, passed: bool) -> None:
    assert checks.binding(displaced, price_share, "dual_price", **BINDING).passed is passed


@pytest.mark.parametrize(
    ("low", "high", "passed"),
    [
        (0.03, 0.05, True),
        (-0.05, -0.03, True),
        (0.02, 0.05, False),
        (0.01, 0.05, False),  # the value, 0.03, is beyond; its interval is not
        (-0.05, 0.05, False),
    ],
)
def test_movable_asks_the_whole_interval(low: float, high: float, passed: bool) -> None:
    difference = Interval((low + high) / 2, low, high, "paired_t", 20, "evenings")
    assert checks.movable(difference, "a against b", smallest=0.02).passed is passed


def test_movable_without_an_interval_has_failed_and_says_why() -> None:
    one = paired_t(np.array([3.0]), np.array([1.0]), n_unit="evenings")
    check = checks.movable(one, "a against b", smallest=0.02)
    assert not check.passed
    assert check.value is None
    assert check.detail == "a against b: no interval: 1 evenings: an interval needs at least 2"


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_movable_by_what_is_no_number_has_failed(value: float) -> None:
    check = checks.movable(checks.exact(value, "targets"), "a against b", smallest=0.02)
    assert check.passed is False
    assert check.value is None
    assert "is not finite" in check.detail


def test_a_a_is_exact_and_must_have_been_made() -> None:
    assert checks.a_a([True, True, True], "x").passed
    assert not checks.a_a([True, False, True], "x").passed
    assert not checks.a_a([], "x").passed
    assert checks.a_a([True, False, False], "x").value == 2.0


def test_power_by_hand() -> None:
    """(1.959964 + 0.841621) * 0.03 / sqrt(36) = 0.014008; (… / 0.02)² = 17.66."""
    check = checks.power(36, "evenings", **POWER)
    assert check.value == pytest.approx(0.014008, abs=1e-6)
    assert check.passed
    assert "; at least 18 evenings are needed" in check.detail
    assert checks.power(18, "evenings", **POWER).passed
    assert not checks.power(17, "evenings", **POWER).passed


def test_power_asks_for_the_least_number_too() -> None:
    assert not checks.power(36, "users", **POWER, least_n=5_000).passed
    assert checks.power(5_000, "users", **POWER, least_n=5_000).passed


def test_no_units_have_no_power() -> None:
    check = checks.power(0, "evenings", **POWER)
    assert (check.passed, check.value) == (False, None)


@pytest.mark.parametrize(
    ("scale", "passed"), [(0.2, True), (1.0, True), (0.19, False), (math.nan, False)]
)
def test_size_asks_for_a_share_of_the_full_size(scale: float, passed: bool) -> None:
    assert checks.size(scale, "the world", least_scale=0.2).passed is passed


@pytest.mark.parametrize(
    ("changed", "passed"),
    [(0.05, True), (1.0, True), (0.049, False), (0.0, False), (math.nan, False)],
)
def test_reordered_asks_for_lists_that_really_change(changed: float, passed: bool) -> None:
    assert checks.reordered(changed, "lists", least_changed=0.05).passed is passed


@pytest.mark.parametrize(
    ("shares", "passed", "told"),
    [
        ({"a": (0.8, 0.9), "b": (0.98, 1.2)}, True, "nothing above it"),
        ({"a": (1.0, 1.0)}, True, "nothing above it"),
        ({"a": (0.8, 0.9), "b": (1.001, 1.2)}, False, "b above it"),
        ({"a": (None, None)}, False, "nothing above it; no interval of a"),
        ({}, False, "nothing was held against it"),
    ],
)
def test_a_ceiling_has_nothing_above_it(
    shares: dict[str, tuple[float | None, float | None]], passed: bool, told: str
) -> None:
    found = {n: Interval(1.0, low, high, "t", 8, "worlds") for n, (low, high) in shares.items()}
    check = checks.ceiling(found, "it")
    assert (check.passed, check.detail) == (passed, f"it: {told}")


@pytest.mark.parametrize("chance", [0.0, 1.0, 80.0])
def test_a_chance_is_a_share(chance: float) -> None:
    with pytest.raises(InputError, match="chance"):
        checks.power(20, "evenings", detects=0.02, sd=0.03, chance=chance)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("threshold", ["sd", "detects"])
def test_power_needs_a_spread_and_an_effect(threshold: str, wrong: float) -> None:
    with pytest.raises(InputError, match=f"power: {threshold} "):
        checks.power(20, "evenings", **{**POWER, threshold: wrong})


@given(st.floats(1e-150, 1e150), st.floats(1e-150, 1e150), st.integers(0, 10**9))
def test_power_has_an_answer_at_every_size(sd: float, detects: float, n: int) -> None:
    check = checks.power(n, "units", sd=sd, detects=detects, chance=0.8)
    assert isinstance(check.passed, bool)
    assert check.value is None or math.isfinite(check.value)


@given(st.integers(1, 10_000), st.floats(0.01, 10.0), st.floats(0.01, 10.0))
def test_four_times_the_units_see_half_the_effect(n: int, sd: float, scale: float) -> None:
    asked = {"detects": 1.0, "chance": 0.8}
    one, four = checks.power(n, "u", sd=sd, **asked), checks.power(4 * n, "u", sd=sd, **asked)
    wide = checks.power(n, "u", sd=sd * scale, **asked)
    assert one.value is not None
    assert four.value == pytest.approx(one.value / 2)
    assert wide.value == pytest.approx(one.value * scale)


@pytest.mark.parametrize("chance", [0.8, 0.9])
def test_a_design_sees_its_smallest_effect_as_often_as_it_says(chance: float) -> None:
    """2,000 outcomes of 200 units at the effect that power names; standard error 0.009."""
    check = checks.power(200, "units", detects=1.0, sd=1.0, chance=chance)
    assert check.value is not None
    x = stream(1, "power").normal(check.value, 1.0, (2_000, 200))
    lower = x.mean(axis=1) - 1.972 * x.std(axis=1, ddof=1) / np.sqrt(200)  # t(199), 0.975
    assert np.mean(lower > 0.0) == pytest.approx(chance, abs=0.03)


def test_every_rule_s_checks_take_the_thresholds_it_writes() -> None:
    for rule in load_rules().values():
        for name, asked in rule.checks.items():
            must, may = checks.thresholds_of(name)
            assert must <= set(asked) <= may


@pytest.mark.parametrize(
    "study", [shadow_price, off_policy, world_fidelity, first_window, recall_rerank]
)
def test_no_threshold_lives_in_a_study(study: ModuleType) -> None:
    """The thresholds come from the rule: the function that checks holds no number of its own."""
    (function,) = [
        node
        for node in ast.parse(inspect.getsource(study)).body
        if isinstance(node, ast.FunctionDef) and node.name == "_checks"
    ]
    numbers = {
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    }
    assert numbers <= {0.0, 1.0}
