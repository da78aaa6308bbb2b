"""Slates: several rooms shown together, one row for each place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.logs.decisions.record import DecisionLog, known
from giftlive.logs.decisions.rule import ROUNDING, Rule
from giftlive.types import Bools, Ints


@dataclass(frozen=True)
class _Slates:
    """The rows [k] that belong to slates, and in which place of which one they are.

    Attributes
    ----------
    rows : [k] in the log. group : [k] number of the run of equal ids. start : [g] first of each.
    """

    rows: Ints
    group: Ints
    start: Ints

    @property
    def place(self) -> Ints:
        """[k] place in the slate, counted from its first row."""
        return np.arange(len(self.rows)) - self.start[self.group]

    def first(self, column: Any) -> Any:
        """Return [k] the entry of ``column`` [n] in the first row of each row's slate."""
        return column[self.rows[self.start]][self.group]


def _slates(log: DecisionLog) -> _Slates:
    rows = np.flatnonzero(known(log.slate_id))
    ids = log.slate_id[rows]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = np.not_equal(ids[1:], ids[:-1]) | (np.diff(rows) != 1)
    return _Slates(rows, np.cumsum(new) - 1, np.flatnonzero(new))


def _in_slates(kept: Callable[[DecisionLog, _Slates], Bools]) -> Callable[[DecisionLog], Bools]:
    def holds(log: DecisionLog) -> Bools:
        found = np.ones(len(log), dtype=bool)
        slates = _slates(log)
        if len(slates.rows):
            found[slates.rows] = kept(log, slates)
        return found

    return holds


def _one_run(log: DecisionLog, slates: _Slates) -> Bools:
    ids = log.slate_id[slates.rows[slates.start]].astype(str)
    _, first = np.unique(ids, return_index=True)
    return np.isin(slates.group, first)


def _new_rooms(log: DecisionLog, slates: _Slates) -> Bools:
    action = log.action[slates.rows]
    order = np.lexsort((slates.place, action, slates.group))
    same = (np.diff(action[order]) == 0) & (np.diff(slates.group[order]) == 0)
    found = np.ones(len(order), dtype=bool)
    found[order[1:][same]] = False
    return found


def _products(log: DecisionLog, slates: _Slates) -> Bools:
    conditional = log.conditional_propensity[slates.rows]
    product = np.multiply.reduceat(conditional, slates.start)[slates.group]
    return np.abs(log.propensity[slates.rows] - product) <= ROUNDING * product


def _alone(log: DecisionLog) -> Bools:
    """Return [n] whether all four columns of slates are there, or none of them is."""
    there = np.column_stack(
        [
            known(log.slate_id),
            log.position >= 0,
            ~np.isnan(log.conditional_propensity),
            ~np.isnan(log.marginal_propensity),
        ]
    )
    alike: Bools = np.all(there, axis=1) | ~np.any(there, axis=1)
    return alike


SLATES: tuple[Rule, ...] = (
    Rule(
        "slate_id",
        "`slate_id`, `position`, `conditional_propensity` and `marginal_propensity`, or none",
        _alone,
    ),
    Rule("action", "a room in every place of a slate", _in_slates(lambda a, s: a.shown[s.rows])),
    Rule(
        "position",
        "0, 1, 2, … within the slate, without gaps",
        _in_slates(lambda a, s: a.position[s.rows] == s.place),
        "log every place of a slate, one row after another",
    ),
    Rule(
        "slate_id",
        "one run of rows per slate",
        _in_slates(_one_run),
        "log every place of a slate, one row after another",
    ),
    Rule(
        "user_id",
        "one user per slate",
        _in_slates(lambda a, s: a.user_id[s.rows] == s.first(a.user_id)),
    ),
    Rule("ts", "one time per slate", _in_slates(lambda a, s: a.ts[s.rows] == s.first(a.ts))),
    Rule("action", "every room once in a slate", _in_slates(_new_rooms)),
    Rule(
        "marginal_propensity",
        "a probability in (0, 1]",
        _in_slates(
            lambda a, s: (
                (a.marginal_propensity[s.rows] > 0.0) & (a.marginal_propensity[s.rows] <= 1.0)
            )
        ),
    ),
    Rule(
        "propensity",
        "the product of the slate's conditional propensities, in each of its rows",
        _in_slates(_products),
        "in a slate `propensity` is that of the whole slate",
    ),
)
"""What holds in the rows of slates."""
