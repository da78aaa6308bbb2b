"""Estimated values of a world without logs: the truth, times the error of a value model.

A rounds world has no clock and writes no logs, so no model can learn from it. What a model would
say is drawn instead::

    log z_us = log v_us + σ_user a_u + σ_streamer b_s + σ_pair ε_us     a, b, ε standard normal
    log e_us = c + λ log z_us

λ is the slope of log v on log z, as a calibration on held-out days would find it, and c makes
Σ e = Σ v: the errors are those of a *calibrated* model, whose large estimates are not too large on
average. Without calibration λ = 1: the largest estimates are then too large, the winner's curse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError
from giftlive.rng import stream
from giftlive.types import Floats


@dataclass(frozen=True)
class ErrorLaw:
    """Spread of the error on the log scale, and whether the model was calibrated.

    Attributes
    ----------
    pair, streamer, user : sd >= 0 of the log error of a pair, of a streamer in all of its pairs,
        of a user in all of his.
    """

    pair: float
    streamer: float = 0.0
    user: float = 0.0
    calibrated: bool = True

    def __post_init__(self) -> None:
        for name in ("pair", "streamer", "user"):
            sd = getattr(self, name)
            if not 0.0 <= sd < np.inf:
                raise InputError(f"{sd:g}", f"ErrorLaw.{name}", "a finite sd >= 0")


def estimated(true: Floats, law: ErrorLaw, seed: int) -> Floats:
    """Return what a model with such errors says of the values ``true`` [U, S] >= 0.

    Pairs worth 0 are known to be. Without any error the estimates are the truth, to the bit.

    Examples
    --------
    >>> true = np.exp(stream(1, "values").normal(size=(300, 40)))
    >>> said = estimated(true, ErrorLaw(0.5), seed=2)
    >>> top = said > np.quantile(said, 0.9)
    >>> bool(0.9 < said[top].sum() / true[top].sum() < 1.1)
    True
    >>> rough = estimated(true, ErrorLaw(0.5, calibrated=False), seed=2)
    >>> top = rough > np.quantile(rough, 0.9)
    >>> bool(rough[top].sum() / true[top].sum() > 1.1)
    True
    """
    if law.pair == law.streamer == law.user == 0.0:
        return true.copy()
    g = stream(seed, "value errors")
    users, streamers = true.shape
    error = law.user * g.standard_normal((users, 1)) + law.streamer * g.standard_normal(streamers)
    error = error + law.pair * g.standard_normal((users, streamers))
    there = true > 0.0
    spread = law.pair**2 + law.streamer**2 + law.user**2
    log_true = np.log(true, out=np.zeros_like(true), where=there)
    said = log_true + error
    if not law.calibrated:
        return np.where(there, np.exp(said - spread / 2.0), 0.0)
    x, y = said[there], log_true[there]
    slope = float(np.cov(x, y)[0, 1] / max(float(x.var(ddof=1)), 1e-300)) if x.size > 1 else 1.0
    shrunk = np.where(there, np.exp(slope * said), 0.0)
    return shrunk * (true.sum() / max(float(shrunk.sum()), 1e-300))
