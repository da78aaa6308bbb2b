"""The leaderboard of one log with everything the study derives from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from giftlive.errors import IntegrityError
from giftlive.evaluation import leaderboard
from giftlive.evaluation.history import tail_of
from giftlive.evaluation.leaderboard import (
    COMPARED,
    METRICS,
    Cut,
    Gap,
    Predictions,
    Resampled,
    Scored,
    TestSet,
    Truth,
)
from giftlive.evaluation.results import Estimate
from giftlive.stats.intervals import Interval
from giftlive.stats.print_rule import method_of, need, printed
from giftlive.studies.context import Context, Kind, estimate
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Bools

SECOND = "ridge"
"""The reference beside the best trivial ranker."""


@dataclass(frozen=True)
class Board:
    """The leaderboard with what the study derives from it.

    Attributes
    ----------
    learned, trivial : the best of their kind on validation days, chosen before test days are
    scored. gaps : every model minus the best trivial ranker and minus ridge. again : the gain with
    the users drawn again. labels : the slices of the test rows. truth : of the test rows, where
    the logs are those of a built-in world.
    """

    test: TestSet
    predictions: tuple[Predictions, ...]
    scored: tuple[Scored, ...]
    learned: Predictions
    trivial: Predictions
    gain: Interval
    tie: Interval
    moved: Interval
    tail: str
    gaps: tuple[Gap, ...]
    again: tuple[Resampled, ...]
    labels: Mapping[str, Bools]
    cuts: tuple[Cut, ...]
    truth: Truth | None

    def kind(self, metric: str) -> Kind:
        """Return what the print rule must know about a metric's interval."""
        known = METRICS.get(metric.removesuffix("_difference"), METRICS.get(metric))
        of = known.of if known else "money"
        tail = "count" if of == "occurrence" else self.tail
        if of == "ranks" and tail != "gift":
            tail = "full"  # ranks forget how large an amount is
        return Kind(metric, tail, len(self.test.y) / max(self.users, 1))

    @cached_property
    def users(self) -> int:
        """Return how many users stand behind the test rows."""
        return len(np.unique(self.test.user))

    @property
    def printed_gain(self) -> Interval:
        """Return the gain as it may be printed."""
        kind = self.kind("capture_difference")
        return printed(self.gain, kind.statistic, kind.tail, kind.rows_per_cluster)

    @property
    def gain_params(self) -> dict[str, object]:
        """Return the numbers of the sentences about the gain."""
        shown = self.printed_gain
        bounds = "no interval at this many users"
        if shown.low is not None and shown.high is not None:
            bounds = f"95 % interval {100 * shown.low:+.1f} to {100 * shown.high:+.1f}"
        return {
            "model": self.learned.name,
            "trivial": self.trivial.name,
            "gain": 100 * (shown.value or 0.0),
            "bounds": bounds,
        }

    def metric(self, scored: Scored, name: str, unit: str) -> Estimate:
        """Return a metric of a model as it may be printed."""
        known, kind = METRICS[name], self.kind(name)
        return estimate(
            name,
            self._printable(kind, scored.metrics[name]),
            kind,
            unit=known.unit,
            denominator=known.denominator,
            population=f"{unit}s of the pooled test days",
        )

    def gap(self, gap: Gap, unit: str) -> Estimate:
        """Return a difference as it may be printed."""
        known, statistic = METRICS[gap.metric], COMPARED[gap.metric]
        kind = self.kind(gap.metric)
        kind = Kind(statistic, kind.tail, kind.rows_per_cluster)
        return estimate(
            f"{gap.metric}_{gap.model}_minus_{gap.reference}",
            self._printable(kind, gap.interval),
            kind,
            unit=f"{known.unit} difference" if known.unit == "share" else known.unit,
            denominator=known.denominator,
            population=f"{unit}s of the pooled test days",
        )

    def _printable(self, kind: Kind, found: Interval) -> Interval:
        """Return an interval that the coverage table knows, or the number without bounds."""
        if found.low is None or measured(kind, found):
            return found
        assert found.value is not None
        return leaderboard.bare(found.value, self.users, leaderboard.UNMEASURED)


def measured(kind: Kind, shown: Interval) -> bool:
    """Return whether the coverage table knows this interval at all."""
    try:
        need(kind.statistic, method_of(shown), kind.tail, kind.rows_per_cluster)
    except IntegrityError:
        return False
    return True


def board_of(context: Context, matrix: Matrix, folds: tuple[Fold, ...]) -> Board:
    """Fit every model, choose on validation days, and only then score the test days."""
    names = [name for name in context.config.models.names if possible(name, matrix)]
    test = leaderboard.test_set(matrix, folds)
    total = 2 * len(names)
    predictions = leaderboard.predict_all(
        matrix, folds, names, lambda done, _: context.progress(done, total)
    )
    learned, trivial = leaderboard.choose(predictions)
    scored = leaderboard.score(
        test, predictions, lambda done, _: context.progress(len(names) + done, total)
    )
    metric = "revenue_capture_1pct"
    labels = leaderboard.labels_of(matrix, test, folds[0])
    second = next((p for p in predictions if p.name == SECOND), None)
    references = [trivial.name] + ([second.name] if second else [])
    shown = {p.name: p for p in (learned, trivial, second) if p}
    truth = context.truth(matrix)
    return Board(
        test=test,
        predictions=predictions,
        scored=scored,
        learned=learned,
        trivial=trivial,
        gain=leaderboard.gain(test, learned, trivial, metric),
        tie=leaderboard.gain(test, learned, learned, metric),
        moved=leaderboard.moved(matrix, folds, predictions),
        tail=tail_of(context.store.source, matrix, folds[0]),
        gaps=leaderboard.gaps(test, predictions, references),
        again=leaderboard.resampled(test, learned, trivial, seed=context.config.seed),
        labels=labels,
        cuts=tuple(leaderboard.cuts(test, tuple(shown.values()), labels)),
        truth=truth.at(test.rows) if truth else None,
    )


def possible(name: str, matrix: Matrix) -> bool:
    """Return whether the matrix has the column that a trivial ranker ranks by."""
    needed = {
        "user_past_spend": "user_gift_sum",
        "user_mean_gift": "user_gift_mean",
        "pair_past_spend": "pair_gift_sum",
        "streamer_past_income": "streamer_gift_sum",
    }
    return needed.get(name, matrix.names[0]) in matrix.names
