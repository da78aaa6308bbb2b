"""What the estimators promise over many logs of a small bandit whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from giftlive.ope import (
    DR,
    IPS,
    SNIPS,
    Estimator,
    Interactions,
    coverage,
    dr_replications,
    ips_replications,
    snips_replications,
)
from giftlive.stats.intervals import student_t
from giftlive.types import Floats, Ints

LOGGING = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])  # by context, by action
TARGET = np.array([[0.3, 0.4, 0.3], [0.4, 0.3, 0.3]])
MEAN_REWARD = np.array([[0.7, 0.8, 0.9], [0.9, 0.6, 0.8]])
TRUTH = float((TARGET * MEAN_REWARD).sum(axis=1).mean())
R, N = 2_000, 2_000


@dataclass(frozen=True)
class Replications:
    context: Ints
    action: Ints
    reward: Floats
    propensity: Floats
    target: Floats


def replicate(seed: int, r: int = R, n: int = N) -> Replications:
    """Draw r logs of n decisions; the reward is 0 or 1."""
    rng = np.random.default_rng(seed)
    context = rng.integers(0, 2, (r, n))
    action = (rng.random((r, n, 1)) > LOGGING.cumsum(axis=1)[context][..., :2]).sum(axis=2)
    return Replications(
        context=context,
        action=action,
        reward=(rng.random((r, n)) < MEAN_REWARD[context, action]).astype(float),
        propensity=LOGGING[context, action],
        target=TARGET[context, action],
    )


@pytest.fixture(scope="module")
def logs() -> Replications:
    return replicate(20)


def z_of(values: Floats) -> float:
    return float((values.mean() - TRUTH) / (values.std(ddof=1) / np.sqrt(len(values))))


def test_the_bandit_is_light_tailed(logs: Replications) -> None:
    terms = logs.target / logs.propensity * logs.reward
    assert terms.std() / terms.mean() < 1.0


def test_ips_is_unbiased_and_covers(logs: Replications) -> None:
    value, low, high = ips_replications(logs.reward, logs.propensity, logs.target)
    assert abs(z_of(value)) < 3.3
    share = coverage(TRUTH, low, high).value
    assert share is not None
    assert 0.93 <= share <= 0.97


def test_snips_covers(logs: Replications) -> None:
    _, low, high = snips_replications(logs.reward, logs.propensity, logs.target)
    share = coverage(TRUTH, low, high).value
    assert share is not None
    assert 0.93 <= share <= 0.97


@pytest.mark.parametrize("shift", [0.0, 5.0, -20.0])
def test_dr_is_unbiased_and_covers_under_any_model(logs: Replications, shift: float) -> None:
    """A model that is wrong by any constant moves the variance, never the expectation."""
    q = np.array([[0.9, 0.1, 0.4], [0.2, 0.7, 0.3]]) + shift
    marginal = (TARGET * q).sum(axis=1)[logs.context]
    value, low, high = dr_replications(
        logs.reward, logs.propensity, logs.target, q[logs.context, logs.action], marginal
    )
    assert abs(z_of(value)) < 3.3
    share = coverage(TRUTH, low, high).value
    assert share is not None
    assert 0.93 <= share <= 0.97


def test_dr_with_the_true_model_is_steadier_than_ips(logs: Replications) -> None:
    marginal = (TARGET * MEAN_REWARD).sum(axis=1)[logs.context]
    q = MEAN_REWARD[logs.context, logs.action]
    doubly, _, _ = dr_replications(logs.reward, logs.propensity, logs.target, q, marginal)
    plain, _, _ = ips_replications(logs.reward, logs.propensity, logs.target)
    assert doubly.std() < 0.9 * plain.std()


def test_a_wrong_propensity_biases_ips(logs: Replications) -> None:
    """The z-test above can fail: with uniform propensities it does."""
    value, _, _ = ips_replications(logs.reward, np.full_like(logs.reward, 1 / 3), logs.target)
    assert abs(z_of(value)) > 10.0


@pytest.mark.parametrize("estimator", [IPS, SNIPS, DR])
@pytest.mark.parametrize("clustered", [False, True])
def test_replications_equal_the_estimators_log_by_log(
    estimator: Estimator, clustered: bool
) -> None:
    logs = replicate(21, r=3, n=200)
    user = np.arange(200) // (5 if clustered else 1)
    q = MEAN_REWARD + 0.2
    args = (logs.reward, logs.propensity, logs.target)
    marginal = (TARGET * q).sum(axis=1)[logs.context]
    together = {
        "ips": ips_replications(*args, cluster=user),
        "snips": snips_replications(*args, cluster=user),
        "dr": dr_replications(*args, q[logs.context, logs.action], marginal, cluster=user),
    }[estimator.name]
    for r in range(3):
        log = Interactions(
            user=user,
            action=logs.action[r],
            propensity=logs.propensity[r],
            reward=logs.reward[r],
            target=TARGET[logs.context[r]],
            q=q[logs.context[r]],
        )
        one = estimator.estimate(estimator.update(estimator.init(), log))
        assert (one.value, one.low, one.high) == pytest.approx(tuple(x[r] for x in together))


def test_clustering_keeps_coverage_where_rows_of_a_user_depend() -> None:
    """Users differ in level: a row-wise interval covers far too little, a clustered one holds."""
    rng = np.random.default_rng(22)
    users, per_user, r = 150, 10, 1_500
    logs = replicate(23, r=r, n=users * per_user)
    level = np.repeat(rng.normal(0.0, 1.0, (r, users)), per_user, axis=1)
    user = np.repeat(np.arange(users), per_user)
    args = (logs.reward + level, logs.propensity, logs.target)
    by_user = coverage(TRUTH, *ips_replications(*args, cluster=user)[1:]).value
    by_row = coverage(TRUTH, *ips_replications(*args)[1:]).value
    assert by_user is not None
    assert by_row is not None
    assert 0.93 <= by_user <= 0.97
    assert by_row < 0.7


def test_the_error_falls_with_the_square_root_of_n() -> None:
    spread = []
    for n in (250, 1_000, 4_000):
        small = replicate(24 + n, r=600, n=n)
        spread.append(ips_replications(small.reward, small.propensity, small.target)[0].std())
    slope = np.polyfit(np.log([250, 1_000, 4_000]), np.log(spread), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.06)


@pytest.mark.slow
def test_poisson_bootstrap_of_ips_covers() -> None:
    logs = replicate(30, r=600, n=400)
    hits = 0
    for r in range(600):
        log = Interactions(
            user=np.arange(400),
            action=logs.action[r],
            propensity=logs.propensity[r],
            reward=logs.reward[r],
            target=TARGET[logs.context[r]],
        )
        interval = IPS.bootstrap(IPS.update(IPS.init(), log), 400, seed=r)
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= TRUTH <= interval.high
    assert 0.92 <= hits / 600 <= 0.98


def test_on_policy_ips_is_the_plain_mean_of_every_log(logs: Replications) -> None:
    value, low, high = ips_replications(logs.reward[:2], logs.propensity[:2], logs.propensity[:2])
    for r in range(2):
        plain = student_t(logs.reward[r])
        assert (value[r], low[r], high[r]) == pytest.approx((plain.value, plain.low, plain.high))
