"""The pass rule of the target table: a mean over seeds against what is published.

A number passes when |mean - published| <= tolerance + 2 s.e., s.e. = s.d. of the seeds / √seeds;
a target passes when each of its numbers does. What a world does not have does not pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.evaluation.fidelity.measure import Reading
from giftlive.types import Floats
from giftlive.world.calibration import Target, within

BEHAVIOURS = frozenset(
    {
        "gift_rate_pair_with_history",
        "gift_rate_pair_without_history",
        "click_share_pair_with_history",
        "revenue_share_never_gifted_pairs",
        "gifting_pairs_repeat_share",
        "user_gini",
        "streamer_gini",
        "revenue_share_watch_lt5_5to30_30to300_gt300",
    }
)
"""Targets that no coefficient sets by itself: they come out of how people behave."""


@dataclass(frozen=True)
class Score:
    """How one number of a target fared in one world.

    Attributes
    ----------
    fact, unit : what measured it, and in what. published, limit : value and tolerance, likewise.
    values : [n] one per seed; empty where not every seed of the world has the number.
    """

    target: Target
    fact: str
    unit: str
    published: float
    limit: float
    values: Floats

    @property
    def mean(self) -> float | None:
        """Return the mean over seeds, or None."""
        return float(self.values.mean()) if len(self.values) else None

    @property
    def se(self) -> float:
        """Return the standard error of the mean over seeds; 0 for a single one."""
        n = len(self.values)
        return float(self.values.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0

    @property
    def within(self) -> bool:
        """Return whether the pass rule holds."""
        if self.mean is None:
            return False
        numbers = (self.mean, self.published, self.limit, self.se)
        return bool(within(*(np.asarray(number) for number in numbers)))

    @property
    def distance(self) -> float | None:
        """Return (mean - published) / tolerance; infinite where no difference is allowed."""
        if self.mean is None:
            return None
        return self.in_tolerances(self.mean - self.published)

    def in_tolerances(self, difference: float) -> float:
        """Return a difference as a multiple of the tolerance.

        Examples
        --------
        >>> target = Target("a", (2.0,), "abs", 0.0)
        >>> Score(target, "a", "", 2.0, 0.0, np.array([3.0])).in_tolerances(1.0)
        inf
        """
        if math.isinf(self.limit) or not difference:
            return 0.0
        return difference / self.limit if self.limit else math.copysign(math.inf, difference)


def scores_of(
    readings: Iterable[Reading], table: Sequence[Target], world: str
) -> tuple[Score, ...]:
    """Return the scores of ``world``, one per number of every target that it was read for."""
    found: dict[tuple[str, int], list[Reading]] = {}
    for reading in readings:
        if reading.world == world:
            found.setdefault((reading.target, reading.part), []).append(reading)
    return tuple(
        Score(
            target,
            rows[0].fact,
            rows[0].unit,
            target.value[part],
            float(target.limits[part]),
            _values(rows),
        )
        for target in table
        for part in range(len(target.value))
        if (rows := found.get((target.name, part)))
    )


def _values(rows: Sequence[Reading]) -> Floats:
    values = [row.value for row in rows if row.value is not None]
    return np.array(values if len(values) == len(rows) else [], dtype=np.float64)


def targets_within(scores: Iterable[Score], scale: float) -> dict[str, bool]:
    """Return every target that a world of ``scale`` is judged by, and whether it passes."""
    found: dict[str, bool] = {}
    for score in scores:
        if score.target.gated(scale):
            name = score.target.name
            found[name] = found.get(name, True) and score.within
    return found
