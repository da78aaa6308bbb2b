"""Named facts of the logs: each with its numerator, denominator, population, unit and interval.

:func:`compute_facts` reads a store once and returns a :class:`FactBook`: the facts, the plain
columns behind the figures, and the findings of the data audit. Names follow the published
KuaiLive quantities, so that a source or a generated world can be compared by name. What a
source cannot support is present with the status ``undefined`` and the table it lacks.
"""

from giftlive.facts.audit import audit, identifiability
from giftlive.facts.book import FactBook, compute_facts
from giftlive.facts.delay import DelayVerdict, delay_verdict
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Fact, Quantity
from giftlive.facts.finding import Finding

__all__ = [
    "DelayVerdict",
    "Evidence",
    "Fact",
    "FactBook",
    "Finding",
    "Quantity",
    "audit",
    "compute_facts",
    "delay_verdict",
    "identifiability",
]
