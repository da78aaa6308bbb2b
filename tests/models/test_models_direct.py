"""Models of the amount in one step: planted laws, early stopping, what each cannot do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.base import Training
from giftlive.models.boosted import BoostedLog1p
from giftlive.models.boosted_amount import BoostedAmount
from giftlive.models.early_stopping import EarlyStopping, held_out_rows
from giftlive.models.ridge_log1p import RidgeLog1p
from giftlive.models.trees import TreeSettings
from giftlive.models.tweedie_glm import TweedieGlm
from giftlive.rng import stream
from giftlive.types import Floats

QUICK = TreeSettings(rounds=200, leaves=8, learning_rate=0.1, rows_per_leaf=50, threads=1)


def _compound(mean: Floats, power: float, seed: int) -> Floats:
    """Draw compound Poisson-gamma amounts: Var = mean^power, the law of the Tweedie deviance."""
    g = stream(seed, "compound")
    count = g.poisson(mean ** (2.0 - power) / (2.0 - power))
    shape = (2.0 - power) / (power - 1.0)
    scale = (power - 1.0) * mean ** (power - 1.0)
    return np.where(count > 0, g.gamma(np.maximum(count, 1) * shape) * scale, 0.0)


# --- ridge on log(1 + amount)


def test_ridge_log1p_with_and_without_the_way_back_differ_by_the_log_normal_factor() -> None:
    g = stream(0, "log-normal")
    z = np.clip(g.normal(size=(40_000, 2)), -3.0, 3.0)
    X = np.sign(z) * np.expm1(np.abs(z))
    eta = 6.0 + 0.5 * z[:, 0] - 0.3 * z[:, 1]
    y = np.exp(eta + 0.9 * g.normal(size=40_000))
    # Counted in the smallest gift, one is nothing beside the others: log(1 + y) is log y.
    geometric = RidgeLog1p(retransform=False, penalty=1e-9).fit(X, y, names=("a", "b"))
    mean = RidgeLog1p(penalty=1e-9).fit(X, y, names=("a", "b"))
    assert geometric.predict(X) == pytest.approx(np.exp(eta), rel=0.1)
    assert np.median(mean.predict(X) / np.exp(eta)) == pytest.approx(np.exp(0.9**2 / 2), rel=0.05)
    assert "not E[amount]" in geometric.card()["estimand"]
    assert mean.card()["estimand"].startswith("E[amount]")
    assert geometric.card()["name"] == "ridge_log1p_geometric"


def test_ridge_log1p_has_the_level_only_with_the_way_back(train: Any, fresh: Any) -> None:
    luck = train.y.sum() / train.ev.sum()
    levels = [
        RidgeLog1p(retransform=way).fit(train.X, train.y, names=train.names).predict(fresh.X).sum()
        for way in (True, False)
    ]
    assert levels[0] == pytest.approx(luck * fresh.ev.sum(), rel=0.1)
    assert levels[1] < 0.2 * fresh.ev.sum()


def test_sums_beyond_the_range_seen_do_not_explode(train: Any, fresh: Any) -> None:
    fit = RidgeLog1p().fit(train.X, train.y, train.user, names=train.names)
    before = fit.predict(fresh.X).sum()
    grown = fresh.X.copy()
    grown[:, :3] = np.where(grown[:, :3] > 0.0, grown[:, :3] * 3.0, grown[:, :3])
    assert fit.predict(grown).sum() < 8.0 * before
    assert fit.predict(grown).max() <= fit.predict(train.X).max() * (1.0 + 1e-12)


# --- Tweedie regression


@pytest.mark.parametrize("power", [1.3, 1.5, 1.7])
def test_the_tweedie_regression_recovers_planted_coefficients(power: float) -> None:
    g = stream(1, "glm")
    z = np.clip(g.normal(size=(40_000, 3)), -3.0, 3.0)
    planted = np.array([0.8, -0.5, 0.0])
    mean = np.exp(-0.5 + z @ planted)
    y = _compound(mean, power, seed=2)
    assert 0.02 < np.mean(y == 0.0) < 0.9
    # The model tames features by a logarithm: give it what comes out as z.
    X = np.sign(z) * np.expm1(np.abs(z))
    fit = TweedieGlm(power=power, penalty=0.0).fit(X, y, names=("a", "b", "c"))
    slopes = fit.coefficients[:3] / fit.basis.spread
    assert slopes == pytest.approx(planted, abs=0.03)
    assert fit.coefficients[3:] == pytest.approx(np.zeros(3), abs=1e-6)
    assert fit.predict(X) == pytest.approx(mean, rel=0.15)


def test_a_wrong_power_costs_precision_only() -> None:
    z = np.clip(stream(3, "power").normal(size=(40_000, 1)), -3.0, 3.0)
    mean = np.exp(0.7 * z[:, 0])
    y = _compound(mean, 1.7, seed=4)
    X = np.sign(z) * np.expm1(np.abs(z))
    fit = TweedieGlm(power=1.2, penalty=0.0).fit(X, y, names=("a",))
    assert fit.coefficients[0] / fit.basis.spread[0] == pytest.approx(0.7, abs=0.05)


def test_an_unknown_feature_has_an_effect_of_its_own() -> None:
    g = stream(5, "gap")
    gone = g.random(20_000) < 0.4
    X = np.where(gone, -1.0, g.random(20_000))[:, None]
    y = np.where(gone, 5.0, 1.0) * g.exponential(size=20_000)
    fit = TweedieGlm(penalty=1e-9).fit(X, y, names=("x",))
    assert fit.predict(np.array([[-1.0], [np.nan], [0.5]])) == pytest.approx([5, 5, 1], rel=0.05)


def test_the_tweedie_level_needs_little_help_and_holds_in_tenths(train: Any, fresh: Any) -> None:
    fit = TweedieGlm().fit(train.X, train.y, train.user, names=train.names)
    assert fit.card()["fitted"]["actual_over_predicted_before"] == pytest.approx(1.0, abs=0.1)
    predicted = fit.predict(fresh.X) * train.ev.sum() / train.y.sum()
    tenths = np.array_split(np.argsort(predicted), 10)
    ratios = [predicted[rows].sum() / fresh.ev[rows].sum() for rows in tenths]
    assert max(np.abs(np.log(ratios))) < 0.4


def test_amounts_without_a_convergent_fit_are_refused() -> None:
    g = stream(6, "separable")
    X = g.normal(size=(2_000, 1))
    y = np.where(X[:, 0] > 2.5, 100.0, 0.0)
    with pytest.raises(NotEnoughDataError, match=r"did not converge.*Hint"):
        TweedieGlm(penalty=0.0, steps=5).fit(X, y, names=("outcome",))


# --- boosted amounts


def test_squared_loss_recovers_the_means_of_groups() -> None:
    g = stream(7, "groups")
    X = g.integers(0, 4, (20_000, 1)).astype(np.float64)
    mean = np.array([1.0, 4.0, 2.0, 9.0])[X[:, 0].astype(np.int64)]
    y = mean * g.exponential(size=20_000)
    fit = BoostedAmount("boosted_raw", "raw", QUICK).fit(X, y, names=("group",))
    assert fit.predict(np.arange(4.0)[:, None]) == pytest.approx([1, 4, 2, 9], rel=0.08)


def test_tweedie_trees_recover_the_means_of_groups_with_zeros() -> None:
    X = stream(8, "groups").integers(0, 4, (40_000, 1)).astype(np.float64)
    mean = np.array([0.1, 4.0, 0.5, 1.0])[X[:, 0].astype(np.int64)]
    y = _compound(mean, 1.5, seed=9)
    fit = BoostedAmount("boosted_tweedie", "tweedie", QUICK).fit(X, y, names=("group",))
    assert fit.predict(np.arange(4.0)[:, None]) == pytest.approx([0.1, 4.0, 0.5, 1.0], rel=0.1)


def test_tweedie_trees_begin_at_the_mean_and_are_rescaled(train: Any, fresh: Any) -> None:
    slow = TreeSettings(rounds=1, leaves=2, learning_rate=1e-9, threads=1)
    model = BoostedAmount("boosted_tweedie", "tweedie", slow)
    fit = model.fit(train.X, train.y, train.user, names=train.names)
    assert fit.predict(fresh.X) == pytest.approx(np.full(len(fresh.y), train.y.mean()), rel=1e-6)
    # A short ensemble shrinks towards the mean logarithm: the sum needs the factor it is given.
    few = BoostedAmount("boosted_tweedie", "tweedie", replace(QUICK, rounds=15))
    short = few.fit(train.X, train.y, train.user, names=train.names)
    assert short.predict(train.X).sum() == pytest.approx(train.y.sum(), rel=1e-9)
    assert abs(short.card()["fitted"]["predicted_over_actual_before"] - 1.0) > 0.02


def test_a_loss_or_power_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="raw or tweedie"):
        BoostedAmount("x", "mae")  # type: ignore[arg-type]
    for power in (1.0, 2.0):
        with pytest.raises(UsageError, match="power"):
            BoostedAmount("x", "tweedie", power=power)
        with pytest.raises(UsageError, match="power"):
            TweedieGlm(power=power)


# --- early stopping


def _rows(train: Any) -> Training:
    return Training(train.X, train.y, train.user, train.names)


def test_the_published_configuration_is_the_default() -> None:
    settings = EarlyStopping().settings(BoostedLog1p().trees)
    assert (settings["leaves"], settings["learning_rate"]) == (31, 0.05)


def test_growing_stops_where_strangers_stop_gaining(train: Any) -> None:
    stopped = BoostedLog1p(QUICK).fit(train.X, train.y, train.user, names=train.names)
    rounds = stopped.card()["fitted"]["rounds"]
    assert 5 < rounds < 150
    assert stopped.forest.texts[0].count("\nTree=") == rounds
    noise = stream(10, "noise").permutation(train.y)
    learnt = BoostedLog1p(QUICK).fit(train.X, noise, train.user, names=train.names)
    assert learnt.card()["fitted"]["rounds"] < rounds


def test_a_tenth_of_the_users_is_held_out_whole(train: Any) -> None:
    data = _rows(train)
    held = held_out_rows(data, "users", 10, seed=0)
    assert 0.05 < held.mean() < 0.15
    assert not set(data.groups[held]) & set(data.groups[~held])
    assert data.y[held].astype(bool).sum() == pytest.approx(data.positives / 10, rel=0.1)


def test_rows_are_held_out_where_one_user_gives_everything(train: Any) -> None:
    data = replace(_rows(train), groups=np.where(train.y > 0, 0, train.user))
    held = held_out_rows(data, "users", 10, seed=0)
    assert 0 < np.count_nonzero(data.y[held]) < data.positives / 5


def test_the_last_rows_can_judge_instead(train: Any) -> None:
    held = held_out_rows(_rows(train), "last_rows", 10, seed=0)
    assert held.sum() == 2_000
    assert held[-2_000:].all()
    model = BoostedLog1p(QUICK, EarlyStopping("last_rows"))
    changed = train.y.copy()
    changed[-2_000:] = stream(11, "last").permutation(changed[-2_000:])
    fits = [model.fit(train.X, y, names=train.names) for y in (train.y, changed)]
    # What judges is not grown on: the shared first trees are the same.
    first = [fit.forest.texts[0].split("Tree=0\n")[1].split("\n\n")[0] for fit in fits]
    assert first[0] == first[1]
    with pytest.raises(UsageError, match="held_out"):
        EarlyStopping("first_rows")  # type: ignore[arg-type]
