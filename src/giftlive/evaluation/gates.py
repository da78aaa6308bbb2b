"""Pre-registered rules: checks first, then the outcome, then a verdict that could have differed.

A verdict is PASS or FAIL only when the whole interval lies on one side of the threshold. A
failed check makes it NOT ANSWERABLE whatever the outcome was; an interval across the threshold
is INCONCLUSIVE and comes with the n that would decide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from giftlive.evaluation.checks import EXACT
from giftlive.evaluation.results import Check, Estimate, Gate, Verdict
from giftlive.evaluation.rules import RELATIVE, Condition, Rule, load_rules, rules_hash

__all__ = ["combined", "deciding_n", "judge", "load_rules", "rules_hash"]

_WORST_FIRST: tuple[Verdict, ...] = ("FAIL", "NOT ANSWERABLE", "INCONCLUSIVE")


def judge(
    rule: Rule, estimates: Estimate | Sequence[Estimate] | None, checks: Sequence[Check]
) -> Gate:
    """Return the gate's verdict on ``estimates`` given the ``checks`` made beforehand.

    Parameters
    ----------
    rule : the pre-registered rule.
    estimates : among them, by name, those that the rule is about; one that is not there, or has
        no interval that holds its value, or is there twice cannot be judged. An interval of
        width 0 is a point, unless its method is "exact": a number known without error.
    checks : the checks that were made; one that the rule asks for has failed where it is absent
        or where ``passed`` is anything but True.

    Examples
    --------
    >>> gate = judge(load_rules()["off_policy"], None, ())
    >>> gate.verdict, gate.reason
    ('NOT ANSWERABLE', 'checks failed: a_a (not made); movable (not made); power (not made)')
    """
    given = (estimates,) if isinstance(estimates, Estimate) else tuple(estimates or ())
    found = {name: [e for e in given if e.name == name] for name in {e.name for e in given}}
    failed = [words for name in rule.checks if (words := _failure(name, checks))]
    if failed:
        first = rule.conditions[0]
        reason = f"checks failed: {'; '.join(failed)}"
        return _gate(rule, first, found.get(first.estimate, ()), "NOT ANSWERABLE", reason)
    parts = [_judged(condition, found.get(condition.estimate, ())) for condition in rule.conditions]
    verdict = combined([verdict for verdict, _ in parts])
    decisive = rule.conditions[[v for v, _ in parts].index(verdict)]
    return _gate(rule, decisive, found.get(decisive.estimate, ()), verdict, _told(rule, parts))


def combined(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict of a rule whose conditions must all hold.

    PASS when all pass; FAIL when any fails; NOT ANSWERABLE when any is; else INCONCLUSIVE. All
    intervals at 95 %: a false PASS needs every condition to err and is no likelier than one; a
    false FAIL is up to as many times likelier as there are conditions.

    Examples
    --------
    >>> combined(["PASS", "INCONCLUSIVE", "FAIL"]), combined(["PASS", "PASS"]), combined([])
    ('FAIL', 'PASS', 'NOT ANSWERABLE')
    """
    if not verdicts:
        return "NOT ANSWERABLE"
    return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), "PASS")


def _failure(name: str, checks: Sequence[Check]) -> str:
    """Return how the check ``name`` failed, in words; "" when it was made and passed."""
    made = [check for check in checks if check.name == name]
    if not made:
        return f"{name} (not made)"
    for check in made:
        passed: object = check.passed  # whatever a study put there
        if passed is False:
            return f"{name} ({check.detail})"
        if passed is not True:
            return f"{name} (passed is {passed!r}, neither True nor False)"
    return ""


def _judged(condition: Condition, named: Sequence[Estimate]) -> tuple[Verdict, str]:
    if len(named) > 1:
        ambiguous = f"{condition.estimate} is ambiguous: {len(named)} estimates have this name"
        return "NOT ANSWERABLE", ambiguous
    estimate = named[0] if named else None
    missing = _missing(condition, estimate)
    if missing or estimate is None or estimate.low is None or estimate.high is None:
        return "NOT ANSWERABLE", missing
    interval = f"the interval [{estimate.low:.4g}, {estimate.high:.4g}]"
    if condition.low < estimate.low and estimate.high < condition.high:
        return "PASS", f"{interval} lies in the passing region ({condition.region})"
    if estimate.high < condition.low or estimate.low > condition.high:
        return "FAIL", f"{interval} lies outside the passing region ({condition.region})"
    return "INCONCLUSIVE", (
        f"{interval} crosses the border of ({condition.region});"
        f" about {deciding_n(condition, estimate)} would decide"
    )


def _missing(condition: Condition, estimate: Estimate | None) -> str:
    """Return why there is no interval that the condition may be held against; "" if there is."""
    if estimate is None:
        return f"{condition.estimate} was not computed"
    if estimate.status != "ok" or None in (estimate.value, estimate.low, estimate.high):
        return estimate.reason or f"no interval of {condition.estimate} may be printed"
    value, low, high = (b for b in (estimate.value, estimate.low, estimate.high) if b is not None)
    if not (all(map(math.isfinite, (value, low, high))) and low <= value <= high):
        return f"[{low:g}, {high:g}] around {value:g} is no interval"
    if estimate.method != EXACT and estimate.n < 2:
        return f"{estimate.n} {estimate.n_unit}: a point, not an interval"
    if estimate.method != EXACT and low == high:
        return f"{estimate.method} of width 0 at {value:g}: a point, not an interval"
    if condition.relative and estimate.unit != RELATIVE:
        return f"{condition.estimate} is in {estimate.unit}, the rule asks for a {RELATIVE}"
    return ""


def _told(rule: Rule, parts: Sequence[tuple[Verdict, str]]) -> str:
    if len(parts) == 1:
        return parts[0][1]
    named = zip(rule.conditions, parts, strict=True)
    return "; ".join(f"{c.estimate} {verdict}: {reason}" for c, (verdict, reason) in named)


def deciding_n(condition: Condition, estimate: Estimate) -> str:
    """Return how many units would take the interval off the borders that it crosses, in words.

    An arm of the interval, from the value to its end on the border's side, shrinks with the square
    root of n: n' = n (arm / distance)², the largest over the borders crossed, and more than n;
    where none is crossed, the largest over all borders.
    """
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    value, low, high = estimate.value, estimate.low, estimate.high
    finite = [b for b in (condition.low, condition.high) if math.isfinite(b)]
    crossed = [b for b in finite if low <= b <= high]
    borders = crossed or finite
    nearest = min(abs(value - border) for border in borders)
    if nearest <= 1e-12 * max(1.0, (high - low) / 2):
        return f"no number of {estimate.n_unit}, because the value lies on the border,"
    arms = [(b, value - low if b < value else high - value) for b in borders]
    needed = math.ceil(estimate.n * max((arm / (value - b)) ** 2 for b, arm in arms))
    return f"{max(needed, estimate.n + 1) if crossed else needed:,} {estimate.n_unit}"


def _gate(
    rule: Rule, condition: Condition, named: Sequence[Estimate], verdict: Verdict, reason: str
) -> Gate:
    undecided = "no change until the question is decided"
    consequence = {"PASS": rule.on_pass, "FAIL": rule.on_fail}.get(verdict, undecided)
    return Gate(
        id=rule.id,
        rule=rule.rule,
        rule_as_published=rule.as_published,
        verdict=verdict,
        reason=reason,
        consequence=consequence,
        estimate=named[0] if len(named) == 1 else None,
        threshold=condition.low if math.isfinite(condition.low) else None,
        threshold_high=condition.high if math.isfinite(condition.high) else None,
    )
