"""A synthetic two-part law of gifts whose true expected amounts are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from giftlive.models.trees import TreeSettings
from giftlive.rng import stream
from giftlive.types import Floats, Ints

NAMES = (
    "user_gift_sum",
    "pair_gift_sum",
    "streamer_gift_sum",
    "affinity",
    "user_gift_mean",
    "noise_normal",
    "user_last_amount",  # here a noise like any other
)


@dataclass(frozen=True)
class Sample:
    """Features with unknowns, realised amounts, users, and the truth."""

    X: Floats
    y: Floats
    user: Ints
    ev: Floats
    chance: Floats
    names: tuple[str, ...] = NAMES

    def rows(self, keep: slice) -> Sample:
        return Sample(self.X[keep], self.y[keep], self.user[keep], self.ev[keep], self.chance[keep])


def draw(n: int, seed: int, noise: float = 1.0, base: float = -3.6, whole: bool = True) -> Sample:
    """Draw rows: P(gift) logistic, amount log-normal, both rising with wealth and affinity.

    Rounding up to whole amounts adds about half a unit that ``ev`` leaves out.
    """
    g = stream(seed, "two-part world")
    users, streamers = n // 20, 100
    wealth, fame = g.normal(0.0, 1.3, users), np.log1p(g.pareto(1.2, streamers))
    taste, style = g.normal(size=(users, 8)) / 3.0, g.normal(size=(streamers, 8))
    user, streamer = g.integers(0, users, n), g.integers(0, streamers, n)
    affinity = np.einsum("ni,ni->n", taste[user], style[streamer])
    logit = base + 0.9 * affinity + 0.3 * wealth[user] + 0.3 * fame[streamer]
    chance = 1.0 / (1.0 + np.exp(-logit))
    mean = np.exp(3.0 + wealth[user] + 0.5 * affinity)
    amount = np.exp(np.log(mean) - noise**2 / 2.0 + noise * g.normal(size=n))
    y = np.where(g.random(n) < chance, np.ceil(amount) if whole else amount, 0.0)
    past = np.floor(50.0 * np.exp(wealth[user] + 0.4 * g.normal(size=n)))
    pair = np.where(g.random(n) < 0.7, -1.0, np.floor(9.0 * np.exp(wealth[user] + affinity)))
    X = np.column_stack(
        [
            past,
            pair,
            np.floor(100.0 * np.exp(fame[streamer])),
            np.where(g.random(n) < 0.1, np.nan, affinity),
            g.poisson(5.0, n).astype(np.float64),
            g.normal(size=n),
            np.floor(g.exponential(20.0, n)),
        ]
    )
    return Sample(X, y, user.astype(np.int64), chance * mean, chance)


@pytest.fixture(scope="session")
def train() -> Sample:
    return draw(40_000, 1).rows(slice(0, 20_000))


@pytest.fixture(scope="session")
def fresh() -> Sample:
    return draw(40_000, 1).rows(slice(20_000, 40_000))


@pytest.fixture(scope="session")
def many() -> tuple[Sample, Sample]:
    """Gifts enough to judge tenths: 60,000 rows to learn from, as many of later draws."""
    sample = draw(120_000, 2, noise=0.6, base=-2.0, whole=False)
    return sample.rows(slice(0, 60_000)), sample.rows(slice(60_000, 120_000))


@pytest.fixture(scope="session")
def small_trees() -> TreeSettings:
    return TreeSettings(rounds=40, leaves=8, rows_per_leaf=20, threads=1)
