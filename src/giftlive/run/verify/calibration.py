"""The calibration error without what noise adds to it, from its definition."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, stats

from giftlive.run.verify.ranking import BINS, Blocks, calibration_error
from giftlive.run.verify.recomputed import Debiased, Recomputed, of_rows
from giftlive.types import Floats, Ints


def debiased_error(hit: Floats, chance: Floats, user: Ints) -> Recomputed:
    """Compute Σ_b μ_b, μ_b the mean of the normal whose absolute value has the mean d_b.

    d_b is the size of the summed error of bin b over the number of rows, and the standard
    deviation of that normal the clustered one of the sum, at least that of independent rows.

    Parameters
    ----------
    hit, chance : [n] 0 or 1, and its promised probability. user : [n] cluster of each row.
    """
    n, error = len(hit), chance - hit
    keys, index = np.unique(user, return_inverse=True)
    blocks, users = Blocks.of(chance), len(keys)
    mass = blocks.sums(np.ones(n))
    upto = np.cumsum(mass)
    sizes, noise = [], []
    for b in range(BINS):
        first, last = b * n / BINS, (b + 1) * n / BINS
        overlap = np.minimum(upto, last) - np.maximum(upto - mass, first)
        inside = (np.clip(overlap, 0.0, None) / mass)[blocks.of_row]
        total = float(np.sum(inside * error))
        apart = np.bincount(index, inside * (error - total * BINS / n), users)
        clustered = float(np.var(apart, ddof=1)) * users + users / (users - 1) * apart.mean() ** 2
        alone = float(np.sum(inside * chance * (1.0 - chance)))
        sizes.append(abs(total) / n)
        noise.append(math.sqrt(max(clustered, alone)) / n)
    value = sum(_unfolded(d, s) for d, s in zip(sizes, noise, strict=True))
    calm = stats.foldnorm(0.0, scale=np.array(noise))
    limit = float(np.sum(calm.mean()) + stats.norm.ppf(0.975) * math.sqrt(np.sum(calm.var())))
    raw = of_rows(calibration_error(hit, chance), user, border=True)
    return Recomputed(value, Debiased(raw, calm=sum(sizes) <= limit), users)


def _unfolded(size: float, noise: float) -> float:
    """Return μ >= 0 with mean |N(μ, noise)| = size, 0 where no μ is small enough."""
    if noise == 0.0 or size > 8.0 * noise:
        return size
    if stats.foldnorm.mean(0.0, scale=noise) >= size:
        return 0.0
    found = optimize.brentq(
        lambda mu: stats.foldnorm.mean(mu / noise, scale=noise) / size - 1.0,
        0.0, size, xtol=1e-300, rtol=1e-15, maxiter=500,
    )  # fmt: skip
    return float(found)
