"""A finding of the data audit: one measured property of the logs that a reader must know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "defect"]


@dataclass(frozen=True)
class Finding:
    """One property of the logs.

    Attributes
    ----------
    name : dotted where there is one per table or reason. severity : ``defect`` where a quantity
        computed from the affected rows would be wrong. value : count or share, ``None`` where
        the source lacks the table. detail : one sentence.
    """

    name: str
    severity: Severity
    value: float | None
    detail: str


def severity_of(value: float, limit: float) -> Severity:
    """Return ``defect`` where ``value`` exceeds ``limit``.

    Examples
    --------
    >>> severity_of(0.6, 0.5), severity_of(0.5, 0.5)
    ('defect', 'info')
    """
    return "defect" if value > limit else "info"
