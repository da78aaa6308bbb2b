"""Tables, estimates and the figure of study 1.3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from giftlive.evaluation import leaderboard
from giftlive.evaluation.dense import ENTERED, MULTI, SINGLE, Found, Shown
from giftlive.evaluation.leaderboard import Predictions, Resampled, TestSet
from giftlive.evaluation.leaderboard.scores import interval
from giftlive.evaluation.results import Estimate, Figure, Series, Table
from giftlive.metrics import influence
from giftlive.stats.intervals import Interval
from giftlive.studies.context import Kind, estimate
from giftlive.types import Bools, Floats, Message

_KEY = "study.multi_task"
METRICS = {"PR-AUC": "pr_auc", "log-loss": "log_loss", "ECE": "ece"}
"""Printed name -> statistic of the coverage table."""
_OF = {"PR-AUC": "area of the unit square", "log-loss": "rows", "ECE": "1"}
_UNIT = {"PR-AUC": "ratio", "log-loss": "nats", "ECE": "ratio"}
SHOWN, INSIDE = "exposures", "entered rooms"
"""The two populations: every test exposure, and those that were entered."""


@dataclass(frozen=True)
class Dense:
    """What the arms predicted for the pooled test exposures, and what happened.

    Attributes
    ----------
    shown, inside : test rows of either population. chances : (population, arm) -> P(gift).
    again : the gain of the gate with the users drawn again. moved, tie : of the checks.
    """

    found: Found
    shown: TestSet
    inside: TestSet
    clicked: Bools
    chances: Mapping[tuple[str, str], Floats]
    again: tuple[Resampled, ...]
    moved: Interval
    tie: bool

    def test(self, where: str) -> TestSet:
        """Return the test rows of a population."""
        return self.shown if where == SHOWN else self.inside

    def users(self, where: str) -> int:
        """Return how many users stand behind a population."""
        return len(np.unique(self.test(where).user))

    def level(self, where: str, arm: str, metric: str, name: str = "") -> Estimate:
        """Return a metric of an arm as it may be printed."""
        test, chance = self.test(where), np.clip(self.chances[where, arm], 0.0, 1.0)
        if metric == "ECE":
            found = influence.debiased_ece(test.y, chance, test.user, n_unit="users")
        elif metric == "PR-AUC":
            found = interval(test, "pr_auc", influence.pr_auc(test.y > 0, chance))
        else:
            found = interval(test, "log_loss", influence.log_loss(test.y > 0, chance))
        return self._printed(name or f"{METRICS[metric]}_{arm}", where, METRICS[metric], found)

    def gap(self, where: str, arms: tuple[str, str], metric: str, name: str = "") -> Estimate:
        """Return a metric of the first arm minus that of the second, paired by row."""
        test = self.test(where)
        of = influence.pr_auc if metric == "PR-AUC" else influence.log_loss
        one, other = (of(test.y > 0, np.clip(self.chances[where, arm], 0.0, 1.0)) for arm in arms)
        statistic = f"{METRICS[metric]}_difference"
        found = interval(test, "difference", one - other)
        return self._printed(name or f"{statistic}_{'_minus_'.join(arms)}", where, statistic, found)

    def _printed(self, name: str, where: str, statistic: str, found: Interval) -> Estimate:
        title = next(t for t, s in METRICS.items() if statistic.startswith(s))
        test = self.test(where)
        kind = Kind(statistic, "count", len(test.y) / max(self.users(where), 1))
        return estimate(
            name,
            found,
            kind,
            unit=_UNIT[title],
            denominator=_OF[title],
            population=f"{where} of the pooled test days",
        )


def dense_of(data: Shown, found: Found, moved: Interval, tie: bool, seed: int) -> Dense:
    """Return everything that is printed about ``found``."""
    rows = found.rows
    shown = TestSet(rows, data.y[rows], data.user[rows], found.fold)
    clicked = data.clicked[rows]
    inside = TestSet(rows[clicked], shown.y[clicked], shown.user[clicked], found.fold[clicked])
    chances = {(SHOWN, arm): chance for arm, chance in found.shown.items()}
    chances |= {(INSIDE, arm): chance[clicked] for arm, chance in found.entered.items()}
    again = leaderboard.resampled(
        shown,
        _predictions(MULTI, found.shown[MULTI]),
        _predictions(SINGLE, found.shown[SINGLE]),
        ("pr_auc",),
        seed=seed,
    )
    return Dense(found, shown, inside, clicked, chances, again, moved, tie)


def _predictions(name: str, chance: Floats) -> Predictions:
    return Predictions(name, chance, chance, 0.0, (), chance[:0])


def listed(dense: Dense) -> tuple[Estimate, ...]:
    """Return the estimates that the gate and the page name."""
    pair = (MULTI, SINGLE)
    return (
        dense.gap(SHOWN, pair, "PR-AUC", "pr_auc_gain"),
        dense.gap(SHOWN, pair, "log-loss", "log_loss_change"),
        *(dense.level(SHOWN, arm, "PR-AUC") for arm in pair),
        dense.gap(INSIDE, (MULTI, ENTERED), "PR-AUC", "pr_auc_gain_inside"),
    )


def tables(dense: Dense) -> tuple[Table, ...]:
    """Return the five tables of the page."""
    return (
        _levels("arms", dense, SHOWN, (MULTI, SINGLE, ENTERED)),
        _levels("inside", dense, INSIDE, (MULTI, ENTERED)),
        _differences(dense),
        Table(
            name="budget",
            columns=("arm", "learning rate", "dropout", "validation"),
            units=("", "", "share", "PR-AUC, first origin"),
            rows=tuple(
                (t.arm, t.learning_rate, t.dropout, round(t.validation, 4))
                for t in dense.found.trials
            ),
            caption=Message(f"{_KEY}.table.budget", {}),
        ),
        Table(
            name="again",
            columns=("difference", "drawn again", "influence values", "ratio"),
            units=("", "standard error", "standard error", ""),
            rows=tuple(
                (r.metric, round(r.drawn, 5), round(r.linear, 5), round(r.ratio, 3))
                for r in dense.again
            ),
            caption=Message(f"{_KEY}.table.again", {}),
        ),
    )


def _levels(name: str, dense: Dense, where: str, arms: tuple[str, ...]) -> Table:
    return Table(
        name=name,
        columns=("arm", *METRICS),
        units=("", *_UNIT.values()),
        rows=tuple((arm, *(dense.level(where, arm, m) for m in METRICS)) for arm in arms),
        caption=Message(f"{_KEY}.table.{name}", {}),
    )


def _differences(dense: Dense) -> Table:
    asked = ((SHOWN, (MULTI, SINGLE)), (SHOWN, (MULTI, ENTERED)), (INSIDE, (MULTI, ENTERED)))
    metrics = ("PR-AUC", "log-loss")
    return Table(
        name="differences",
        columns=("rows", "arms", *metrics),
        units=("", "", *(_UNIT[m] for m in metrics)),
        rows=tuple(
            (where, " - ".join(arms), *(dense.gap(where, arms, m) for m in metrics))
            for where, arms in asked
        ),
        caption=Message(f"{_KEY}.table.differences", {}),
    )


def figures(dense: Dense) -> tuple[Figure, ...]:
    """Return PR-AUC of every arm over exposures."""
    arms = (MULTI, SINGLE, ENTERED)
    shown = [replace(dense.level(SHOWN, arm, "PR-AUC"), name=arm) for arm in arms]
    drawn = all(e.low is not None and e.high is not None for e in shown)
    values = tuple(e.value or 0.0 for e in shown)
    return (
        Figure(
            name="arms",
            title=f"PR-AUC {values[0]:.3f} with dense tasks, {values[1]:.3f} with gifts alone",
            subtitle=f"{len(dense.shown.y):,} exposures of {dense.users(SHOWN):,} users,"
            " pooled test days",
            x_label="arm",
            y_label="PR-AUC of a gift after an exposure",
            series=(
                Series(
                    name="PR-AUC",
                    x=arms,
                    y=values,
                    style="dots",
                    low=tuple(e.low or 0.0 for e in shown) if drawn else None,
                    high=tuple(e.high or 0.0 for e in shown) if drawn else None,
                    n=tuple(e.n for e in shown),
                ),
            ),
            shows=Message(f"{_KEY}.figure.arms.shows", {}),
            follows=Message(f"{_KEY}.figure.arms.follows", {}),
            x_scale="category",
            horizontal=True,
        ),
    )
