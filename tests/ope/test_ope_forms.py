from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.ope.forms import RATIO, SQUARE_UNIT, Form, InverseVariance, LogMeanExp, Ratios
from giftlive.types import Floats

FORMS: dict[str, tuple[Form, int]] = {
    "ratio": (RATIO, 2),
    "two ratios": (Ratios(2), 4),
    "log mean exp": (LogMeanExp(0.3), 2),
}


def users(seed: int, columns: int, count: int = 40) -> Floats:
    return np.random.default_rng(seed).random((count, columns)) + 0.1


def groups(seed: int, count: int = 40) -> Floats:
    """Return sums of two groups whose means are equal, so that weights do not matter."""
    rng = np.random.default_rng(seed)
    x = rng.normal(2.0, [1.0, 3.0], (count, 2))
    x += 2.0 - x.mean(axis=0)
    one = np.ones(count)
    squares = x**2 / SQUARE_UNIT
    return np.stack([x[:, 0], squares[:, 0], one, x[:, 1], squares[:, 1], one], axis=1)


def in_units(sums: Floats) -> Floats:
    """Return sums of groups with their squares in the unit of the form."""
    return np.where(np.arange(len(sums)) % 3 == 1, sums / SQUARE_UNIT, sums)


@pytest.mark.parametrize("name", FORMS)
def test_errors_are_the_derivative_in_the_weight_of_a_user(name: str) -> None:
    """The von Mises expansion, against finite differences of the value itself."""
    form, columns = FORMS[name]
    sums = users(1, columns)
    value, error = form.errors(sums)
    assert value == pytest.approx(float(form.value(sums.sum(axis=0))), rel=1e-13)
    step = 1e-6
    moved = form.value(sums.sum(axis=0) + step * sums) - value
    np.testing.assert_allclose(error, moved / step, rtol=1e-4, atol=1e-9)
    assert error.sum() == pytest.approx(0.0, abs=1e-12)


def test_errors_of_groups_with_one_mean_are_the_derivative_too() -> None:
    sums = groups(2)
    form = InverseVariance(2)
    value, error = form.errors(sums)
    moved = form.value(sums.sum(axis=0) + 1e-6 * sums) - value
    np.testing.assert_allclose(error, moved / 1e-6, rtol=1e-4, atol=1e-7)


def test_inverse_variance_by_hand() -> None:
    """Group 0: 1, 3 (mean 2, variance 1); group 1: 0, 12 (mean 6, variance 36)."""
    sums = in_units(np.array([4.0, 10.0, 2.0, 12.0, 144.0, 2.0]))
    expected = (2.0 / 1.0 * 2.0 + 2.0 / 36.0 * 6.0) / (2.0 / 1.0 + 2.0 / 36.0)
    assert float(InverseVariance(2).value(sums)) == pytest.approx(expected, rel=1e-14)


def test_a_group_without_rows_takes_no_part_and_one_that_never_varies_has_no_weight() -> None:
    there, absent = in_units(np.array([4.0, 10.0, 2.0])), np.zeros(3)
    both = np.concatenate([there, absent])
    assert float(InverseVariance(2).value(both)) == 2.0
    constant = in_units(np.array([4.0, 8.0, 2.0]))
    assert np.isnan(InverseVariance(2).value(np.concatenate([there, constant])))


@given(st.integers(0, 10_000), st.floats(0.1, 1e3))
def test_doubling_every_sum_changes_no_value(seed: int, factor: float) -> None:
    for form, columns in FORMS.values():
        totals = users(seed, columns).sum(axis=0)
        assert float(form.value(factor * totals)) == pytest.approx(float(form.value(totals)))


def test_what_is_undefined_is_nan() -> None:
    assert np.isnan(RATIO.value(np.array([1.0, 0.0])))
    assert np.isnan(Ratios(2).value(np.array([1.0, 1.0, 1.0, 0.0])))
    assert np.isnan(LogMeanExp(1.0).value(np.array([0.0, 5.0])))
    assert np.isnan(Ratios(2).errors(np.zeros((3, 4)))[0])


def test_a_small_scale_is_the_mean_and_a_large_one_the_minimum() -> None:
    x = np.array([1.0, 2.0, 6.0])
    for scale, expected in ((1e-6, 3.0), (200.0, 1.0)):
        sums = np.array([np.exp(-scale * x).sum(), 3.0])
        assert float(LogMeanExp(scale).value(sums)) == pytest.approx(expected, abs=1e-2)


def test_no_rows_at_all_and_rounding_in_place_of_variance_are_undefined() -> None:
    form = InverseVariance(2)
    assert np.isnan(form.value(np.zeros(6)))
    tenth = np.full(10, 0.1)
    nearly = np.array([tenth.sum(), (tenth**2).sum(), 10.0])
    assert nearly[1] / 10 - (nearly[0] / 10) ** 2 != 0.0  # rounding alone
    assert np.isnan(form.value(in_units(np.concatenate([nearly, [4.0, 10.0, 2.0]]))))
