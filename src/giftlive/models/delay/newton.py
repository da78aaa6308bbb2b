"""Newton's method for convex losses: the one solver of the linear parts of this package.

Every loss here (logistic, Poisson, Weibull, Cox) is convex in its parameters, so a Newton step
that is halved until the loss falls reaches the minimum from anywhere, and its inverse curvature
there is the covariance of the estimate.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from giftlive.errors import NotEnoughDataError
from giftlive.types import Floats

Loss = Callable[[Floats], tuple[float, Floats, Floats]]
"""Parameters [k] → loss (infinite outside its domain), gradient [k], curvature [k, k]."""

STEPS, HALVINGS, TOLERANCE = 100, 40, 1e-10

LONGEST = 10.0
"""Largest change of a parameter in one step: all are logarithms or per standard deviation.

Where the loss is nearly flat the curvature promises a step without end.
"""


def minimise(loss: Loss, start: Floats, what: str) -> tuple[Floats, Floats]:
    """Return the minimum of a convex loss and its curvature there.

    Stops when the decrement gᵀH⁻¹g, twice the loss still to be gained, is below 1e-10 of
    1 + |loss|.

    Parameters
    ----------
    loss : ``Loss``, finite at ``start``. start : [k]. what : is fitted, for the error.

    Returns
    -------
    parameters, curvature : [k], [k, k].

    Raises
    ------
    NotEnoughDataError
        The curvature is singular or no minimum was reached: the data do not determine the
        parameters.

    Examples
    --------
    >>> bowl = lambda a: (float((a - 3.0) @ (a - 3.0)), 2.0 * (a - 3.0), 2.0 * np.eye(2))
    >>> minimise(bowl, np.zeros(2), "a bowl")[0].tolist()
    [3.0, 3.0]
    """
    at = np.array(start, dtype=np.float64)
    value, gradient, curvature = loss(at)
    for _ in range(STEPS):
        step = _step(curvature, gradient, what)
        decrement = float(gradient @ step)
        if decrement <= TOLERANCE * (1.0 + abs(value)):
            return at - step, curvature  # the last step halves no loss but doubles the digits
        for halving in range(HALVINGS):
            tried = at - step / 2.0**halving
            new, new_gradient, new_curvature = loss(tried)
            if new < value:
                break
        else:  # rounding: the loss can no longer fall, and the step was nearly nothing
            if decrement <= 1e-6 * (1.0 + abs(value)):
                return at, curvature
            raise _undetermined(what, "no step lowers the loss")
        at, value, gradient, curvature = tried, new, new_gradient, new_curvature
    raise _undetermined(what, f"no minimum after {STEPS} steps")


def _step(curvature: Floats, gradient: Floats, what: str) -> Floats:
    try:
        step = np.linalg.solve(curvature, gradient)
    except np.linalg.LinAlgError as error:
        raise _undetermined(what, "the curvature is singular") from error
    if not (np.isfinite(step).all() and float(gradient @ step) >= 0.0):
        raise _undetermined(what, "the curvature is not positive")
    longest = float(np.abs(step).max(initial=0.0))
    return np.asarray(step * min(1.0, LONGEST / max(longest, LONGEST)), dtype=np.float64)


def covariance(curvature: Floats) -> Floats:
    """Return the inverse of the curvature at a minimum of −log likelihood: Wald's covariance."""
    return np.asarray(np.linalg.inv(curvature), dtype=np.float64)


def _undetermined(what: str, why: str) -> NotEnoughDataError:
    return NotEnoughDataError(
        f"{what}: {why}",
        "fit",
        "data that determine every parameter",
        "drop columns that are constant or repeat others, give a penalty, or wait for more rows",
    )
