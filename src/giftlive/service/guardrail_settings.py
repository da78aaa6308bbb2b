"""The guardrails: what must not get worse, by how much, over how long."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Measure = Literal[
    "d1_return",
    "d7_return",
    "exit_rate",
    "complaint_rate",
    "exposure_concentration",
    "long_tail_share",
    "overload_share",
    "revenue_per_user_day",
]


class GuardrailSettings(BaseModel):
    """One guardrail: breached when the whole interval of the window lies beyond the threshold."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Measure
    threshold: float
    direction: Literal["at_most", "at_least"]
    """Which side of the threshold is good."""
    window_seconds: float = Field(default=3600.0, gt=0.0)
    """The sample starts anew after so long."""
    level: float = Field(default=0.99, gt=0.5, lt=1.0)
    """Chance, at least, of no false alarm in a whole window, however often it is looked at."""
    largest: float = Field(default=1.0, gt=0.0)
    """Values are cut here; the range that the interval assumes."""
    acts: bool = True
    """Whether a breach switches to the safe policy, or is only said."""


DAY = 86_400.0

DEFAULT_GUARDRAILS: tuple[GuardrailSettings, ...] = (
    GuardrailSettings(
        name="d1_return", threshold=0.05, direction="at_least", window_seconds=2 * DAY
    ),
    GuardrailSettings(
        name="d7_return", threshold=0.02, direction="at_least", window_seconds=14 * DAY
    ),
    GuardrailSettings(name="exit_rate", threshold=0.6, direction="at_most"),
    GuardrailSettings(name="complaint_rate", threshold=0.75, direction="at_most"),
    GuardrailSettings(name="exposure_concentration", threshold=0.95, direction="at_most"),
    GuardrailSettings(name="long_tail_share", threshold=0.01, direction="at_least"),
    GuardrailSettings(name="overload_share", threshold=0.5, direction="at_most"),
    GuardrailSettings(
        name="revenue_per_user_day",
        threshold=0.0,
        direction="at_least",
        window_seconds=2 * DAY,
        largest=1000.0,
    ),
)
"""Wide on purpose: thresholds belong to a platform; these only catch a broken one.

Of ``complaint_rate``: half of the published KuaiLive viewings last at most 4.3 s, and in the
world that is calibrated to them 44 % end within 3 s, which counts as a complaint here. Where
nothing is wrong the rate is thus near 0.4, and 0.5 was one bad hour away from it; 0.75 is about
half way from there to everybody complaining."""
