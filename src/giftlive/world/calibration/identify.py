"""What the targets say about each coefficient, and what they cannot say.

The slopes J [K, P] are in tolerances per finite-difference step of a coefficient. A direction of
coefficients whose singular value is below ``FLAT`` moves all residuals together by less than one
tolerance in ten steps: the targets do not see it, and whoever reads a coefficient that takes
part in it reads the starting value. Along the others theta - theta0 = -J^+ r, so that the standard
error of theta is that of J^+ r over the simulated worlds, divided by the root of their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.types import Floats
from giftlive.world.calibration.loss import limits_of
from giftlive.world.calibration.moments import Moments, alone, stacked
from giftlive.world.calibration.parameters import Parameter
from giftlive.world.calibration.targets import Target

FLAT = 0.1
"""Tolerances per step, all residuals together."""
TAKES_PART = 0.25
"""From this weight in a direction on, a coefficient is named as part of it."""


@dataclass(frozen=True)
class Known:
    """What the targets say about one coefficient.

    Attributes
    ----------
    value : fitted. error : Monte-Carlo standard error, None where it is not ``identified``.
    target : the one that a step moves most, by ``shift`` tolerances; None where none moves.
    elasticity : of that moment: d log moment / d log coefficient (per unit of the coefficient
        where it is fitted as it is); None where the moment is 0.
    """

    key: str
    value: float
    error: float | None
    identified: bool
    target: str | None
    shift: float
    elasticity: float | None


@dataclass(frozen=True)
class Identified:
    """Singular values of the slopes, largest first, and what they mean.

    Attributes
    ----------
    condition : largest / smallest, None where the smallest is 0 to the precision of numbers.
    blind : directions that the targets do not see: weight by coefficient, those that take part.
    """

    singular: tuple[float, ...]
    condition: float | None
    blind: tuple[dict[str, float], ...]
    parameters: tuple[Known, ...]


def identify(
    slopes: Floats,
    x: Floats,
    found: Moments,
    parameters: Sequence[Parameter],
    chosen: Sequence[Target],
) -> Identified:
    """Return what is known about the coefficients ``x``.

    Parameters
    ----------
    slopes : [K, P] in tolerances per step. found : at ``x``.
    """
    left, singular, right = np.linalg.svd(slopes, full_matrices=False)
    # fewer numbers than coefficients: the rest of the space is seen by none
    rest = np.linalg.svd(slopes)[2][len(singular) :]
    seen = singular >= FLAT
    blind = np.concatenate([right[~seen], rest])
    errors = _errors((right[seen].T / singular[seen]) @ left[:, seen].T, found, chosen)
    unseen = (blind**2).sum(axis=0) >= TAKES_PART**2
    every = np.concatenate([singular, np.zeros(len(rest))])
    tiny = every[-1] <= np.finfo(float).eps * len(slopes) * every[0]
    return Identified(
        singular=tuple(map(float, every)),
        condition=None if tiny else float(every[0] / every[-1]),
        blind=tuple(_named(direction, parameters) for direction in blind),
        parameters=tuple(
            _known(p, float(x[i]), None if unseen[i] else float(errors[i]), slopes[:, i], found,
                   chosen)
            for i, p in enumerate(parameters)
        ),
    )  # fmt: skip


def _errors(inverse: Floats, found: Moments, chosen: Sequence[Target]) -> Floats:
    """Return the standard errors [P] in steps; moments move together in a world, and so they do."""
    worlds = alone(found, chosen)
    known = np.isfinite(worlds)
    mean = np.where(known, worlds, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    apart = np.where(known, worlds - mean, 0.0) / limits_of(chosen)
    moved: Floats = (apart @ inverse.T).std(axis=0, ddof=1) / np.sqrt(len(worlds))
    return moved


def _named(direction: Floats, parameters: Sequence[Parameter]) -> dict[str, float]:
    order = np.argsort(-np.abs(direction))
    largest = np.sign(direction[order[0]])
    return {
        parameters[i].key: float(largest * direction[i])
        for i in order
        if abs(direction[i]) >= TAKES_PART
    }


def _known(
    parameter: Parameter,
    x: float,
    error: float | None,
    slope: Floats,
    found: Moments,
    chosen: Sequence[Target],
) -> Known:
    value = parameter.outer(x)
    scale = parameter.step * (value if parameter.transform == "log" else 1.0)
    names = [name for t in chosen for name in _numbered(t)]
    k = int(np.argmax(np.abs(slope)))
    moment = float(stacked(found.values, chosen)[k])
    moves = bool(slope[k])
    rise = float(slope[k] * limits_of(chosen)[k] / parameter.step)
    return Known(
        key=parameter.key,
        value=value,
        error=None if error is None else error * scale,
        identified=error is not None,
        target=names[k] if moves else None,
        shift=float(slope[k]),
        elasticity=rise / moment if moves and np.isfinite(moment) and moment else None,
    )


def _numbered(target: Target) -> list[str]:
    """Return a name for each number of a target."""
    many = len(target.value)
    return [target.name] if many == 1 else [f"{target.name}[{i + 1}]" for i in range(many)]
