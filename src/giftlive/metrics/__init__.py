"""Numbers that judge predictions and decisions: arrays in, one number (or a short table) out.

Every metric takes optional row weights (zero allowed; an integer weight equals that many copies
of the row), so that a clustered bootstrap can call it. Rows with equal scores are
interchangeable: a boundary that cuts a tie takes the expectation over random orders of the tie.
Where a metric is undefined (no rows, no positive, no amount, a constant ranking) it returns
``nan``, never a warning; callers turn that into a status with a reason, as ``by_slice`` does.

One file per family: ``ranking`` and its ``ceilings``, ``occurrence``, ``amounts``, ``whales``;
``decisions`` among live rooms; ``stability`` and ``slices``; ``ecosystem``, ``constraints``,
``users``, ``newcomers``; ``risk``; and ``objective``, which adds them up to one value.
"""

from giftlive.metrics.amounts import (
    calibration_at,
    calibration_by_decile,
    calibration_ratio,
    mae_log,
    rmse,
)
from giftlive.metrics.ceilings import (
    bayes_ceiling,
    latent_ceiling,
    oracle_at,
)
from giftlive.metrics.constraints import (
    overload_rate,
    price_slack,
    refused_share,
)
from giftlive.metrics.decisions import (
    decision_ndcg,
    decision_regret,
    decision_regret_share,
    top_choice,
)
from giftlive.metrics.ecosystem import (
    coverage,
    ecosystem_name,
    gini,
    hhi,
    long_tail_coverage,
    members,
    newcomer_coverage,
    top_share,
)
from giftlive.metrics.newcomers import (
    NEVER,
    Gifts,
    NewcomerSuccess,
    SupplyRetention,
    newcomer_success,
    supply_retention,
)
from giftlive.metrics.objective import (
    GlobalValue,
    PolicyOutcome,
    ValueWeights,
    global_value,
)
from giftlive.metrics.occurrence import (
    RankedOccurrence,
    brier,
    debiased_squared_ece,
    ece,
    log_loss,
    pr_auc,
    reliability,
    roc_auc,
)
from giftlive.metrics.order import (
    Bins,
    Ranked,
    Ranking,
)
from giftlive.metrics.ranking import (
    CAPTURE_FRACTIONS,
    RankedCapture,
    capture_curve,
    ndcg,
    normalised_gini,
    revenue_capture,
    spearman,
    topk_overlap,
)
from giftlive.metrics.risk import (
    cvar,
    largest_user_share,
    seed_variance,
)
from giftlive.metrics.slices import (
    Slice,
    by_slice,
    history,
)
from giftlive.metrics.stability import (
    Drift,
    coefficient_of_variation,
    score_drift,
)
from giftlive.metrics.users import (
    ReturnRate,
    Satisfaction,
    UserDays,
    arppu,
    complaint_rate,
    dwell_seconds,
    exit_rate,
    pay_conversion,
    retained_user_days,
    return_rate,
    revenue_per_dau,
    satisfaction,
    skip_rate,
    user_days,
)
from giftlive.metrics.whales import (
    UserRows,
    WhaleSearch,
    above_percentile,
    per_user,
    whale_search,
)

__all__ = [
    "CAPTURE_FRACTIONS",
    "NEVER",
    "Bins",
    "Drift",
    "Gifts",
    "GlobalValue",
    "NewcomerSuccess",
    "PolicyOutcome",
    "Ranked",
    "RankedCapture",
    "RankedOccurrence",
    "Ranking",
    "ReturnRate",
    "Satisfaction",
    "Slice",
    "SupplyRetention",
    "UserDays",
    "UserRows",
    "ValueWeights",
    "WhaleSearch",
    "above_percentile",
    "arppu",
    "bayes_ceiling",
    "brier",
    "by_slice",
    "calibration_at",
    "calibration_by_decile",
    "calibration_ratio",
    "capture_curve",
    "coefficient_of_variation",
    "complaint_rate",
    "coverage",
    "cvar",
    "debiased_squared_ece",
    "decision_ndcg",
    "decision_regret",
    "decision_regret_share",
    "dwell_seconds",
    "ece",
    "ecosystem_name",
    "exit_rate",
    "gini",
    "global_value",
    "hhi",
    "history",
    "largest_user_share",
    "latent_ceiling",
    "log_loss",
    "long_tail_coverage",
    "mae_log",
    "members",
    "ndcg",
    "newcomer_coverage",
    "newcomer_success",
    "normalised_gini",
    "oracle_at",
    "overload_rate",
    "pay_conversion",
    "per_user",
    "pr_auc",
    "price_slack",
    "refused_share",
    "reliability",
    "retained_user_days",
    "return_rate",
    "revenue_capture",
    "revenue_per_dau",
    "rmse",
    "roc_auc",
    "satisfaction",
    "score_drift",
    "seed_variance",
    "skip_rate",
    "spearman",
    "supply_retention",
    "top_choice",
    "top_share",
    "topk_overlap",
    "user_days",
    "whale_search",
]
