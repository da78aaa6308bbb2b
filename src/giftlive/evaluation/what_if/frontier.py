"""A setting played on several seeds of the small world, and what it is measured by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive import metrics
from giftlive.evaluation.rollout import play
from giftlive.evaluation.what_if.knobs import Knobs, built, policy_of
from giftlive.evaluation.what_if.market import Market
from giftlive.stats.intervals import Interval, paired_t, student_t
from giftlive.types import Floats
from giftlive.world.outcome import Outcome

MEASURES = (
    *("revenue", "exposure_gini", "income_gini", "newcomer_exposure"),
    *("whales_met", "not_served"),
)


@dataclass(frozen=True)
class Position:
    """What is played: the sliders, or a policy by its specification.

    Attributes
    ----------
    knobs : the sliders; ignored where ``spec`` is not None.
    """

    knobs: Knobs = field(default_factory=Knobs)
    spec: Mapping[str, Any] | None = None

    def played(self, market: Market) -> dict[str, float]:
        """Play it once and return every measure."""
        spec = self.spec
        policy = policy_of(self.knobs, market) if spec is None else built(spec, market)
        outcome, _ = play(market.arena(), policy, market.valuer(), market.seats, market.seed)
        return measured(outcome, market)


@dataclass(frozen=True)
class Point:
    """A setting with its measures, one value per seed in the order of the seeds.

    Attributes
    ----------
    values : of each name in ``MEASURES``, [seeds].
    """

    position: Position
    values: Mapping[str, Floats]

    def mean(self, measure: str) -> Interval:
        """Estimate the mean over seeds."""
        return student_t(self.values[measure], n_unit="seeds")


def play_position(
    position: Position, markets: Sequence[Market], told: Callable[[], None] = lambda: None
) -> Point:
    """Play a setting on every market; ``told`` is called after each."""
    return play_positions({"": position}, markets, told)[""]


def play_positions(
    wanted: Mapping[str, Position],
    markets: Sequence[Market],
    told: Callable[[], None] = lambda: None,
) -> dict[str, Point]:
    """Play settings market by market, so that each takes as long as the one before.

    ``told`` is called after each rollout.
    """
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in wanted}
    for market in markets:
        for name, position in wanted.items():
            rows[name].append(position.played(market))
            told()
    return {
        name: Point(position, {of: np.array([row[of] for row in rows[name]]) for of in MEASURES})
        for name, position in wanted.items()
    }


def difference(one: Point, other: Point, measure: str) -> Interval:
    """Estimate the mean difference of two settings, paired by seed."""
    return paired_t(one.values[measure], other.values[measure], n_unit="seeds")


def measured(outcome: Outcome, market: Market) -> dict[str, float]:
    """Return every measure of one rollout.

    revenue
        exact expected amount per 1,000 decisions.
    exposure_gini, income_gini
        of exposures and of expected income over all rooms.
    newcomer_exposure
        share of what was shown that were new rooms.
    whales_met
        other whales in the room of a whale's round, mean over whales admitted.
    not_served
        share of decisions in which nothing was shown, or the room was full.
    """
    n = max(outcome.decisions, 1)
    exposure = outcome.streamer_exposure.astype(np.float64)
    return {
        "revenue": 1000.0 * outcome.expected_revenue / n,
        "exposure_gini": metrics.gini(exposure),
        "income_gini": metrics.gini(outcome.streamer_expected_income),
        "newcomer_exposure": float(exposure[market.newcomers].sum() / max(exposure.sum(), 1.0)),
        "whales_met": _whales_met(outcome, market),
        "not_served": float((~outcome.admitted).sum() / n),
    }


def _whales_met(outcome: Outcome, market: Market) -> float:
    whale = outcome.admitted & market.whales[outcome.user]
    if not whale.any():
        return 0.0
    cell = outcome.visit[whale] * len(market.seats) + outcome.room[whale]
    together = np.bincount(cell)
    return float((together * (together - 1)).sum() / whale.sum())
