"""Exact ways back from a distorted probability to P(gift).

Keeping some of the negatives, weighting the gifts and the focal loss all help a classifier to
look at gifts, and all move what its score means. Each has a closed inverse at the optimum of its
loss (the population minimiser): nothing is fitted here. What a finite ensemble adds on top is for
a calibrator.
"""

from __future__ import annotations

import numpy as np

from giftlive.errors import UsageError
from giftlive.types import Floats


def undo_kept_negatives(logit: Floats, kept: float) -> Floats:
    """Return logit P(gift) of a score learnt where a share ``kept`` of the negatives remained.

    q = p / (p + (1 − p)/w) with w = ``kept``; on the logit scale the shift log w.

    Parameters
    ----------
    logit : [n] logit of p as learnt. kept : share of rows without a gift that were used, (0, 1].

    Examples
    --------
    >>> undo_kept_negatives(np.array([0.0]), 0.1).round(3).tolist()
    [-2.303]
    """
    if not 0.0 < kept <= 1.0:
        raise UsageError(f"share {kept}", "argument kept", "0 < kept <= 1")
    return logit + np.log(kept)


def undo_positive_weight(logit: Floats, weight: float) -> Floats:
    """Return logit P(gift) of a score learnt with every gift counted ``weight`` times.

    The same as keeping 1/weight of the negatives: the shift −log weight.

    Examples
    --------
    >>> undo_positive_weight(np.array([0.0]), 9.0).round(3).tolist()
    [-2.197]
    """
    if not 0.0 < weight < np.inf:
        raise UsageError(f"weight {weight}", "argument weight", "a positive number")
    return logit - np.log(weight)


def undo_focal(logit: Floats, gamma: float, alpha: float) -> Floats:
    """Return logit P(gift) of a score learnt with the focal loss.

    Loss: −α(1−p)^γ log p for a gift, −(1−α)p^γ log(1−p) without. Its minimiser p at a true
    probability η satisfies η/(1−η) = (1−α)h(p) / (αh(1−p)) with
    h(v) = v / ((1−v)^γ − γ(1−v)^(γ−1) v log v). Taking logarithms, with p = 1/(1+e^−z):
    logit η = γz + log((1−α)/α) + log(p − γ(1−p) log(1−p)) − log(1 − p − γp log p).

    Parameters
    ----------
    logit : [n] z. gamma : γ >= 0 (0 is the weighted log-loss). alpha : α in (0, 1), the weight of
        a gift.

    References
    ----------
    Charoenphakdee et al. 2021, On focal loss for class-posterior probability estimation: a
    theoretical perspective (there without α).

    Examples
    --------
    >>> undo_focal(np.array([-1.0, 2.0]), 0.0, 0.5).tolist()
    [-1.0, 2.0]
    """
    check_focal(gamma, alpha)
    from scipy.special import expit, log_expit

    p, rest = expit(logit), expit(-logit)
    gift = p - gamma * rest * log_expit(-logit)
    none = rest - gamma * p * log_expit(logit)
    shift = np.log1p(-alpha) - np.log(alpha)
    return np.asarray(gamma * logit + shift + np.log(gift) - np.log(none), dtype=np.float64)


def check_focal(gamma: float, alpha: float) -> None:
    """Refuse settings for which the focal loss has no inverse."""
    if not (0.0 <= gamma <= 10.0 and 0.0 < alpha < 1.0):
        raise UsageError(
            f"gamma {gamma}, alpha {alpha}", "focal loss", "0 <= gamma <= 10 and 0 < alpha < 1"
        )
