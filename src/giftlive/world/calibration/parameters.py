"""Which coefficients are fitted, within which bounds, and how a vector of them is a scenario."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from pydantic import ValidationError

from giftlive.config import expected
from giftlive.errors import ConfigError, InputError, Where
from giftlive.types import Floats
from giftlive.world.scenario import Scenario

Transform = Literal["log", "identity"]

DIGITS = 6
"""A coefficient is written with so many digits, and simulated as it is written."""

_KEYS = {"low", "high", "transform", "step"}


@dataclass(frozen=True)
class Parameter:
    """One coefficient of a scenario.

    Attributes
    ----------
    key : dotted, such as ``click.base``. low, high : bounds, in the coefficient's own unit.
    transform : the scale on which steps are made. step : of finite differences, on that scale.
    """

    key: str
    low: float
    high: float
    transform: Transform = "identity"
    step: float = 0.1

    def inner(self, value: float) -> float:
        """Return a value on the scale of the transform."""
        return math.log(value) if self.transform == "log" else value

    def outer(self, x: float) -> float:
        """Return the value at ``x`` on the scale of the transform, rounded and within bounds."""
        value = math.exp(x) if self.transform == "log" else x
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)


def load_parameters(file: Path | None = None) -> tuple[Parameter, ...]:
    """Return the parameters of a TOML file, one table per dotted key; None: the shipped list.

    Raises
    ------
    InputError
        The file is missing or is not TOML.
    ConfigError
        A parameter without bounds, with bounds the wrong way round, or an unknown word.

    Examples
    --------
    >>> load_parameters()[0].key
    'visits.exposures'
    """
    name = "the shipped list" if file is None else str(file)
    source = files("giftlive.world.calibration") / "parameters.toml" if file is None else file
    try:
        raw = tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no such file", Where(name), "a file of parameters") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not valid TOML: {error}", Where(name), "a file of parameters") from None
    found = tuple(_parameter(key, row, name) for key, row in raw.items())
    if not found:
        raise ConfigError("no parameter", name, 'at least one table such as ["click.base"]')
    return found


def _parameter(key: str, row: Any, name: str) -> Parameter:
    where = f"{name}, parameter {key}"
    shape = 'a table ["section.coefficient"] with low, high, and perhaps transform and step'
    if not isinstance(row, dict) or not {"low", "high"} <= set(row) <= _KEYS:
        raise ConfigError("not a parameter", where, shape, "put dotted keys in quotation marks")
    transform = row.get("transform", "identity")
    if transform not in get_args(Transform):
        raise ConfigError(f"{transform!r} is no transform", where, "log or identity")
    numbers = [row["low"], row["high"], row.get("step", 0.1)]
    if not all(type(x) in (int, float) and math.isfinite(x) for x in numbers):
        raise ConfigError("low, high and step must be numbers", where, shape)
    low, high, step = map(float, numbers)
    if low >= high or step <= 0.0 or (transform == "log" and low <= 0.0):
        raise ConfigError(
            f"low {low:g}, high {high:g}, step {step:g} leave nothing to search",
            where,
            "low < high, step > 0, and low > 0 with log",
        )
    return Parameter(key, low, high, transform, step)


def start_of(scenario: Scenario, parameters: Sequence[Parameter]) -> Floats:
    """Return the scenario's own coefficients, on the scales of the transforms.

    Raises
    ------
    ConfigError
        A key that is no coefficient, or a value outside its bounds.
    """
    values = scenario.model_dump()
    return np.array([parameter.inner(_value(values, parameter)) for parameter in parameters])


def _value(values: dict[str, Any], parameter: Parameter) -> float:
    found: Any = values
    for word in parameter.key.split("."):
        found = found.get(word) if isinstance(found, dict) else None
    if type(found) is not float:
        raise ConfigError(
            "this is no coefficient of the scenario that can be fitted",
            f"parameter {parameter.key}",
            "the dotted key of a number that is not a count",
            "docs/world.md names the coefficients",
        )
    if not parameter.low <= found <= parameter.high:
        raise ConfigError(
            f"{found:g} is outside [{parameter.low:g}, {parameter.high:g}]",
            f"parameter {parameter.key}",
            "a preset that lies within the bounds",
            f"widen the bounds, or start elsewhere with --set {parameter.key}=…",
        )
    return found


def settings(parameters: Sequence[Parameter], x: Floats) -> dict[str, float]:
    """Return the coefficients at ``x`` by key, as they are written to a file."""
    return {p.key: p.outer(float(v)) for p, v in zip(parameters, x, strict=True)}


def applied(scenario: Scenario, values: dict[str, float]) -> Scenario:
    """Return the scenario with other coefficients.

    Raises
    ------
    ConfigError
        The scenario's own rules forbid a value.
    """
    raw = scenario.model_dump()
    for key, value in values.items():
        *sections, last = key.split(".")
        table = raw
        for word in sections:
            table = table[word]
        table[last] = value
    try:
        return Scenario.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"{first['input']!r} is not valid",
            f"parameter {key}",
            expected(first),
            "narrow its bounds in the file of --parameters",
        ) from None
