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


def verdict_of(
    rule: Mapping[str, Any], estimates: Mapping[str, Mapping[str, Any]], checks: CheckResults
) -> str:
    """Return the verdict of ``rule``: checks first, then every interval against its region."""
    if not all(checks.get(name, False) for name in rule["checks"]):
        return "NOT ANSWERABLE"
    found = []
    for name, low, high in regions(rule):
        estimate = estimates.get(name, {})
        least, most = estimate.get("low"), estimate.get("high")
        if least is None or most is None or estimate.get("value") is None:
            found.append("NOT ANSWERABLE")
        elif low < least and most < high:
            found.append("PASS")
        else:
            found.append("FAIL" if most < low or least > high else "INCONCLUSIVE")
    return next((verdict for verdict in _BAD_FIRST if verdict in found), "PASS")


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
    """Yield every gate and check of a study, with what is wrong with it or None."""
    study = str(result["study"])

    def compared(name: str, said: object, again: object, where: str) -> Difference | None:
        return None if said == again else Difference(study, name, str(said), str(again), where)

    for i, gate in enumerate(result["gates"]):
        name, where = str(gate["id"]), f"results/{study}.json, gates[{i}]"
        rule = rules.get(name)
        if rule is None:
            yield name, compared(name, "judged", "no such rule", where)
            continue
        for check, made, once_more, place in checks_again(rule, result, found):
            agrees = once_more is None or once_more == made
            yield check, None if agrees else compared(f"check {check}", made, once_more, place)
        verdict = verdict_of(rule, {e["name"]: e for e in result["estimates"]}, _passed(result))
        yield name, compared(f"{name}, verdict", gate["verdict"], verdict, f"{where}.verdict")
        act = rule.get({"PASS": "on_pass", "FAIL": "on_fail"}.get(verdict, ""))
        for field, asked in (("rule", rule["rule"]), ("consequence", act or gate["consequence"])):
            yield name, compared(f"{name}, {field}", gate[field], asked, f"{where}.{field}")


def _passed(result: Result) -> CheckResults:
    """Return whether every check of a name passed."""
    passed: dict[str, bool] = {}
    for check in result["checks"]:
        passed[check["name"]] = passed.get(check["name"], True) and bool(check["passed"])
    return passed
