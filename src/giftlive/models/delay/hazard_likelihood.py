"""The likelihood of a hazard per interval: seconds watched in each, events, and derivatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import chunks
from giftlive.models.delay.design import gram
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.newton import Loss
from giftlive.types import Bools, Floats, Ints

_TINY = float(np.finfo(np.float64).tiny)
_STEEPEST = 50.0
"""Largest logarithm of a hazard per second tried by the solver."""


def exposure(durations: Durations, edges: Floats) -> tuple[Floats, Floats]:
    """Return [n, K] seconds watched in every interval, and whether the event fell in it.

    Examples
    --------
    >>> one = Durations(np.zeros((1, 1)), np.array([5.0]), np.array([True]))
    >>> [part.tolist() for part in exposure(one, np.array([2.0, 4.0, 8.0]))]
    [[[2.0, 2.0, 1.0]], [[0.0, 0.0, 1.0]]]
    """
    at = np.minimum(np.searchsorted(edges, durations.time, side="left"), len(edges) - 1)
    happened = np.zeros((len(durations), len(edges)))
    happened[durations.event, at[durations.event]] = 1.0
    return spent(durations.time, edges), happened


def at_one_time(durations: Durations, happened: Floats) -> Bools:
    """Return [K] where all events of an interval came at one time."""
    times = np.where(happened > 0.0, durations.time[:, None], np.nan)
    return np.asarray(np.nanmax(times, axis=0) == np.nanmin(times, axis=0))


def spent(t: Floats, edges: Floats) -> Floats:
    """Return [m, K] the seconds of [0, t] in every interval."""
    return np.clip(t[:, None] - np.append(0.0, edges[:-1]), 0.0, np.diff(edges, prepend=0.0))


def clock_of(edges: Floats) -> Floats:
    """Return [K] the standardised logarithm of the middles."""
    log = np.log((edges + np.append(0.0, edges[:-1])) / 2.0)
    return (log - log.mean()) / (log.std() or 1.0)


@dataclass(frozen=True)
class Blocks:
    """Columns of the predictor, one interval at a time, so that no [n·K, p] is built."""

    features: Floats
    clock: Floats
    by_time: bool
    moving: Floats | None

    def check(self, K: int, width: int | None = None) -> None:
        """Refuse moving features of another shape, and another width than in training."""
        shape = None if self.moving is None else self.moving.shape
        if shape is not None and (len(shape) != 3 or shape[:2] != (len(self.features), K)):
            raise UsageError(f"shape {shape}", "argument moving", f"[{len(self.features)}, {K}, q]")
        if width is not None and self._width(K) != width:
            raise UsageError(
                f"{self._width(K)} columns", "argument moving", f"those of the training, {width}"
            )

    def _width(self, K: int) -> int:
        steady = self.features.shape[1] * (2 if self.by_time else 1)
        return K + steady + (0 if self.moving is None else self.moving.shape[2])

    def penalty(self, K: int, size: float) -> Floats:
        """Return 0 for every α and ``size`` for every slope."""
        return np.append(np.zeros(K), np.full(self._width(K) - K, size))

    def of(self, k: int, rows: slice | Ints) -> Floats:
        """Return the columns of some rows in interval k, without that of the interval itself."""
        X = self.features[rows]
        parts = [X] + ([X * self.clock[k]] if self.by_time else [])
        if self.moving is not None:
            parts.append(self.moving[rows, k])
        return np.concatenate(parts, axis=1)

    def predictor(self, a: Floats, K: int) -> Floats:
        """Return [n, K] log λ."""
        return np.stack([a[k] + self.of(k, slice(None)) @ a[K:] for k in range(K)], axis=1)


def hazard_loss(
    blocks: Blocks, seconds: Floats, happened: Floats, penalty: Floats, grouped: Bools
) -> Loss:
    """Return −log L with its derivatives, in α [K] and the slopes.

    Parameters
    ----------
    seconds, happened : [n, K] as in ``exposure``. penalty : on every parameter. grouped : [K].
    """
    K = seconds.shape[1]
    reached = [np.flatnonzero((seconds[:, k] > 0.0) | (happened[:, k] > 0.0)) for k in range(K)]

    def loss(a: Floats) -> tuple[float, Floats, Floats]:
        value, slope, bend = 0.5 * float(a @ (penalty * a)), penalty * a, np.diag(penalty)
        for k, rows in _pieces(reached):
            columns = blocks.of(k, rows)
            log = np.minimum(a[k] + columns @ a[K:], _STEEPEST)
            term = _grouped if grouped[k] else _exact
            found, pull, bent = term(log, seconds[rows, k], happened[rows, k] > 0.0)
            value -= float(found.sum())
            slope[k] -= pull.sum()
            slope[K:] -= columns.T @ pull
            bend[k, k] += bent.sum()
            bend[k, K:] += columns.T @ bent
            bend[K:, k] = bend[k, K:]
            bend[K:, K:] += gram(columns, bent)
        return value, slope, bend

    return loss


def _pieces(reached: list[Ints]) -> Iterator[tuple[int, Ints]]:
    """Yield intervals with some of the rows that reached them: copies stay small."""
    for k, rows in enumerate(reached):
        for part in chunks(len(rows)):
            yield k, rows[part]


def _grouped(log: Floats, seconds: Floats, y: Bools) -> tuple[Floats, Floats, Floats]:
    """Return [m] log-likelihood of rows by log λ, its slope and minus its curvature."""
    mass = np.exp(log) * seconds
    lost = np.where(y, np.maximum(-np.expm1(-mass), _TINY), 1.0)
    pull = np.where(y, mass * np.exp(-mass) / lost, -mass)
    return np.where(y, np.log(lost), -mass), pull, np.where(y, pull * (mass / lost - 1.0), mass)


def _exact(log: Floats, seconds: Floats, y: Bools) -> tuple[Floats, Floats, Floats]:
    """Return the same where the time of the event is used."""
    mass = np.exp(log) * seconds
    return y * log - mass, y - mass, mass
