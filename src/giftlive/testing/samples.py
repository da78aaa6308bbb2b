"""Rows to fit a value model on, and what it means to fit it or to refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from giftlive.errors import GiftLiveError
from giftlive.models.base import UNKNOWN, FittedModel, ValueModel
from giftlive.rng import stream
from giftlive.testing.promise import require
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class Sample:
    """Training rows: features [n, p] (-1 or NaN where unknown), amounts and users [n], names."""

    X: Floats
    y: Floats
    user: Ints
    names: tuple[str, ...]


ModelFactory = Callable[[], ValueModel]
ModelCheck = Callable[[ModelFactory, Sample], None]


def make_sample(rows: int = 1_200, seed: int = 0) -> Sample:
    """Draw clicks of which an eighth hold a gift, more and larger ones where past spend is high.

    Columns are the past sums every shipped model can use, a taste that is sometimes unknown, noise,
    a mean gift, and a last one.

    Examples
    --------
    >>> make_sample(100).X.shape
    (100, 7)
    """
    draw = stream(seed, "conformance sample")
    users = max(2, rows // 20)
    wealth, user = draw.normal(0.0, 1.0, users), draw.integers(0, users, rows)
    taste, fame = draw.normal(size=rows), draw.pareto(1.5, rows)
    chance = 1.0 / (1.0 + np.exp(2.2 - 0.8 * wealth[user] - 0.5 * taste))
    amount = np.ceil(np.exp(2.0 + wealth[user] + 0.4 * taste + draw.normal(size=rows)))
    X = np.column_stack(
        [
            np.floor(30.0 * np.exp(wealth[user])),
            np.where(draw.random(rows) < 0.6, UNKNOWN, np.floor(9.0 * np.exp(wealth[user]))),
            np.floor(50.0 * fame),
            np.where(draw.random(rows) < 0.1, np.nan, taste),
            draw.normal(size=rows),
            np.floor(10.0 * np.exp(0.5 * wealth[user])),
            np.floor(8.0 * np.exp(0.7 * wealth[user])),
        ]
    )
    y = np.where(draw.random(rows) < chance, amount, 0.0)
    past = ("user_gift_sum", "pair_gift_sum", "streamer_gift_sum")
    names = (*past, "taste", "noise", "user_gift_mean", "user_last_amount")
    return Sample(X, y, user.astype(np.int64), names)


def fit_sample(factory: ModelFactory, sample: Sample) -> FittedModel:
    """Fit a fresh model on the sample."""
    return factory().fit(sample.X, sample.y, sample.user, names=sample.names)


def fit_or_refuse(factory: ModelFactory, sample: Sample, what: str) -> FittedModel | None:
    """Return the fitted model, or None where GiftLive refuses and says what it expected.

    Raises
    ------
    AssertionError
        The model fell over ``what``, or refused without a word of what would have been right.
    """
    try:
        return fit_sample(factory, sample)
    except GiftLiveError as refusal:
        require(refusal.expected or refusal.hint, f"{what}: refused without saying what is right")
        return None
    except Exception as crash:
        raise AssertionError(f"{what}: crashed with {type(crash).__name__}: {crash}") from crash


def are_amounts(predicted: Floats) -> bool:
    """Return whether all are finite and at least 0."""
    return bool((np.isfinite(predicted) & (predicted >= 0.0)).all())


def are_chances(predicted: Floats) -> bool:
    """Return whether all are in [0, 1]."""
    return bool(((predicted >= 0.0) & (predicted <= 1.0)).all())
