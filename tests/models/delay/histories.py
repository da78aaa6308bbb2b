"""Logs of late labels small enough to reason about."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from giftlive.models.delay.follow_up import NEVER, History
from giftlive.rng import stream

HOUR = 3_600.0
HOUR_MS = 3_600_000


def history(
    seed: int, n: int, hours: float = 48.0, mean_delay: float = 4 * HOUR, horizon: float = 20 * HOUR
) -> History:
    """Gifts with chance logistic(−1.5 + x), known after exponential delays."""
    rng = stream(seed, "history")
    ts = np.sort(rng.integers(0, int(hours * HOUR_MS), n))
    x = rng.normal(size=n)
    gift = rng.random(n) < expit(x - 1.5)
    delay = np.where(gift, rng.exponential(mean_delay, n) if mean_delay else 0.0, NEVER)
    amount = np.where(gift, np.ceil(rng.exponential(10.0, n)), 0.0)
    user = rng.integers(0, max(n // 10, 1), n)
    return History(x[:, None], ts, user, delay, np.full(n, NEVER), amount, horizon)
