"""What the sections of a scenario share: frozen, closed to unknown keys, finite, strict.

The outer bounds lie far beyond any sensible world: they keep every product and exponential of a
build within the range of its type, so that a wrong number is refused and never overflows.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

Positive = Annotated[float, Field(gt=0, le=1e9)]
NonNegative = Annotated[float, Field(ge=0, le=1e9)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Coefficient = Annotated[float, Field(ge=-1_000, le=1_000)]
Spread = Annotated[float, Field(ge=0, le=5)]
"""The standard deviation of a logarithm or of a part of a logit."""
TailShape = Annotated[float, Field(ge=0.2, le=1_000)]
"""The shape of a Pareto tail; a heavier one than 0.2 has no largest value worth the name."""


class Section(BaseModel):
    """A table of a scenario file; true is no number, and a number no text."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    @field_validator("*", mode="before")
    @classmethod
    def _list_of_a_file(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value
