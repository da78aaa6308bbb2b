"""The prior that a key's rate is shrunk to, by factorial moments of integers.

A key k with n_k trials has g_k successes; its rate is drawn with mean p and variance s² (a
negative binomial count for a gamma rate). Then E[Σ g_k] = p Σ n_k and
E[Σ (g_k² - g_k)] = (p² + s²) Σ n_k², so that

    p = Σ g / Σ n,    s² = (Σ g² - Σ g) / Σ n² - p²,    strength = p / s²,

and the posterior mean is (g_k + strength · p) / (n_k + strength). The sums are integers: neither
their order nor the engine can change a digit. Assumes that the trials of a key are alike; where
they drift, the strength is too small and rates are shrunk too little.
"""

from __future__ import annotations

from dataclasses import dataclass

MIN_STRENGTH, MAX_STRENGTH = 1.0, 10_000.0


@dataclass(frozen=True)
class Moments:
    """Integer sums over the keys of a group, as known before a local day began.

    Attributes
    ----------
    trials, successes : Σ n and Σ g. trials_squared, successes_squared : Σ n² and Σ g².
    value : Σ amount (0 where successes carry none).
    """

    trials: int
    successes: int
    trials_squared: int
    successes_squared: int
    value: int = 0


@dataclass(frozen=True)
class Prior:
    """Mean successes and value per trial, and how many trials the mean is worth."""

    rate: float
    value: float
    strength: float


def prior_of(moments: Moments) -> Prior:
    """Return the prior; rates 0 and strength 1 where nothing has been seen.

    Examples
    --------
    >>> prior_of(Moments(trials=16, successes=4, trials_squared=64, successes_squared=12))
    Prior(rate=0.25, value=0.0, strength=4.0)
    """
    n, g = moments.trials, moments.successes
    if n == 0 or g == 0:
        return Prior(0.0, moments.value / n if n else 0.0, MIN_STRENGTH)
    rate = g / n
    spread = (moments.successes_squared - g) / moments.trials_squared - rate * rate
    strength = rate / spread if spread > 0.0 else MAX_STRENGTH
    return Prior(rate, moments.value / n, min(max(strength, MIN_STRENGTH), MAX_STRENGTH))
