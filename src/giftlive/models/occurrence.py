"""How the chance of a gift is learnt: which loss, from which rows, and exactly undone.

Every loss gives trees a raw score z and knows ``undone(z)``, the logit of P(gift) that z stands
for. Calibration comes after that, on rows the trees did not see.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.trees import Forest, TreeSettings, cross_grow
from giftlive.models.undoing import (
    check_focal,
    undo_focal,
    undo_kept_negatives,
    undo_positive_weight,
)
from giftlive.rng import stream
from giftlive.types import Bools, Floats, Ints

Loss = Literal["plain", "weighted", "focal"]
_LOSSES = ("plain", "weighted", "focal")


@dataclass(frozen=True)
class Undo:
    """What was done to a score, and the way back; plain numbers, stored with the model.

    Attributes
    ----------
    kept : share of the negatives used. weight : of a gift (1 = none). gamma, alpha : of the focal
        loss (0 and 0.5 = none). start : constant the trees were grown from.
    """

    kept: float = 1.0
    weight: float = 1.0
    gamma: float = 0.0
    alpha: float = 0.5
    start: float = 0.0

    def __call__(self, raw: Floats) -> Floats:
        """Return logit P(gift) of raw scores; the last distortion is undone first."""
        logit = self.start + raw
        if (self.gamma, self.alpha) != (0.0, 0.5):
            logit = undo_focal(logit, self.gamma, self.alpha)
        return undo_kept_negatives(undo_positive_weight(logit, self.weight), self.kept)


@dataclass(frozen=True)
class Occurrence:
    """Settings of stage 1: the loss, and the share of negatives it sees.

    Attributes
    ----------
    loss : "plain" log-loss; "weighted": every gift counts ``positive_weight`` times; "focal".
    positive_weight : None = negatives / gifts, so that both kinds weigh the same.
    gamma, alpha : of the focal loss; published choices are 2 and 0.25.
    keep_negatives : share in (0, 1] of the rows without a gift, drawn by row.
    """

    loss: Loss = "plain"
    positive_weight: float | None = None
    gamma: float = 2.0
    alpha: float = 0.25
    keep_negatives: float = 1.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot be undone."""
        if self.loss not in _LOSSES:
            raise UsageError(f"loss {self.loss!r}", "Occurrence.loss", f"one of {_LOSSES}")
        if self.positive_weight is not None:
            undo_positive_weight(np.zeros(1), self.positive_weight)
        undo_kept_negatives(np.zeros(1), self.keep_negatives)
        check_focal(self.gamma, self.alpha)

    def learn(
        self, X: Floats, occurred: Floats, fold: Ints, trees: TreeSettings, seed: int
    ) -> tuple[Forest, Undo]:
        """Grow ensemble k outside fold k on the rows kept, and say how to read its scores."""
        rows = np.flatnonzero(_kept(occurred, self.keep_negatives, seed))
        X, target, fold = X[rows], occurred[rows], fold[rows]
        if target.all():
            raise NotEnoughDataError(
                f"no row without a gift is left of {len(occurred) - len(rows)} that were dropped",
                "Occurrence.keep_negatives",
                f"a larger share than {self.keep_negatives:g}, or more rows",
            )
        if self.loss == "plain":
            forest = cross_grow(X, target, fold, "binary", trees)
            return forest, Undo(self.keep_negatives)
        if self.loss == "weighted":
            weight = self.positive_weight or float(np.sum(target == 0.0) / np.sum(target))
            parameters = trees.parameters("binary") | {"scale_pos_weight": weight}
            undo = Undo(self.keep_negatives, weight)
            return _grown(X, target, fold, parameters, trees.rounds), undo
        focal = Focal.at_rate(float(target.mean()), self.gamma, self.alpha)
        undo = Undo(self.keep_negatives, 1.0, self.gamma, self.alpha, focal.start)
        parameters = trees.parameters("binary") | {"objective": focal.objective}
        return _grown(X, target, fold, parameters, trees.rounds, focal.start), undo


@dataclass(frozen=True)
class Focal:
    """The focal loss for boosting: gradient, and the curvature expected at the undone chance.

    The curvature of a single row may be negative; its expectation over a gift with chance
    η = ``undo_focal(z)`` is positive (Fisher scoring). Both are divided by a constant so that at
    ``start`` the curvature is that of the log-loss, and tree settings mean what they mean there.
    """

    gamma: float
    alpha: float
    start: float = 0.0
    unit: float = field(default=1.0)

    @classmethod
    def at_rate(cls, rate: float, gamma: float, alpha: float) -> Focal:
        """Return the loss, from the constant that is right if everyone has the chance ``rate``."""
        from scipy.optimize import brentq

        wanted = float(np.log(rate) - np.log1p(-rate))
        start = float(brentq(lambda z: _undone(z, gamma, alpha) - wanted, -700.0, 700.0))
        curvature = float(cls(gamma, alpha).slopes(np.array([start]), np.array([rate]))[1][0])
        return cls(gamma, alpha, start, curvature / (rate * (1.0 - rate)))

    def objective(self, raw: Floats, data: Any) -> tuple[Floats, Floats]:
        """Return gradient and curvature of every row, as LightGBM asks for them."""
        gradient, curvature = self.slopes(np.asarray(raw), np.asarray(data.get_label()))
        return gradient / self.unit, curvature / self.unit

    def slopes(self, z: Floats, occurred: Floats) -> tuple[Floats, Floats]:
        """Return dL/dz of every row and the expected d²L/dz² at the undone chance."""
        from scipy.special import expit

        eta = expit(undo_focal(z, self.gamma, self.alpha))
        first, bend = self._gift(z)
        mirrored, mirrored_bend = Focal(self.gamma, 1.0 - self.alpha)._gift(-z)
        gradient = occurred * first - (1.0 - occurred) * mirrored
        return gradient, eta * bend + (1.0 - eta) * mirrored_bend

    def _gift(self, z: Floats) -> tuple[Floats, Floats]:
        """Return first and second derivative in z of −α(1−p)^γ log p."""
        from scipy.special import expit, log_expit

        p, rest, log_p = expit(z), expit(-z), log_expit(z)
        lean = rest - self.gamma * p * log_p
        power = self.alpha * rest**self.gamma
        bend = self.gamma * p * lean + p * rest * (1.0 + self.gamma + self.gamma * log_p)
        return -power * lean, power * bend


def _undone(z: float, gamma: float, alpha: float) -> float:
    return float(undo_focal(np.array([z]), gamma, alpha)[0])


def _kept(occurred: Floats, share: float, seed: int) -> Bools:
    if share == 1.0:
        return np.ones(len(occurred), dtype=np.bool_)
    drawn = stream(seed, "negatives").random(len(occurred)) < share
    return np.asarray((occurred > 0.0) | drawn, dtype=np.bool_)


def _grown(
    X: Floats,
    target: Floats,
    fold: Ints,
    parameters: dict[str, Any],
    rounds: int,
    start: float = 0.0,
) -> Forest:
    """Grow ensemble k on the rows outside fold k, from ``start``, which its scores leave out."""
    import lightgbm

    begin = np.full(len(target), start) if callable(parameters["objective"]) else None
    binning = {key: value for key, value in parameters.items() if key != "objective"}
    data = lightgbm.Dataset(
        X, label=target, init_score=begin, params=binning, free_raw_data=False
    ).construct()
    if not any(data.feature_num_bin(column) > 1 for column in range(X.shape[1])):
        return Forest(())  # Nothing can be cut, and LightGBM falls over that with an own objective.
    texts = []
    for k in range(int(fold.max()) + 1):
        rows = data.subset(np.flatnonzero(fold != k).tolist())
        booster = lightgbm.train(parameters, rows, num_boost_round=rounds)
        texts.append(str(booster.model_to_string(num_iteration=-1)))
    return Forest(tuple(texts))
