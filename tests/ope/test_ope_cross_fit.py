from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from giftlive import ope
from giftlive.errors import InputError
from giftlive.ope.cross_fit import Predict, balanced_weights, cross_fitted_q, user_folds
from giftlive.types import Floats, Ints


def means(context: Floats, action: Ints, reward: Floats, weight: Floats) -> Predict:
    """Model the reward of each of three actions by its weighted mean."""
    total = np.bincount(action, weight * reward, 3)
    count = np.bincount(action, weight, 3)
    found = np.divide(total, count, out=np.zeros(3), where=count > 0)
    return lambda x: np.tile(found, (len(x), 1))


def memory(context: Floats, action: Ints, reward: Floats, weight: Floats) -> Predict:
    """Remember every context seen in training: 1 where it was seen, else 0."""
    seen = set(context[:, 0].tolist())
    return lambda x: np.array([[float(v in seen)] * 2 for v in x[:, 0].tolist()])


def test_no_model_sees_the_user_it_speaks_about() -> None:
    rng = np.random.default_rng(1)
    user = rng.integers(0, 30, 200)
    action, own = np.zeros(200, np.int64), user[:, None].astype(np.float64)
    q = cross_fitted_q(memory, own, action, np.ones(200), user)
    assert not q.any()
    row = np.arange(200.0)[:, None]
    assert not cross_fitted_q(memory, row, action, np.ones(200), user).any()


def test_folds_are_even_in_users_and_follow_the_seed() -> None:
    user = np.repeat(np.arange(31), 4)
    fold = user_folds(user, 3)
    sizes = np.bincount(fold[::4])
    assert sizes.max() - sizes.min() <= 1
    assert (fold.reshape(31, 4) == fold.reshape(31, 4)[:, :1]).all()
    np.testing.assert_array_equal(fold, user_folds(user, 3))
    assert (fold != user_folds(user, 3, seed=1)).any()
    shuffled = np.random.default_rng(2).permutation(len(user))
    np.testing.assert_array_equal(user_folds(user[shuffled], 3), fold[shuffled])


def test_row_weights_reach_the_fit() -> None:
    action, reward = np.zeros(4, np.int64), np.array([1.0, 5.0, 1.0, 5.0])
    user, context = np.array([1, 1, 2, 2]), np.zeros((4, 1))
    q = cross_fitted_q(means, context, action, reward, user, np.array([3.0, 1.0] * 2), folds=2)
    assert q[:, 0].tolist() == [2.0] * 4


def test_what_does_not_fit_is_refused() -> None:
    n, user = 6, np.array([1, 1, 2, 2, 3, 3])
    good = (np.zeros((n, 1)), np.zeros(n, np.int64), np.ones(n))
    for folds in (1, 4):
        with pytest.raises(InputError, match="folds"):
            cross_fitted_q(means, *good, user, folds=folds)
    with pytest.raises(InputError, match="user"):
        cross_fitted_q(means, *good, user[1:])
    with pytest.raises(InputError, match="not finite"):
        cross_fitted_q(lambda *_: lambda x: np.full((len(x), 2), np.nan), *good, user)
    with pytest.raises(InputError, match="outside"):
        balanced_weights(
            lambda *_: lambda x, a: np.full(len(a), 1.5), good[0], good[1], np.ones((n, 1)), user
        )


def shares(context: Floats, action: Ints, label: Ints) -> Callable[[Floats, Ints], Floats]:
    """Tell target from logged actions by their frequencies: the ideal classifier here."""
    one, both = np.bincount(action, label, 3), np.bincount(action, minlength=3)
    found = np.divide(one, both, out=np.zeros(3), where=both > 0)
    return lambda x, a: found[a]


def test_balanced_weights_approach_the_importance_weights() -> None:
    rng = np.random.default_rng(3)
    n, logging, target = 60_000, np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    action = rng.choice(3, n, p=logging)
    user = rng.integers(0, 3_000, n)
    found = balanced_weights(shares, np.zeros((n, 1)), action, np.tile(target, (n, 1)), user)
    np.testing.assert_allclose(found, (target / logging)[action], rtol=0.06)
    reward = np.array([1.0, 2.0, 5.0])[action] + rng.normal(0.0, 0.5, n)
    log = ope.Interactions(
        user=user,
        action=action,
        propensity=logging[action],
        reward=reward,
        target=np.tile(target, (n, 1)),
        balanced_weight=found,
    )
    value = ope.evaluate(log, [ope.BIPW])["bipw"].value
    assert value == pytest.approx(0.2 + 0.6 + 2.5, rel=0.02)


def test_cross_fitted_dr_beats_ips_and_holds_the_truth() -> None:
    rng = np.random.default_rng(4)
    logging, target = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    spread: dict[str, list[float]] = {"ips": [], "dr": []}
    for _ in range(60):
        n = 900
        action, user = rng.choice(3, n, p=logging), np.arange(n) // 3
        reward = np.array([8.0, 9.0, 10.0])[action] + rng.normal(0.0, 1.0, n)
        q = cross_fitted_q(means, np.zeros((n, 1)), action, reward, user)
        found = ope.estimate(
            reward,
            logging[action],
            np.tile(target, (n, 1)),
            action,
            q_hat=q,
            cluster=user,
            estimators=(ope.IPS, ope.DR),
        )
        for e in found:
            assert e.computed.value is not None
            spread[e.estimator].append(e.computed.value - 9.3)
    rmse = {k: float(np.sqrt(np.mean(np.square(v)))) for k, v in spread.items()}
    assert rmse["dr"] < 0.3 * rmse["ips"]
    assert abs(np.mean(spread["dr"])) < 3.3 * np.std(spread["dr"]) / np.sqrt(60)
