"""Off-policy evaluation: what a policy would have earned, from the log of another one.

A log holds, for every decision, the user, the action taken, the probability (propensity) with
which the logging policy took it, and the reward. Without propensities there is no answer, and
the layer says what to log instead of guessing. Estimators keep a state of exact sums per user,
so chunks and workers combine to the same bits, and intervals are clustered by user.

Assumption of every estimator here: one user's reward does not depend on what other users are
shown. A policy that changes which rooms are full breaks it.
"""

from giftlive.ope.audit import AuditFinding, audit_propensities
from giftlive.ope.diagnostics import Diagnostics, diagnose
from giftlive.ope.estimators import (
    DM,
    DR,
    IPS,
    SNIPS,
    Estimator,
    clipped_ips,
    difference,
    evaluate,
)
from giftlive.ope.log import Interactions
from giftlive.ope.replications import dr_replications, ips_replications, snips_replications
from giftlive.stats.intervals import coverage

__all__ = [
    "DM",
    "DR",
    "IPS",
    "SNIPS",
    "AuditFinding",
    "Diagnostics",
    "Estimator",
    "Interactions",
    "audit_propensities",
    "clipped_ips",
    "coverage",
    "diagnose",
    "difference",
    "dr_replications",
    "evaluate",
    "ips_replications",
    "snips_replications",
]
