"""The published quantities of a simulated world, measured as facts on many seeds at once.

The seeds are the same for every vector of coefficients and every draw is keyed, so that two
vectors differ by what they change and not by luck (common random numbers).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.facts import FactBook, compute_facts
from giftlive.facts.activity import activity_section
from giftlive.facts.concentration import concentration_section
from giftlive.facts.delay import delay_section
from giftlive.facts.funnel import funnel_section
from giftlive.facts.gifts import gift_section
from giftlive.facts.loyalty import loyalty_section
from giftlive.facts.pairs import pair_section
from giftlive.facts.time_of_day import time_section
from giftlive.facts.watch import watch_section
from giftlive.types import Floats, Progress, silent
from giftlive.world.calibration.pool import Part, expected_store, pooled, simulate
from giftlive.world.calibration.targets import Target, targets
from giftlive.world.history import require_clock
from giftlive.world.scenario import Scenario

SECTIONS = (
    funnel_section,
    gift_section,
    concentration_section,
    watch_section,
    pair_section,
    activity_section,
    loyalty_section,
    delay_section,
    time_section,
)
"""The topics that hold a published quantity; the others would take as long again."""

ON_EXPECTED = ("weekly_revenue_ratio_max_min",)
"""Measured on expected revenue: the largest gift of three weeks is luck."""

Values = dict[str, tuple[float | None, ...]]
"""Numbers by target; None where the fact is undefined, as without a single gift."""


@dataclass(frozen=True)
class Moments:
    """What a scenario gives.

    Attributes
    ----------
    values : on the pool of all worlds. users : kept, all worlds together.
    each : of every world alone, in the order of the seeds; what standard errors are made of.
    """

    values: Values
    users: int
    each: tuple[Values, ...]


def fitted_targets() -> tuple[Target, ...]:
    """Return the targets that several small worlds can answer: judged, and of any size."""
    return tuple(t for t in targets() if t.kind != "info" and t.scope != "full")


def moments(
    scenario: Scenario,
    seeds: Sequence[int],
    *,
    wanted: Sequence[Target] | None = None,
    jobs: int = 1,
    progress: Progress = silent,
) -> Moments:
    """Simulate a scenario once per seed and measure the targets on all logs as one.

    Parameters
    ----------
    seeds : distinct. wanted : targets; None: :func:`fitted_targets`.
    jobs : processes for the worlds; the result does not depend on it.
    progress : hears worlds done, of all.

    Raises
    ------
    NotEnoughDataError
        No world keeps a user: nothing can be measured.
    UsageError
        No seed, one that occurs twice, or a scenario without a clock.
    """
    require_clock(scenario, "--preset")
    if len(set(seeds)) < len(seeds) or not len(seeds):
        raise UsageError("no seed, or one that occurs twice", "seeds", "distinct seeds")
    chosen = tuple(wanted or fitted_targets())
    with tempfile.TemporaryDirectory(prefix="giftlive-moments-") as name:
        folder = Path(name)
        calls = (delayed(_world)(scenario, seed, folder, chosen) for seed in seeds)
        worlds: list[tuple[Part, Values]] = []
        for world in Parallel(n_jobs=jobs, return_as="generator")(calls):
            worlds.append(world)
            progress(len(worlds), len(seeds))
        parts = [part for part, _ in worlds if part.users]
        if not parts:
            raise NotEnoughDataError("no user has every behaviour", scenario.name, "kept users")
        values = _measured(parts, folder / "pool", scenario.calendar.tz, chosen)
    return Moments(values, sum(part.users for part in parts), tuple(alone for _, alone in worlds))


def _world(
    scenario: Scenario, seed: int, folder: Path, chosen: Sequence[Target]
) -> tuple[Part, Values]:
    """Simulate one world and measure it alone."""
    part = simulate(scenario, seed, folder)
    if not part.users:
        return part, {t.name: (None,) * len(t.value) for t in chosen}
    return part, _measured([part], part.folder / "alone", scenario.calendar.tz, chosen)


def _measured(parts: Sequence[Part], folder: Path, tz: str, chosen: Sequence[Target]) -> Values:
    folder.mkdir()
    logs = compute_facts(pooled(parts, folder / "logs", tz), sections=SECTIONS)
    expected = compute_facts(
        expected_store(parts, folder / "expected", tz), sections=(time_section,)
    )
    return {t.name: _values(expected if t.name in ON_EXPECTED else logs, t) for t in chosen}


def _values(book: FactBook, target: Target) -> tuple[float | None, ...]:
    return tuple(fact.value for fact in book.published(target.name, target.days))


def standard_errors(worlds: Floats) -> Floats:
    """Return the Monte-Carlo standard error of every column of [worlds, K]; inf where unknown.

    s.d. over worlds / sqrt(worlds): of first order also right for a quantile or a Gini index of
    the pool, whose error is a mean of influences over the same worlds. A number that a world lacks
    (NaN) is left out; with fewer than two the error is infinite.
    """
    errors = np.full(worlds.shape[1], np.inf)
    for k, column in enumerate(worlds.T):
        known = column[np.isfinite(column)]
        if len(known) > 1:
            errors[k] = known.std(ddof=1) / np.sqrt(len(known))
    return errors


def alone(found: Moments, chosen: Sequence[Target]) -> Floats:
    """Return the numbers of every world alone, [worlds, K]; NaN stands for an undefined one."""
    return np.array([stacked(values, chosen) for values in found.each])


def stacked(values: Values, chosen: Sequence[Target]) -> Floats:
    """Return all numbers of ``chosen`` in one row; NaN stands for an undefined one."""
    return np.array(
        [np.nan if v is None else v for target in chosen for v in values[target.name]], dtype=float
    )
