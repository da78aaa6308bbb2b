"""Verdicts reached again from the rules file and the evidence in the results."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from scipy import stats

from giftlive.run.verify.claims import Result
from giftlive.run.verify.outcome import Difference

Rules = Mapping[str, Mapping[str, Any]]
CheckResults = Mapping[str, bool]
_UNDECIDED = "no change until the question is decided"
_BAD_FIRST = ("FAIL", "NOT ANSWERABLE", "INCONCLUSIVE")


def rules_of() -> tuple[Rules, str]:
    """Return the rules by gate, and the digest of the file they are written in."""
    text = (files("giftlive.evaluation") / "rules.toml").read_bytes()
    return tomllib.loads(text.decode()), hashlib.blake2b(text, digest_size=16).hexdigest()


def regions(rule: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    """Yield the estimate and the open passing region of every condition of a rule.

    Examples
    --------
    >>> list(regions({"kind": "not_down", "estimate": "revenue", "margin": 0.01}))
    [('revenue', -0.01, inf)]
    """
    for part in rule.get("parts", [rule]):
        kind = part["kind"]
        low, high = -math.inf, math.inf
        if kind == "above":
            low = part["threshold"]
        elif kind == "below":
            high = part["threshold"]
        elif kind == "within":
            low, high = part["low"], part["high"]
        elif kind == "not_down":
            low = -part["margin"]
        else:
            raise KeyError(kind)
        yield part["estimate"], low, high


def rules_for(study: str, rules: Rules) -> Rules:
    """Return the rules that a study must be judged by."""
    return {name: rule for name, rule in rules.items() if rule["study"] == study}


def verdict_of(
    rule: Mapping[str, Any], estimates: Mapping[str, Mapping[str, Any]], checks: CheckResults
) -> str:
    """Return the verdict of ``rule``: checks first, then every interval against its region."""
    return decided(rule, estimates, checks)[0]


def decided(
    rule: Mapping[str, Any], estimates: Mapping[str, Mapping[str, Any]], checks: CheckResults
) -> tuple[str, tuple[str, float, float]]:
    """Return the verdict, and the estimate and region that decided it: the first with it."""
    asked = list(regions(rule))
    if not all(checks.get(name, False) for name in rule["checks"]):
        return "NOT ANSWERABLE", asked[0]
    found = []
    for name, low, high in asked:
        estimate = estimates.get(name, {})
        least, most = estimate.get("low"), estimate.get("high")
        if least is None or most is None or estimate.get("value") is None:
            found.append("NOT ANSWERABLE")
        elif low < least and most < high:
            found.append("PASS")
        else:
            found.append("FAIL" if most < low or least > high else "INCONCLUSIVE")
    verdict = next((verdict for verdict in _BAD_FIRST if verdict in found), "PASS")
    return verdict, asked[found.index(verdict)]


def checks_again(
    rule: Mapping[str, Any], result: Result, found: CheckResults
) -> Iterator[tuple[str, bool, bool | None, str]]:
    """Yield every check as it was printed and as it is found again, None where it cannot be."""
    for i, check in enumerate(result["checks"]):
        name = check["name"]
        again = _power(rule, result) if name == "power" else found.get(name)
        yield name, check["passed"], again, f"results/{result['study']}.json, checks[{i}]"


def _power(rule: Mapping[str, Any], result: Result) -> bool | None:
    """Return whether n units show the effect that matters: n from the estimate the rule names."""
    asked = rule["checks"].get("power")
    name = next(regions(rule))[0]
    n = next((e["n"] for e in result["estimates"] if e["name"] == name), 0)
    if not asked or not n:
        return None
    reach = stats.norm.isf(0.025) - stats.norm.isf(asked["chance"])
    effect = reach * asked["sd"] / math.sqrt(n)
    return bool(effect <= asked["detects"] and n >= asked.get("least_n", 0))


def differences(
    result: Result, rules: Rules, found: CheckResults
) -> Iterator[tuple[str, Difference | None]]:
    """Yield every gate and check of a study, with what is wrong with it or None.

    Its gates must be those that the rules hold for the study, its checks those that they ask for.
    """
    study = str(result["study"])
    asked = rules_for(study, rules)
    for name, said, again, where in _compared(result, asked, found):
        wrong = None if said == again else Difference(study, name, str(said), str(again), where)
        yield name, wrong


Comparison = tuple[str, object, object, str]
"""What is compared, as it was printed, as it must be, and its place in the results file."""


def _compared(result: Result, rules: Rules, found: CheckResults) -> Iterator[Comparison]:
    file = f"results/{result['study']}.json"
    checks = {check for rule in rules.values() for check in rule["checks"]}
    yield "gates", sorted(gate["id"] for gate in result["gates"]), sorted(rules), f"{file}, gates"
    made = {check["name"] for check in result["checks"]}
    yield "checks", sorted(made), sorted(checks), f"{file}, checks"
    for rule in rules.values():
        for name, passed, once_more, where in checks_again(rule, result, found):
            yield f"check {name}", passed, passed if once_more is None else once_more, where
    for i, gate in enumerate(result["gates"]):
        if gate["id"] in rules:
            for field, again in _judged(rules[gate["id"]], result).items():
                yield f"{gate['id']}, {field}", gate[field], again, f"{file}, gates[{i}].{field}"


def _judged(rule: Mapping[str, Any], result: Result) -> dict[str, object]:
    """Return every field of a gate that follows from its rule and the evidence."""
    evidence = {estimate["name"]: estimate for estimate in result["estimates"]}
    verdict, (name, low, high) = decided(rule, evidence, _passed(result))
    consequence = {"PASS": rule["on_pass"], "FAIL": rule["on_fail"]}.get(verdict, _UNDECIDED)
    return {
        "verdict": verdict,
        "rule": rule["rule"],
        "rule_as_published": rule["as_published"],
        "consequence": consequence,
        "threshold": low if math.isfinite(low) else None,
        "threshold_high": high if math.isfinite(high) else None,
        "estimate": evidence.get(name),
    }


def _passed(result: Result) -> CheckResults:
    """Return whether every check of a name passed."""
    passed: dict[str, bool] = {}
    for check in result["checks"]:
        passed[check["name"]] = passed.get(check["name"], True) and bool(check["passed"])
    return passed
