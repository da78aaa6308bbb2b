"""Pre-registered rules: checks first, then the outcome, then a verdict that could have differed.

A verdict is PASS or FAIL only when the whole interval lies on one side of the threshold. A
failed check makes it NOT ANSWERABLE whatever the outcome was; an interval across the threshold
is INCONCLUSIVE and comes with the n that would decide.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from giftlive.errors import ConfigError
from giftlive.evaluation.results import Check, Estimate, Gate, Verdict


@dataclass(frozen=True)
class Rule:
    """One gate as written in ``rules.toml``; ``low`` and ``high`` bound the passing region."""

    id: str
    study: str
    estimate: str
    kind: str
    low: float
    high: float
    checks: tuple[str, ...]
    rule: str
    as_published: str
    on_pass: str
    on_fail: str


def rules_text() -> str:
    """Return the text of the rules file."""
    return (files("giftlive.evaluation") / "rules.toml").read_text(encoding="utf-8")


def rules_hash() -> str:
    """Return the digest of the rules file that every manifest carries."""
    return hashlib.blake2b(rules_text().encode(), digest_size=16).hexdigest()


def load_rules(text: str | None = None) -> dict[str, Rule]:
    """Return every rule by its id.

    Raises
    ------
    ConfigError
        A rule's kind is neither ``above`` nor ``within``.
    """
    raw = tomllib.loads(rules_text() if text is None else text)
    return {name: _rule(name, table) for name, table in raw.items()}


def _rule(name: str, table: dict[str, object]) -> Rule:
    fields = dict(table)
    kind = str(fields["kind"])
    if kind == "above":
        low, high = float(str(fields.pop("threshold"))), math.inf
    elif kind == "within":
        low, high = float(str(fields.pop("low"))), float(str(fields.pop("high")))
    else:
        raise ConfigError(f"unknown kind {kind!r}", f"rule {name}", "above or within")
    checks = fields.pop("checks")
    assert isinstance(checks, list)
    text = {key: str(value) for key, value in fields.items()}
    return Rule(id=name, low=low, high=high, checks=tuple(checks), **text)


def judge(rule: Rule, estimate: Estimate | None, checks: Sequence[Check]) -> Gate:
    """Return the gate's verdict on ``estimate`` given the ``checks`` made beforehand.

    Parameters
    ----------
    rule : the pre-registered rule.
    estimate : the estimand named by the rule with its 95 % interval; None = not computed.
    checks : the checks that were made; one that the rule asks for and is absent has failed.

    Examples
    --------
    >>> gate = judge(load_rules()["baseline"], None, ())
    >>> gate.verdict, gate.reason
    ('NOT ANSWERABLE', 'checks failed: a_a (not made), movable (not made), power (not made)')
    """
    failed = _failed(rule, checks)
    if failed:
        return _gate(rule, estimate, "NOT ANSWERABLE", f"checks failed: {'; '.join(failed)}")
    if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
        reason = "no interval may be printed" if estimate is None else estimate.reason
        return _gate(rule, estimate, "NOT ANSWERABLE", reason)
    verdict = _verdict(rule, estimate.low, estimate.high)
    return _gate(rule, estimate, verdict, _reason(rule, estimate, verdict))


def _failed(rule: Rule, checks: Sequence[Check]) -> list[str]:
    by_name = {check.name: check for check in checks}
    missing = [name for name in rule.checks if name not in by_name]
    if len(missing) == len(rule.checks):
        return [", ".join(f"{name} (not made)" for name in missing)]
    failed = [by_name[n] for n in rule.checks if n in by_name and not by_name[n].passed]
    return [f"{c.name} ({c.detail})" for c in failed] + [f"{n} (not made)" for n in missing]


def _verdict(rule: Rule, low: float, high: float) -> Verdict:
    if low > rule.low and high < rule.high:
        return "PASS"
    if high < rule.low or low > rule.high:
        return "FAIL"
    return "INCONCLUSIVE"


def _reason(rule: Rule, estimate: Estimate, verdict: Verdict) -> str:
    region = f"above {rule.low:g}" if math.isinf(rule.high) else f"{rule.low:g} to {rule.high:g}"
    interval = f"[{estimate.low:.4g}, {estimate.high:.4g}]"
    if verdict == "PASS":
        return f"the interval {interval} lies in the passing region ({region})"
    if verdict == "FAIL":
        return f"the interval {interval} lies outside the passing region ({region})"
    needed = deciding_n(rule, estimate)
    return f"the interval {interval} crosses the border of ({region}); about {needed} would decide"


def deciding_n(rule: Rule, estimate: Estimate) -> str:
    """Return how many units would shrink the interval to the nearest border, in words.

    The half-width shrinks with the square root of n: n' = n (half-width / distance)².
    """
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    borders = [b for b in (rule.low, rule.high) if math.isfinite(b)]
    distance = min(abs(estimate.value - border) for border in borders)
    half = (estimate.high - estimate.low) / 2
    if distance <= 1e-12 * max(1.0, half):
        return f"no number of {estimate.n_unit}, because the value lies on the border,"
    needed = math.ceil(estimate.n * (half / distance) ** 2)
    return f"{needed:,} {estimate.n_unit}"


def _gate(rule: Rule, estimate: Estimate | None, verdict: Verdict, reason: str) -> Gate:
    undecided = "no change until the question is decided"
    consequence = {"PASS": rule.on_pass, "FAIL": rule.on_fail}.get(verdict, undecided)
    return Gate(
        id=rule.id,
        rule=rule.rule,
        rule_as_published=rule.as_published,
        verdict=verdict,
        reason=reason,
        consequence=consequence,
        estimate=estimate,
        threshold=rule.low,
        threshold_high=rule.high if math.isfinite(rule.high) else None,
    )
