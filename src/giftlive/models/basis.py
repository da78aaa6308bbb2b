"""Columns a linear scorer can use: tamed features, and hinges that let their effect bend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.models.base import UNKNOWN, chunks
from giftlive.types import Floats, Ints

KNOT_SHARES = (0.2, 0.4, 0.6, 0.8)
"""Where the hinges sit, as quantiles of a feature's distinct values."""


@dataclass(frozen=True)
class Basis:
    """φ(x) = standardised sign(x)·log(1 + |x|), kept inside the range seen when it was fitted.

    Attributes
    ----------
    centre, spread, low, high : [p]; an unknown feature takes φ = 0, the mean.
    knots : [p, k] positions of the hinges max(0, φ − knot); k = 0 where nobody bends.
    """

    centre: Floats
    spread: Floats
    low: Floats
    high: Floats
    knots: Floats

    @classmethod
    def of(cls, features: Floats, shares: tuple[float, ...] = KNOT_SHARES) -> Basis:
        """Learn centres, ranges and knots from features [n, p], a column at a time.

        ``shares`` () leaves the knots out: they need every column sorted.
        """
        found = [_column(features[:, j], shares) for j in range(features.shape[1])]
        numbers = np.array([one for one, _ in found]).reshape(len(found), 4)
        centre, spread, low, high = (numbers[:, i].copy() for i in range(4))
        knots = np.array([several for _, several in found]).reshape(len(found), len(shares))
        return cls(centre, spread, low, high, knots)

    def linear(self, features: Floats) -> Floats:
        """Return [..., p] the standardised features."""
        return self._standard(_tamed(features))

    def with_gaps(self, features: Floats) -> Floats:
        """Return [..., 2p]: the standardised features, and indicators of the unknown ones."""
        t = _tamed(features)
        return np.concatenate([self._standard(t), np.isnan(t).astype(np.float64)], axis=-1)

    def design(self, features: Floats) -> tuple[Floats, Ints]:
        """Return the columns of ``with_gaps`` [n, q] but those of features without a gap.

        Returned with them is [q] where they are among the 2p. An indicator that is 0 in all rows
        has the coefficient 0 under any penalty, and costs as much as one that says something.
        """
        p, gappy = features.shape[1], np.zeros(features.shape[1], dtype=np.bool_)
        for part in chunks(len(features)):
            x = features[part]
            gappy |= (np.isnan(x) | (x == UNKNOWN)).any(axis=0)
        kept = np.concatenate([np.arange(p), p + np.flatnonzero(gappy)])
        columns = np.empty((len(features), len(kept)))
        for part in chunks(len(features)):
            t = _tamed(features[part])
            columns[part, :p] = self._standard(t)
            columns[part, p:] = np.isnan(t[:, gappy])
        return columns, kept

    def bent(self, features: Floats) -> Floats:
        """Return [..., p·(2 + k)]: the standardised features, hinges, and 'unknown' indicators."""
        t = _tamed(features)
        z = self._standard(t)
        hinges = np.maximum(z[..., None] - self.knots, 0.0)
        absent = np.isnan(t).astype(np.float64)
        flat = hinges.reshape((*z.shape[:-1], self.knots.size))
        return np.concatenate([z, flat, absent], axis=-1)

    def _standard(self, t: Floats) -> Floats:
        z = (t - self.centre) / self.spread
        return np.clip(np.where(np.isnan(z), 0.0, z), self.low, self.high)

    def as_dict(self) -> dict[str, Any]:
        """Return the basis as plain data."""
        return {key: value.tolist() for key, value in vars(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Basis:
        """Return the basis stored by ``as_dict``."""
        vectors = {key: np.array(value, dtype=np.float64) for key, value in data.items()}
        width = len(vectors["centre"])
        each = vectors["knots"].size // max(width, 1)
        return cls(**(vectors | {"knots": vectors["knots"].reshape(width, each)}))


def _column(feature: Floats, shares: tuple[float, ...]) -> tuple[list[float], list[float]]:
    """Return centre, spread, low and high of one feature [n], and its knots."""
    t = _tamed(feature)
    present = ~np.isnan(t)
    told = t[present]
    if not len(told) or not told.min() < told.max():
        # A constant column sits at its mean exactly: its deviations are rounding.
        centre = float(told.sum() / max(len(told), 1))
        return [centre, 1.0, 0.0, 0.0], [0.0] * len(shares)
    centre = float(told.mean())
    told -= centre
    spread = float(np.sqrt(np.mean(told**2)))
    told /= spread
    knots: list[float] = []
    if shares:
        distinct = np.unique(told if len(told) == len(t) else np.append(told, 0.0))
        knots = np.quantile(distinct, shares).tolist()
    return [centre, spread, float(told.min()), float(told.max())], knots


def _tamed(features: Floats) -> Floats:
    x = np.asarray(features, dtype=np.float64)
    x = np.where(x == UNKNOWN, np.nan, x)
    return np.copysign(np.log1p(np.abs(x)), x)
