"""Treatments of late labels where the truth is known: gap closed, bias by age, controls."""

from giftlive.evaluation.delay.comparison import ORACLE, VANILLA, Comparison, compare
from giftlive.evaluation.delay.gap import error_ratio, gap_closed, harm
from giftlive.evaluation.delay.identifiability import RECORDERS, read_twin
from giftlive.evaluation.delay.measure import Questions, measured, read_logs
from giftlive.evaluation.delay.planted import (
    LAWS,
    Plan,
    Planted,
    arrivals,
    exchanged_delays,
    permuted_labels,
)
from giftlive.evaluation.delay.planted_viewings import ViewingPlan, viewings
from giftlive.evaluation.delay.recency import AgeBand, bias_by_age, tilt
from giftlive.evaluation.delay.recorded import LATE_ALONE, Recorded, recorded_log
from giftlive.evaluation.delay.regimes import Design, fit_seconds, read_delays

__all__ = [
    "LATE_ALONE",
    "LAWS",
    "ORACLE",
    "RECORDERS",
    "VANILLA",
    "AgeBand",
    "Comparison",
    "Design",
    "Plan",
    "Planted",
    "Questions",
    "Recorded",
    "ViewingPlan",
    "arrivals",
    "bias_by_age",
    "compare",
    "error_ratio",
    "exchanged_delays",
    "fit_seconds",
    "gap_closed",
    "harm",
    "measured",
    "permuted_labels",
    "read_delays",
    "read_logs",
    "read_twin",
    "recorded_log",
    "tilt",
    "viewings",
]
