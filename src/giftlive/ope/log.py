"""A log of bandit interactions as arrays, checked once where it enters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from giftlive.errors import InputError, MissingCapabilityError
from giftlive.types import Bools, Floats, Ints

_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Interactions:
    """n decisions of a logging policy, seen by a target policy.

    Attributes
    ----------
    user : [n] id of the user; decisions of one user are dependent, users are not.
    action : [n] column of the candidate that was shown.
    propensity : [n] in (0, 1], probability with which the logging policy chose ``action``.
    reward : [n] what followed, matured and finite (any unit; amounts in platform units).
    target : [n, m] target policy's probability of every candidate, 0 at padding, rows sum to 1.
    q : [n, m] modelled E[reward | candidate], finite at padding too; needed by DM and DR only,
        and for an honest interval fitted on other users' rows (cross-fitted).
    propensities : [n, m] logging probabilities of all candidates; needed to see overlap.
    marginal_weight : [n] weight of the action's category or embedding (MIPS, OffCEM).
    balanced_weight : [n] weight from a classifier of target against logging actions (BIPW).
    logger : [n] which of several logging policies made the row, from 0.
    mean_propensity : [n] probability of ``action`` under the mixture of the logging policies.
    modelled_amount : [n] modelled E[reward | reward > 0, action]; finite, fitted on others' rows.

    Raises
    ------
    MissingCapabilityError
        Propensities are absent for the log or for a row.
    InputError
        A value is out of range; the message names the row (counted from 0).
    """

    user: Ints
    action: Ints
    propensity: Floats | None
    reward: Floats
    target: Floats
    q: Floats | None = None
    propensities: Floats | None = None
    marginal_weight: Floats | None = None
    balanced_weight: Floats | None = None
    logger: Ints | None = None
    mean_propensity: Floats | None = None
    modelled_amount: Floats | None = None

    def __post_init__(self) -> None:
        _check_shapes(self)
        _check_propensity(self.propensity)
        m = self.target.shape[1]
        in_row: Bools = np.isin(self.action, np.arange(m))
        _check("action", in_row, self.action, f"a column, 0 to {m - 1}")
        _check("reward", np.isfinite(self.reward), self.reward, "a finite, matured reward")
        _check_target(self.target)
        if self.q is not None:
            finite: Bools = np.all(np.isfinite(self.q), axis=1)
            _check("q", finite, self.q.sum(axis=1), "finite predictions for every candidate")
        _check_extras(self)

    def __len__(self) -> int:
        return len(self.user)

    @property
    def logged(self) -> Floats:
        """[n] the propensities, which exist: the log was checked on entry."""
        assert self.propensity is not None
        return self.propensity

    @cached_property
    def ones(self) -> Floats:
        """[n] what every decision adds to their number."""
        return np.ones(len(self))

    @cached_property
    def nothing(self) -> Floats:
        """[n] zeros."""
        return np.zeros(len(self))

    @cached_property
    def lost(self) -> Floats:
        """[n] ``unsupported``, or zeros where it cannot be seen."""
        return np.zeros(len(self)) if self.unsupported is None else self.unsupported

    @cached_property
    def q_of_action(self) -> Floats:
        """[n] modelled reward of the action taken; the log carries ``q``."""
        assert self.q is not None
        return of_action(self.q, self.action)

    @cached_property
    def q_of_target(self) -> Floats:
        """[n] Σ_a π(a) q(a): the model's answer, marginalised over the target policy."""
        assert self.q is not None
        value: Floats = np.einsum("nm,nm->n", self.target, self.q)
        return value

    @cached_property
    def weight(self) -> Floats:
        """[n] importance weight: target over logging probability of the action taken."""
        weight: Floats = of_action(self.target, self.action) / self.logged
        return weight

    @cached_property
    def unsupported(self) -> Floats | None:
        """[n] target mass on candidates the logging policy never shows; None if not logged."""
        if self.propensities is None:
            return None
        lost: Floats = self.target.sum(axis=1, where=self.propensities == 0.0)
        return lost


def of_action(table: Floats, action: Ints) -> Floats:
    """Return the entry of every row's action: [n, m], [n] -> [n]."""
    picked: Floats = np.take_along_axis(table, action[:, None], axis=1)[:, 0]
    return picked


def _check_shapes(log: Interactions) -> None:
    n, m = len(log.user), log.target.shape[1] if log.target.ndim == 2 else 0
    expected = {
        "action": (log.action, (n,)),
        "propensity": (log.propensity, (n,)),
        "reward": (log.reward, (n,)),
        "target": (log.target, (n, m)),
        "q": (log.q, (n, m)),
        "propensities": (log.propensities, (n, m)),
        "marginal_weight": (log.marginal_weight, (n,)),
        "balanced_weight": (log.balanced_weight, (n,)),
        "logger": (log.logger, (n,)),
        "mean_propensity": (log.mean_propensity, (n,)),
        "modelled_amount": (log.modelled_amount, (n,)),
    }
    for name, (array, shape) in expected.items():
        if array is not None and array.shape != shape:
            raise InputError(f"shape {array.shape}", f"column {name}", f"shape {shape}")
    for name in ("user", "action", "logger"):
        kind = getattr(log, name)
        if kind is not None and kind.dtype.kind not in "iu":  # never cut 1.5 down to 1 in silence
            raise InputError(f"{kind.dtype} values", f"column {name}", "whole numbers")


def _check_propensity(propensity: Floats | None) -> None:
    hint = (
        "log `propensity` (of the action) and `propensities` (of all candidates) at decision "
        "time; they cannot be recovered afterwards"
    )
    meaning = "the probability in (0, 1] with which the logging policy chose the action"
    if propensity is None:
        raise MissingCapabilityError("no propensities", "column propensity", meaning, hint)
    missing = np.flatnonzero(np.isnan(propensity))
    if len(missing):
        what = f"{len(missing):,} of {len(propensity):,} decisions have no propensity"
        raise MissingCapabilityError(what, f"row {missing[0]}, column propensity", meaning, hint)
    _check("propensity", (propensity > 0.0) & (propensity <= 1.0), propensity, meaning)


def _check_target(target: Floats) -> None:
    total = target.sum(axis=1)
    valid: Bools = np.all(target >= 0.0, axis=1) & (np.abs(total - 1.0) <= _SUM_TOLERANCE)
    _check("target", valid, total, "probabilities >= 0 that sum to 1 (the row's sum is shown)")


def _check_extras(log: Interactions) -> None:
    for name in ("marginal_weight", "balanced_weight"):
        weight = getattr(log, name)
        if weight is not None:
            _check(name, np.isfinite(weight) & (weight >= 0.0), weight, "a finite weight >= 0")
    if log.modelled_amount is not None:
        amount = log.modelled_amount
        _check("modelled_amount", np.isfinite(amount), amount, "a finite prediction")
    if log.mean_propensity is not None:
        p = log.mean_propensity
        _check("mean_propensity", (p > 0.0) & (p <= 1.0), p, "a probability in (0, 1]")
    if log.logger is not None:
        _check("logger", log.logger >= 0, log.logger, "the number of a logging policy, from 0")


def _check(column: str, valid: Bools, shown: Floats | Ints, expected: str) -> None:
    bad = np.flatnonzero(~valid)
    if len(bad):
        row = int(bad[0])
        what = f"{shown[row]:g} ({len(bad):,} of {len(valid):,} rows are like it)"
        raise InputError(what, f"row {row}, column {column}", expected)
