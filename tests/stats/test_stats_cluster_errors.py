from __future__ import annotations

import numpy as np
import pytest

from giftlive.errors import InputError
from giftlive.stats.cluster_errors import (
    columns_per_cluster,
    per_cluster,
    ratio_errors,
    terms_per_cluster,
    without_rounding,
)


def test_rows_are_summed_by_cluster_in_ascending_order() -> None:
    sums = per_cluster(np.array([9, -2, 9, 4]), np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4))
    assert sums.tolist() == [[2.0, 4.0, 4.0], [1.0, 1.0, 2.0]]
    assert per_cluster(np.zeros(0, dtype=np.int64), np.zeros(0)).shape == (1, 0)


def test_without_a_denominator_the_rows_are_counted() -> None:
    num, den = terms_per_cluster(np.array([1.0, 2.0, 3.0]), None, np.array([0, 1, 1]))
    assert (num.tolist(), den.tolist()) == ([1.0, 5.0], [1.0, 2.0])


def test_replications_are_summed_like_one_sample() -> None:
    rng = np.random.default_rng(1)
    num, den, cluster = rng.random((3, 40)), rng.random((3, 40)), rng.integers(0, 9, 40)
    together = columns_per_cluster("here", num, den, cluster)
    for r in range(3):
        golden = per_cluster(cluster, num[r], den[r])
        np.testing.assert_allclose([together[0][r], together[1][r]], golden, rtol=1e-12)


@pytest.mark.parametrize("den", [np.zeros((2, 5)), np.array([[1.0] * 5, [1.0, -1.0, 0, 0, 0]])])
def test_replications_without_a_denominator_are_refused(den: np.ndarray) -> None:
    with pytest.raises(InputError, match="here"):
        columns_per_cluster("here", np.ones((2, 5)), den, None)


def test_errors_sum_to_zero_and_rounding_is_nothing() -> None:
    rng = np.random.default_rng(2)
    den = rng.random((2, 30)) + 0.1
    num = np.array([0.3 * den[0], rng.random(30)])
    value, error = ratio_errors(num, den)
    assert value[0] == pytest.approx(0.3)
    assert not error[0].any()
    assert error[1].any()
    assert error[1].sum() == pytest.approx(0.0, abs=1e-15)


def test_influence_is_rounding_only_next_to_its_value() -> None:
    psi = np.full((2, 4), 1e-15)
    kept = without_rounding(np.array([1.0, 1e-3]), psi)
    assert not kept[0].any()
    assert kept[1].all()
