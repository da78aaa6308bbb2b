"""Whether a log can carry an estimate of a target policy at all.

The verdict looks at the weights alone, never at the rewards: who refuses an estimate after
seeing it selects. In this order, the first that fails decides::

    support      target mass on actions the log never shows     at most rounding
    users        distinct users                                 at least 2
    effective n  (Σ w)² / Σ w²                                  at least 100
    Pareto k     shape of the tail of the weights               at most 0.7
    mean weight  its z against what true propensities give      at most 3.29 in magnitude

An estimator with tamed weights is judged by the weights as they were: taming hides that there is
no overlap, and pays for it with a bias that no interval shows.

Reference: Vehtari, Simpson, Gelman, Yao, Gabry (2024), "Pareto smoothed importance sampling",
section 3.2 for the limit of k.
"""

from __future__ import annotations

from dataclasses import dataclass

from giftlive.ope.estimators import MAX_UNSUPPORTED_SHARE
from giftlive.stats.intervals import Status

MIN_EFFECTIVE = 100.0
"""Fewest equally weighted decisions a log must be worth."""

MAX_PARETO_K = 0.7
"""Above it the error of an estimate falls so slowly that no log in reach is long enough."""


@dataclass(frozen=True)
class Verdict:
    """Whether the weights can carry an estimate.

    Attributes
    ----------
    status : "ok"; "not_enough_data": more decisions, or a nearer target, would do; "undefined":
        no number of decisions would.
    reason : in words, "" when ok. check : name of the check that failed, "" when ok.
    """

    status: Status
    reason: str = ""
    check: str = ""

    @property
    def exit_code(self) -> int:
        """Return what a command should exit with: 0, or 3 when there is no answer."""
        return 0 if self.status == "ok" else 3


OK = Verdict("ok")


def judge_weights(
    n: int,
    users: int,
    effective: float,
    lost: float | None,
    mean_passed: bool | None,
    mean_z: float | None,
    pareto_k: float | None,
) -> Verdict:
    """Judge the weights of a log.

    Parameters
    ----------
    n, users : decisions and distinct users. effective : Kish's effective number of decisions.
    lost : share of the target's mass outside the support; None where it cannot be seen.
    mean_passed, mean_z : of the test of the mean weight; None where it is silent.
    pareto_k : None where the tail of the weights is not heavy.

    Examples
    --------
    >>> judge_weights(10_000, 10_000, 2.0, 0.0, None, None, None).reason
    'worth 2 of 10,000 decisions, need 100'
    """
    if lost is not None and lost > MAX_UNSUPPORTED_SHARE:
        reason = f"{lost:.2%} of the target's mass is on candidates the log never shows"
        return Verdict("undefined", reason, "support")
    if users < 2:
        return Verdict("not_enough_data", f"{users} users, need 2", "users")
    if effective < MIN_EFFECTIVE:
        reason = f"worth {effective:.0f} of {n:,} decisions, need {MIN_EFFECTIVE:.0f}"
        return Verdict("not_enough_data", reason, "effective_n")
    if pareto_k is not None and pareto_k > MAX_PARETO_K:
        reason = f"the weights' tail has Pareto k = {pareto_k:.2f}, above {MAX_PARETO_K:g}"
        return Verdict("undefined", reason, "pareto_k")
    if mean_passed is False:
        reason = f"the mean weight is not what true propensities give (z = {mean_z:+.1f})"
        return Verdict("undefined", reason, "mean_weight")
    return OK
