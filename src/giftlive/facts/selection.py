"""Selection on the outcome: where only users who gave are in the logs, rates of giving say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Fact

SELECTED = (
    "every user of this source gave: they were chosen because they gave, so this says how the "
    "sample was drawn, not how often people give"
)
"""Warning where the outcome decided who is in the logs."""


def everyone_gave(evidence: Evidence) -> bool:
    """Return whether every user with an event gave at least once."""
    (givers,) = evidence.row("SELECT count(DISTINCT user_id) FROM gift")
    return bool(0 < len(evidence.users) == givers)


def warned(evidence: Evidence, facts: Sequence[Fact], names: Sequence[str]) -> list[Fact]:
    """Return the facts, those called ``names`` with a warning where everybody gave."""
    if not everyone_gave(evidence):
        return list(facts)
    return [
        replace(fact, warning=SELECTED) if fact.name in names and fact.value is not None else fact
        for fact in facts
    ]
