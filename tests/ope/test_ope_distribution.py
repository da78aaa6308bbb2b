from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive import ope
from giftlive.errors import InputError

LOGGING, TARGET = np.array([0.7, 0.3]), np.array([0.2, 0.8])


def log(seed: int, n: int) -> ope.Interactions:
    """Draw rewards uniform on [0, 1] for action 0 and on [1, 3] for action 1."""
    rng = np.random.default_rng(seed)
    action = (rng.random(n) < LOGGING[1]).astype(np.int64)
    return ope.Interactions(
        user=np.arange(n),
        action=action,
        propensity=LOGGING[action],
        reward=np.where(action == 1, 1.0 + 2.0 * rng.random(n), rng.random(n)),
        target=np.tile(TARGET, (n, 1)),
    )


def test_the_weighted_distribution_by_hand() -> None:
    x, share = ope.weighted_cdf(np.array([3.0, 1.0, 3.0, 0.0]), np.array([1.0, 2.0, 3.0, 0.0]))
    assert x.tolist() == [0.0, 1.0, 3.0]
    assert share.tolist() == [0.0, 2 / 6, 1.0]
    assert ope.weighted_cdf(np.array([3.0]), np.array([0.0]))[0].tolist() == []


def test_equal_weights_give_the_plain_quantile_and_shortfall() -> None:
    base = log(1, 200)
    same = replace(base, target=np.tile(LOGGING, (200, 1)))
    ordered = np.sort(base.reward)
    assert ope.off_policy_quantile(same, 0.25, 5).value == ordered[49]
    assert ope.off_policy_cvar(same, 0.05, replicates=5).value == pytest.approx(ordered[:10].mean())
    top = ope.off_policy_cvar(same, 0.05, "highest", replicates=5).value
    assert top == pytest.approx(ordered[-10:].mean())


def test_the_decision_on_the_border_counts_in_part() -> None:
    """Rewards 0, 10, 40 of weights 1, 1, 2, twenty times: 80 in all, 38 % of which are 30.4."""
    base = ope.Interactions(
        user=np.arange(60),
        action=np.tile([0, 0, 1], 20),
        propensity=np.tile([0.5, 0.5, 0.25], 20),
        reward=np.tile([0.0, 10.0, 40.0], 20),
        target=np.full((60, 2), 0.5),
    )
    lowest = ope.off_policy_cvar(base, 0.38, replicates=3).value
    assert lowest == pytest.approx((20 * 0.0 + 10.4 * 10.0) / 30.4)
    highest = ope.off_policy_cvar(base, 0.62, "highest", replicates=3).value
    assert highest == pytest.approx((40 * 40.0 + 9.6 * 10.0) / 49.6)


def test_the_whole_is_the_mean() -> None:
    base = log(2, 300)
    mean = ope.evaluate(base, [ope.SNIPS])["snips"].value
    for found in (
        ope.off_policy_cvar(base, 1.0, replicates=5),
        ope.off_policy_cvar(base, 1.0, "highest", replicates=5),
    ):
        assert found.value == pytest.approx(mean)


def test_large_logs_find_the_targets_distribution() -> None:
    """Under the target the median is 1.75 and the lowest tenth are uniform on [0, 0.5]."""
    base = log(3, 60_000)
    median, lowest = (
        ope.off_policy_quantile(base, 0.5, 60),
        ope.off_policy_cvar(base, 0.1, replicates=60),
    )
    assert median.value == pytest.approx(1.75, abs=0.03)
    assert lowest.value == pytest.approx(0.25, abs=0.01)
    for found, truth in ((median, 1.75), (lowest, 0.25)):
        assert found.low is not None
        assert found.high is not None
        assert found.low - 0.02 < truth < found.high + 0.02


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 0.95))
def test_the_order_of_rows_and_the_scale_of_weights_change_nothing(seed: int, p: float) -> None:
    base = log(seed, 60)
    order = np.random.default_rng(seed).permutation(60)
    moved = replace(
        base,
        user=base.user[order],
        action=base.action[order],
        propensity=base.logged[order],
        reward=base.reward[order],
    )
    halved = replace(base, propensity=base.logged / 2.0)
    expected = ope.off_policy_quantile(base, p, 10)
    assert ope.off_policy_quantile(moved, p, 10) == expected
    assert ope.off_policy_quantile(halved, p, 10).value == expected.value


def test_out_of_range_is_refused_and_nothing_has_a_status() -> None:
    base = log(4, 50)
    for p in (0.0, 1.0):
        with pytest.raises(InputError):
            ope.off_policy_quantile(base, p)
    with pytest.raises(InputError):
        ope.off_policy_cvar(base, 0.0)
    alone = replace(base, user=np.zeros(50, dtype=np.int64))
    assert ope.off_policy_quantile(alone, 0.5).status == "not_enough_data"
    none = replace(base, target=np.tile([1.0, 0.0], (50, 1)), action=np.ones(50, dtype=np.int64))
    assert ope.off_policy_quantile(none, 0.5, 10).status == "undefined"
    assert ope.off_policy_cvar(none, 0.5, replicates=10).status == "undefined"
