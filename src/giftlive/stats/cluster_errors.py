"""What each cluster adds to the error of an estimate.

Intervals of every kind start from the same step: rows become sums per cluster (user), a ratio
becomes its errors per cluster. Errors that are nothing but rounding become exactly 0 here, so
that a reward that never varies has an interval of width exactly 0.
"""

from __future__ import annotations

import numpy as np

from giftlive.errors import InputError
from giftlive.types import Floats, Ints

ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""Relative size below which a difference of two floats is taken for rounding."""

LARGEST = 1e150
"""Largest magnitude whose square is still a number."""

LARGEST_RATIO = 1e280
"""Largest ratio around which an interval is made; its errors and their sums are numbers too."""


def unit_of(x: Floats) -> Floats:
    """Return the power of two at the largest magnitude of the last axis; 1 where all are 0.

    Divided by it, values keep every bit and their squares are numbers, however small they were.
    """
    largest = np.abs(x).max(axis=-1, initial=0.0)
    return np.where(largest > 0.0, np.ldexp(1.0, np.frexp(largest)[1] - 1), 1.0)


def per_cluster(cluster: Ints, *columns: Floats) -> Floats:
    """Sum every column [n] over the rows of each cluster: [K, G], clusters ascending.

    Examples
    --------
    >>> per_cluster(np.array([7, 3, 7]), np.array([1.0, 2.0, 3.0])).tolist()
    [[2.0, 4.0]]
    """
    keys, index = np.unique(np.asarray(cluster), return_inverse=True)
    return np.array([np.bincount(index, c, minlength=len(keys)) for c in columns])


def terms_per_cluster(
    num: Floats, den: Floats | None = None, cluster: Ints | None = None
) -> tuple[Floats, Floats]:
    """Sum the terms [n] of a ratio by cluster: num, den, both [G].

    Parameters
    ----------
    den : ``None`` counts rows, so that the ratio is the mean of ``num`` over rows.
    cluster : ``None``: each row its own.
    """
    num = np.asarray(num, dtype=np.float64)
    den = np.ones_like(num) if den is None else np.asarray(den, dtype=np.float64)
    same_length("num, den", num, den)
    if cluster is None:
        return num, den
    same_length("num, cluster", num, cluster)
    sums = per_cluster(cluster, num, den)
    return sums[0], sums[1]


def columns_per_cluster(
    where: str, num: Floats, den: Floats | None, cluster: Ints | None
) -> tuple[Floats, Floats]:
    """Sum the columns of R replications [R, n] by cluster: [R, G] each; ``den`` None: ones.

    Raises
    ------
    InputError
        Below 2 clusters, where Σ den = 0, or where a term is not finite (or beyond 1e150):
        every replication needs an interval.
    """
    num = np.asarray(num, dtype=np.float64)
    den = np.ones_like(num) if den is None else np.asarray(den, dtype=np.float64)
    refuse_beyond(where, num, den)
    if cluster is not None:
        order = np.argsort(cluster, kind="stable")
        starts = np.unique(np.asarray(cluster)[order], return_index=True)[1]
        num = np.add.reduceat(num[:, order], starts, axis=1)
        den = np.add.reduceat(den[:, order], starts, axis=1)
    clusters, total = num.shape[1], den.sum(axis=1)
    if clusters < 2 or not np.all(total):
        raise InputError(
            f"{clusters} clusters, smallest |sum of den| {np.abs(total).min(initial=0):g}",
            where,
            "at least 2 clusters and a denominator that is not 0 in every replication",
        )
    if not np.all(np.abs(num).sum(axis=1) / LARGEST_RATIO <= np.abs(total)):
        raise InputError(f"a ratio beyond {LARGEST_RATIO:g}", where, "a larger denominator")
    return num, den


def refuse_beyond(where: str, *terms: Floats) -> None:
    """Refuse terms that are not finite, or too large to be squared."""
    for part in terms:
        if not np.all(np.abs(part) <= LARGEST):  # nan is not <=
            raise InputError("a value not finite", where, f"values up to {LARGEST:g} in magnitude")


def ratio_errors(num: Floats, den: Floats) -> tuple[Floats, Floats]:
    """Compute the ratio over the last axis and what each cluster adds to its error.

    Returns
    -------
    value, error : Σ num / Σ den, and (num_g - value · den_g) / Σ den; errors that are nothing
        but rounding are exactly 0.
    """
    total = den.sum(axis=-1)
    value = num.sum(axis=-1) / total
    predicted = value[..., None] * den
    error = num - predicted
    noise = np.abs(error) <= ROUNDING * (np.abs(num) + np.abs(predicted))
    error = np.where(noise.all(axis=-1)[..., None], 0.0, error)
    return value, error / total[..., None]


def without_rounding(value: float | Floats, psi: Floats) -> Floats:
    """Set influence values to 0 where their total size is rounding next to ``value``.

    Parameters
    ----------
    value : one number or [R]. psi : [G] or [R, G].
    """
    rounding = np.abs(psi).sum(axis=-1) <= ROUNDING * np.abs(value)
    return np.where(rounding[..., None], 0.0, psi)


def same_length(names: str, *arrays: Floats | Ints) -> None:
    """Refuse arrays that are not one-dimensional and of one length."""
    shapes = {np.shape(a) for a in arrays}
    if len(shapes) > 1 or any(len(s) != 1 for s in shapes):
        raise InputError(f"shapes {sorted(shapes)}", names, "one-dimensional, of one length")
