"""Read a scenario: a shipped preset or a TOML file, with overrides.

A preset is a TOML file in ``presets/``. A file may name a preset, ``base = "kuailive"``, and then
only says what differs from it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from giftlive.config import expected, nearest, parse_value
from giftlive.errors import ConfigError, InputError, Where
from giftlive.world.scenario import Scenario

_ALIKE = 0.5
"""From here on two words are near each other."""


def presets() -> tuple[str, ...]:
    """Return the names of the shipped presets."""
    folder = resources.files("giftlive.world") / "presets"
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


def load_scenario(
    name_or_path: str | Path, scale: str | None = None, overrides: dict[str, str] | None = None
) -> Scenario:
    """Return a preset or a scenario file, with dotted ``overrides`` applied.

    Parameters
    ----------
    name_or_path : a preset (``kuailive``, ``scarce``, ``v1``) or the path of a TOML file.
    scale : a name in ``scales`` or a positive number; None = the scenario's own.
    overrides : ``{"seats.load": "0.8"}``; texts are read as TOML values.

    Raises
    ------
    ConfigError
        Unknown preset, key or scale (the nearest valid one is named), or a value out of range.
    InputError
        The file is missing or is not TOML.

    Examples
    --------
    >>> load_scenario("scarce", overrides={"seats.load": "0.8"}).seats.load
    0.8
    """
    overrides = overrides or {}
    raw = _resolve(str(name_or_path))
    for key, value in overrides.items():
        _assign(raw, key, parse_value(value))
    if "calendar.history_days" in overrides and "recorder.outage_days" not in overrides:
        _forget_late_outages(raw)
    if scale is not None:
        raw["scale"] = _scale(scale, raw.get("scales"))
    try:
        return Scenario.model_validate(raw)
    except ValidationError as error:
        raise _config_error(error, str(name_or_path)) from None


def _resolve(name: str) -> dict[str, Any]:
    raw = _read(name)
    base = raw.pop("base", None)
    if base is None:
        return raw
    if base not in presets():
        hint = nearest(str(base), list(presets()), "presets")
        raise ConfigError(f"unknown base {base!r}", f"scenario {name}", "a preset", hint)
    return _merge(_resolve(base), raw)


def _read(name: str) -> dict[str, Any]:
    if name in presets():
        text = (resources.files("giftlive.world") / "presets" / f"{name}.toml").read_text("utf-8")
        return tomllib.loads(text)
    if not name.endswith(".toml"):
        hint = nearest(name, list(presets()), "presets")
        raise ConfigError(f"unknown preset {name!r}", "scenario", "a preset or a .toml file", hint)
    try:
        return tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no such file", Where(name), "a scenario file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not valid TOML: {error}", Where(name), "a scenario file") from None


def _merge(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        nested = isinstance(value, dict) and isinstance(base.get(key), dict) and key != "scales"
        merged[key] = _merge(base[key], value) if nested else value
    return merged


def _assign(raw: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for part in parents:
        child = raw.get(part, {})
        if not isinstance(child, dict):
            raise ConfigError(f"{part!r} is a value, not a section", dotted)
        raw[part] = dict(child)
        raw = raw[part]
    raw[last] = value


def _forget_late_outages(raw: dict[str, Any]) -> None:
    """Leave out the outages of a preset that a window made shorter never reaches."""
    days, recorder = raw["calendar"]["history_days"], raw.get("recorder")
    if not (isinstance(days, int) and isinstance(recorder, dict)):
        return
    pairs = list(
        zip(recorder.get("outage_days", ()), recorder.get("outage_drop", ()), strict=False)
    )
    kept = [(day, drop) for day, drop in pairs if day < days]
    if len(kept) < len(pairs):
        outages = {
            "outage_days": [day for day, _ in kept],
            "outage_drop": [drop for _, drop in kept],
        }
        raw["recorder"] = recorder | outages


def _scale(scale: str, scales: Any) -> Any:
    """Return the number that a scale stands for; the scenario's own rules judge it."""
    names = scales if isinstance(scales, dict) else {}
    if scale in names:
        return names[scale]
    try:
        return float(scale)
    except ValueError:
        hint = nearest(scale, list(names), "scales") if names else "the scenario names no scales"
        raise ConfigError(f"unknown scale {scale!r}", "scale", "a name or a number", hint) from None


def _config_error(error: ValidationError, name: str) -> ConfigError:
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    where = ", key ".join(filter(None, [f"scenario {name}", ".".join(location)]))
    if first["type"] == "extra_forbidden":
        return ConfigError("unknown key", where, "a key of the scenario", _meant(location))
    if first["type"] == "missing":
        hint = 'begin the file with base = "kuailive": then it only says what differs'
        return ConfigError("this key is missing", where, "a value for every key", hint)
    if first["type"] == "value_error":
        return _broken_rule(first, location, where)
    return ConfigError(f"{_shown(first['input'])} is not valid", where, expected(first))


def _shown(value: Any) -> str:
    """Return a value much as a file says it."""
    if isinstance(value, date):
        return str(value)
    return repr(list(value) if isinstance(value, tuple) else value)


def _broken_rule(error: ErrorDetails, location: list[str], where: str) -> ConfigError:
    """Return what a rule of the scenario says of itself, with the nearest time zone."""
    what = expected(error)
    if location != ["calendar", "tz"]:
        return ConfigError(what, where)
    near = difflib.get_close_matches(str(error["input"]), sorted(available_timezones()), n=1)
    hint = f"did you mean {near[0]}?" if near else ""
    return ConfigError(what, where, "a name such as Asia/Shanghai", hint)


def _meant(location: list[str]) -> str:
    """Return a hint that names the valid key closest to an unknown one, on its level or on any."""
    *parents, last = location
    every = list(_dotted(Scenario))
    prefix = ".".join([*parents, ""])
    rest = [key.removeprefix(prefix) for key in every if key.startswith(prefix)]
    level = [key for key in rest if "." not in key]
    names = {key.rpartition(".")[2] for key in every}
    near = max(names, key=lambda name: (_likeness(last, name), name in level, name))
    if near in level or _likeness(last, near) < _ALIKE:
        return nearest(last, level)
    *others, final = [key for key in every if key.rpartition(".")[2] == near]
    return f"did you mean {' or '.join(filter(None, [', '.join(others), final]))}?"


def _likeness(word: str, name: str) -> float:
    return difflib.SequenceMatcher(None, name, word).ratio()


def _dotted(model: type[BaseModel]) -> Iterator[str]:
    """Yield every key of a scenario, sections and what is in them."""
    for name, field in model.model_fields.items():
        yield name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from (f"{name}.{key}" for key in _dotted(field.annotation))
