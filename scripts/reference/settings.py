"""Every setting of a run and of the service: default, what is allowed, what it means.

The meaning stands below each field as a string of its own, where the field is declared.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from scripts.reference.markdown import first_line, page, plain, table

from giftlive.config import RunConfig
from giftlive.service.settings import ServiceSettings
from giftlive.world import Scenario, load_scenario

PATH = "docs/reference/settings.md"


@dataclass(frozen=True)
class Setting:
    """One key of a settings file: dotted name, default, allowed values, meaning."""

    name: str
    default: str
    allowed: str
    meaning: str


def render() -> str:
    """Return the page."""
    intro = (
        "Write them into a TOML file (`--config FILE`) or give them one by one (`--set "
        "KEY=VALUE`). "
        "A run writes its resolved settings to `config.toml`, which `--config` reads back. An "
        "unknown "
        "key names the nearest one. `world.KEY` sets a coefficient of the arena's world: "
        "[the world](../world.md). A study's own worlds take theirs from its `overrides`."
    )
    return page(
        "Settings",
        intro,
        *_sections("Of a run", RunConfig),
        *_sections("Of the service", ServiceSettings),
        *_coefficients(),
    )


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[Setting]:
    """Yield every setting below ``model``, sections in their order."""
    for name, field in model.model_fields.items():
        below = _model_of(field.annotation)
        full = f"{prefix}{name}"
        if below is not None:
            yield from settings(below, f"{full}.")
        else:
            yield Setting(full, _default(field), _allowed(model, name, field), meaning(model, name))


def meaning(model: type[BaseModel], name: str) -> str:
    """Return the string below the field's declaration, in the class that declares it last."""
    for owner in model.__mro__:
        if name in inspect.get_annotations(owner):
            return _strings(owner).get(name, "")
    return ""


@lru_cache
def _strings(owner: type) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(inspect.cleandoc(str(below.value.value)).split())
    return found


def _sections(title: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"## {title}"
    head = ["key", "default", "allowed", "meaning"]
    own = [s for s in settings(model) if "." not in s.name]
    if own:
        yield table(head, [_row(s) for s in own])
    for name, field in model.model_fields.items():
        below = _model_of(field.annotation)
        if below is not None:
            yield f"### {name}"
            yield first_line(below)
            yield table(head, [_row(s) for s in settings(below, f"{name}.")])


def _coefficients() -> Iterator[str]:
    """Yield the coefficients of a world, section by section, with the calibrated values."""
    yield "## Of a world"
    yield (
        "`giftlive world generate --set KEY=VALUE`, `--set world.KEY=VALUE` for the arena of a "
        "run, or "
        "a scenario file. The values are those of the preset `kuailive`; 0 mostly means that a "
        "mechanism "
        "is off ([what 0 means](../world.md#what-0-means))."
    )
    calibrated = load_scenario("kuailive")
    for name, field in Scenario.model_fields.items():
        below = _model_of(field.annotation)
        if below is not None:
            values = getattr(calibrated, name)
            yield f"### world: {name}"
            yield plain(inspect.getdoc(below) or "")
            yield table(
                ["key", "`kuailive`", "allowed"],
                [
                    (f"`{name}.{k}`", _shown(getattr(values, k)), _allowed(below, k, f))
                    for k, f in below.model_fields.items()
                ],
            )


def _shown(value: Any) -> str:
    text = ", ".join(str(v) for v in value) if isinstance(value, tuple) else str(value)
    return f"`{text}`" if text else "none"


def _row(setting: Setting) -> tuple[str, str, str, str]:
    return f"`{setting.name}`", setting.default, setting.allowed, setting.meaning


def _model_of(annotation: Any) -> type[BaseModel] | None:
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_model else None


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        return f"{len(value)} tables"
    text = ", ".join(str(v) for v in value) if isinstance(value, tuple) else str(value)
    if value is None or value in ((), {}):
        return "none"
    return f"`{text}`" if value != "" else "empty"


def _allowed(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    bounds = [_bound(m) for m in field.metadata]
    kind = _kind(typing.get_type_hints(model, include_extras=True)[name])
    return " ".join([kind, *(b for b in bounds if b)])


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{v}`" if v != "" else "empty" for v in get_args(annotation))
    if get_origin(annotation) is tuple:
        inner = get_args(annotation)
        return "list of " + _kind(inner[0]) + ("" if Ellipsis in inner else f" ({len(inner)})")
    if get_origin(annotation) is dict:
        return "table"
    union = [a for a in get_args(annotation) if a is not type(None)]
    if union:
        return " or ".join(_kind(a) for a in union)
    names = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    return names.get(annotation, getattr(annotation, "__name__", "value"))


def _bound(metadata: Any) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    for attribute, sign in signs.items():
        if hasattr(metadata, attribute):
            return f"{sign} {getattr(metadata, attribute):g}"
    return ""
