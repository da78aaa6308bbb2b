"""The audit of a log's propensities, chunk by chunk: a mergeable state in exact sums per user.

The tests are those of ``audit`` and ``audit_parts`` whose state does not grow with the number of
rooms; entries are binned by size at fixed edges, so that chunks agree on the bins. Chunks merge in
the order of the log, because one test looks at consecutive draws.

Reliability: let P be what a row's candidates of one size have together. Under true propensities
1[one of them is shown] - P has mean 0 and variance P (1 - P), whatever was logged; so its sum over
rows is held against that variance, not the sample's: of rare candidates a sample may show none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.ope.audit import AuditFinding, mean_test_of
from giftlive.ope.audit_parts import chance_left, is_certain, place_of_draw, worst_of
from giftlive.ope.log import Interactions, of_action
from giftlive.stats.cluster_sums import ClusterSums, cluster_sums, no_sums
from giftlive.stats.cluster_sums import merge as merge_sums
from giftlive.types import Floats, Ints

EDGES = (0.001, 0.01, 0.03, 0.1, 0.3, 0.6)
"""Sizes of propensities between which reliability is tested."""

_BINS = len(EDGES) + 1
_FEWEST = 50
_LEAST_VARIANCE = 25.0
_Z = 3.29
_ROWS, _CERTAIN, _SURPRISE, _PAIRS, _PRODUCT, _SIZES = range(6)
_COLUMNS = _SIZES + 2 * _BINS


@dataclass(frozen=True, eq=False)
class AuditSums:
    """A state of :func:`audit_sums`.

    Attributes
    ----------
    sums : [G, 19] per user: decisions, certain ones, centred chance of the action, pairs of
        consecutive draws and their product, then variance and surprise by size of propensity.
    first, last : user and place of the first and last draw; None where nothing was seen.
    """

    sums: ClusterSums
    first: tuple[int, float] | None = None
    last: tuple[int, float] | None = None

    def merge(self, later: AuditSums) -> AuditSums:
        """Return the state of this stretch of a log and the one that follows it."""
        sums = merge_sums(self.sums, later.sums)
        if self.last is not None and later.first is not None:
            seam = np.zeros((1, _COLUMNS))
            seam[0, _PAIRS], seam[0, _PRODUCT] = 1.0, self.last[1] * later.first[1]
            sums = merge_sums(sums, cluster_sums(np.array([later.first[0]]), seam))
        return AuditSums(sums, self.first or later.first, later.last or self.last)

    def findings(self) -> tuple[AuditFinding, ...]:
        """Judge the log.

        Returns
        -------
        tuple of AuditFinding
            ``choices_follow_propensities``, ``reliability``, ``draws_independent``,
            ``chance_left``; see ``audit_propensities`` and ``audit_parts``.
        """
        users = self.sums.values
        rows = users[:, _ROWS]
        n = float(rows.sum())
        draws = AuditFinding("draws_independent", None, None, f"{n:.0f} decisions")
        if n >= _FEWEST:
            draws = _test("draws_independent", users[:, _PRODUCT], users[:, _PAIRS])
        return (
            _test("choices_follow_propensities", users[:, _SURPRISE], rows),
            _reliability(users[:, _SIZES:]),
            draws,
            chance_left(float(users[:, _CERTAIN].sum()) / n if n else 0.0),
        )


def no_audit() -> AuditSums:
    """Return the state that has seen nothing."""
    return AuditSums(no_sums(_COLUMNS))


def audit_sums(log: Interactions) -> AuditSums:
    """Return the state of one chunk; the log carries ``propensities``.

    Examples
    --------
    >>> even = np.full((400, 2), 0.5)
    >>> log = Interactions(np.arange(400), np.arange(400) % 2, even[:, 0], np.zeros(400), even,
    ...                    propensities=even)
    >>> {f.name: f.passed for f in audit_sums(log).findings()}["draws_independent"]  # alternates
    False
    """
    if not len(log):
        return no_audit()
    rows = log.propensities
    assert rows is not None
    place = place_of_draw(log, rows)
    columns = np.zeros((len(log), _COLUMNS))
    columns[:, _ROWS] = 1.0
    columns[:, _CERTAIN] = is_certain(rows)
    columns[:, _SURPRISE] = of_action(rows, log.action) - (rows * rows).sum(axis=1)
    columns[1:, _PAIRS] = 1.0
    columns[1:, _PRODUCT] = place[1:] * place[:-1]
    columns[:, _SIZES:] = _by_size(rows, log.action)
    ends = [(int(log.user[k]), float(place[k])) for k in (0, -1)]
    return AuditSums(cluster_sums(log.user, columns), ends[0], ends[1])


def _by_size(rows: Floats, action: Ints) -> Floats:
    """Return [n, 2 bins]: for every size P (1 - P), then 1[one of that size was shown] - P."""
    bins = np.searchsorted(EDGES, rows, side="right")
    shown = np.take_along_axis(bins, action[:, None], axis=1)[:, 0]
    found = np.zeros((len(rows), 2 * _BINS))
    for k in range(_BINS):
        together = np.where(bins == k, rows, 0.0).sum(axis=1)
        found[:, k] = together * np.maximum(1.0 - together, 0.0)
        found[:, _BINS + k] = (shown == k) - together
    return found


def _reliability(by_size: Floats) -> AuditFinding:
    edges, totals = (0.0, *EDGES, 1.0), by_size.sum(axis=0)
    tested = []
    for k in range(_BINS):
        variance, surprise = float(totals[k]), float(totals[_BINS + k])
        if variance >= _LEAST_VARIANCE:
            z = surprise / variance**0.5
            name = f"propensities of {edges[k]:g} to {edges[k + 1]:g}"
            tested.append((name, AuditFinding("reliability", abs(z) <= _Z, z, "")))
    return worst_of("reliability", tested)


def _test(name: str, centred: Floats, rows: Floats) -> AuditFinding:
    """Test a mean over the users that have rows at all."""
    has = rows > 0.0
    return mean_test_of(name, centred[has], rows[has])
