"""What the targets would be if an assumed coefficient were another one: bands, not errors.

Seeds are common: with and without the change a world draws the same numbers, so that differences
are of the coefficient and not of chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.evaluation.fidelity.measure import Reading, clocked_book, readings_of
from giftlive.evaluation.fidelity.score import scores_of
from giftlive.types import Progress, silent
from giftlive.world import load_scenario
from giftlive.world.calibration import Target

SHOWN = (
    "gift_rows_per_click",
    "amount_mean",
    "user_gini",
    "streamer_gini",
    "gift_rate_pair_with_history",
    "revenue_share_never_gifted_pairs",
    "gifting_pairs_repeat_share",
    "watch_mean_s",
)
"""Targets whose change is printed."""


@dataclass(frozen=True)
class Swing:
    """An assumed coefficient and the two values it is moved to.

    ``relative``: they are multiples of the scenario's own value.
    """

    key: str
    low: float
    high: float
    relative: bool = False


SWINGS = (
    Swing("gift.delay_seconds", 0.5, 2.0, relative=True),
    Swing("externality.whale_gamma", -0.2, 0.2),
    Swing("fatigue.visit", 0.0, 0.5),
    Swing("fatigue.stay", 0.0, 0.5),
    Swing("platform.popularity", 0.5, 1.5, relative=True),
)
"""Coefficients that no published aggregate speaks about, and how wrong they might be."""


@dataclass(frozen=True)
class Moved:
    """By how many tolerances a target moves when ``key`` is ``value`` instead of ``base``.

    Attributes
    ----------
    by : fact -> mean over seeds of the paired difference in tolerances, and its standard error.
    """

    key: str
    base: float
    value: float
    by: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Place:
    """A scenario to be changed: preset or file, its scale, and what is set by hand."""

    preset: str
    scale: str | None
    overrides: dict[str, str]

    def readings(
        self, world: str, seeds: Sequence[int], table: Sequence[Target], progress: Progress
    ) -> tuple[Reading, ...]:
        """Return the readings of every seed."""
        scenario = load_scenario(self.preset, self.scale, self.overrides)
        found: list[Reading] = []
        for done, seed in enumerate(seeds, start=1):
            found += readings_of(clocked_book(scenario, seed), world, seed, table)
            progress(done, len(seeds))
        return tuple(found)

    def value(self, key: str) -> float:
        """Return a coefficient of the scenario."""
        section, name = key.split(".")
        scenario = load_scenario(self.preset, self.scale, self.overrides)
        return float(getattr(getattr(scenario, section), name))

    def changed(self, key: str, value: float) -> Place:
        """Return the same place with one coefficient moved."""
        return Place(self.preset, self.scale, self.overrides | {key: repr(value)})


def swing(
    place: Place,
    base: Sequence[Reading],
    seeds: Sequence[int],
    table: Sequence[Target],
    swings: Sequence[Swing] = SWINGS,
    progress: Progress = silent,
) -> tuple[Moved, ...]:
    """Return what every change of ``swings`` does to the targets of ``table``.

    Parameters
    ----------
    base : readings of the unchanged world, called "base", on the same seeds.
    progress : told after each change; a value that the scenario has already is left out.
    """
    asked = [
        (s.key, value)
        for s in swings
        for end in (s.low, s.high)
        if (value := end * place.value(s.key) if s.relative else end) != place.value(s.key)
    ]
    found = []
    for done, (key, value) in enumerate(asked, start=1):
        there = place.changed(key, value).readings("moved", seeds, table, silent)
        by = differences((*base, *there), table)
        found.append(Moved(key, place.value(key), value, by))
        progress(done, len(asked))
    return tuple(found)


def differences(
    readings: Sequence[Reading], table: Sequence[Target]
) -> dict[str, tuple[float, float]]:
    """Return fact -> paired difference "moved" - "base" in tolerances, and its standard error."""
    base = {s.fact: s for s in scores_of(readings, table, "base")}
    moved = {s.fact: s for s in scores_of(readings, table, "moved")}
    found = {}
    for fact, score in moved.items():
        before = base.get(fact)
        if before is None or len(before.values) != len(score.values) or not len(score.values):
            continue
        gap = score.values - before.values
        error = float(gap.std(ddof=1)) / np.sqrt(len(gap)) if len(gap) > 1 else 0.0
        found[fact] = (score.in_tolerances(float(gap.mean())), score.in_tolerances(float(error)))
    return found
