"""The method of simulated moments: coefficients whose world has the published quantities.

A round measures the slope of every moment in every coefficient, by forward differences, and then
makes steps: the moments are taken as linear, the loss as it is, within bounds and a radius
that grows after a step as good as foretold and shrinks after a poor one. After each step the slopes
are corrected by what was seen (Broyden), so that one round of slopes serves several steps. The
draws are common to all evaluations, which makes the loss a function and not a lottery.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from joblib import Parallel, delayed

from giftlive.types import Floats, Progress, silent
from giftlive.world.calibration.ledger import Ledger, key_of
from giftlive.world.calibration.loss import best_step, limits_of, loss, residuals
from giftlive.world.calibration.moments import Moments, alone, moments, standard_errors
from giftlive.world.calibration.parameters import Parameter, applied, settings, start_of
from giftlive.world.calibration.targets import Target
from giftlive.world.scenario import Scenario

STEPS = 4
"""Trial steps after each round of slopes."""
RADIUS = 3.0
"""How far a first step goes in one coefficient, in its finite-difference steps."""
LARGEST, SMALLEST = 12.0, 0.25
"""Radii beyond which none is tried."""
GAIN = 1e-3
"""A step that is foretold to win less of the loss than this share is not worth an evaluation."""

Say = Callable[[str], None]


def _quiet(_text: str) -> None:
    return None


@dataclass
class Problem:
    """What is fitted to what, and where evaluations are kept.

    Attributes
    ----------
    scenario : at the scale of the fit. parameters : P of them. chosen : targets, K numbers.
    seeds : common to all evaluations. jobs : processes. say : hears one sentence per step.
    """

    scenario: Scenario
    parameters: tuple[Parameter, ...]
    chosen: tuple[Target, ...]
    seeds: tuple[int, ...]
    ledger: Ledger = field(default_factory=Ledger)
    jobs: int = 1
    progress: Progress = silent
    say: Say = _quiet
    evaluations: int = 0
    planned: int = 1

    @property
    def start(self) -> Floats:
        """[P] the scenario's own coefficients, on the scales of the transforms."""
        return start_of(self.scenario, self.parameters)

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """[P] each, on the scales of the transforms."""
        low = np.array([p.inner(p.low) for p in self.parameters])
        return low, np.array([p.inner(p.high) for p in self.parameters])

    @property
    def units(self) -> Floats:
        """[P] the finite-difference steps."""
        return np.array([p.step for p in self.parameters])

    def at(self, x: Floats) -> Scenario:
        """Return the scenario with the coefficients ``x``."""
        return applied(self.scenario, settings(self.parameters, x))

    def evaluate(self, x: Floats) -> Moments:
        """Return the moments at ``x``, from the ledger if they are there."""
        scenario = self.at(x)
        key = key_of(scenario, self.seeds)
        found = self.ledger.find(key)
        if found is None:
            found = moments(
                scenario, self.seeds, wanted=self.chosen, jobs=self.jobs, progress=self._within
            )
            self.ledger.add(key, found, settings(self.parameters, x))
        self._count()
        return found

    def residuals(self, x: Floats) -> Floats:
        """[K] distance from the targets at ``x``, in tolerances."""
        return residuals(self.evaluate(x).values, self.chosen)

    def slopes(self, x: Floats) -> Floats:
        """[K, P] change of the residuals per step of each parameter, less what is luck.

        A slope that differs between worlds is shrunk by 1 - 1/t^2, t being its ratio to its
        standard error over them: what a few large gifts did is no direction to go.
        """
        here = self.evaluate(x)
        points = [self._aside(x, p) for p in range(len(x))]
        self._fill([point for point, _ in points])
        columns = [self._slope(here, self.evaluate(there), by) for there, by in points]
        return np.stack(columns, axis=1)

    def _slope(self, here: Moments, there: Moments, steps: float) -> Floats:
        worlds = [alone(found, self.chosen) / limits_of(self.chosen) for found in (here, there)]
        error = standard_errors(worlds[1] - worlds[0])
        both = [residuals(found.values, self.chosen) for found in (here, there)]
        rise = both[1] - both[0]
        luck = np.divide(error, np.abs(rise), out=np.ones(len(rise)), where=rise != 0.0)
        shrunk: Floats = rise * np.maximum(1.0 - luck**2, 0.0) / steps
        return shrunk

    def _aside(self, x: Floats, p: int) -> tuple[Floats, float]:
        """Return ``x`` moved by one step of parameter p, inwards, and by how many steps it is."""
        low, high = self.bounds
        unit = self.units[p] if x[p] + self.units[p] <= high[p] else -self.units[p]
        other = x.copy()
        other[p] = np.clip(x[p] + unit, low[p], high[p])
        return other, float((other[p] - x[p]) / self.units[p])

    def _fill(self, points: Sequence[Floats]) -> None:
        """Evaluate what the ledger lacks of ``points``; each is kept as soon as it is there."""
        missing = {}
        for x in points:
            scenario = self.at(x)
            key = key_of(scenario, self.seeds)
            if self.ledger.find(key) is None:
                missing[key] = (scenario, settings(self.parameters, x))
        calls = (
            delayed(_keyed)(key, scenario, self.seeds, self.chosen)
            for key, (scenario, _) in missing.items()
        )
        done = 0
        for key, found in Parallel(n_jobs=self.jobs, return_as="generator_unordered")(calls):
            self.ledger.add(key, found, missing[key][1])
            done += len(self.seeds)
            self._within(done, 0)

    def _within(self, worlds: int, _total: int, /) -> None:
        size = len(self.seeds)
        self.progress(min(self.evaluations * size + worlds, self.planned * size),
                      self.planned * size)  # fmt: skip

    def _count(self) -> None:
        self.evaluations += 1
        self._within(0, 0)


def _keyed(
    key: str, scenario: Scenario, seeds: tuple[int, ...], chosen: tuple[Target, ...]
) -> tuple[str, Moments]:
    return key, moments(scenario, seeds, wanted=chosen)


@dataclass(frozen=True)
class Fitted:
    """Where a fit ended.

    Attributes
    ----------
    start, x : [P] on the scales of the transforms. before, after : [K] residuals.
    slopes : [K, P] at ``x``, per step. rounds : made. settled : no step promised a gain any more.
    """

    start: Floats
    x: Floats
    before: Floats
    after: Floats
    slopes: Floats
    rounds: int
    settled: bool


def fit(problem: Problem, rounds: int = 3) -> Fitted:
    """Return the coefficients that ``rounds`` of slopes and steps come to; never worse ones.

    The slopes at the end are measured once more, for what is said about identifiability.
    """
    start = problem.start
    problem.planned = 1 + rounds * (len(start) + 2 + STEPS) + len(start) + 2
    before = problem.residuals(start)
    x, r, radius, settled, made = start, before, RADIUS, False, 0
    problem.say(_told("start", r))
    while made < rounds and not settled:
        made += 1
        x, r, radius, settled = _round(problem, x, r, radius, made)
    slopes = problem.slopes(x)
    return Fitted(start, x, before, r, slopes, made, settled)


def _round(
    problem: Problem, x: Floats, r: Floats, radius: float, number: int
) -> tuple[Floats, Floats, float, bool]:
    """Return (x, residuals, radius, settled) after one measurement of slopes and its steps."""
    slope = problem.slopes(x)
    moved = False
    for trial in range(1, STEPS + 1):
        step = best_step(r, slope, *_reach(problem, x, radius))
        foretold = loss(r) - loss(r + slope @ step)
        if foretold <= GAIN * loss(r):
            # slopes as measured at this very point promise nothing: only a corrected one may lie
            return x, r, radius, not moved and trial == 1
        there = x + step * problem.units
        seen = problem.residuals(there)
        gain = loss(r) - loss(seen)
        slope = slope + np.outer(seen - r - slope @ step, step) / (step @ step)
        problem.say(_told(f"round {number}, step {trial}", seen if gain > 0.0 else r))
        if gain > 0.0:
            x, r, moved = there, seen, True
        radius = _next_radius(radius, gain / foretold)
        if radius < SMALLEST:
            return x, r, SMALLEST, not moved
    return x, r, radius, False


def _reach(problem: Problem, x: Floats, radius: float) -> tuple[Floats, Floats]:
    """Return how far a step may go down and up, in finite-difference steps."""
    low, high = problem.bounds
    down, up = (low - x) / problem.units, (high - x) / problem.units
    return np.minimum(np.maximum(down, -radius), 0.0), np.maximum(np.minimum(up, radius), 0.0)


def _next_radius(radius: float, kept: float) -> float:
    """Return the radius after a step that kept this share of what it promised."""
    if kept > 0.6:
        return min(2.0 * radius, LARGEST)
    return radius if kept > 0.2 else radius / 3.0


def _told(when: str, r: Floats) -> str:
    outside = int((np.abs(r) > 1.0).sum())
    return f"{when}: loss {loss(r):.2f}, {outside} of {len(r)} numbers outside their tolerance"
