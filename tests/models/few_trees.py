"""The registry's models with fewer and smaller trees, so that tests stay quick."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from giftlive.models.base import ValueModel
from giftlive.models.registry import MODELS
from giftlive.models.trees import TreeSettings


def with_trees(name: str, trees: TreeSettings) -> ValueModel:
    """Return the registry's model with ``trees`` wherever it, or a model in it, has trees."""
    changed: ValueModel = _shrunk(MODELS[name](), trees)
    return changed


def _shrunk(value: Any, trees: TreeSettings) -> Any:
    if isinstance(value, TreeSettings):
        return trees
    if isinstance(value, tuple):
        return tuple(_shrunk(item, trees) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: _shrunk(getattr(value, f.name), trees) for f in fields(value)}
        )
    return value


OPTIONS_OF_ONE_MODEL = frozenset(
    {"two_part_weighted", "two_part_focal", "two_part_sampled", "two_part_log", "two_part_levelled"}
)
"""``two_part`` with one option changed; what is theirs alone has tests of its own."""


def each(names: Iterable[str]) -> list[Any]:
    """Return the names as parameters; options of one model run with the slow tests."""
    return [
        pytest.param(name, marks=pytest.mark.slow) if name in OPTIONS_OF_ONE_MODEL else name
        for name in names
    ]
