"""The registry's models with fewer and smaller trees, so that tests stay quick."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import pytest

from giftlive.models.base import ValueModel
from giftlive.models.registry import MODELS
from giftlive.models.trees import TreeSettings

T = TypeVar("T")


class WhenAsked(dict[str, T]):
    """Something of every model by name, made when it is first asked for."""

    def __init__(self, make: Callable[[str], T]) -> None:
        self.make = make

    def __missing__(self, name: str) -> T:
        self[name] = self.make(name)
        return self[name]


def with_trees(name: str, trees: TreeSettings, least_gifts: int | None = None) -> ValueModel:
    """Return the registry's model with ``trees`` wherever it, or a model in it, has trees.

    Parameters
    ----------
    least_gifts : how many of them each is content with; None: as many as it asks for.
    """
    changed: ValueModel = _shrunk(MODELS[name](), trees, least_gifts)
    return changed


def _shrunk(value: Any, trees: TreeSettings, least_gifts: int | None) -> Any:
    if isinstance(value, TreeSettings):
        return trees
    if isinstance(value, tuple):
        return tuple(_shrunk(item, trees, least_gifts) for item in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    inside = {f.name: _shrunk(getattr(value, f.name), trees, least_gifts) for f in fields(value)}
    if least_gifts is not None and "minimum_positives" in inside:
        inside["minimum_positives"] = least_gifts
    return replace(value, **inside)


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
