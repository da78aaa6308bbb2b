"""What is published about KuaiLive, and how far a simulated value may lie from it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import numpy as np

from giftlive.types import Floats

Kind = Literal["rel", "abs", "info"]


@dataclass(frozen=True)
class Target:
    """One published quantity: a number, or several that are judged together.

    Attributes
    ----------
    name : of the fact, or of the list of facts (``FactBook.published``). value : as published.
    kind : ``rel`` (tolerance is a share of the value), ``abs``, or ``info`` (never judged).
    days : ``utc`` where the published value counted UTC days. scope : ``full`` where only a world
    of full size can have the value.
    """

    name: str
    value: tuple[float, ...]
    kind: Kind
    tolerance: float = float("inf")
    days: str = ""
    scope: str = ""

    @property
    def limits(self) -> Floats:
        """Return how far each number may be off, in its own unit."""
        value = np.asarray(self.value)
        return (
            self.tolerance * np.abs(value)
            if self.kind == "rel"
            else np.full(len(value), self.tolerance)
        )

    def gated(self, scale: float) -> bool:
        """Return whether a world of this scale is judged by the target."""
        return self.kind != "info" and (self.scope != "full" or scale >= 1.0)


@lru_cache
def targets() -> tuple[Target, ...]:
    """Return the published quantities, in a fixed order.

    Examples
    --------
    >>> targets()[0].name
    'gift_rows_per_click'
    """
    text = (files("giftlive.world.calibration") / "targets.toml").read_text("utf-8")
    return tuple(
        Target(
            name=name,
            value=tuple(row["value"]),
            kind=row["kind"],
            tolerance=row.get("tolerance", float("inf")),
            days=row.get("days", ""),
            scope=row.get("scope", ""),
        )
        for name, row in tomllib.loads(text).items()
    )
