"""The weighted classifier and its solver, against scikit-learn and by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.errors import InputError, NotEnoughDataError, UsageError
from giftlive.models.delay.chance import BoostedChance, Logistic
from giftlive.models.delay.design import Design, ridge
from giftlive.models.delay.newton import minimise
from giftlive.models.trees import TreeSettings
from giftlive.rng import stream
from giftlive.types import Floats


def sample(seed: int, n: int) -> tuple[Floats, Floats, Floats]:
    rng = stream(seed, "chance")
    X = rng.normal(size=(n, 3)) * [1.0, 5.0, 0.1] + [0.0, 20.0, 0.0]
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(1.0 - X[:, 0] + 5.0 * X[:, 2]))).astype(np.float64)
    return X, y, rng.integers(0, 4, n).astype(np.float64)


@pytest.mark.parametrize("penalty", [1.0, 50.0])
def test_it_is_scikit_learns_ridge_logistic_regression(penalty: float) -> None:
    from sklearn.linear_model import LogisticRegression

    X, y, w = sample(1, 800)
    design = Design.of(X)
    other = LogisticRegression(
        C=1.0 / penalty, tol=1e-12, max_iter=10_000, solver="newton-cholesky"
    )
    other.fit(design(X)[:, 1:], y, sample_weight=w)
    expected = other.predict_proba(design(X)[:, 1:])[:, 1]
    assert Logistic(penalty).fit(X, y, w).probability(X) == pytest.approx(expected, abs=1e-6)


def test_a_weight_is_that_many_copies_of_a_row() -> None:
    X, y, w = sample(2, 300)
    copies = np.repeat(np.arange(300), w.astype(np.int64))
    design = Design.of(X)  # standardised alike, so that the penalty means the same
    a = Logistic(penalty=0.0).fit(X, y, w)
    b = Logistic(penalty=0.0).fit(X[copies], y[copies])
    assert a.probability(X) == pytest.approx(b.probability(X), abs=1e-8)
    assert design.width == 4


def test_a_label_between_0_and_1_is_a_mixture_of_both() -> None:
    X, y, _ = sample(3, 200)
    soft = 0.25 + 0.5 * y
    both, labels = np.concatenate([X, X]), np.repeat([1.0, 0.0], 200)
    a = Logistic().fit(X, soft).probability(X)
    b = Logistic().fit(both, labels, np.concatenate([soft, 1.0 - soft])).probability(X)
    assert a == pytest.approx(b, abs=1e-9)


def test_promised_is_observed_on_the_training_rows() -> None:
    X, y, w = sample(4, 500)
    p = Logistic().fit(X, y, w).probability(X)
    assert w @ p == pytest.approx(w @ y, rel=1e-9)


def test_one_kind_of_label_gives_a_rate_and_a_constant_feature_nothing() -> None:
    X, y, _ = sample(5, 99)
    assert Logistic().fit(X, np.zeros(99)).probability(X) == pytest.approx(0.005, rel=1e-9)
    assert Logistic().fit(X, np.ones(99)).probability(X) == pytest.approx(0.995, rel=1e-9)
    more = np.column_stack([X, np.ones(99)])
    for penalty in (0.0, 1.0):
        a, b = Logistic(penalty).fit(X, y), Logistic(penalty).fit(more, y)
        assert b.probability(more) == pytest.approx(a.probability(X), abs=1e-9)


def test_trees_take_weights_too() -> None:
    X, y, _ = sample(6, 2_000)
    model = BoostedChance(TreeSettings(rounds=20, leaves=4, rows_per_leaf=20, threads=1))
    plain = model.fit(X, y).probability(X)
    assert np.corrcoef(plain, y)[0, 1] > 0.3
    heavy = model.fit(X, y, np.where(y > 0.0, 3.0, 1.0)).probability(X)
    assert heavy.mean() > 1.3 * plain.mean()
    with pytest.raises(InputError, match="0 or 1"):
        model.fit(X, y * 0.5)


def test_wrong_arguments_are_refused() -> None:
    X, y, w = sample(7, 20)
    with pytest.raises(UsageError, match="shapes"):
        Logistic().fit(X, y[:-1])
    with pytest.raises(InputError, match="label"):
        Logistic().fit(X, y + 1.0)
    with pytest.raises(InputError, match="weight"):
        Logistic().fit(X, y, -w - 1.0)
    with pytest.raises(NotEnoughDataError, match="no row"):
        Logistic().fit(X, y, w * 0.0)
    with pytest.raises(UsageError, match="penalty"):
        ridge(3, -1.0)
    with pytest.raises(UsageError, match="as in training"):
        Logistic().fit(X, y).probability(X[:, :2])


@given(st.lists(st.floats(-5.0, 5.0), min_size=2, max_size=2), st.floats(0.1, 20.0))
def test_newton_finds_the_bottom_of_a_steep_valley(start: list[float], steep: float) -> None:
    def loss(a: Floats) -> tuple[float, Floats, Floats]:
        e = np.exp(min(steep * a[0], 300.0))
        value = e - steep * a[0] + (a[1] - 2.0) ** 2
        slope = np.array([steep * (e - 1.0), 2.0 * (a[1] - 2.0)])
        return float(value), slope, np.diag([steep**2 * e, 2.0])

    found, curvature = minimise(loss, np.array(start), "a valley")
    assert found == pytest.approx([0.0, 2.0], abs=1e-4)
    assert curvature[0, 0] == pytest.approx(steep**2, rel=1e-3)


def test_newton_says_what_has_no_minimum() -> None:
    def flat(a: Floats) -> tuple[float, Floats, Floats]:
        return float(a[0]), np.array([1.0, 0.0]), np.diag([1.0, 0.0])

    def endless(a: Floats) -> tuple[float, Floats, Floats]:
        return float(-a[0]), np.array([-1.0]), np.eye(1)

    with pytest.raises(NotEnoughDataError, match="singular"):
        minimise(flat, np.zeros(2), "a plane")
    with pytest.raises(NotEnoughDataError, match="no minimum after"):
        minimise(endless, np.zeros(1), "a slope")


def test_raw_coefficients_are_those_of_raw_features() -> None:
    X, y, _ = sample(8, 400)
    fitted = Logistic().fit(X, y)
    raw = fitted.design.raw() @ fitted.coefficients
    assert fitted.logit(X) == pytest.approx(raw[0] + X @ raw[1:], abs=1e-9)
