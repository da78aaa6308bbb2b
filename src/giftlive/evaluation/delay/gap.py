"""How much of what late labels cost a treatment wins back: from vanilla to oracle.

    closed = Σ_i (loss_i(vanilla) − loss_i(treatment)) / Σ_i (loss_i(vanilla) − loss_i(oracle))

*Vanilla* learns from the labels as they are at the cut, the *oracle* from what they will be. 1 is
all of the gap, 0 none, below 0 worse than doing nothing. The rows are the same for all three, so
a bootstrap over users resamples numerator and denominator together.

References
----------
Yang et al. (2021), "Capturing delayed feedback in conversion rate prediction via elapsed-time
sampling", AAAI, section 5.3: the relative improvement over vanilla, the oracle being 100 %.
"""

from __future__ import annotations

import numpy as np

from giftlive.errors import InputError
from giftlive.metrics.occurrence import CLIP
from giftlive.metrics.order import equal_mass_bins
from giftlive.stats.bootstrap import clustered_bootstrap
from giftlive.stats.bootstrap_sums import SumsBootstrap, ratio_interval
from giftlive.stats.intervals import Interval, no_interval, ratio_delta
from giftlive.types import Floats, Ints

REPLICATES = 400
BINS = 15


def row_losses(y: Floats, p: Floats) -> Floats:
    """Return [n] −y·log p − (1 − y)·log(1 − p), p kept 1e-15 away from 0 and 1.

    Parameters
    ----------
    y : [n] labels 0 and 1, or the true chances, which give the expected loss without the noise
        of the labels. p : [n] probabilities.

    Examples
    --------
    >>> row_losses(np.array([1.0, 0.5]), np.array([0.5, 0.5])).round(3).tolist()
    [0.693, 0.693]
    """
    if not ((y >= 0.0) & (y <= 1.0) & (p >= 0.0) & (p <= 1.0)).all():
        raise InputError("a label or probability is not in [0, 1]", "arguments y, p", "[0, 1]")
    q = np.clip(p, CLIP, 1.0 - CLIP)
    return -y * np.log(q) - (1.0 - y) * np.log1p(-q)


def calibration_error(y: Floats, p: Floats, weights: Floats | None = None) -> float:
    """Return Σ_b |Σ p − Σ y| / n over bins of equal mass; y may be true chances.

    With labels it is ``metrics.ece``, noise included; with true chances it is 0 exactly where the
    model is calibrated in every bin.

    Examples
    --------
    >>> calibration_error(np.full(4, 0.2), np.full(4, 0.3))
    0.1
    """
    table = equal_mass_bins(p, y, np.ones(len(p)) if weights is None else weights, BINS)
    error = float(np.abs(table.predicted - table.actual).sum())
    return round(error / float(table.weight.sum()), 15)


def gap_closed(
    y: Floats, vanilla: Floats, treated: Floats, oracle: Floats, user: Ints, seed: int = 0
) -> Interval:
    """Estimate the share of the gap in log-loss that is closed, with a paired bootstrap by user.

    Parameters
    ----------
    y : [n] as in ``row_losses``. vanilla, treated, oracle : [n] probabilities. user : [n].

    Returns
    -------
    Interval
        ``undefined`` where the gap itself is not above 0 with 95 % confidence: without delay
        there is nothing to close, and a share of it would be noise over noise.
    """
    gained = row_losses(y, vanilla) - row_losses(y, treated)
    whole = row_losses(y, vanilla) - row_losses(y, oracle)
    gap = ratio_delta(whole, np.ones(len(y)), user, n_unit="users")
    if gap.low is None or gap.low <= 0.0:
        reason = (
            f"the gap is {gap.value:.3g} with a lower bound of {gap.low:.3g}"
            if (gap.low is not None)
            else gap.reason
        )
        return no_interval("undefined", reason, "poisson_bootstrap", gap.n, "users")
    state = SumsBootstrap.init(2, REPLICATES, seed)
    state = state.update(user, np.column_stack([gained, whole]))
    return ratio_interval(state, len(np.unique(user)), n_unit="users")


def harm(y: Floats, vanilla: Floats, treated: Floats, user: Ints) -> Interval:
    """Estimate the mean loss of the treatment minus that of vanilla, clustered by user."""
    more = row_losses(y, treated) - row_losses(y, vanilla)
    return ratio_delta(more, np.ones(len(y)), user, n_unit="users")


def error_ratio(y: Floats, vanilla: Floats, treated: Floats, user: Ints, seed: int = 0) -> Interval:
    """Estimate calibration error of the treatment / of vanilla, with a paired bootstrap by user.

    1/2 or less: the treatment halves it. With labels instead of true chances both errors hold the
    same noise, which draws the ratio towards 1. Without a gift there is nothing to be calibrated
    to: not enough data.
    """
    if not y.sum() > 0.0:
        method, groups = "poisson_bootstrap", len(np.unique(user))
        return no_interval("not_enough_data", "no gift", method, groups, "users")

    def ratio(weights: Floats) -> float:
        base = calibration_error(y, vanilla, weights)
        return calibration_error(y, treated, weights) / base if base > 0.0 else float("nan")

    return clustered_bootstrap(ratio, user, REPLICATES, seed, n_unit="users")
