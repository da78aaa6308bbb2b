"""Off-policy evaluation: what a policy would have earned, from the log of another one.

A log holds, for every decision, the user, the action taken, the probability (propensity) with
which the logging policy took it, and the reward. Without propensities there is no answer, and
the layer says what to log instead of guessing. Estimators keep a state of exact sums per user,
so chunks and workers combine to the same bits, and intervals are clustered by user.

``estimate`` takes arrays and answers with judged estimates; ``Panel`` does the same chunk by
chunk. Every estimator is in ``catalogue``, those of slates in ``slates``.

Assumption of every estimator here: one user's reward does not depend on what other users are
shown. A policy that changes which rooms are full breaks it.
"""

from giftlive.ope.audit import AuditFinding, audit_propensities
from giftlive.ope.audit_parts import audit_parts
from giftlive.ope.bounded import Bounds, bounded_ratio
from giftlive.ope.catalogue import (
    ASSISTED_SNIPS,
    BALANCED_DR,
    BALANCED_IPS,
    BIPW,
    DM,
    DR,
    IPS,
    MIPS,
    OFFCEM,
    REPLAY,
    SNDR,
    SNIPS,
    SNMIPS,
    clipped_dr,
    clipped_ips,
    dros,
    log_sum_exp,
    sub_gaussian_dr,
    sub_gaussian_ips,
    switch_dr,
    weighted_ips,
)
from giftlive.ope.cross_fit import balanced_weights, cross_fitted_q, user_folds
from giftlive.ope.diagnostics import (
    Diagnostics,
    Overlap,
    diagnose,
    diagnostics_of,
    overlap_by_slice,
)
from giftlive.ope.distribution import off_policy_cvar, off_policy_quantile, weighted_cdf
from giftlive.ope.estimation import Estimate, Panel, estimate, evaluate
from giftlive.ope.estimators import Estimator, difference
from giftlive.ope.log import Interactions
from giftlive.ope.printing import Printing
from giftlive.ope.replications import dr_replications, ips_replications, snips_replications
from giftlive.ope.selection import Selection, select, slope
from giftlive.ope.slates import (
    CASCADE_DR,
    IIPS,
    RIPS,
    SIPS,
    SlateEstimator,
    Slates,
    estimate_slates,
    self_normalised,
)
from giftlive.ope.surrogate import surrogate_value
from giftlive.ope.verdict import Verdict
from giftlive.ope.weight_sums import WeightSums, weight_sums
from giftlive.ope.weights import (
    category_weight,
    embedding_weight,
    mean_propensity,
    mrdr_weights,
)
from giftlive.ope.whales import WhaleInfluence, crossed_intervals, whale_influence
from giftlive.stats.intervals import coverage

__all__ = [
    "ASSISTED_SNIPS",
    "BALANCED_DR",
    "BALANCED_IPS",
    "BIPW",
    "CASCADE_DR",
    "DM",
    "DR",
    "IIPS",
    "IPS",
    "MIPS",
    "OFFCEM",
    "REPLAY",
    "RIPS",
    "SIPS",
    "SNDR",
    "SNIPS",
    "SNMIPS",
    "AuditFinding",
    "Bounds",
    "Diagnostics",
    "Estimate",
    "Estimator",
    "Interactions",
    "Overlap",
    "Panel",
    "Printing",
    "Selection",
    "SlateEstimator",
    "Slates",
    "Verdict",
    "WeightSums",
    "WhaleInfluence",
    "audit_parts",
    "audit_propensities",
    "balanced_weights",
    "bounded_ratio",
    "category_weight",
    "clipped_dr",
    "clipped_ips",
    "coverage",
    "cross_fitted_q",
    "crossed_intervals",
    "diagnose",
    "diagnostics_of",
    "difference",
    "dr_replications",
    "dros",
    "embedding_weight",
    "estimate",
    "estimate_slates",
    "evaluate",
    "ips_replications",
    "log_sum_exp",
    "mean_propensity",
    "mrdr_weights",
    "off_policy_cvar",
    "off_policy_quantile",
    "overlap_by_slice",
    "select",
    "self_normalised",
    "slope",
    "snips_replications",
    "sub_gaussian_dr",
    "sub_gaussian_ips",
    "surrogate_value",
    "switch_dr",
    "user_folds",
    "weight_sums",
    "weighted_cdf",
    "weighted_ips",
    "whale_influence",
]
