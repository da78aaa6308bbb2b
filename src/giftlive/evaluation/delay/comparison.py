"""Every treatment at one cut, judged on what came after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from giftlive.errors import UsageError
from giftlive.evaluation.delay.gap import (
    calibration_error,
    error_ratio,
    gap_closed,
    harm,
    row_losses,
)
from giftlive.evaluation.delay.recency import AgeBand, bias_by_age, tilt
from giftlive.models.delay.chance import Chance, Logistic
from giftlive.models.delay.follow_up import History
from giftlive.models.delay.treatments import Naive, Treatment
from giftlive.stats.intervals import Interval
from giftlive.types import Floats, Ints

VANILLA, ORACLE = "naive", "oracle"


@dataclass(frozen=True)
class Comparison:
    """Predictions of all treatments at one cut.

    Attributes
    ----------
    user, y : [m] of the rows asked after the cut; y final labels, or true chances. p : by name,
        [m]. old_user, old_y, old_age, old_p : the same of the rows before the cut, which the
        treatments learnt from with the labels they had then.
    """

    user: Ints
    y: Floats
    p: Mapping[str, Floats]
    old_user: Ints
    old_y: Floats
    old_age: Floats
    old_p: Mapping[str, Floats]

    def loss(self, name: str) -> float:
        """Return the mean log-loss on the rows asked."""
        return float(row_losses(self.y, self.p[name]).mean())

    def error(self, name: str) -> float:
        """Return the calibration error on the rows asked."""
        return calibration_error(self.y, self.p[name])

    def closed(self, name: str, seed: int = 0) -> Interval:
        """Estimate the share of the gap from vanilla to oracle that ``name`` closes."""
        return gap_closed(self.y, self.p[VANILLA], self.p[name], self.p[ORACLE], self.user, seed)

    def harm(self, name: str) -> Interval:
        """Estimate how much more loss ``name`` has than vanilla."""
        return harm(self.y, self.p[VANILLA], self.p[name], self.user)

    def error_ratio(self, name: str, seed: int = 0) -> Interval:
        """Estimate the calibration error of ``name`` as a share of vanilla's."""
        return error_ratio(self.y, self.p[VANILLA], self.p[name], self.user, seed)

    def tilt(self, name: str, split: float) -> Interval:
        """Estimate how much the bias of young rows differs from that of old ones."""
        return tilt(self.old_p[name], self.old_y, self.old_age, self.old_user, split)

    def by_age(self, name: str, edges: tuple[float, ...]) -> tuple[AgeBand, ...]:
        """Estimate the bias by age at the cut."""
        return bias_by_age(self.old_p[name], self.old_y, self.old_age, self.old_user, edges)


def compare(
    history: History,
    cut_ms: int,
    treatments: Mapping[str, Treatment],
    chance: Chance | None = None,
    truth: Floats | None = None,
    end_ms: int | None = None,
    learnt_from: History | None = None,
) -> Comparison:
    """Fit every treatment, vanilla and the oracle at the cut.

    Parameters
    ----------
    treatments : by name; vanilla and the oracle are added. chance : what those two learn with.
    truth : [n] true chances of all rows, where known: losses are then expected losses.
    end_ms : when the log ends: rows asked whose label is not final by then are left out. ``None``:
        every label of the history is final.

    learnt_from : another log of the same rows that the treatments see instead (a negative
        control, ``permuted_labels``); vanilla, the oracle and the labels stay those of ``history``.

    Raises
    ------
    UsageError
        A treatment is called like vanilla or the oracle, or nothing final is asked.
    """
    if taken := {VANILLA, ORACLE} & set(treatments):
        raise UsageError(
            f"a treatment called {sorted(taken)}", "argument treatments", "other names"
        )
    learner = Logistic() if chance is None else chance
    final = np.full(len(history), True) if end_ms is None else history.mature_at(end_ms)
    before = history.shown_before(cut_ms)
    asked = np.flatnonzero((history.ts >= cut_ms) & final)
    if not len(asked):
        raise UsageError(f"cut at {cut_ms} ms", "argument cut_ms", "final labels after the cut")
    known, label = history.at(cut_ms), history.label.astype(np.float64)
    fitted = {VANILLA: Naive(learner).fit(known)}
    shown = known if learnt_from is None else learnt_from.at(cut_ms)
    fitted |= {name: one.fit(shown) for name, one in treatments.items()}
    settled = before[final[before]]
    fitted[ORACLE] = learner.fit(history.X[settled], label[settled])
    y = label if truth is None else truth
    return Comparison(
        history.user[asked],
        y[asked],
        {name: one.probability(history.X[asked]) for name, one in fitted.items()},
        history.user[settled],
        y[settled],
        history.age(cut_ms)[settled],
        {name: one.probability(history.X[settled]) for name, one in fitted.items()},
    )
