"""Columns a linear scorer can use: tamed features, and hinges that let their effect bend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.models.base import UNKNOWN
from giftlive.types import Floats

KNOT_SHARES = (0.2, 0.4, 0.6, 0.8)
"""Where the hinges sit, as quantiles of a feature's distinct values."""


@dataclass(frozen=True)
class Basis:
    """φ(x) = standardised sign(x)·log(1 + |x|), kept inside the range seen when it was fitted.

    Attributes
    ----------
    centre, spread, low, high : [p]; an unknown feature takes φ = 0, the mean.
    knots : [p, k] positions of the hinges max(0, φ − knot).
    """

    centre: Floats
    spread: Floats
    low: Floats
    high: Floats
    knots: Floats

    @classmethod
    def of(cls, features: Floats) -> Basis:
        """Learn centres, ranges and knots from features [n, p]."""
        t = _tamed(features)
        present = ~np.isnan(t)
        filled = np.where(present, t, 0.0)
        counts = np.maximum(present.sum(axis=0), 1)
        centre = filled.sum(axis=0) / counts
        # A constant column sits at its mean exactly: its deviations are rounding.
        lowest, highest = np.where(present, t, np.inf).min(0), np.where(present, t, -np.inf).max(0)
        varied = lowest < highest
        deviation = np.where(present & varied, t - centre, 0.0)
        spread = np.sqrt((deviation**2).sum(axis=0) / counts)
        spread = np.where(varied, spread, 1.0)
        z = deviation / spread
        knots = [np.quantile(np.unique(z[:, j]), KNOT_SHARES) for j in range(z.shape[1])]
        return cls(
            centre,
            spread,
            z.min(axis=0),
            z.max(axis=0),
            np.array(knots).reshape(z.shape[1], len(KNOT_SHARES)),
        )

    def linear(self, features: Floats) -> Floats:
        """Return [..., p] the standardised features."""
        z = (_tamed(features) - self.centre) / self.spread
        return np.clip(np.nan_to_num(z, nan=0.0), self.low, self.high)

    def with_gaps(self, features: Floats) -> Floats:
        """Return [..., 2p]: the standardised features, and indicators of the unknown ones."""
        absent = np.isnan(_tamed(features)).astype(np.float64)
        return np.concatenate([self.linear(features), absent], axis=-1)

    def bent(self, features: Floats) -> Floats:
        """Return [..., p·(2 + k)]: the standardised features, hinges, and 'unknown' indicators."""
        z = self.linear(features)
        hinges = np.maximum(z[..., None] - self.knots, 0.0)
        absent = np.isnan(_tamed(features)).astype(np.float64)
        flat = hinges.reshape((*z.shape[:-1], self.knots.size))
        return np.concatenate([z, flat, absent], axis=-1)

    def as_dict(self) -> dict[str, Any]:
        """Return the basis as plain data."""
        return {key: value.tolist() for key, value in vars(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Basis:
        """Return the basis stored by ``as_dict``."""
        vectors = {key: np.array(value, dtype=np.float64) for key, value in data.items()}
        width = len(vectors["centre"])
        return cls(**(vectors | {"knots": vectors["knots"].reshape(width, len(KNOT_SHARES))}))


def _tamed(features: Floats) -> Floats:
    x = np.asarray(features, dtype=np.float64)
    x = np.where(x == UNKNOWN, np.nan, x)
    return np.sign(x) * np.log1p(np.abs(x))
