"""Check that the logged propensities are those with which the log was made.

Two kinds of checks. Identities must hold in every row: entries lie in [0, 1], a row sums to 1,
and the logged propensity is the entry of the action taken. Tests must hold on average, and are
clustered by user; each compares something observed with its expectation if the propensities are
true::

    weights   E[w] = target mass that the log supports      (silent when target = logging)
    choices   E[p(a_logged)] = Σ_a p(a)²                    (silent for uniform logging)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.ope.log import Interactions, of_action
from giftlive.stats.intervals import Interval, ratio_delta, student_quantile
from giftlive.types import Bools, Floats, Ints

_TOLERANCE = 1e-6
_ROUNDING = 1e-9
_Z = 3.29


@dataclass(frozen=True)
class AuditFinding:
    """One check of the audit; ``passed`` is None when the log cannot answer it."""

    name: str
    passed: bool | None
    value: float | None
    detail: str


def audit_propensities(log: Interactions) -> tuple[AuditFinding, ...]:
    """Check the propensities of a log.

    Parameters
    ----------
    log : with ``propensities`` for the row identities and the test of the choices.

    Returns
    -------
    tuple of AuditFinding
        ``rows_in_range``, ``rows_sum_to_one``, ``logged_equals_row``, ``weights_average_one``,
        ``choices_follow_propensities``. A test's value is its z; it fails at |z| > 3.29, which
        true propensities exceed once in a thousand logs.
    """
    return (*_identities(log), _weight_test(log), _choice_test(log))


def _identities(log: Interactions) -> tuple[AuditFinding, ...]:
    rows = log.propensities
    if rows is None:
        names = ("rows_in_range", "rows_sum_to_one", "logged_equals_row")
        return tuple(AuditFinding(n, None, None, "the log has no `propensities`") for n in names)
    in_range: Bools = np.all((rows >= 0.0) & (rows <= 1.0), axis=1)
    sums: Bools = np.abs(rows.sum(axis=1) - 1.0) <= _TOLERANCE
    equal: Bools = np.abs(of_action(rows, log.action) - log.logged) <= _TOLERANCE
    return (
        _every_row("rows_in_range", in_range, "has an entry outside [0, 1]"),
        _every_row("rows_sum_to_one", sums, "does not sum to 1"),
        _every_row("logged_equals_row", equal, "has another propensity for the logged action"),
    )


def _every_row(name: str, holds: Bools, what: str) -> AuditFinding:
    bad = np.flatnonzero(~holds)
    detail = f"row {bad[0]} {what} ({len(bad):,} such rows)" if len(bad) else "holds in every row"
    return AuditFinding(name, not len(bad), float(len(bad)), detail)


def _weight_test(log: Interactions) -> AuditFinding:
    lost = log.unsupported
    supported = 1.0 if lost is None else 1.0 - lost
    return mean_test("weights_average_one", log.weight - supported, log.user)


def _choice_test(log: Interactions) -> AuditFinding:
    rows = log.propensities
    if rows is None:
        reason = "the log has no `propensities`"
        return AuditFinding("choices_follow_propensities", None, None, reason)
    surprise = of_action(rows, log.action) - np.einsum("nm,nm->n", rows, rows)
    return mean_test("choices_follow_propensities", surprise, log.user)


def mean_test(name: str, centred: Floats, user: Ints) -> AuditFinding:
    """Test that the mean of ``centred`` [n] is 0, clustered by ``user`` [n]."""
    return _judged(name, ratio_delta(centred, np.ones_like(centred), user, n_unit="users"))


def mean_test_of(name: str, centred: Floats, rows: Floats) -> AuditFinding:
    """Test that a mean is 0 from the users' sums [G] of centred values and of rows."""
    return _judged(name, ratio_delta(centred, rows, n_unit="users"))


def _judged(name: str, mean: Interval) -> AuditFinding:
    if mean.value is None or mean.width is None:
        return AuditFinding(name, None, None, mean.reason)
    if abs(mean.value) + mean.width <= _ROUNDING:
        return AuditFinding(name, None, None, "silent: the expected value is met in every row")
    se = mean.width / (2.0 * student_quantile(mean.n - 1, 0.95))
    z = mean.value / se if se > 0.0 else float(np.copysign(np.inf, mean.value))
    detail = f"mean {mean.value:+.4g} where 0 is expected, z = {z:+.2f}, fails beyond {_Z}"
    return AuditFinding(name, abs(z) <= _Z, z, detail)
