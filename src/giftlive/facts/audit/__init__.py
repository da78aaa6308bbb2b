"""The health of the logs: what was set aside, what repeats, what the recorder hides.

A finding is a ``defect`` when numbers computed from the rows it touches would be wrong: a study
that depends on one says so. The rest is ``info``. There is no score: the list is the health.
"""

from __future__ import annotations

from collections.abc import Iterator

from giftlive.facts.audit.inspection import Inspection
from giftlive.facts.audit.registry import DETECTORS, UNDETECTABLE, Detector
from giftlive.facts.evidence import Evidence
from giftlive.facts.finding import Counted, Finding, measured, not_detectable
from giftlive.facts.time_of_day import DailyVolume
from giftlive.logs.store import Store

__all__ = ["DETECTORS", "UNDETECTABLE", "Detector", "audit", "identifiability"]


def audit(evidence: Evidence, volume: DailyVolume | None = None) -> list[Finding]:
    """Return every finding, in a fixed order.

    Parameters
    ----------
    volume : the daily counts where they are already known.

    Returns
    -------
    list of Finding
        Those of the detectors, then the share of rows that they touch, then what no log shows.
    """
    inspection = Inspection.of(evidence, volume)
    found = [finding for detector in DETECTORS for finding in detector.findings(inspection)]
    return [*found, *_anomalous_rows(inspection), *map(not_detectable, UNDETECTABLE)]


def _anomalous_rows(inspection: Inspection) -> Iterator[Finding]:
    """Yield by table the share of its rows that at least one defect touches.

    Numerator: rows marked by a detector of single rows whose finding is a defect, each once, and
    the rows set aside at ingest. Denominator: rows stored and rows set aside.
    """
    evidence, marked = inspection.evidence, inspection.marked()
    for table in sorted(evidence.tables):
        aside = sum(evidence.rejects.get(table, {}).values())
        touched = marked.get(table, 0) + aside
        counted = Counted(touched, evidence.rows.get(table, 0) + aside, table)
        told = "found" if touched else "clean"
        yield measured(f"anomalous_row_share.{table}", False, counted, told=told)


def identifiability(store: Store) -> list[Finding]:
    """Return the findings on gift times of ``store``, the one on entry stamping first."""
    evidence = Evidence.of(store)
    try:
        inspection = Inspection.of(evidence)
        names = ("entry_stamping", "orphan_gifts", "lagged_gifts")
        chosen = [next(d for d in DETECTORS if d.name == name) for name in names]
        return [finding for detector in chosen for finding in detector.findings(inspection)]
    finally:
        evidence.con.close()
