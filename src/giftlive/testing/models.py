"""What every value model promises (the contract is ``models.base.ValueModel``)."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from giftlive.errors import NotEnoughDataError
from giftlive.models.base import UNKNOWN
from giftlive.models.folder import load, save
from giftlive.rng import stream
from giftlive.testing.promise import identical, require
from giftlive.testing.robustness import ROBUSTNESS_CHECKS
from giftlive.testing.samples import (
    ModelCheck,
    ModelFactory,
    Sample,
    are_amounts,
    are_chances,
    fit_sample,
    make_sample,
)
from giftlive.types import Bools

ROUNDING = 1e-9
"""Relative difference that matrix products explain."""


def check_value_model(factory: ModelFactory, sample: Sample | None = None) -> None:
    """Raise AssertionError at the first promise that the models of ``factory`` break.

    Parameters
    ----------
    factory : makes equal models, one per call. sample : what to fit; None = ``make_sample()``.

    Examples
    --------
    >>> from giftlive.models.ridge import Ridge
    >>> check_value_model(Ridge)
    """
    rows = make_sample() if sample is None else sample
    for check in MODEL_CHECKS:
        check(factory, rows)


def predictions_are_amounts(factory: ModelFactory, sample: Sample) -> None:
    """Require a finite amount >= 0 and a probability for each of many rows, one row and none."""
    fitted = fit_sample(factory, sample)
    for rows in (len(sample.y), 1, 0):
        amount, chance = fitted.predict(sample.X[:rows]), fitted.predict_proba(sample.X[:rows])
        require(
            amount.shape == chance.shape == (rows,),
            f"{rows} rows were given {amount.shape} amounts and {chance.shape} probabilities",
        )
        require(are_amounts(amount), "a predicted amount is negative or not finite")
        require(are_chances(chance), "a probability is not in [0, 1]")


def fitting_again_gives_the_same_model(factory: ModelFactory, sample: Sample) -> None:
    """Require that the same rows give the same predictions, bit for bit, and stay unchanged."""
    X, y, user = sample.X.copy(), sample.y.copy(), sample.user.copy()
    one = fit_sample(factory, sample).predict(sample.X)
    require(
        identical((X, y, user), (sample.X, sample.y, sample.user)), "fitting changed its arguments"
    )
    two = fit_sample(factory, sample).predict(sample.X)
    require(identical(one, two), "fitting twice gave two models")


def rows_are_predicted_alone(factory: ModelFactory, sample: Sample) -> None:
    """Require that a prediction depends neither on the order of the rows nor on the other rows."""
    fitted = fit_sample(factory, sample)
    whole = fitted.predict(sample.X)
    order = stream(0, "rows").permutation(len(whole))
    for rows, what in ((order, "permuting the rows"), (order[:7], "leaving other rows out")):
        found = fitted.predict(sample.X[rows])
        require(
            np.allclose(found, whole[rows], rtol=ROUNDING, atol=0.0),
            f"{what} changed a prediction",
        )


def unknown_features_are_tolerated(factory: ModelFactory, sample: Sample) -> None:
    """Require that -1 and NaN mean the same, and that a row of nothing else has an amount."""
    fitted = fit_sample(factory, sample)
    unknown: Bools = np.isnan(sample.X) | (sample.X == UNKNOWN)
    as_nan = fitted.predict(np.where(unknown, np.nan, sample.X))
    as_minus_one = fitted.predict(np.where(unknown, UNKNOWN, sample.X))
    require(identical(as_nan, as_minus_one), "-1 and NaN, both 'unknown', are predicted apart")
    for mark in (UNKNOWN, np.nan):
        blank = fitted.predict(np.full((3, sample.X.shape[1]), mark))
        require(are_amounts(blank), f"a row of {mark:g} only was given no finite amount >= 0")


def a_saved_model_is_the_model(factory: ModelFactory, sample: Sample) -> None:
    """Require that saving by ``models.folder`` and loading again changes no predicted bit."""
    fitted = fit_sample(factory, sample)
    with TemporaryDirectory() as folder:
        save(fitted, Path(folder))
        loaded = load(Path(folder))
    for ask in ("predict", "predict_proba"):
        same = identical(getattr(fitted, ask)(sample.X), getattr(loaded, ask)(sample.X))
        require(same, f"{ask} changed by saving and loading")
    require(fitted.card() == loaded.card(), "the card changed by saving and loading")


def too_few_gifts_are_refused(factory: ModelFactory, sample: Sample) -> None:
    """Require a NotEnoughDataError where nobody gave, or a fallback whose card has limits."""
    nothing = Sample(sample.X, np.zeros_like(sample.y), sample.user, sample.names)
    try:
        fitted = fit_sample(factory, nothing)
    except NotEnoughDataError:
        return
    require(
        are_amounts(fitted.predict(sample.X)) and fitted.card().get("limits"),
        "fitted on no gift at all, the model neither refused with a NotEnoughDataError nor"
        " predicted finite amounts under a card with limits",
    )


def the_card_counts_the_rows(factory: ModelFactory, sample: Sample) -> None:
    """Require a card with name, estimand, features, training rows, gifts and limits."""
    card = fit_sample(factory, sample).card()
    expected = {
        "features": sample.names,
        "rows": len(sample.y),
        "positives": int(np.count_nonzero(sample.y > 0.0)),
    }
    for key, value in expected.items():
        require(card.get(key) == value, f"the card says {key} = {card.get(key)}, not {value}")
    for key in ("name", "estimand", "limits"):
        require(card.get(key), f"the card does not say its {key}")


MODEL_CHECKS: tuple[ModelCheck, ...] = (
    predictions_are_amounts,
    fitting_again_gives_the_same_model,
    rows_are_predicted_alone,
    unknown_features_are_tolerated,
    a_saved_model_is_the_model,
    too_few_gifts_are_refused,
    the_card_counts_the_rows,
    *ROBUSTNESS_CHECKS,
)
"""What every value model promises."""
