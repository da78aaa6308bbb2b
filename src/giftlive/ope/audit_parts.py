"""Where in a log the propensities are wrong: by action, by segment, by size, by draw.

A log can pass the tests of ``audit`` on average and be wrong in a part of it. Each test here is of
something whose expectation the true propensities fix::

    by candidate  E[w 1[a is r]] = E[Σ_a π(a) 1[a is r, p(a) > 0]]      for every room r
    by segment    E[w - supported target mass] = 0 in every segment of contexts (hour, day)
    by size       E[1[a chosen] - p(a)] = 0 among the entries p of one size (reliability)
    by draw       consecutive draws are not correlated: F(a - 1) + p(a) / 2 - 1/2, F cumulated
                  over the row, has mean 0, and its products with the draw before it too

Of many parts the worst is shown, and its limit is raised so that true propensities exceed any of
them once in a thousand logs (Šidák).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from scipy import special

from giftlive.errors import InputError
from giftlive.ope.audit import AuditFinding, mean_test
from giftlive.ope.log import Interactions, of_action
from giftlive.types import Bools, Floats, Ints

_ALARM = 0.001
_FEWEST = 50
_BINS = 10
_CERTAIN = 1.0 - 1e-9

_Part = tuple[str, Floats, Ints]
"""Name, centred values [k] and their users [k]."""


def audit_parts(
    log: Interactions,
    candidate: Ints | None = None,
    segments: Mapping[str, Ints] | None = None,
) -> tuple[AuditFinding, ...]:
    """Test the propensities of a log part by part.

    Parameters
    ----------
    candidate : [m] or [n, m] id (room) of every candidate; None: its column.
    segments : name -> [n] id of the segment of every context; must not depend on the action.

    Returns
    -------
    tuple of AuditFinding
        ``weights_by_candidate``, one ``weights_by_<name>`` per segment, ``reliability``,
        ``draws_independent``, ``chance_left``. ``passed`` is None where the log cannot answer.

    Examples
    --------
    >>> even = np.full((400, 2), 0.5)
    >>> log = Interactions(np.arange(400), np.arange(400) % 2, even[:, 0], np.zeros(400), even,
    ...                    propensities=even)
    >>> {f.name: f.passed for f in audit_parts(log)}["draws_independent"]  # it alternates
    False
    """
    ids = np.arange(log.target.shape[1]) if candidate is None else np.asarray(candidate)
    if ids.shape not in {log.target.shape, log.target.shape[1:]}:
        raise InputError(f"shape {ids.shape}", "candidate", f"{log.target.shape} or its last")
    found = [_worst("weights_by_candidate", list(_by_candidate(log, ids)))]
    for name, segment in (segments or {}).items():
        if np.shape(segment) != (len(log),):
            raise InputError(f"shape {np.shape(segment)}", f"segment {name}", f"({len(log)},)")
        found.append(_worst(f"weights_by_{name}", list(_by_segment(log, segment))))
    rows = log.propensities
    if rows is None:
        names = ("reliability", "draws_independent", "chance_left")
        return (*found, *(_silent(name, "the log has no `propensities`") for name in names))
    found.append(_worst("reliability", list(_by_size(log, rows))))
    found.append(_draws(log, rows))
    return (*found, _chance_left(rows))


def _by_candidate(log: Interactions, ids: Ints) -> Iterator[_Part]:
    of_row = np.broadcast_to(ids, log.target.shape)
    shown = np.take_along_axis(of_row, log.action[:, None], axis=1)[:, 0]
    supported = log.target if log.propensities is None else log.target * (log.propensities > 0.0)
    keys, counts = np.unique(shown, return_counts=True)
    for key in keys[counts >= _FEWEST]:
        expected = np.where(of_row == key, supported, 0.0).sum(axis=1)
        yield f"candidate {key}", np.where(shown == key, log.weight, 0.0) - expected, log.user


def _by_segment(log: Interactions, segment: Ints) -> Iterator[_Part]:
    centred = log.weight - (1.0 - log.lost)
    keys, counts = np.unique(segment, return_counts=True)
    for key in keys[counts >= _FEWEST]:
        here = segment == key
        yield f"segment {key}", centred[here], log.user[here]


def _by_size(log: Interactions, rows: Floats) -> Iterator[_Part]:
    """Yield the entries of about one size, of all candidates, shown or not."""
    m = rows.shape[1]
    p = rows.ravel()
    chosen = (np.arange(m) == log.action[:, None]).ravel()
    user = np.repeat(log.user, m)
    edges = np.unique(np.quantile(p, np.linspace(0.0, 1.0, _BINS + 1)[1:-1]))
    size = np.searchsorted(edges, p, side="right")
    for k in np.unique(size):
        here = size == k
        expected = float(p[here].sum())
        # Fewer expected choices, or misses, and the sample has no variance to judge itself by.
        if min(expected, np.count_nonzero(here) - expected) >= _FEWEST:
            name = f"propensities of {p[here].min():.3g} to {p[here].max():.3g}"
            yield name, chosen[here] - p[here], user[here]


def _draws(log: Interactions, rows: Floats) -> AuditFinding:
    """Test that one draw does not tell the next: a seed used twice, or a counter."""
    name = "draws_independent"
    centred = place_of_draw(log, rows)
    if len(log) < _FEWEST:
        return _silent(name, f"{len(log)} decisions")
    return mean_test(name, centred[1:] * centred[:-1], log.user[1:])


def place_of_draw(log: Interactions, rows: Floats) -> Floats:
    """Return [n] where in (-1/2, 1/2) each draw fell, given the chances: mean 0 if independent."""
    p = of_action(rows, log.action)
    place: Floats = of_action(rows.cumsum(axis=1), log.action) - p / 2.0 - 0.5
    return place


def _chance_left(rows: Floats) -> AuditFinding:
    return chance_left(float(is_certain(rows).mean()) if len(rows) else 0.0)


def is_certain(rows: Floats) -> Bools:
    """Return [n] whether one candidate had the whole probability."""
    certain: Bools = rows.max(axis=1, initial=0.0) >= _CERTAIN
    return certain


def chance_left(certain: float) -> AuditFinding:
    """Say what a log shows of other actions when a share ``certain`` was not left to chance."""
    if certain == 0.0:
        return AuditFinding("chance_left", True, 0.0, "every decision left something to chance")
    detail = f"{certain:.1%} of the decisions were certain: they show nothing of other actions"
    return AuditFinding("chance_left", None, certain, detail)


def _worst(name: str, parts: list[_Part]) -> AuditFinding:
    """Return the test of the part with the largest |z|, at the limit for that many parts."""
    return worst_of(name, [(what, mean_test(name, c, user)) for what, c, user in parts])


def worst_of(name: str, tested: list[tuple[str, AuditFinding]]) -> AuditFinding:
    """Return the worst of several parts' tests, at the limit for that many parts."""
    known = [(what, f) for what, f in tested if f.passed is not None and f.value is not None]
    if not known:
        return _silent(name, f"no part of {_FEWEST} rows has anything to vary")
    what, worst = max(known, key=lambda one: abs(one[1].value or 0.0))
    limit = float(-special.ndtri(0.5 * (1.0 - (1.0 - _ALARM) ** (1.0 / len(known)))))
    z = worst.value or 0.0
    detail = f"{what}: z = {z:+.2f}, the worst of {len(known)} parts, fails beyond {limit:.2f}"
    return AuditFinding(name, abs(z) <= limit, z, detail)


def _silent(name: str, reason: str) -> AuditFinding:
    return AuditFinding(name, None, None, reason)
