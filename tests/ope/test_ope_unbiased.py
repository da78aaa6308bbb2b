"""Every estimator that promises to be unbiased, over 2,000 logs of a bandit of known truth.

The logs are one log to the state: each is a "user" of its own, and the state's sums of a user
are those of its log.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from giftlive import ope
from giftlive.ope.estimation import Method
from giftlive.ope.estimators import FIXED, Estimator
from giftlive.ope.log import of_action
from giftlive.stats.intervals import coverage
from giftlive.types import Floats, Ints

R, N = 2_000, 400
LOGGING = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.3, 0.3, 0.3]])  # by context, by action
SECOND = np.array([[0.15, 0.15, 0.2, 0.5], [0.5, 0.2, 0.15, 0.15]])
TARGET = np.array([[0.3, 0.2, 0.3, 0.2], [0.2, 0.2, 0.3, 0.3]])
CATEGORY = np.array([0, 0, 1, 1])
MEAN = np.array([[2.0, 2.0, 3.0, 3.0], [4.0, 4.0, 1.0, 1.0]])  # by the category alone
UNEVEN = MEAN + np.array([[0.0, 1.5, -1.0, 0.5], [-2.0, 1.0, 0.0, 2.0]])
ANY_Q = np.array([[9.0, 0.0, -3.0, 1.0], [2.0, 7.0, 0.5, -6.0]])
RELATIVE_Q = UNEVEN + np.array([[4.0, 4.0, -2.0, -2.0], [0.0, 0.0, 5.0, 5.0]])


def truth(mean: Floats) -> float:
    return float((TARGET * mean).sum(axis=1).mean())


def draw(
    context: Ints, mean: Floats, q: Floats, seed: int, user: Ints, second: bool = False
) -> ope.Interactions:
    """Draw a log; with ``second``, every other row is made by the second logging policy."""
    rng = np.random.default_rng(seed)
    n = len(context)
    logger = np.arange(n) % 2 if second else np.zeros(n, dtype=np.int64)
    both = np.stack([LOGGING, SECOND])
    logging = both[logger, context]
    action = (logging.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, 3)
    target = TARGET[context]
    by_logger = both[:, context, action].T
    return ope.Interactions(
        user=user,
        action=action,
        propensity=of_action(logging, action),
        reward=mean[context, action] + rng.normal(0.0, 0.5, n),
        target=target,
        q=q[context],
        propensities=logging,
        marginal_weight=ope.category_weight(target, logging, action, CATEGORY),
        logger=logger,
        mean_propensity=by_logger.mean(axis=1) if second else by_logger[:, 0],
    )


@lru_cache(maxsize=4)
def many(uneven: bool, relative: bool, second: bool = False) -> ope.Interactions:
    """Return R logs of N rows, one "user" each."""
    context = np.random.default_rng(1).integers(0, 2, R * N)
    mean, q = UNEVEN if uneven else MEAN, RELATIVE_Q if relative else ANY_Q
    return draw(context, mean, q, 2, np.repeat(np.arange(R), N), second)


def estimates(estimator: Estimator, log: ope.Interactions) -> Floats:
    return estimator.form.value(estimator.update(estimator.init(), log).values[:, FIXED:])


def z_of(estimator: Estimator, log: ope.Interactions, true: float) -> float:
    found = estimates(estimator, log)
    return float((found.mean() - true) / (found.std(ddof=1) / np.sqrt(R)))


def test_the_bandit_is_light_tailed() -> None:
    log = many(uneven=True, relative=False)
    terms = log.weight * log.reward
    assert terms.std() / terms.mean() < 1.0


@pytest.mark.parametrize("estimator", [ope.IPS, ope.DR, ope.SNDR, ope.SNIPS], ids=lambda e: e.name)
def test_unbiased_with_true_propensities_under_any_model(estimator: Estimator) -> None:
    """The self-normalised ones are biased by O(1/N): here far below the noise of R logs."""
    assert abs(z_of(estimator, many(uneven=True, relative=False), truth(UNEVEN))) < 3.3


@pytest.mark.parametrize("shift", [100.0, -40.0])
def test_dr_is_unbiased_under_any_shift_of_its_model(shift: float) -> None:
    log = many(uneven=True, relative=False)
    assert log.q is not None
    assert abs(z_of(ope.DR, replace(log, q=log.q + shift), truth(UNEVEN))) < 3.3


def test_a_model_alone_is_not_unbiased_nor_are_tamed_weights() -> None:
    """The z-tests can fail: each of these trades bias for variance."""
    log = many(uneven=True, relative=False)
    for estimator in (ope.DM, ope.clipped_ips(1.0), ope.dros(1.0), ope.sub_gaussian_ips(0.5)):
        assert abs(z_of(estimator, log, truth(UNEVEN))) > 10.0


def test_mips_is_unbiased_where_the_category_says_all_and_steadier() -> None:
    log = many(uneven=False, relative=False)
    for estimator in (ope.MIPS, ope.SNMIPS):
        assert abs(z_of(estimator, log, truth(MEAN))) < 3.3
    assert estimates(ope.MIPS, log).std() < estimates(ope.IPS, log).std()
    assert abs(z_of(ope.MIPS, many(uneven=True, relative=False), truth(UNEVEN))) > 10.0


def test_offcem_needs_only_a_model_of_differences_within_a_category() -> None:
    assert abs(z_of(ope.OFFCEM, many(uneven=True, relative=True), truth(UNEVEN))) < 3.3
    log = many(uneven=True, relative=False)
    blind = replace(log, q=np.zeros((len(log), 4)))
    assert abs(z_of(ope.OFFCEM, blind, truth(UNEVEN))) > 10.0


def test_several_loggers_are_unbiased_and_the_mixture_steadier_than_its_parts() -> None:
    log = many(uneven=True, relative=False, second=True)
    for estimator in (ope.IPS, ope.BALANCED_IPS, ope.BALANCED_DR):
        assert abs(z_of(estimator, log, truth(UNEVEN))) < 3.3
    spread = {e.name: estimates(e, log).std() for e in (ope.IPS, ope.BALANCED_IPS)}
    assert spread["balanced_ips"] < spread["ips"]
    weighted = estimates(ope.weighted_ips(2), log)
    assert weighted.std() < spread["ips"]
    assert abs(weighted.mean() - truth(UNEVEN)) < 0.01 * truth(UNEVEN)  # O(1/N), not 0


def test_log_sum_exp_pays_bias_for_variance() -> None:
    log = many(uneven=True, relative=False)
    gap = [estimates(ope.log_sum_exp(s), log).mean() - truth(UNEVEN) for s in (0.001, 0.01, 0.1)]
    assert gap[0] > gap[1] > gap[2]
    assert abs(gap[0]) < 0.01 * truth(UNEVEN)
    assert estimates(ope.log_sum_exp(0.1), log).std() < estimates(ope.IPS, log).std()


def test_wrong_propensities_show_up_in_the_verdict() -> None:
    log = many(uneven=True, relative=False)
    n = len(log)
    wrong = replace(log, propensity=np.full(n, 0.25), propensities=np.full((n, 4), 0.25))
    found = ope.diagnose(wrong)
    assert found.verdict.check == "mean_weight"
    assert ope.diagnose(log).verdict.status == "ok"


@pytest.mark.slow
@pytest.mark.parametrize("shifted", [False, True], ids=["target near", "target far"])
@pytest.mark.parametrize("method", ["ratio_delta", "skew_t", "poisson_bootstrap"])
def test_every_interval_covers_at_light_tails(method: Method, shifted: bool) -> None:
    """1,000 logs of 300 users with 2 rows each; users differ in level."""
    exact = (ope.IPS, ope.SNIPS, ope.DR, ope.SNDR, ope.MIPS, ope.SNMIPS, ope.BALANCED_IPS)
    panel, logs = ope.Panel(exact), 1_000
    bounds = np.full((2, len(exact), logs), np.nan)
    level = truth(MEAN)
    far = np.array([0.1, 0.2, 0.3, 0.4])
    for r in range(logs):
        rng = np.random.default_rng((r, 7))
        user = np.repeat(np.arange(300), 2)
        log = draw(rng.integers(0, 2, 600), MEAN, ANY_Q, r, user)
        log = replace(log, reward=log.reward + np.repeat(rng.normal(0.0, 0.5, 300), 2))
        if shifted:
            assert log.propensities is not None
            target = np.tile(far, (600, 1))
            marginal = ope.category_weight(target, log.propensities, log.action, CATEGORY)
            log = replace(log, target=target, marginal_weight=marginal)
            level = float((far * MEAN).sum(axis=1).mean())
        state = panel.update(panel.init(), log)
        found = panel.intervals(state, method, replicates=400, seed=r)
        bounds[:, :, r] = np.array([[i.low, i.high] for i in found], dtype=float).T
    for k, estimator in enumerate(exact):
        share = coverage(level, bounds[0, k], bounds[1, k]).value
        assert share is not None
        assert 0.925 <= share <= 0.975, estimator.name
