"""Columns shared by the tests of the metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from giftlive.rng import stream
from giftlive.types import Floats


@dataclass(frozen=True)
class Columns:
    """Amounts, a tied score, probabilities and integer weights (some 0) of 400 rows."""

    amount: Floats
    score: Floats
    p: Floats
    copies: Floats

    def repeated(self, x: Floats) -> Floats:
        return np.repeat(x, self.copies.astype(int))


@pytest.fixture(params=[0, 1, 2])
def columns(request: pytest.FixtureRequest) -> Columns:
    g = stream(request.param, "metrics")
    n = 400
    gift = g.random(n) < 0.2
    amount = np.where(gift, np.ceil(np.exp(g.normal(2.0, 1.5, n))), 0.0)
    score = np.round(g.normal(size=n) + gift, 1)
    p = np.round(np.clip(0.2 + 0.2 * g.normal(size=n) + 0.2 * gift, 0.01, 0.99), 2)
    return Columns(amount, score, p, g.poisson(1.0, n).astype(np.float64))
