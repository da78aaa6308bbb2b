"""A finding of the data audit as words and numbers, for a terminal and for ``--json``."""

from __future__ import annotations

from typing import Any

from giftlive.facts import Finding
from giftlive.facts.audit import DETECTORS
from giftlive.reports.i18n import translate

HEALTH = "data health"
"""The kind of these rows, beside the trials for leaks."""
_RULES = {detector.name: detector.rule for detector in DETECTORS}


def health_row(finding: Finding) -> dict[str, Any]:
    """Return one finding in English.

    ``evidence`` is ``numerator`` of ``denominator`` in words, both None where nothing was counted;
    ``rule`` says when the detector calls a defect.
    """
    counted, rule = finding.counted, _RULES.get(finding.detector)
    return {
        "kind": HEALTH,
        "subject": finding.name,
        "result": finding.severity,
        "status": finding.status,
        "value": finding.value,
        "evidence": translate(finding.evidence),
        "numerator": counted.numerator if counted else None,
        "denominator": counted.denominator if counted else None,
        "examples": list(finding.examples),
        "detail": translate(finding.detail),
        "consequence": translate(finding.consequence),
        "rule": translate(rule) if rule else "",
    }
