from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.errors import InputError
from giftlive.ope.weights import (
    category_weight,
    clip,
    embedding_weight,
    mean_propensity,
    mrdr_weights,
    shrink,
    sub_gaussian,
    switch,
)

W = np.array([0.0, 0.5, 1.0, 4.0])


def test_shapes_by_hand() -> None:
    assert clip(1.0)(W).tolist() == [0.0, 0.5, 1.0, 1.0]
    assert switch(1.0)(W).tolist() == [0.0, 0.5, 1.0, 0.0]
    np.testing.assert_allclose(shrink(2.0)(W), [0.0, 1.0 / 2.25, 2.0 / 3.0, 8.0 / 18.0])
    np.testing.assert_allclose(sub_gaussian(0.5)(W), [0.0, 0.5 / 0.75, 1.0, 4.0 / 2.5])


@given(st.floats(0.0, 1e6), st.floats(1e-3, 1e6))
def test_shapes_never_turn_a_weight_negative_and_vanish_in_the_limit(w: float, at: float) -> None:
    one = np.array([w])
    for shape in (clip(at), switch(at), shrink(at)):
        assert 0.0 <= shape(one)[0] <= w * (1 + 1e-12)
    for shape in (clip(np.inf), switch(np.inf), shrink(np.inf), sub_gaussian(0.0)):
        assert shape(one)[0] == w


@pytest.mark.parametrize("make", [clip, switch, shrink])
@pytest.mark.parametrize("at", [0.0, -1.0, np.nan])
def test_shapes_need_a_positive_number(make: type, at: float) -> None:
    with pytest.raises(InputError, match="above 0"):
        make(at)


@pytest.mark.parametrize("mix", [-0.1, 1.0, np.nan])
def test_sub_gaussian_needs_a_share_below_one(mix: float) -> None:
    with pytest.raises(InputError, match="mix"):
        sub_gaussian(mix)


def test_mrdr_weights_minimise_the_variance_of_dr() -> None:
    """One q for two contexts, action 0 certain: only its error there costs variance.

    Var DR = Σ_x P(x) (1 - p(x)) / p(x) (r(x) - q)² + a constant, by hand.
    """
    p, reward = np.array([0.2, 0.8]), np.array([3.0, 1.0])
    shown = np.repeat([0, 1], [200, 800])  # contexts of the rows with action 0, as p would log
    w = mrdr_weights(p[shown], np.ones(len(shown)))
    fitted = float(w @ reward[shown] / w.sum())

    def variance(q: float) -> float:
        total = 0.0
        for x in (0, 1):
            terms = np.array([q + (reward[x] - q) / p[x], q])
            chances = np.array([p[x], 1.0 - p[x]])
            total += 0.5 * float(chances @ (terms - reward[x]) ** 2)
        return total

    grid = np.linspace(1.0, 3.0, 20_001)
    assert fitted == pytest.approx(min(grid, key=variance), abs=2e-4)
    plain = float(reward[shown].mean())
    assert variance(fitted) < 0.8 * variance(plain)


def test_mean_propensity_mixes_by_the_loggers_shares() -> None:
    by_logger = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.25], [0.2, 0.6]])
    found = mean_propensity(by_logger, np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(found, [0.75, 0.75, 0.4375, 0.3])
    for wrong in (np.array([0, 0, 0, 2]), np.array([0, 0])):
        with pytest.raises(InputError, match="mean_propensity"):
            mean_propensity(by_logger, wrong)


def test_category_weight_needs_overlap_of_categories_only() -> None:
    target = np.array([[0.0, 0.5, 0.5], [0.25, 0.25, 0.5]])
    logging = np.array([[1.0, 0.0, 0.0], [0.4, 0.4, 0.2]])
    action = np.array([0, 2])
    np.testing.assert_allclose(
        category_weight(target, logging, action, np.array([7, 7, 9])), [0.5, 2.5]
    )
    per_row = np.array([[1, 1, 1], [1, 2, 3]])
    np.testing.assert_allclose(category_weight(target, logging, action, per_row), [1.0, 2.5])
    with pytest.raises(InputError, match="row 0"):
        category_weight(target, logging, np.array([1, 2]), np.array([7, 8, 9]))


def test_one_category_per_action_is_the_importance_weight() -> None:
    rng = np.random.default_rng(1)
    target, logging = rng.dirichlet(np.ones(4), 50), rng.dirichlet(np.ones(4), 50)
    action = rng.integers(0, 4, 50)
    rows = np.arange(50)
    expected = target[rows, action] / logging[rows, action]
    np.testing.assert_allclose(category_weight(target, logging, action, np.arange(4)), expected)
    same = embedding_weight(target, logging, action[:, None], [np.eye(4)])
    np.testing.assert_allclose(same, expected)


def test_an_embedding_that_says_nothing_has_weight_one() -> None:
    rng = np.random.default_rng(2)
    target, logging = rng.dirichlet(np.ones(4), 20), rng.dirichlet(np.ones(4), 20)
    chances = [np.tile([0.3, 0.7], (4, 1))]
    seen = rng.integers(0, 2, (20, 1))
    np.testing.assert_allclose(embedding_weight(target, logging, seen, chances), 1.0)
