"""Read a scenario: a shipped preset or a TOML file, with overrides.

A preset is a TOML file in ``presets/``. A file may name a preset, ``base = "kuailive"``, and then
only says what differs from it.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from giftlive.config import nearest, parse_value
from giftlive.errors import ConfigError, InputError, Where
from giftlive.world.scenario import Scenario


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
    raw = _resolve(str(name_or_path))
    for key, value in (overrides or {}).items():
        _assign(raw, key, parse_value(value))
    if scale is not None:
        raw["scale"] = _scale(scale, raw["scales"])
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
        hint = nearest(str(base), list(presets()))
        raise ConfigError(f"unknown base {base!r}", f"scenario {name}", "a preset", hint)
    return _merge(_resolve(base), raw)


def _read(name: str) -> dict[str, Any]:
    if name in presets():
        text = (resources.files("giftlive.world") / "presets" / f"{name}.toml").read_text("utf-8")
        return tomllib.loads(text)
    if not name.endswith(".toml"):
        hint = nearest(name, list(presets()))
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


def _scale(scale: str, scales: dict[str, float]) -> float:
    if scale in scales:
        return scales[scale]
    try:
        return float(scale)
    except ValueError:
        hint = nearest(scale, list(scales))
        raise ConfigError(f"unknown scale {scale!r}", "scale", "a name or a number", hint) from None


def _config_error(error: ValidationError, name: str) -> ConfigError:
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    where = ", key ".join(filter(None, [f"scenario {name}", ".".join(location)]))
    if first["type"] == "extra_forbidden":
        hint = nearest(location[-1], _keys(location[:-1]))
        return ConfigError("unknown key", where, "a key of the scenario", hint)
    shown = "value" if isinstance(first["input"], dict) else repr(first["input"])
    return ConfigError(f"{shown} is not valid", where, first["msg"].removeprefix("Value error, "))


def _keys(parents: list[str]) -> list[str]:
    model: type[BaseModel] = Scenario
    for part in parents:
        annotation = model.model_fields[part].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return list(model.model_fields)
