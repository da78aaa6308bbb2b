"""The hurdle and the zero-inflated log-normal: levels and orders where the truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from giftlive.models.base import known, training
from giftlive.models.calibrators import Beta
from giftlive.models.hurdle import FittedHurdle, Hurdle
from giftlive.models.parts import cross_part
from giftlive.models.thinned_chance import fit_thinned_chance, thin
from giftlive.models.trees import TreeSettings, user_folds
from giftlive.models.two_part import TwoPart
from giftlive.models.ziln import FittedZiln, Ziln
from giftlive.rng import stream
from giftlive.types import Floats

FEW = TreeSettings(rounds=40, leaves=8, learning_rate=0.05, rows_per_leaf=20, threads=1)


def _gini(truth: Floats, score: Floats) -> float:
    ranks, best = (np.argsort(np.argsort(x)) for x in (score, truth))
    centred = 2.0 * np.stack([ranks, best]) + 1.0 - len(truth)
    ours, ceiling = centred @ truth
    return float(ours / ceiling)


def _fit(model: Any, sample: Any) -> Any:
    return model.fit(sample.X, sample.y, sample.user, names=sample.names)


def _ratios(predicted: Floats, truth: Floats) -> Floats:
    tenths = np.array_split(np.argsort(predicted), 10)
    return np.array([predicted[rows].sum() / truth[rows].sum() for rows in tenths])


@pytest.fixture(scope="module")
def hurdle(many: Any) -> FittedHurdle:
    fitted: FittedHurdle = _fit(Hurdle(FEW, FEW), many[0])
    return fitted


@pytest.fixture(scope="module")
def ziln(many: Any) -> FittedZiln:
    fitted: FittedZiln = _fit(Ziln(FEW, FEW, FEW), many[0])
    return fitted


def test_the_hurdle_has_the_level_of_the_truth_in_every_tenth(
    hurdle: FittedHurdle, many: Any
) -> None:
    fresh = many[1]
    predicted = hurdle.predict(fresh.X)
    assert predicted.sum() == pytest.approx(fresh.ev.sum(), rel=0.1)
    assert _ratios(predicted, fresh.ev) == pytest.approx(np.ones(10), abs=0.15)


def test_the_sum_is_right_for_users_who_return(many: Any, hurdle: FittedHurdle) -> None:
    assert hurdle.predict(many[0].X).sum() == pytest.approx(many[0].y.sum(), rel=1e-9)
    # A few dozen users, each told by a number of his own that says nothing of the others'.
    g = stream(5, "few users")
    worth = np.exp(1.5 * g.normal(size=40))
    user = g.integers(0, 40, 16_000)
    X, chance = g.permutation(40)[user][:, None].astype(np.float64), 0.2
    y = np.where(g.random(16_000) < chance, worth[user] * np.exp(0.3 * g.normal(size=16_000)), 0.0)
    then, later = worth[user[:8_000]].sum(), worth[user[8_000:]].sum()
    for model in (Hurdle(FEW, FEW), Ziln(FEW, FEW, FEW)):
        fitted: Any = model.fit(X[:8_000], y[:8_000], user[:8_000], names=("who",))
        off = fitted.card()["fitted"]["seen_over_unseen"]
        assert abs(np.log(off)) > 0.1  # whoever sets the sum on unseen users is off by this
        level = fitted.predict(X[8_000:]).sum() / y[:8_000].sum()  # the luck of training is its
        assert level == pytest.approx(later / then, rel=0.07)


def test_slices_that_the_spline_was_not_told_of_have_their_level(
    hurdle: FittedHurdle, many: Any
) -> None:
    # Big past spenders, and pairs without a history.
    fresh = many[1]
    for rows in (fresh.X[:, 0] > np.median(fresh.X[:, 0]), fresh.X[:, 1] == -1.0):
        predicted = hurdle.predict(fresh.X[rows]).sum()
        assert predicted == pytest.approx(fresh.ev[rows].sum(), rel=0.1)


def test_the_hurdle_orders_at_least_as_well_as_two_part(
    hurdle: FittedHurdle, many: Any, train: Any, fresh: Any
) -> None:
    plain = _gini(many[1].ev, _fit(TwoPart(FEW, FEW), many[0]).predict(many[1].X))
    assert _gini(many[1].ev, hurdle.predict(many[1].X)) >= plain - 0.001
    few_gifts = _gini(fresh.ev, _fit(Hurdle(FEW, FEW), train).predict(fresh.X))
    assert few_gifts > _gini(fresh.ev, _fit(TwoPart(FEW, FEW), train).predict(fresh.X)) + 0.002


def test_the_chance_is_calibrated_on_fresh_users(hurdle: FittedHurdle, many: Any) -> None:
    chance = hurdle.predict_proba(many[1].X)
    assert _ratios(chance, many[1].chance) == pytest.approx(np.ones(10), abs=0.15)


def test_the_spline_sets_what_the_product_misses(hurdle: FittedHurdle, many: Any) -> None:
    X = known(many[1].X)
    unlevelled = np.exp(hurdle.chance.log_chances(X) + hurdle.amount.scores(X)).mean(axis=1)
    before, after = (_ratios(p, many[1].ev) for p in (unlevelled, hurdle.predict(many[1].X)))
    assert np.abs(after - 1.0).max() <= np.abs(before - 1.0).max() + 0.02
    # The same order, up to members that disagree.
    assert _gini(hurdle.predict(many[1].X), unlevelled) > 0.999


def test_thinning_negatives_is_undone(many: Any) -> None:
    few = _fit(Hurdle(FEW, FEW, negatives_per_gift=2.0), many[0])
    assert few.card()["fitted"]["negatives_kept"] < 0.5
    chance = few.predict_proba(many[1].X)
    assert chance.mean() == pytest.approx(many[1].chance.mean(), rel=0.04)
    assert _ratios(chance, many[1].chance) == pytest.approx(np.ones(10), abs=0.15)
    assert few.predict(many[1].X).sum() == pytest.approx(many[1].ev.sum(), rel=0.1)


def test_thinned_rows_hold_every_gift_and_stand_for_all(train: Any) -> None:
    data = training(train.X, train.y, train.user, train.names)
    thinned = thin(data, 3.0, seed=0)
    assert np.isin(np.flatnonzero(data.y > 0.0), thinned.rows).all()
    assert len(thinned.rows) == pytest.approx(4 * data.positives, abs=1)
    assert thinned.weights.sum() == pytest.approx(len(data.y))
    everyone = thin(data, 1e9, seed=0)
    assert (everyone.keep, len(everyone.rows)) == (1.0, len(data.y))


def test_the_log_chance_is_the_beta_curve_with_the_odds_put_back(train: Any) -> None:
    rows = slice(0, 4_000)
    X, fold = train.X[rows], user_folds(train.user[rows], 3, seed=0)
    occurred = (train.y[rows] > 0.0).astype(np.float64)
    fitted, log_chance = fit_thinned_chance(X, occurred, fold, 0.25, FEW, seed=0)
    sampled = fitted.curve(1.0 / (1.0 + np.exp(-fitted.part.unseen(X, fold))))
    undone = sampled / (sampled + (1.0 - sampled) / 0.25)
    assert np.exp(fitted.unseen(X, fold)) == pytest.approx(undone, rel=1e-9)
    assert log_chance == pytest.approx(fitted.unseen(X, fold), rel=1e-12)
    assert isinstance(fitted.curve, Beta)


def test_the_unseen_score_of_a_part_does_not_depend_on_its_targets(train: Any) -> None:
    X, fold = train.X[:2_000], user_folds(train.user[:2_000], 3, seed=0)
    y = stream(0, "targets").normal(size=2_000)
    changed = np.where(fold == 1, -y, y)
    before, after = (
        cross_part(X, t, fold, "regression", FEW, 0).unseen(X, fold) for t in (y, changed)
    )
    assert np.array_equal(before[fold == 1], after[fold == 1])
    assert not (before == after)[fold != 1].any()


def test_rows_that_all_hold_a_gift_have_a_constant_chance(train: Any) -> None:
    gifts = train.y > 0.0
    for model in (Hurdle(FEW, FEW), Ziln(FEW, FEW, FEW)):
        fit: Any = model.fit(train.X[gifts], train.y[gifts], train.user[gifts], names=train.names)
        assert np.ptp(fit.predict_proba(train.X)) == 0.0
        assert fit.predict_proba(train.X).min() > 0.99
        assert fit.predict(train.X[gifts]).sum() == pytest.approx(train.y.sum(), rel=0.1)


def _planted(n: int, seed: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return features, amounts, true E[amount] and true σ² of a zero-inflated log-normal law."""
    g = stream(seed, "planted ziln")
    X = g.normal(size=(n, 3))
    chance = 1.0 / (1.0 + np.exp(0.5 - X[:, 0]))
    mu, sigma = 2.0 + 0.8 * X[:, 1], np.exp(-0.3 + 0.25 * X[:, 2])
    amount = np.exp(mu + sigma * g.normal(size=n))
    y = np.where(g.random(n) < chance, amount, 0.0)
    return X, y, chance * np.exp(mu + sigma**2 / 2.0), sigma**2


def test_a_planted_zero_inflated_log_normal_is_recovered() -> None:
    # Features are tamed, log(1 + |x|): the trees must find the rest of a law linear in x.
    X, y, _, _ = _planted(40_000, 1)
    fit: Any = Ziln(FEW, FEW, FEW).fit(X, y, names=("a", "b", "c"))
    fresh, _, truth, variance = _planted(20_000, 2)
    predicted = fit.predict(fresh)
    assert predicted.sum() == pytest.approx(truth.sum(), rel=0.12)
    assert _gini(truth, predicted) > 0.97
    found = fit.law.variances(fresh).mean(axis=1)
    assert np.corrcoef(np.log(found), np.log(variance))[0, 1] > 0.95
    middle = np.abs(fresh[:, 2]) < 0.5
    assert np.mean(np.log(found[middle] / variance[middle])) == pytest.approx(0.0, abs=0.15)
    card = fit.card()["fitted"]
    assert card["level"] == pytest.approx(1.0, abs=0.12)
    assert card["closed_form_over_smearing"] == pytest.approx(1.0, abs=0.15)
    assert card["kurtosis_of_residuals"] == pytest.approx(3.0, abs=0.5)


def test_quantiles_of_the_log_normal_law_cover() -> None:
    X, y, _, _ = _planted(40_000, 3)
    fit: Any = Ziln(FEW, FEW, FEW).fit(X, y, names=("a", "b", "c"))
    fresh, later, _, _ = _planted(20_000, 4)
    levels = (0.2, 0.8, 0.95)
    quantiles = fit.predict_distribution(fresh, levels)
    assert (np.diff(quantiles, axis=1) >= 0.0).all()
    p = fit.predict_proba(fresh)
    for level, quantile in zip(levels, quantiles.T, strict=True):
        # Where the quantile is 0, amounts of 0 alone are covered: more often than asked.
        nominal = np.where(quantile > 0.0, level, 1.0 - p).mean()
        assert np.mean(later <= quantile) == pytest.approx(nominal, abs=0.015)


def test_a_heavy_tail_is_diagnosed_and_the_sum_repaired() -> None:
    g = stream(5, "pareto")
    X = g.normal(size=(30_000, 2))
    amount = np.exp(1.0 + 0.5 * X[:, 0]) * (1.0 + g.pareto(1.6, 30_000))
    y = np.where(g.random(30_000) < 0.3, amount, 0.0)
    fit: Any = Ziln(FEW, FEW, FEW).fit(X, y, names=("a", "b"))
    card = fit.card()["fitted"]
    # Log amounts are exponential, not normal: kurtosis 9, and exp(σ²/2) misses the mean.
    assert card["kurtosis_of_residuals"] > 5.0
    assert card["closed_form_over_smearing"] < 0.9
    assert card["level"] > 1.1
    assert fit.predict(X).sum() == pytest.approx(y.sum(), rel=0.05)


def test_a_constant_variance_is_one_number(train: Any) -> None:
    fit: Any = _fit(Ziln(FEW, FEW, FEW, variance="constant"), train)
    assert np.ptp(fit.law.variances(train.X)) == 0.0
    assert fit.law.scale == pytest.approx(1.0, abs=0.25)
    assert "variance" not in fit.state().forests


def test_the_closed_form_is_the_product_of_its_parts(ziln: FittedZiln, many: Any) -> None:
    X = known(many[1].X[:200])
    p = np.exp(ziln.chance.log_chances(X))
    closed = p * np.exp(ziln.law.means(X) + 0.5 * ziln.law.variances(X))
    assert ziln.predict(X) == pytest.approx(ziln.level * closed.mean(axis=1), rel=1e-12)


def test_the_log_normal_model_orders_like_the_hurdle_where_its_law_holds(
    ziln: FittedZiln, hurdle: FittedHurdle, many: Any
) -> None:
    ours = _gini(many[1].ev, ziln.predict(many[1].X))
    assert ours > _gini(many[1].ev, hurdle.predict(many[1].X)) - 0.005
