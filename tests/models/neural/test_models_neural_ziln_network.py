"""The zero-inflated log-normal as a network: order, level and spread where the law is planted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.models.neural.planted import needs_torch

from giftlive import metrics
from giftlive.models.folder import load, save
from giftlive.models.neural.fitted import FittedMultiTask
from giftlive.models.neural.training import Schedule
from giftlive.models.neural.ziln_network import ZilnNetwork
from giftlive.models.registry import make
from giftlive.models.ridge import Ridge
from giftlive.types import Floats

pytestmark = needs_torch


@pytest.fixture(scope="module")
def fitted(many: Any) -> FittedMultiTask:
    model = ZilnNetwork(schedule=Schedule(epochs=4))
    return model.fit(many[0].X, many[0].y, many[0].user, names=many[0].names)


def _gini(truth: Floats, score: Floats) -> float:
    return float(metrics.normalised_gini(truth, score))


def test_it_orders_expected_amounts_better_than_ridge(fitted: FittedMultiTask, many: Any) -> None:
    train, fresh = many
    ridge = Ridge().fit(train.X, train.y, train.user, names=train.names)
    ours = _gini(fresh.ev, fitted.predict(fresh.X))
    assert ours > _gini(fresh.ev, ridge.predict(fresh.X)) + 0.01
    assert ours > 0.95


def test_its_sum_and_its_chance_are_those_of_the_law(fitted: FittedMultiTask, many: Any) -> None:
    fresh = many[1]
    assert fitted.predict(fresh.X).sum() == pytest.approx(fresh.ev.sum(), rel=0.1)
    assert fitted.predict_proba(fresh.X).mean() == pytest.approx(fresh.chance.mean(), rel=0.1)


def test_the_value_is_the_closed_form_of_chance_mean_and_spread(
    fitted: FittedMultiTask, many: Any
) -> None:
    fresh = many[1].rows(slice(0, 5_000))
    X = fresh.X
    heads = fitted.heads(X)
    assert heads.watch_seconds is None
    assert np.array_equal(heads.click, np.ones(5_000))
    assert fitted.predict(X) == pytest.approx(
        fitted.levels.money * heads.gift * heads.amount, rel=1e-12
    )
    # exp(σ²/2) is in it: without the spread of the law (0.6) amounts would be 0.7 of the truth.
    assert fresh.chance @ heads.amount == pytest.approx(fresh.ev.sum(), rel=0.2)


def test_it_is_in_the_registry_and_comes_back_from_disk_bit_by_bit(
    fitted: FittedMultiTask, many: Any, tmp_path: Path
) -> None:
    assert make("ziln_network") == ZilnNetwork()
    assert fitted.card()["name"] == "ziln_network"
    assert fitted.card()["settings"]["tasks"] == ["gift", "amount"]
    save(fitted, tmp_path / "model")
    again = load(tmp_path / "model")
    assert np.array_equal(again.predict(many[1].X[:200]), fitted.predict(many[1].X[:200]))


def test_amounts_in_another_unit_scale_the_values(fitted: FittedMultiTask, many: Any) -> None:
    train = many[0]
    model = ZilnNetwork(schedule=Schedule(epochs=4))
    pence = model.fit(train.X, 1000.0 * train.y, train.user, names=train.names)
    X = train.X[:200]
    assert pence.predict(X) == pytest.approx(1000.0 * fitted.predict(X), rel=1e-3)
