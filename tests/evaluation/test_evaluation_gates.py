from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.errors import ConfigError
from giftlive.evaluation.gates import deciding_n, judge, load_rules, rules_hash
from giftlive.evaluation.results import Check, Estimate

RULES = load_rules()
ABOVE, WITHIN = RULES["shadow_price"], RULES["off_policy"]


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate("e", value, low, high, "student_t", 20, "seeds", "share", "bound", "evenings")


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
    assert judge(WITHIN, estimate(*interval), checks()).verdict == verdict


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
    found = estimate(value, value - half, value + half)
    words = deciding_n(ABOVE, found)
    if words.startswith("no number"):
        assert abs(value - ABOVE.low) <= 1e-12 * max(1.0, half)
        return
    n = int(words.split()[0].replace(",", ""))
    shrunk = half * (20 / n) ** 0.5
    assert shrunk <= abs(value - ABOVE.low) * (1 + 1e-9)


def test_consequence_follows_the_verdict() -> None:
    passed = judge(ABOVE, estimate(0.95, 0.93, 0.97), checks())
    failed = judge(ABOVE, estimate(0.8, 0.7, 0.85), checks())
    open_ = judge(ABOVE, estimate(0.91, 0.85, 0.95), checks())
    assert passed.consequence == ABOVE.on_pass
    assert failed.consequence == ABOVE.on_fail
    assert open_.consequence not in {ABOVE.on_pass, ABOVE.on_fail}


def test_a_rule_of_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown kind 'sideways'"):
        load_rules('[x]\nkind = "sideways"\n')


def test_the_rules_have_a_fingerprint() -> None:
    assert len(rules_hash()) == 32
