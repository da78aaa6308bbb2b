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
    values : on the pool of all worlds. each : of every world alone, or empty.
    users : kept, all worlds together.
    """

    values: Values
    users: int
    each: tuple[Values, ...] = ()


def fitted_targets() -> tuple[Target, ...]:
    """Return the targets that several small worlds can answer: judged, and of any size."""
    return tuple(t for t in targets() if t.kind != "info" and t.scope != "full")


def moments(
    scenario: Scenario,
    seeds: Sequence[int],
    *,
    wanted: Sequence[Target] | None = None,
    jobs: int = 1,
    each: bool = False,
    progress: Progress = silent,
) -> Moments:
    """Simulate a scenario once per seed and measure the targets on all logs as one.

    Parameters
    ----------
    seeds : distinct. wanted : targets; None: :func:`fitted_targets`.
    jobs : processes for the simulations; the result does not depend on it.
    each : also measure every world alone, which is what standard errors are made of.
    progress : hears worlds done, of all.

    Raises
    ------
    NotEnoughDataError
        No world has a click or no world keeps a user: nothing can be measured.
    """
    require_clock(scenario, "--preset")
    if len(set(seeds)) < len(seeds) or not len(seeds):
        raise UsageError("no seed, or one that occurs twice", "seeds", "distinct seeds")
    chosen, tz = tuple(wanted or fitted_targets()), scenario.calendar.tz
    with tempfile.TemporaryDirectory(prefix="giftlive-moments-") as name:
        folder = Path(name)
        calls = (delayed(simulate)(scenario, seed, folder) for seed in seeds)
        parts: list[Part] = []
        for part in Parallel(n_jobs=jobs, return_as="generator")(calls):
            parts.append(part)
            progress(len(parts), len(seeds))
        users = sum(part.users for part in parts)
        if not users:
            raise NotEnoughDataError("no user has every behaviour", scenario.name, "kept users")
        values = _measured(parts, folder / "pool", tz, chosen)
        alone: list[Values] = []
        if each:
            again = (
                delayed(_measured)([part], folder / f"alone-{i}", tz, chosen)
                for i, part in enumerate(parts)
                if part.users
            )
            alone = list(Parallel(n_jobs=jobs)(again))
    return Moments(values, users, tuple(alone))


def _measured(parts: Sequence[Part], folder: Path, tz: str, chosen: Sequence[Target]) -> Values:
    folder.mkdir()
    logs = compute_facts(pooled(parts, folder / "logs", tz), sections=SECTIONS)
    expected = compute_facts(
        expected_store(parts, folder / "expected", tz), sections=(time_section,)
    )
    return {t.name: _values(expected if t.name in ON_EXPECTED else logs, t) for t in chosen}


def _values(book: FactBook, target: Target) -> tuple[float | None, ...]:
    return tuple(fact.value for fact in book.published(target.name, target.days))


def standard_errors(found: Moments, chosen: Sequence[Target]) -> Floats:
    """Return the Monte-Carlo standard error of every number of ``chosen``, in its own unit.

    s.d. over worlds / sqrt(worlds): of first order also for a quantile or a Gini index of the
    pool, whose error is a mean of influences over the same worlds. A number that a world lacks
    is left out of its s.d.; with fewer than two the error is infinite.

    Raises
    ------
    UsageError
        ``found`` was measured without ``each``.
    """
    if not found.each:
        raise UsageError("no world was measured alone", "standard_errors", "moments(each=True)")
    rows = [stacked(values, chosen) for values in found.each]
    table = np.array(rows)
    errors = np.full(table.shape[1], np.inf)
    for k, column in enumerate(table.T):
        known = column[np.isfinite(column)]
        if len(known) > 1:
            errors[k] = known.std(ddof=1) / np.sqrt(len(known))
    return errors


def stacked(values: Values, chosen: Sequence[Target]) -> Floats:
    """Return all numbers of ``chosen`` in one row; NaN stands for an undefined one."""
    return np.array(
        [np.nan if v is None else v for target in chosen for v in values[target.name]], dtype=float
    )
