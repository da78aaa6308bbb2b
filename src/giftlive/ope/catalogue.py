"""The estimators, by what they pay for less variance.

With w = π(a|x) / p(a|x) the importance weight of the logged action, r the reward, q(x, ·) a
model of it, q(π) = Σ_a π(a) q(a), s a shape that tames weights (``weights``), n decisions::

    replay            Σ_(π(a)=1) r / #(π(a)=1)        deterministic targets, uniform logging
    IPS               Σ w r / n                       unbiased; variance grows with the weights
    SNIPS             Σ w r / Σ w                     biased by O(1/n), steadier, shift-equivariant
    shaped IPS        Σ s(w) r / n                    biased towards 0 where weights are cut
    DM                Σ q(π) / n                      as good as q, blind to its error
    DR                Σ [q(π) + w (r - q(a))] / n     unbiased for any q with true propensities
    SNDR              Σ q(π) / n + Σ w (r - q(a)) / Σ w
    shaped DR         Σ [q(π) + s(w) (r - q(a))] / n  clipped, Switch, DRos, sub-Gaussian
    MRDR              DR with q fitted under ``mrdr_weights``
    MIPS              IPS with the weight of the action's embedding or category
    OffCEM            DR with the weight of the action's category
    BIPW              SNIPS with weights from a classifier
    assisted SNIPS    Σ w 1[r > 0] m(a) / Σ w         m: modelled amount of a gift, given a gift
    LSE               -log(Σ exp(-l w r) / n) / l     bounded influence of a huge w r
    balanced IPS      IPS under the mixture of several logging policies
    weighted IPS      each logging policy's IPS, weighed by its inverse variance

References: Li et al. (2011) for replay; Horvitz, Thompson (1952); Swaminathan, Joachims (2015),
eq. 8 for SNIPS; Dudík, Langford, Li (2011), eq. 3 for DR; Agarwal et al. (2017) for several
loggers; Sondhi, Arbour, Dimmery (2020) for BIPW; Behnamnia et al. (2025), eq. 6 for LSE.
"""

from __future__ import annotations

import numpy as np

from giftlive.errors import InputError
from giftlive.ope.estimators import Estimator, Terms
from giftlive.ope.forms import SQUARE_UNIT, InverseVariance, LogMeanExp, Ratios
from giftlive.ope.log import Interactions, of_action
from giftlive.ope.weights import Shape, clip, shrink, sub_gaussian, switch
from giftlive.types import Floats


def shaped_ips(name: str, shape: Shape) -> Estimator:
    """Return IPS whose weights are tamed by ``shape``."""

    def terms(log: Interactions) -> Terms:
        return shape(log.weight) * log.reward, log.ones

    return Estimator(name, terms)


def shaped_dr(name: str, shape: Shape) -> Estimator:
    """Return DR whose weights are tamed by ``shape``."""

    def terms(log: Interactions) -> Terms:
        return log.q_of_target + shape(log.weight) * (log.reward - log.q_of_action), log.ones

    return Estimator(name, terms, needs=("q",))


def clipped_ips(limit: float) -> Estimator:
    """Return IPS with weights cut at ``limit`` > 0: less variance, biased where they exceed it."""
    return shaped_ips(f"clipped_ips({limit:g})", clip(limit))


def sub_gaussian_ips(mix: float) -> Estimator:
    """Return IPS with sub-Gaussian weights, ``mix`` in [0, 1)."""
    return shaped_ips(f"sub_gaussian_ips({mix:g})", sub_gaussian(mix))


def clipped_dr(limit: float) -> Estimator:
    """Return DR with weights cut at ``limit`` > 0."""
    return shaped_dr(f"clipped_dr({limit:g})", clip(limit))


def switch_dr(threshold: float) -> Estimator:
    """Return DR that trusts the model alone where the weight exceeds ``threshold`` > 0."""
    return shaped_dr(f"switch_dr({threshold:g})", switch(threshold))


def dros(strength: float) -> Estimator:
    """Return DR with optimistic shrinkage, ``strength`` > 0: 0 is DM, infinity DR."""
    return shaped_dr(f"dros({strength:g})", shrink(strength))


def sub_gaussian_dr(mix: float) -> Estimator:
    """Return DR with sub-Gaussian weights, ``mix`` in [0, 1)."""
    return shaped_dr(f"sub_gaussian_dr({mix:g})", sub_gaussian(mix))


def log_sum_exp(scale: float) -> Estimator:
    """Return the log-sum-exp estimator, ``scale`` > 0 in 1 / reward; towards 0 it is IPS."""
    if not 0.0 < scale < np.inf:
        raise InputError(f"scale {scale:g}", "log_sum_exp", "a finite number above 0")

    def terms(log: Interactions) -> Terms:
        with np.errstate(over="ignore"):  # what is no number is refused when summed
            return np.exp(-scale * log.weight * log.reward), log.ones

    return Estimator(f"lse({scale:g})", terms, form=LogMeanExp(scale))


def weighted_ips(loggers: int) -> Estimator:
    """Return the inverse-variance mean of the IPS estimates of ``loggers`` logging policies.

    Rows need ``logger``, from 0 to ``loggers`` - 1; ``propensity`` is that of the row's logger.
    """
    if loggers < 1:
        raise InputError(f"{loggers} loggers", "weighted_ips", "at least 1")

    def terms(log: Interactions) -> Terms:
        assert log.logger is not None
        if len(log) and log.logger.max() >= loggers:
            what = f"logger {log.logger.max()}"
            raise InputError(what, "column logger", f"a number from 0 to {loggers - 1}")
        x = log.weight * log.reward
        mine = [(log.logger == k).astype(np.float64) for k in range(loggers)]
        return tuple(column for k in mine for column in (k * x, k * x * x / SQUARE_UNIT, k))

    form = InverseVariance(loggers)
    name = f"weighted_ips({loggers})"
    return Estimator(name, terms, form=form, needs=("logger",), columns=3 * loggers)


def _of_target(log: Interactions) -> Floats:
    return of_action(log.target, log.action)


def _matched(log: Interactions) -> Floats:
    """Return 1 where the target is certain of the logged action, else 0."""
    return (_of_target(log) == 1.0).astype(np.float64)


def _replay(log: Interactions) -> Terms:
    matched = _matched(log)
    return matched * log.reward, matched


def _ips(log: Interactions) -> Terms:
    return log.weight * log.reward, log.ones


def _snips(log: Interactions) -> Terms:
    return log.weight * log.reward, log.weight


def _dm(log: Interactions) -> Terms:
    return log.q_of_target, log.ones


def _dr(log: Interactions) -> Terms:
    return log.q_of_target + log.weight * (log.reward - log.q_of_action), log.ones


def _sndr(log: Interactions) -> Terms:
    correction = log.weight * (log.reward - log.q_of_action)
    return log.q_of_target, log.ones, correction, log.weight


def _marginal(log: Interactions) -> Floats:
    assert log.marginal_weight is not None
    return log.marginal_weight


def _mips(log: Interactions) -> Terms:
    return _marginal(log) * log.reward, log.ones


def _snmips(log: Interactions) -> Terms:
    return _marginal(log) * log.reward, _marginal(log)


def _offcem(log: Interactions) -> Terms:
    return log.q_of_target + _marginal(log) * (log.reward - log.q_of_action), log.ones


def _balanced(log: Interactions) -> Floats:
    assert log.balanced_weight is not None
    return log.balanced_weight


def _bipw(log: Interactions) -> Terms:
    return _balanced(log) * log.reward, _balanced(log)


def _assisted(log: Interactions) -> Terms:
    assert log.modelled_amount is not None
    return log.weight * (log.reward > 0.0) * log.modelled_amount, log.weight


def _mixed(log: Interactions) -> Floats:
    assert log.mean_propensity is not None
    weight: Floats = _of_target(log) / log.mean_propensity
    return weight


def _balanced_ips(log: Interactions) -> Terms:
    return _mixed(log) * log.reward, log.ones


def _balanced_dr(log: Interactions) -> Terms:
    return log.q_of_target + _mixed(log) * (log.reward - log.q_of_action), log.ones


REPLAY = Estimator("replay", _replay, weigh=_matched, mean_one=False)
IPS = Estimator("ips", _ips)
SNIPS = Estimator("snips", _snips)
DM = Estimator("dm", _dm, weigh=None, needs=("q",))
DR = Estimator("dr", _dr, needs=("q",))
SNDR = Estimator("sndr", _sndr, form=Ratios(2), needs=("q",), columns=4)
MIPS = Estimator("mips", _mips, weigh=_marginal, needs=("marginal_weight",), by_action=False)
SNMIPS = Estimator("snmips", _snmips, weigh=_marginal, needs=("marginal_weight",), by_action=False)
OFFCEM = Estimator(
    "offcem", _offcem, weigh=_marginal, needs=("q", "marginal_weight"), by_action=False
)
BIPW = Estimator("bipw", _bipw, weigh=_balanced, needs=("balanced_weight",))
ASSISTED_SNIPS = Estimator("assisted_snips", _assisted, needs=("modelled_amount",))
BALANCED_IPS = Estimator(
    "balanced_ips", _balanced_ips, weigh=_mixed, needs=("mean_propensity",), by_action=False
)
BALANCED_DR = Estimator(
    "balanced_dr", _balanced_dr, weigh=_mixed, needs=("q", "mean_propensity"), by_action=False
)
