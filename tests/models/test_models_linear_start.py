"""The linear start: its prior weighs what the rows can tell."""

import numpy as np
from sklearn.linear_model import GammaRegressor

from giftlive.models.linear_start import PRIOR_ROWS, linear_start
from giftlive.types import Floats

HALF = np.arange(2_000) % 2


def _amounts(seed: int, noise: float) -> tuple[Floats, Floats]:
    """Return 2,000 gifts whose log mean is 0.5 x_0, and 59 columns that say nothing of them."""
    g = np.random.default_rng(seed)
    X = g.normal(size=(2_000, 60))
    mean = np.exp(0.5 * X[:, 0] - noise**2 / 2.0)
    return X, mean * np.exp(noise * g.normal(size=2_000))


def _error(X: Floats, scores: Floats) -> float:
    """Return the r.m.s. error of the log mean, its level left out."""
    off = scores - 0.5 * X[:, 0]
    return float(off.std())


def _blind(X: Floats, y: Floats) -> Floats:
    """Return member 0's log means under a prior that does not know the dispersion."""
    z = np.copysign(np.log1p(np.abs(X)), X)
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    seen = HALF != 0
    model = GammaRegressor(alpha=PRIOR_ROWS / seen.sum(), solver="newton-cholesky", max_iter=300)
    return np.asarray(np.log(model.fit(z[seen], y[seen]).predict(z)))


def test_heavy_tailed_amounts_do_not_pull_many_columns_after_single_gifts() -> None:
    mine, blind = [], []
    for seed in range(5):
        X, y = _amounts(seed, noise=2.0)
        mine.append(_error(X, linear_start(X, y, HALF, "gamma", 0).scores(X)[:, 0]))
        blind.append(_error(X, _blind(X, y)))
    assert np.mean(np.square(mine)) < 0.75 * np.mean(np.square(blind))


def test_amounts_of_small_dispersion_are_hardly_held_back() -> None:
    X, y = _amounts(0, noise=0.1)
    scores = linear_start(X, y, HALF, "gamma", 0).scores(X)[:, 0]
    assert np.corrcoef(scores, X[:, 0])[0, 1] > 0.95
    assert _error(X, scores) < 0.15
