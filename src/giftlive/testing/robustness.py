"""What a value model does with data nobody wished for: a right answer, or a clear refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from giftlive.errors import GiftLiveError, InputError
from giftlive.testing.promise import identical, require
from giftlive.testing.samples import (
    ModelCheck,
    ModelFactory,
    Sample,
    are_amounts,
    are_chances,
    fit_or_refuse,
    fit_sample,
)
from giftlive.types import Floats

SAME = 1e-6
"""Relative difference that a change of the unit of money may leave."""


def infinite_features_are_refused(factory: ModelFactory, sample: Sample) -> None:
    """Require an InputError for an infinite feature, in training and in prediction."""
    fitted = fit_sample(factory, sample)
    for infinity in (np.inf, -np.inf):
        X = sample.X.copy()
        X[3, 0] = infinity
        asks = (
            (lambda X=X: fit_sample(factory, replace(sample, X=X)), "fit"),
            (lambda X=X: fitted.predict(X), "predict"),
            (lambda X=X: fitted.predict_proba(X), "predict_proba"),
        )
        for ask, what in asks:
            try:
                ask()
            except InputError:
                continue
            raise AssertionError(f"{what} took a feature of {infinity} without a word")


def amounts_that_are_none_are_refused(factory: ModelFactory, sample: Sample) -> None:
    """Require an InputError for an amount that is negative, infinite or not a number."""
    for bad in (np.nan, np.inf, -1.0):
        y = sample.y.copy()
        y[3] = bad
        try:
            fit_sample(factory, replace(sample, y=y))
        except InputError:
            continue
        raise AssertionError(f"an amount of {bad} was fitted without a word")


def what_is_no_number_is_refused(factory: ModelFactory, sample: Sample) -> None:
    """Require a GiftLive error for words among features, amounts or users, and for half a user.

    The same for columns that have no name of their own. Half a user: ids that differ after the
    point alone would become one user.
    """
    word: Any = np.full(len(sample.y), "a")
    cells: Any = np.full(sample.X.shape, "a")
    halves: Any = sample.user + 0.5
    spoilt = {
        "a feature that is a word": replace(sample, X=cells),
        "an amount that is a word": replace(sample, y=word),
        "a user that is a word": replace(sample, user=word),
        "a user between two numbers": replace(sample, user=halves),
        "two columns of one name": replace(sample, names=(*sample.names[:-1], sample.names[0])),
        "no column": replace(sample, X=sample.X[:, :0], names=()),
    }
    for what, rows in spoilt.items():
        try:
            fit_sample(factory, rows)
        except GiftLiveError:
            continue
        except Exception as crash:
            raise AssertionError(f"{what}: crashed with {type(crash).__name__}") from crash
        raise AssertionError(f"{what} was fitted without a word")


def constant_features_tell_nothing(factory: ModelFactory, sample: Sample) -> None:
    """Require that a feature that never varied in training has no effect, whatever it is later.

    A column that is never known is a constant one. Where every column is constant, all rows are
    worth the same.
    """
    some = sample.X.copy()
    some[:, -1], some[:, -2] = 7.0, np.nan
    fitted = fit_or_refuse(factory, replace(sample, X=some), "constant features")
    if fitted is not None:
        amount = fitted.predict(some)
        require(are_amounts(amount), "constant features gave no finite amounts")
        some[:, -1], some[:, -2] = 1e6, 3.0
        same = np.allclose(fitted.predict(some), amount, rtol=1e-9, atol=0.0)
        require(same, "a feature that never varied in training changed a prediction")
    flat = np.full_like(sample.X, 7.0)
    fitted = fit_or_refuse(factory, replace(sample, X=flat), "only constant features")
    if fitted is not None:
        amount = fitted.predict(flat)
        same = are_amounts(amount) and np.allclose(amount, amount[0], rtol=1e-9, atol=0.0)
        require(same, "rows that nothing tells apart were given different amounts")


def one_class_is_fitted_or_refused(factory: ModelFactory, sample: Sample) -> None:
    """Require amounts and chances, or a refusal, where every row holds a gift."""
    gifts = sample.y > 0.0
    rows = replace(sample, X=sample.X[gifts], y=sample.y[gifts], user=sample.user[gifts])
    _sane_or_refused(factory, rows, "every row holds a gift")


def one_price_is_fitted_or_refused(factory: ModelFactory, sample: Sample) -> None:
    """Require amounts and chances, or a refusal, where every gift is of one amount."""
    five = np.where(sample.y > 0.0, 5.0, 0.0)
    _sane_or_refused(factory, replace(sample, y=five), "one price")


def one_row_is_fitted_or_refused(factory: ModelFactory, sample: Sample) -> None:
    """Require amounts and chances, or a refusal, for one row with a gift, and for no row."""
    first = int(np.argmax(sample.y > 0.0))
    for rows, what in ((slice(first, first + 1), "one row"), (slice(0, 0), "no row")):
        part = replace(sample, X=sample.X[rows], y=sample.y[rows], user=sample.user[rows])
        _sane_or_refused(factory, part, what)


def values_never_seen_have_an_amount(factory: ModelFactory, sample: Sample) -> None:
    """Require finite amounts far outside what was trained on: a new category, a huge sum."""
    fitted = fit_sample(factory, sample)
    for value in (-1e9, -2.0, 0.5, 1e6, 1e15):
        for column in range(sample.X.shape[1]):
            X = sample.X[:5].copy()
            X[:, column] = value
            sane = are_amounts(fitted.predict(X)) and are_chances(fitted.predict_proba(X))
            require(sane, f"{sample.names[column]} = {value:g}, never seen, has no finite amount")


def ids_are_only_names(factory: ModelFactory, sample: Sample) -> None:
    """Require that users with other ids in the same order give the same model, bit for bit."""
    renamed = replace(sample, user=sample.user * 1_000_003 - 2**40)
    one, two = fit_sample(factory, sample), fit_sample(factory, renamed)
    require(
        identical(one.predict(sample.X), two.predict(sample.X)),
        "other ids of the same users changed a prediction",
    )


def money_in_another_unit_scales(factory: ModelFactory, sample: Sample) -> None:
    """Require amounts x 1000 for amounts x 1000, and the same chances, or a refusal."""
    scaled = fit_or_refuse(factory, replace(sample, y=sample.y * 1_000.0), "amounts x 1000")
    if scaled is None:
        return
    fitted = fit_sample(factory, sample)
    expected, found = 1_000.0 * fitted.predict(sample.X), scaled.predict(sample.X)
    require(_close(found, expected), "amounts x 1000 did not give predictions x 1000")
    chances = fitted.predict_proba(sample.X), scaled.predict_proba(sample.X)
    require(_close(*chances), "amounts x 1000 changed the chance of a gift")


ROBUSTNESS_CHECKS: tuple[ModelCheck, ...] = (
    infinite_features_are_refused,
    amounts_that_are_none_are_refused,
    what_is_no_number_is_refused,
    constant_features_tell_nothing,
    one_class_is_fitted_or_refused,
    one_price_is_fitted_or_refused,
    one_row_is_fitted_or_refused,
    values_never_seen_have_an_amount,
    ids_are_only_names,
    money_in_another_unit_scales,
)
"""What every value model promises about data nobody wished for."""


def _sane_or_refused(factory: ModelFactory, sample: Sample, what: str) -> None:
    fitted = fit_or_refuse(factory, sample, what)
    if fitted is None:
        return
    amount, chance = fitted.predict(sample.X), fitted.predict_proba(sample.X)
    require(are_amounts(amount) and are_chances(chance), f"{what}: no finite amounts and chances")
    try:
        json.dumps(fitted.card(), allow_nan=False)
    except ValueError as error:
        raise AssertionError(f"{what}: a number of the card is not finite") from error


def _close(found: Floats, expected: Floats) -> bool:
    return bool(np.allclose(found, expected, rtol=SAME, atol=0.0))
