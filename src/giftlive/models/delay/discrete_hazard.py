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
from giftlive.models.delay.at_once import MOMENT
from giftlive.models.delay.design import Design
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.hazard_likelihood import (
    Blocks,
    at_one_time,
    clock_of,
    exposure,
    hazard_loss,
    spent,
)
from giftlive.models.delay.newton import covariance, minimise
from giftlive.stats.intervals import checked_level
from giftlive.types import Floats

Times = Literal["grouped", "exact"]


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
        blocks = Blocks(design(durations.X)[:, 1:], clock_of(edges), self.by_time, moving)
        blocks.check(len(edges))
        penalty = blocks.penalty(len(edges), self.penalty)
        grouped = at_one_time(durations, happened) | (self.times == "grouped")
        seconds = np.where(happened * grouped > 0.0, np.diff(edges, prepend=0.0), seconds)
        loss = hazard_loss(blocks, seconds, happened, penalty, grouped)
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
        blocks = Blocks(self.design(X)[:, 1:], clock_of(self.edges), self.by_time, moving)
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
        blocks = Blocks(self.design(row)[:, 1:], clock_of(self.edges), self.by_time, None)
        blocks.check(K, len(self.parameters))
        slopes = np.concatenate([blocks.of(k, slice(None)) for k in range(K)])
        columns = np.concatenate([np.eye(K), slopes], axis=1)
        log = columns @ self.parameters
        half = z * np.sqrt(np.einsum("kp,pq,kq->k", columns, self.covariance, columns))
        return np.exp(log - half), np.exp(log), np.exp(log + half)
