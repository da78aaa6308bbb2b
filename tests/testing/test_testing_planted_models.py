"""Each model check fails on a value model that breaks just this promise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pytest

from giftlive.errors import NotEnoughDataError
from giftlive.models.base import FittedModel, State
from giftlive.models.ridge import Ridge
from giftlive.testing import MODEL_CHECKS, Sample, check_value_model, make_sample
from giftlive.testing import models as promise
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class FittedSpoiled:
    """A fitted ridge whose predictions and card are spoiled on their way out."""

    inner: FittedModel
    spoil: Callable[[Floats, Floats], Floats]
    says: dict[str, Any]

    def predict(self, X: Floats, /) -> Floats:
        return self.spoil(X, self.inner.predict(X))

    def predict_proba(self, X: Floats, /) -> Floats:
        return self.inner.predict_proba(X)

    def card(self) -> dict[str, Any]:
        return self.inner.card() | self.says

    def state(self) -> State:
        return self.inner.state()


def as_it_is(X: Floats, amount: Floats) -> Floats:
    return amount


@dataclass(frozen=True)
class Spoiled:
    """Ridge, spoiled; with ``stubborn`` it fits something on no gift and does not say so."""

    spoil: Callable[[Floats, Floats], Floats] = as_it_is
    says: tuple[tuple[str, Any], ...] = ()
    stubborn: bool = False

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedModel:
        says = dict(self.says)
        try:
            return FittedSpoiled(Ridge().fit(X, y, groups, names=names), self.spoil, says)
        except NotEnoughDataError:
            if not self.stubborn:
                raise
            fallback = Ridge().fit(X, y + 1.0, groups, names=names)
            return FittedSpoiled(fallback, as_it_is, {"limits": ()})


fits = count(1)


def noisy() -> Spoiled:
    factor = 1.0 + 1e-12 * next(fits)
    return Spoiled(lambda X, amount: amount * factor)


def normalised(X: Floats, amount: Floats) -> Floats:
    return amount / amount.mean() if len(amount) else amount


def running_mean(X: Floats, amount: Floats) -> Floats:
    return np.cumsum(amount) / np.arange(1, len(amount) + 1)


def reads_minus_one(X: Floats, amount: Floats) -> Floats:
    return amount + (X[:, 1] == -1.0)


def nothing_known(X: Floats, amount: Floats) -> Floats:
    return np.where(np.isnan(X).all(axis=1), np.nan, amount)


PLANTED: tuple[tuple[promise.ModelCheck, promise.ModelFactory, str], ...] = (
    (promise.predictions_are_amounts, lambda: Spoiled(lambda X, a: a - 9.0), "negative"),
    (promise.predictions_are_amounts, lambda: Spoiled(lambda X, a: a[:, None]), "were given"),
    (promise.fitting_again_gives_the_same_model, noisy, "two models"),
    (promise.rows_are_predicted_alone, lambda: Spoiled(running_mean), "permuting"),
    (promise.rows_are_predicted_alone, lambda: Spoiled(normalised), "leaving other rows out"),
    (promise.unknown_features_are_tolerated, lambda: Spoiled(reads_minus_one), "apart"),
    (promise.unknown_features_are_tolerated, lambda: Spoiled(nothing_known), "a row of nan"),
    (promise.a_saved_model_is_the_model, lambda: Spoiled(lambda X, a: 2.0 * a), "saving"),
    (promise.too_few_gifts_are_refused, lambda: Spoiled(stubborn=True), "neither refused"),
    (promise.the_card_counts_the_rows, lambda: Spoiled(says=(("rows", 7),)), "rows = 7"),
    (promise.the_card_counts_the_rows, lambda: Spoiled(says=(("limits", ()),)), "its limits"),
)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample()


@pytest.mark.parametrize(("check", "factory", "says"), PLANTED)
def test_a_broken_model_is_caught(
    check: promise.ModelCheck, factory: promise.ModelFactory, says: str, sample: Sample
) -> None:
    with pytest.raises(AssertionError, match=says):
        check(factory, sample)
    with pytest.raises(AssertionError):
        check_value_model(factory, sample)


def test_every_model_check_has_a_model_that_breaks_it() -> None:
    assert {check for check, _, _ in PLANTED} == set(MODEL_CHECKS)


def test_the_unspoiled_model_passes(sample: Sample) -> None:
    check_value_model(Spoiled, sample)


def test_the_sample_holds_gifts_and_both_kinds_of_unknown(sample: Sample) -> None:
    assert 0.05 < np.mean(sample.y > 0.0) < 0.3
    assert (sample.X == -1.0).any()
    assert np.isnan(sample.X).any()
    richer = sample.X[:, 0] > np.median(sample.X[:, 0])
    assert sample.y[richer].sum() > 2.0 * sample.y[~richer].sum()
