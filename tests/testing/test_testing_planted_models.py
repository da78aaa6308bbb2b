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
from giftlive.testing import robustness as wild
from giftlive.testing.samples import ModelCheck, ModelFactory
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class FittedSpoiled:
    """A fitted ridge whose predictions and card are spoiled on their way out."""

    inner: FittedModel
    spoil: Callable[[Floats, Floats], Floats]
    says: dict[str, Any]
    swallows: bool = False

    def predict(self, X: Floats, /) -> Floats:
        return self.spoil(X, self.inner.predict(self._taken(X)))

    def predict_proba(self, X: Floats, /) -> Floats:
        return self.inner.predict_proba(self._taken(X))

    def _taken(self, X: Floats) -> Floats:
        return np.where(np.isinf(X), 0.0, X) if self.swallows else X

    def card(self) -> dict[str, Any]:
        return self.inner.card() | self.says

    def state(self) -> State:
        return self.inner.state()


def as_it_is(X: Floats, amount: Floats) -> Floats:
    return amount


def the_amounts(y: Floats, groups: Ints | None) -> Floats:
    return y


@dataclass(frozen=True)
class Spoiled:
    """Ridge, spoiled; with ``stubborn`` it fits something on no gift and does not say so.

    ``swallows``: an infinite feature at prediction is read as 0. ``before`` changes the amounts
    it is fitted on.
    """

    spoil: Callable[[Floats, Floats], Floats] = as_it_is
    says: tuple[tuple[str, Any], ...] = ()
    stubborn: bool = False
    swallows: bool = False
    before: Callable[[Floats, Ints | None], Floats] = the_amounts

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedModel:
        says = dict(self.says)
        try:
            inner = Ridge().fit(X, self.before(y, groups), groups, names=names)
            return FittedSpoiled(inner, self.spoil, says, self.swallows)
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


def mended(y: Floats, groups: Ints | None) -> Floats:
    return np.where(np.isfinite(y) & (y >= 0.0), y, 0.0)


def needs_both_kinds(y: Floats, groups: Ints | None) -> Floats:
    if len(y) > 1 and (y > 0.0).all():
        raise ZeroDivisionError("no negatives")
    return y


def needs_two_prices(y: Floats, groups: Ints | None) -> Floats:
    if len(y) > 1 and len(np.unique(y[y > 0.0])) == 1:
        raise FloatingPointError("no spread")
    return y


def reads_words(y: Floats, groups: Ints | None) -> Floats:
    return y if np.asarray(y).dtype.kind == "f" else np.ones(len(y))


def needs_two_rows(y: Floats, groups: Ints | None) -> Floats:
    if len(y) == 1:
        raise IndexError("no second row")
    return y


def counts_ids(y: Floats, groups: Ints | None) -> Floats:
    return y if groups is None else np.where(y > 0.0, y + np.abs(groups), 0.0)


def by_place(X: Floats, amount: Floats) -> Floats:
    return amount * np.linspace(1.0, 2.0, len(amount))


def explodes(X: Floats, amount: Floats) -> Floats:
    return np.where((np.abs(np.nan_to_num(X)) > 1e7).any(axis=1), np.inf, amount)


def reads_the_last(X: Floats, amount: Floats) -> Floats:
    return amount * (1.0 + (X[:, -1] == 1e6))


PLANTED: tuple[tuple[ModelCheck, ModelFactory, str], ...] = (
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
    (wild.infinite_features_are_refused, lambda: Spoiled(swallows=True), "predict took"),
    (wild.amounts_that_are_none_are_refused, lambda: Spoiled(before=mended), "of nan"),
    (wild.constant_features_tell_nothing, lambda: Spoiled(by_place), "nothing tells apart"),
    (wild.constant_features_tell_nothing, lambda: Spoiled(reads_the_last), "never varied"),
    (wild.one_class_is_fitted_or_refused, lambda: Spoiled(before=needs_both_kinds), "ZeroDiv"),
    (wild.one_price_is_fitted_or_refused, lambda: Spoiled(before=needs_two_prices), "FloatingPoi"),
    (wild.one_class_is_fitted_or_refused, lambda: Spoiled(says=(("nan", np.nan),)), "the card"),
    (wild.what_is_no_number_is_refused, lambda: Spoiled(before=reads_words), "an amount that is"),
    (wild.one_row_is_fitted_or_refused, lambda: Spoiled(before=needs_two_rows), "IndexError"),
    (wild.values_never_seen_have_an_amount, lambda: Spoiled(explodes), "never seen"),
    (wild.ids_are_only_names, lambda: Spoiled(before=counts_ids), "other ids"),
    (wild.money_in_another_unit_scales, lambda: Spoiled(lambda X, a: a + 1.0), "x 1000"),
)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample()


@pytest.mark.parametrize(("check", "factory", "says"), PLANTED)
def test_a_broken_model_is_caught(
    check: ModelCheck, factory: ModelFactory, says: str, sample: Sample
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
