"""Rules as data: what each gate asks, read from ``rules.toml`` and refused when it is not clear.

A rule has one condition, or several of which all must hold (``kind = "all_of"``). A condition
names an estimate and the open region in which its whole interval must lie::

    above     (threshold, ∞)         below     (-∞, threshold)
    within    (low, high)            not_down  (-margin, ∞), of a relative change: a guardrail
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from giftlive.config import nearest
from giftlive.errors import ConfigError
from giftlive.evaluation.checks import CHECKS, thresholds_of

Thresholds = Mapping[str, float]

RELATIVE = "relative change"
"""Unit of an estimate that a relative threshold may be held against."""

_BORDERS = {
    "above": ("threshold",),
    "below": ("threshold",),
    "within": ("low", "high"),
    "not_down": ("margin",),
}
_SHARES = frozenset({"least_displaced", "least_price_share", "least_changed", "chance"})
_WORDS = ("study", "rule", "as_published", "on_pass", "on_fail")
_ALWAYS = ("a_a", "movable", "power")
"""Checks that every rule asks for; ``binding`` only where there is a constraint."""


@dataclass(frozen=True)
class Condition:
    """One thing a rule asks: the interval of ``estimate`` lies strictly between the borders.

    Attributes
    ----------
    low, high : borders of the passing region, infinite where it is open.
    relative : the borders are shares of a reference, so that the estimate must be a relative
    change with an interval of its own; a border times a point estimate would have no error.
    """

    estimate: str
    kind: str
    low: float
    high: float
    relative: bool = False

    @property
    def region(self) -> str:
        """Return the passing region in words.

        Examples
        --------
        >>> Condition("revenue", "not_down", -0.01, math.inf, relative=True).region
        'above -0.01, relative'
        """
        if math.isinf(self.high):
            found = f"above {self.low:g}"
        elif math.isinf(self.low):
            found = f"below {self.high:g}"
        else:
            found = f"{self.low:g} to {self.high:g}"
        return f"{found}, relative" if self.relative else found


@dataclass(frozen=True)
class Rule:
    """One gate as written in ``rules.toml``.

    Attributes
    ----------
    conditions : all must hold; the first names the estimate that is printed first.
    checks : every check that must pass beforehand, with its thresholds.
    """

    id: str
    study: str
    conditions: tuple[Condition, ...]
    checks: Mapping[str, Thresholds]
    rule: str
    as_published: str
    on_pass: str
    on_fail: str

    @property
    def estimate(self) -> str:
        """Return the name of the estimate that the first condition is about."""
        return self.conditions[0].estimate

    def asked(self, check: str) -> Thresholds:
        """Return the thresholds of ``check``, to be handed to the function of that name.

        Raises
        ------
        ConfigError
            The rule does not ask for it.
        """
        if check not in self.checks:
            raise ConfigError(
                f"no check {check!r}", f"rule {self.id}", "the checks that its study makes"
            )
        return self.checks[check]


def rules_text() -> str:
    """Return the text of the rules file."""
    return (files("giftlive.evaluation") / "rules.toml").read_text(encoding="utf-8")


def rules_hash(text: str | None = None) -> str:
    """Return the digest of the rules file, or of ``text``, that every manifest carries."""
    written = rules_text() if text is None else text
    return hashlib.blake2b(written.encode(), digest_size=16).hexdigest()


def load_rules(text: str | None = None) -> dict[str, Rule]:
    """Return every rule by its id.

    Parameters
    ----------
    text : rules as TOML; None = the rules file.

    Raises
    ------
    ConfigError
        A kind, a key or a check is unknown, a threshold is missing or no finite number, ``low``
        is not below ``high``, or a rule does not ask for all of ``a_a``, ``movable``, ``power``.
    """
    try:
        raw = tomllib.loads(rules_text() if text is None else text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", "rules") from None
    return {name: _rule(name, _table(table, f"rule {name}")) for name, table in raw.items()}


def _rule(name: str, table: Mapping[str, Any]) -> Rule:
    where = f"rule {name}"
    conditions = _conditions(table, where)
    used = {"kind", "parts"} if table.get("kind") == "all_of" else _condition_keys(table)
    _only(table, used | {*_WORDS, "checks"}, where)
    words = {key: _words(table, key, where) for key in _WORDS}
    return Rule(id=name, conditions=conditions, checks=_checks(table, where), **words)


def _conditions(table: Mapping[str, Any], where: str) -> tuple[Condition, ...]:
    if table.get("kind") != "all_of":
        return (_condition(table, where),)
    parts = table.get("parts")
    if not isinstance(parts, list) or len(parts) < 2:
        raise ConfigError("all_of without its parts", where, "two or more [[parts]]")
    found = []
    for k, part in enumerate(parts, start=1):
        place = f"{where}, part {k}"
        found.append(_condition(_table(part, place), place))
        _only(part, _condition_keys(part), place)
    return tuple(found)


def _condition_keys(table: Mapping[str, Any]) -> set[str]:
    return {"kind", "estimate", "relative", *_BORDERS.get(str(table.get("kind")), ())}


def _condition(table: Mapping[str, Any], where: str) -> Condition:
    kind = table.get("kind")
    if kind not in _BORDERS:
        known = f"{', '.join(_BORDERS)}, or all_of with parts of these kinds"
        raise ConfigError(f"unknown kind {kind!r}", where, known)
    numbers = {key: _number(table, key, where) for key in _BORDERS[kind]}
    low = numbers.get("low", -math.inf)
    high = numbers.get("high", math.inf)
    if kind == "above":
        low = numbers["threshold"]
    elif kind == "below":
        high = numbers["threshold"]
    elif kind == "not_down":
        low = -_positive(numbers["margin"], "margin", where)
    if low >= high:
        raise ConfigError(f"low {low:g} and high {high:g}", where, "low below high")
    relative = table.get("relative", kind == "not_down")
    if not isinstance(relative, bool):
        raise ConfigError(f"relative = {relative!r}", where, "true or false")
    return Condition(_words(table, "estimate", where), kind, low, high, relative)


def _checks(table: Mapping[str, Any], where: str) -> dict[str, Thresholds]:
    checks = _table(table.get("checks"), f"{where}, checks")
    found: dict[str, Thresholds] = {}
    for name, raw in checks.items():
        place = f"{where}, check {name}"
        if name not in CHECKS:
            raise ConfigError("unknown check", place, hint=nearest(name, list(CHECKS)))
        must, may = thresholds_of(name)
        asked = _table(raw, place)
        _only(asked, may, place)
        found[name] = {key: _threshold(asked, key, place) for key in sorted(must | set(asked))}
    absent = [name for name in _ALWAYS if name not in found]
    if absent:
        raise ConfigError(f"no check {', '.join(absent)}", where, f"all of {', '.join(_ALWAYS)}")
    return found


def _threshold(asked: Mapping[str, Any], key: str, where: str) -> float:
    value = _positive(_number(asked, key, where), key, where)
    if key in _SHARES and value >= 1.0:
        raise ConfigError(f"{key} = {value:g}", where, "a share below 1")
    return value


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{value!r} is not a table", where, "key = value lines under [a table]")
    return value


def _only(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    valid = sorted(known)
    for key in table:
        if key not in valid:
            raise ConfigError(f"unknown key {key!r}", where, hint=nearest(key, valid))


def _words(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{key} is {'missing' if value is None else repr(value)}", where, "words")
    return value


def _number(table: Mapping[str, Any], key: str, where: str) -> float:
    value = table.get(key)
    if value is None:
        raise ConfigError(f"{key} is missing", where, "a number")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{key} = {value!r}", where, "a finite number")
    return float(value)


def _positive(value: float, key: str, where: str) -> float:
    if value <= 0.0:
        raise ConfigError(f"{key} = {value:g}", where, "a number above 0")
    return value
