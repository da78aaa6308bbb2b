"""Ratio smearing: from a prediction with the right order to one with the right mean.

exp of a mean logarithm lies below the mean by a factor that depends on how uncertain the amount
is. Duan's one factor for all rows (1983) is right only where that uncertainty is the same
everywhere; with gifts it is not, and the level of the top is what is lost. Here the factor is
Σ actual / Σ predicted within bins of the predicted value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.types import Floats, Ints

LEAST_SLOPE = 0.05
"""Bins are merged until log(corrected) rises at least this fast with log(predicted)."""


@dataclass(frozen=True)
class RatioSmearing:
    """prediction · exp(f(log prediction)), f linear between the bins and flat beyond them.

    Attributes
    ----------
    at : [k] log of the mean prediction of each bin, increasing.
    log_ratio : [k] log(Σ actual / Σ predicted) of each bin.
    """

    at: tuple[float, ...]
    log_ratio: tuple[float, ...]

    def __call__(self, predicted: Floats) -> Floats:
        """Return [n] the corrected predictions, in the same order as those given (> 0)."""
        return predicted * np.exp(np.interp(np.log(predicted), self.at, self.log_ratio))

    def as_dict(self) -> dict[str, list[float]]:
        """Return the curve as plain data."""
        return {"at": list(self.at), "log_ratio": list(self.log_ratio)}

    @classmethod
    def from_dict(cls, data: dict[str, list[float]]) -> RatioSmearing:
        """Return the curve stored by ``as_dict``."""
        return cls(tuple(data["at"]), tuple(data["log_ratio"]))


def ratio_smearing(
    predicted: Floats, actual: Floats, *, bins: int = 10, gifts_per_bin: int = 100
) -> RatioSmearing:
    """Learn the factor of each bin, best from predictions of rows that were not trained on.

    Bins hold equal numbers of gifts in the order of the prediction, at least ``gifts_per_bin``;
    with fewer than twice as many there is one bin, i.e. one factor. Neighbours are merged where
    the corrected prediction would not rise. Assumption: within a bin the factor is the same.

    Parameters
    ----------
    predicted : [n] > 0. actual : [n] >= 0, one of them positive, of the same rows.
    bins : at most so many.
    """
    order = np.argsort(predicted, kind="stable")
    gift = actual[order] > 0.0
    count = max(1, min(bins, int(gift.sum()) // gifts_per_bin))
    share = (np.cumsum(gift) - 0.5 * gift) / gift.sum()
    member = np.minimum((share * count).astype(np.int64), count - 1)
    sums = [_by_bin(member, x[order], count) for x in (predicted, actual)]
    rows = np.bincount(member, minlength=count).astype(np.float64)
    bin_sums = np.column_stack([*sums, rows])
    # A bin whose rows all tie with its neighbour's has the same place; merging cures that too.
    at, ratio = _places(bin_sums)
    while len(at) > 1:
        rise = np.diff(at + ratio) - LEAST_SLOPE * np.diff(at)
        worst = int(np.argmin(rise))
        if rise[worst] > 0.0 and np.diff(at)[worst] > 0.0:
            break
        bin_sums[worst] += bin_sums[worst + 1]
        bin_sums = np.delete(bin_sums, worst + 1, axis=0)
        at, ratio = _places(bin_sums)
    return RatioSmearing(tuple(at.tolist()), tuple(ratio.tolist()))


def _by_bin(member: Ints, x: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(member, weights=x, minlength=count), dtype=np.float64)


def _places(sums: Floats) -> tuple[Floats, Floats]:
    """Return the place and the log factor of bins from their Σ predicted, Σ actual and rows."""
    predicted, actual, rows = sums.T
    return np.log(predicted / rows), np.log(actual / predicted)
