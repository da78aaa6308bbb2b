from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.evaluation.gates import combined, deciding_n, judge, load_rules
from giftlive.evaluation.results import Check, Estimate, Verdict
from giftlive.evaluation.rules import RELATIVE, Rule

RULES = load_rules()
ABOVE = RULES["shadow_price"]
WITHIN = replace(RULES["off_policy"], conditions=RULES["off_policy"].conditions[:1])
VERDICTS: tuple[Verdict, ...] = ("PASS", "FAIL", "INCONCLUSIVE", "NOT ANSWERABLE")


def estimate(value: float, low: float, high: float, rule: Rule = ABOVE) -> Estimate:
    name, unit = rule.estimate, "share"
    return Estimate(name, value, low, high, "student_t", 20, "seeds", unit, "bound", "evenings")


def checks(*failed: str) -> tuple[Check, ...]:
    names = ("binding", "movable", "a_a", "power")
    return tuple(Check(n, n not in failed, 1.0, "> 0", f"about {n}") for n in names)


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.95, 0.93, 0.97), "PASS"),
        ((0.85, 0.80, 0.89), "FAIL"),
        ((0.91, 0.85, 0.95), "INCONCLUSIVE"),
    ],
)
def test_above_judges_the_whole_interval(
    interval: tuple[float, float, float], verdict: str
) -> None:
    assert judge(ABOVE, estimate(*interval), checks()).verdict == verdict


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.95, 0.94, 0.96), "PASS"),
        ((0.80, 0.78, 0.82), "FAIL"),
        ((0.99, 0.98, 1.00), "FAIL"),
        ((0.94, 0.92, 0.96), "INCONCLUSIVE"),
    ],
)
def test_within_judges_both_borders(interval: tuple[float, float, float], verdict: str) -> None:
    assert judge(WITHIN, estimate(*interval, WITHIN), checks()).verdict == verdict


@pytest.mark.parametrize("failed", ["binding", "movable", "a_a", "power"])
@pytest.mark.parametrize("value", [(0.95, 0.93, 0.97), (0.5, 0.4, 0.6)])
def test_a_failed_check_makes_any_outcome_unanswerable(
    failed: str, value: tuple[float, float, float]
) -> None:
    gate = judge(ABOVE, estimate(*value), checks(failed))
    assert gate.verdict == "NOT ANSWERABLE"
    assert f"about {failed}" in gate.reason


def test_a_check_that_was_not_made_has_failed() -> None:
    gate = judge(ABOVE, estimate(0.95, 0.93, 0.97), checks()[1:])
    assert gate.verdict == "NOT ANSWERABLE"
    assert "binding (not made)" in gate.reason


def test_without_an_interval_there_is_no_verdict() -> None:
    nothing = replace(estimate(0.95, 0.93, 0.97), low=None, high=None, reason="need 300 users")
    gate = judge(ABOVE, nothing, checks())
    assert (gate.verdict, gate.reason) == ("NOT ANSWERABLE", "need 300 users")


@given(st.floats(0.01, 1.0), st.floats(0.01, 0.5))
def test_the_n_that_decides_shrinks_the_interval_to_the_border(value: float, half: float) -> None:
    (border,) = ABOVE.conditions
    found = estimate(value, value - half, value + half)
    words = deciding_n(border, found)
    if words.startswith("no number"):
        assert abs(value - border.low) <= 1e-12 * max(1.0, half)
        return
    n = int(words.split()[0].replace(",", ""))
    shrunk = half * (20 / n) ** 0.5
    assert shrunk <= abs(value - border.low) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("value", "low", "high", "needed"),
    [(0.95, 0.87, 0.97, "52"), (0.88, 0.77, 0.915, "62"), (0.91, 0.9, 0.92, "21")],
)
def test_an_uneven_interval_is_shrunk_on_the_side_of_the_border(
    value: float, low: float, high: float, needed: str
) -> None:
    """20 (arm / distance)²: (.08 / .05)², (.035 / .02)²; an end that touches needs one more."""
    (border,) = ABOVE.conditions
    assert border.low == 0.9
    assert deciding_n(border, estimate(value, low, high)) == f"{needed} seeds"


def test_consequence_follows_the_verdict() -> None:
    passed = judge(ABOVE, estimate(0.95, 0.93, 0.97), checks())
    failed = judge(ABOVE, estimate(0.8, 0.7, 0.85), checks())
    open_ = judge(ABOVE, estimate(0.91, 0.85, 0.95), checks())
    assert passed.consequence == ABOVE.on_pass
    assert failed.consequence == ABOVE.on_fail
    assert open_.consequence not in {ABOVE.on_pass, ABOVE.on_fail}


@given(st.sampled_from(sorted(RULES)), st.floats(-2, 2), st.sets(st.integers(0, 3)))
def test_no_verdict_without_every_check(name: str, value: float, kept: set[int]) -> None:
    """Whatever the outcome: each of the rule's own checks must have been made and passed."""
    rule = RULES[name]
    sure = tuple(
        replace(
            estimate(value, value - 1e-6, value + 1e-6),
            name=part.estimate,
            unit=RELATIVE if part.relative else "share",
        )
        for part in rule.conditions
    )
    made = [check for k, check in enumerate(checks()) if k in kept]
    complete = {check.name for check in made} >= set(rule.checks)
    assert (judge(rule, sure, made).verdict != "NOT ANSWERABLE") == complete


def test_a_check_made_twice_must_pass_twice() -> None:
    """Known trap: the later of two of one name hides the earlier."""
    for order in ((checks("a_a"), checks()), (checks(), checks("a_a"))):
        made = (*order[0], *order[1])
        assert judge(ABOVE, estimate(0.95, 0.93, 0.97), made).verdict == "NOT ANSWERABLE"


POINTS = {
    "no bounds": {"low": None, "high": None},
    "one bound": {"high": None},
    "one unit": {"n": 1},
    "not a number": {"low": float("nan")},
    "no end": {"high": float("inf")},
    "upside down": {"low": 0.97, "high": 0.93},
    "elsewhere": {"value": 0.5},
    "of width 0": {"value": 0.95, "low": 0.95, "high": 0.95},
    "undefined": {"status": "undefined"},
    "another number": {"name": "greedy_share_of_bound"},
}


@pytest.mark.parametrize("how", POINTS)
@pytest.mark.parametrize("value", [0.95, 0.10])
def test_a_point_estimate_decides_nothing(how: str, value: float) -> None:
    """0.95 would pass and 0.10 would fail, were there an interval around them."""
    sure = estimate(value, value - 0.01, value + 0.01)
    assert judge(ABOVE, sure, checks()).verdict in {"PASS", "FAIL"}
    point = replace(sure, **POINTS[how])  # type: ignore[arg-type]  # one field of any type
    gate = judge(ABOVE, point, checks())
    assert gate.verdict == "NOT ANSWERABLE"
    assert gate.reason
    assert gate.consequence == "no change until the question is decided"


def test_a_number_known_without_error_may_have_width_0() -> None:
    """A paired interval of width 0 is a point; the difference of two known values is not."""
    for value, verdict in ((0.95, "PASS"), (0.10, "FAIL"), (0.90, "INCONCLUSIVE")):
        known = replace(estimate(value, value, value), method="exact", n=1)
        assert judge(ABOVE, known, checks()).verdict == verdict


def test_two_estimates_of_one_name_are_ambiguous() -> None:
    one, other = estimate(0.95, 0.93, 0.97), estimate(0.10, 0.08, 0.12)
    for given_ in ((one, other), (other, one), (one, one)):
        gate = judge(ABOVE, given_, checks())
        assert gate.verdict == "NOT ANSWERABLE"
        assert gate.estimate is None
        assert gate.reason == "dual_price_share_of_bound is ambiguous: 2 estimates have this name"
    named_alike = (replace(other, name="another"), replace(one, name="another"), one)
    assert judge(ABOVE, named_alike, checks()).verdict == "PASS"


@pytest.mark.parametrize("passed", ["no", "yes", 1, 0, None, float("nan")])
def test_a_check_passed_or_failed_and_nothing_else(passed: object) -> None:
    """Known trap: any text that is not empty is true."""
    made = [*checks()[:-1], replace(checks()[-1], passed=passed)]  # type: ignore[arg-type]
    gate = judge(ABOVE, estimate(0.95, 0.93, 0.97), made)
    assert gate.verdict == "NOT ANSWERABLE"
    assert f"power (passed is {passed!r}, neither True nor False)" in gate.reason


def test_a_rule_finds_its_estimate_among_others() -> None:
    other = replace(estimate(0.1, 0.05, 0.15), name="greedy_share_of_bound")
    gate = judge(ABOVE, (other, estimate(0.95, 0.93, 0.97)), checks())
    assert gate.verdict == "PASS"
    assert judge(ABOVE, other, checks()).reason == "dual_price_share_of_bound was not computed"


@given(st.lists(st.sampled_from(VERDICTS), min_size=1, max_size=4))
def test_a_compound_verdict_by_its_definition(parts: list[Verdict]) -> None:
    said = combined(parts)
    assert (said == "PASS") == all(part == "PASS" for part in parts)
    assert (said == "FAIL") == ("FAIL" in parts)
    assert (said == "NOT ANSWERABLE") == ("NOT ANSWERABLE" in parts and "FAIL" not in parts)
