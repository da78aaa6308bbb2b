"""A hazard per interval of time, with features that may change from interval to interval.

An event within interval k, of width w_k, reached without it, has the chance

    h_k(x) = 1 − exp(−λ_k(x)·w_k),   λ_k(x) = exp(α_k + β·x + δ·x·c_k + γ·z_k)

(the complementary log-log link: the hazard of a proportional-hazards law whose times are grouped).
c_k is the standardised logarithm of the interval's middle (effects that grow or fade), z_k are
features that change while a viewing goes on (comments so far). A row that ends without the event
in the middle of an interval counts with the seconds it was watched in it, −λ_k·seconds. The event
itself counts in one of two ways:

- *exact*: log λ_k − λ_k·seconds until it. An interval whose events all came at one time (gifts at
  second 0) is grouped nevertheless: there is no time in it to use.
- *grouped*: log h_k, where in the interval it came is not used. For a recorder with a coarse grid;
  too low where common events compete with censoring within wide intervals.

After the last edge the hazard is 0.

Assumption: censoring says nothing beyond x and z, and within an interval that censors many rows
the hazard is nearly constant. Features z must not be caused by the gift itself.

References
----------
Prentice and Gloeckler (1978), "Regression analysis of grouped survival data"; Friedman (1982),
"Piecewise exponential models for survival data with covariates".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.delay.design import Design
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.newton import Loss, covariance, minimise
from giftlive.stats.intervals import checked_level
from giftlive.types import Bools, Floats, Ints

Times = Literal["grouped", "exact"]

MOMENT = 1e-3
"""Seconds a recorder of milliseconds cannot tell from 0."""

_TINY = float(np.finfo(np.float64).tiny)
_STEEPEST = 50.0
"""Largest logarithm of a hazard times seconds tried by the solver."""


@dataclass(frozen=True)
class DiscreteHazard:
    """Settings.

    Parameters
    ----------
    edges : ends of the intervals in seconds, ascending, the first above 0 and the last not before
        the last event; ``()`` takes ``intervals`` of equally many events.
    times : "grouped" or "exact", as above.
    by_time : whether effects of features may grow or fade with log time (δ).
    penalty : ½·penalty·Σ slope² on standardised slopes; the α are free.
    """

    edges: tuple[float, ...] = ()
    intervals: int = 16
    times: Times = "exact"
    by_time: bool = True
    penalty: float = 1.0

    def fit(self, durations: Durations, moving: Floats | None = None) -> FittedHazard:
        """Fit to right-censored times.

        Parameters
        ----------
        moving : [n, K, q] features z of every row in every interval; values in intervals a row
            was not watched in are not read, and may be nan.

        Raises
        ------
        NotEnoughDataError
            No event, or none in one of the intervals.
        """
        edges = self._edges(durations)
        design = Design.of(durations.X)
        seconds, happened = exposure(durations, edges)
        if (late := durations.event & (durations.time > edges[-1])).any():
            raise UsageError(
                f"{int(late.sum())} events after {edges[-1]:g} s",
                "argument edges",
                "a last edge that no event passes",
                "end at the horizon",
            )
        empty = np.flatnonzero(happened.sum(axis=0) == 0.0)
        if len(empty):
            raise NotEnoughDataError(
                f"no event in intervals {empty.tolist()} of {edges.tolist()}",
                "argument edges",
                "an event in every interval",
                "take fewer edges",
            )
        blocks = _Blocks(design(durations.X)[:, 1:], _clock(edges), self.by_time, moving)
        blocks.check(len(edges))
        penalty = blocks.penalty(len(edges), self.penalty)
        grouped = _grouped_intervals(durations, happened) | (self.times == "grouped")
        seconds = np.where(happened * grouped > 0.0, np.diff(edges, prepend=0.0), seconds)
        loss = _loss(blocks, seconds, happened, penalty, grouped)
        start = np.zeros(len(penalty))
        start[: len(edges)] = np.log(happened.sum(axis=0) / seconds.sum(axis=0))
        found, curvature = minimise(loss, start, "discrete hazard")
        return FittedHazard(design, edges, self.by_time, found, covariance(curvature))

    def _edges(self, durations: Durations) -> Floats:
        if self.edges:
            edges = np.array(self.edges, dtype=np.float64)
            if not ((np.diff(edges) > 0.0).all() and edges[0] > 0.0):
                raise UsageError(f"edges {self.edges}", "argument edges", "0 < ascending")
            return edges
        times = durations.time[durations.event]
        if not len(times):
            raise NotEnoughDataError("no event", "discrete hazard", "at least one")
        parts = np.linspace(0.0, 1.0, self.intervals + 1)[1:]
        edges = np.unique(np.quantile(times, parts, method="higher"))
        edges = edges[edges > MOMENT]
        # Gifts at second 0 are an atom, not a rate: they have a moment of their own.
        return np.append(MOMENT, edges) if (times <= MOMENT).any() else edges


@dataclass(frozen=True)
class FittedHazard:
    """The law after training.

    Attributes
    ----------
    edges : [K] ends of the intervals. parameters : α [K], then β, δ and γ on standardised
        features. covariance : of the parameters, the inverse information.
    """

    design: Design
    edges: Floats
    by_time: bool
    parameters: Floats
    covariance: Floats

    def rates(self, X: Floats, moving: Floats | None = None) -> Floats:
        """Return [n, K] λ_k(x) per second.

        Parameters
        ----------
        moving : [n, K, q] the path of the features z, as in training; needed if they were there.
        """
        blocks = _Blocks(self.design(X)[:, 1:], _clock(self.edges), self.by_time, moving)
        blocks.check(len(self.edges), len(self.parameters))
        return np.exp(blocks.predictor(self.parameters, len(self.edges)))

    def hazards(self, X: Floats, moving: Floats | None = None) -> Floats:
        """Return [n, K] h_k(x), the chance of the event in an interval reached without it."""
        return -np.expm1(-self.rates(X, moving) * np.diff(self.edges, prepend=0.0))

    def survival(self, X: Floats, t: Floats, moving: Floats | None = None) -> Floats:
        """Return [n, m] S(t | x), exact between edges too."""
        return np.exp(-self.rates(X, moving) @ spent(np.asarray(t), self.edges).T)

    def band(self, x: Floats, level: float = 0.95) -> tuple[Floats, Floats, Floats]:
        """Return [K] low, value and high of λ_k(x) at one row [p]: Wald on the log scale."""
        z = float(ndtri(0.5 + checked_level(level) / 2.0))
        row, K = np.asarray(x, dtype=np.float64)[None, :], len(self.edges)
        blocks = _Blocks(self.design(row)[:, 1:], _clock(self.edges), self.by_time, None)
        blocks.check(K, len(self.parameters))
        columns = np.concatenate([blocks.of(k, K, slice(None)) for k in range(K)])
        log = columns @ self.parameters
        half = z * np.sqrt(np.einsum("kp,pq,kq->k", columns, self.covariance, columns))
        return np.exp(log - half), np.exp(log), np.exp(log + half)


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


def _grouped_intervals(durations: Durations, happened: Floats) -> Bools:
    """Return [K] where all events of an interval came at one time."""
    times = np.where(happened > 0.0, durations.time[:, None], np.nan)
    return np.asarray(np.nanmax(times, axis=0) == np.nanmin(times, axis=0))


def spent(t: Floats, edges: Floats) -> Floats:
    """Return [m, K] the seconds of [0, t] in every interval."""
    return np.clip(t[:, None] - np.append(0.0, edges[:-1]), 0.0, np.diff(edges, prepend=0.0))


def _clock(edges: Floats) -> Floats:
    """Return [K] the standardised logarithm of the middles."""
    log = np.log((edges + np.append(0.0, edges[:-1])) / 2.0)
    return (log - log.mean()) / (log.std() or 1.0)


@dataclass(frozen=True)
class _Blocks:
    """Columns of the predictor, one interval at a time, so that no [n·K, p] is built."""

    features: Floats
    clock: Floats
    by_time: bool
    moving: Floats | None

    def check(self, K: int, width: int | None = None) -> None:
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
        return np.append(np.zeros(K), np.full(self._width(K) - K, size))

    def of(self, k: int, K: int, rows: slice | Ints) -> Floats:
        """Return the columns of some rows in interval k."""
        X = self.features[rows]
        own = np.zeros((len(X), K))
        own[:, k] = 1.0
        parts = [own, X] + ([X * self.clock[k]] if self.by_time else [])
        if self.moving is not None:
            parts.append(self.moving[rows, k])
        return np.concatenate(parts, axis=1)

    def predictor(self, a: Floats, K: int) -> Floats:
        """Return [n, K] log λ."""
        return np.stack([self.of(k, K, slice(None)) @ a for k in range(K)], axis=1)


def _loss(
    blocks: _Blocks, seconds: Floats, happened: Floats, penalty: Floats, grouped: Bools
) -> Loss:
    K = seconds.shape[1]
    reached = [np.flatnonzero((seconds[:, k] > 0.0) | (happened[:, k] > 0.0)) for k in range(K)]

    def loss(a: Floats) -> tuple[float, Floats, Floats]:
        value, slope, bend = 0.5 * float(a @ (penalty * a)), penalty * a, np.diag(penalty)
        for k, rows in enumerate(reached):
            columns = blocks.of(k, K, rows)
            log = np.minimum(columns @ a, _STEEPEST)
            term = _grouped if grouped[k] else _exact
            row_value, pull, bent = term(log, seconds[rows, k], happened[rows, k] > 0.0)
            value -= float(row_value.sum())
            slope = slope - columns.T @ pull
            bend = bend + (columns * bent[:, None]).T @ columns
        return value, slope, bend

    return loss


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
