"""Numbers that judge predictions and decisions: arrays in, one number (or a short table) out.

Every metric takes optional row weights (zero allowed; an integer weight equals that many copies
of the row), so that a clustered bootstrap can call it. Rows with equal scores are
interchangeable: a boundary that cuts a tie takes the expectation over random orders of the tie.
Where a metric is undefined (no rows, no positive, no amount, a constant ranking) it returns
``nan``, never a warning; callers turn that into a status with a reason.
"""

from giftlive.metrics.amounts import (
    calibration_at,
    calibration_by_decile,
    calibration_ratio,
    mae_log,
    rmse,
)
from giftlive.metrics.constraints import overload_rate, price_slack, refused_share
from giftlive.metrics.ecosystem import coverage, gini, hhi, top_share
from giftlive.metrics.occurrence import (
    RankedOccurrence,
    brier,
    ece,
    log_loss,
    pr_auc,
    reliability,
    roc_auc,
)
from giftlive.metrics.order import Bins, Ranked, Ranking
from giftlive.metrics.ranking import (
    RankedCapture,
    ndcg,
    normalised_gini,
    revenue_capture,
    spearman,
    topk_overlap,
)

__all__ = [
    "Bins",
    "Ranked",
    "RankedCapture",
    "RankedOccurrence",
    "Ranking",
    "brier",
    "calibration_at",
    "calibration_by_decile",
    "calibration_ratio",
    "coverage",
    "ece",
    "gini",
    "hhi",
    "log_loss",
    "mae_log",
    "ndcg",
    "normalised_gini",
    "overload_rate",
    "pr_auc",
    "price_slack",
    "refused_share",
    "reliability",
    "revenue_capture",
    "rmse",
    "roc_auc",
    "spearman",
    "top_share",
    "topk_overlap",
]
