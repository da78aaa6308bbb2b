"""The registry's models with fewer and smaller trees, so that tests stay quick."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from giftlive.models.base import ValueModel
from giftlive.models.registry import MODELS
from giftlive.models.trees import TreeSettings


def with_trees(name: str, trees: TreeSettings) -> ValueModel:
    """Return the registry's model with ``trees`` wherever it has trees of its own."""
    model: Any = MODELS[name]()
    own = [f.name for f in fields(model) if isinstance(getattr(model, f.name), TreeSettings)]
    changed: ValueModel = replace(model, **dict.fromkeys(own, trees))
    return changed
