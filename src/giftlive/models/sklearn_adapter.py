"""A value model as a scikit-learn regressor, for pipelines and searches made for those.

Not imported by the rest of GiftLive: scikit-learn takes a second to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from giftlive.errors import GiftLiveError, NotEnoughDataError, UsageError
from giftlive.models.base import FittedModel, ValueModel
from giftlive.models.registry import MODELS
from giftlive.types import Floats


class GiftValueRegressor(RegressorMixin, BaseEstimator):
    """Any model of the registry under scikit-learn's contract; it only translates.

    ``predict`` is the card's estimand in the unit of ``y``. Where GiftLive refuses data, this
    raises ``ValueError`` with the same paragraph, as scikit-learn's tools expect. Columns are
    named after a data frame's, or ``x0``, ``x1``, …; NaN and -1 mean unknown. Tags: ``y`` must not
    be negative; NaN is allowed in ``X``.

    Parameters
    ----------
    model : a name of ``registry.MODELS``, or the settings themselves, e.g. ``TwoPart(folds=5)``.

    Attributes
    ----------
    fitted_ : the fitted model, with ``predict_proba``, ``card`` and ``state``.
    n_features_in_, feature_names_in_ : as in scikit-learn.

    Examples
    --------
    >>> X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    >>> GiftValueRegressor("tweedie_glm").fit(X, y).predict(X).shape
    (10,)
    """

    def __init__(self, model: str | ValueModel = "ridge") -> None:
        self.model = model

    def fit(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None
    ) -> GiftValueRegressor:
        """Fit on features [n, p], amounts [n] >= 0 and, if known, the user [n] of every row."""
        features, amount = validate_data(
            self, X, y, dtype=np.float64, y_numeric=True, ensure_all_finite="allow-nan"
        )
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = [f"x{column}" for column in range(features.shape[1])]
        users = None if groups is None else np.asarray(groups, dtype=np.int64)
        try:
            self.fitted_: FittedModel = _settings(self.model).fit(
                features, np.asarray(amount, dtype=np.float64), users, names=tuple(map(str, names))
            )
        except NotEnoughDataError as refusal:
            rows = f" n_samples={len(features)}."
            raise ValueError(str(refusal) + rows) from refusal
        except GiftLiveError as refusal:
            raise ValueError(str(refusal)) from refusal
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Return [n] the expected amount."""
        return self._fitted().predict(self._features(X))

    def predict_chance(self, X: ArrayLike) -> Floats:
        """Return [n] P(amount > 0); a regressor's ``predict_proba`` would mislead scikit-learn."""
        return self._fitted().predict_proba(self._features(X))

    def __sklearn_tags__(self) -> Any:
        """Say what data the models take."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.positive_only = True
        return tags

    def _fitted(self) -> FittedModel:
        check_is_fitted(self)
        return self.fitted_

    def _features(self, X: ArrayLike) -> Floats:
        check_is_fitted(self)
        features = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False
        )
        return np.asarray(features, dtype=np.float64)


def _settings(model: str | ValueModel) -> ValueModel:
    if not isinstance(model, str):
        return model
    if model not in MODELS:
        raise UsageError(
            f"there is no model {model!r}", "argument model", f"one of {', '.join(MODELS)}"
        )
    return MODELS[model]()
