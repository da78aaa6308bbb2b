"""Derivatives by differences, and the one data set everybody has fitted."""

from __future__ import annotations

import numpy as np

from giftlive.models.delay.durations import Durations
from giftlive.models.delay.newton import Loss
from giftlive.types import Floats

TREATED = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def remissions(text: str) -> tuple[Floats, Floats]:
    """Weeks in remission of Freireich et al. (1963), and 1 where they ended."""
    time = np.array([float(word.rstrip("+")) for word in text.split()])
    return time, np.array([0.0 if word.endswith("+") else 1.0 for word in text.split()])


def leukaemia() -> Durations:
    """Both arms; the feature is 1 for the treated."""
    (a, seen_a), (b, seen_b) = remissions(TREATED), remissions(PLACEBO)
    arm = np.repeat([1.0, 0.0], [len(a), len(b)])[:, None]
    return Durations(arm, np.concatenate([a, b]), np.concatenate([seen_a, seen_b]) > 0.0)


def derivatives(loss: Loss, at: Floats, step: float = 1e-5) -> tuple[Floats, Floats]:
    """Gradient and curvature by central differences of the value and of the gradient."""
    slope, bend = np.empty(len(at)), np.empty((len(at), len(at)))
    for j in range(len(at)):
        move = np.zeros(len(at))
        move[j] = step
        up, down = loss(at + move), loss(at - move)
        slope[j] = (up[0] - down[0]) / (2.0 * step)
        bend[j] = (up[1] - down[1]) / (2.0 * step)
    return slope, bend
