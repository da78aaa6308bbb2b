"""One rule of a valid decision log, and the error that says where it is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.errors import GiftLiveError, InputError
from giftlive.logs.decisions.record import DecisionLog
from giftlive.types import Bools, Ints

ROUNDING = 1e-9
"""Difference that arithmetic explains between two records of one probability."""

WHAT_TO_LOG = (
    "log `propensity` (of the action) and `propensities` (of all candidates) at decision time;"
    " they cannot be recovered afterwards"
)


@dataclass(frozen=True)
class Rule:
    """One thing that holds in every row.

    Attributes
    ----------
    column : the one to blame. expected : what a valid row has. holds : maps a log to [n].
    hint : what to do about a row that breaks the rule. shown : maps a log to the [n] values to
    print; None: the column itself. error : raised by the first bad row.
    """

    column: str
    expected: str
    holds: Callable[[DecisionLog], Bools]
    hint: str = ""
    shown: Callable[[DecisionLog], Any] | None = None
    error: type[GiftLiveError] = InputError


def broken(rule: Rule, log: DecisionLog, bad: Ints, file: str, first_row: int) -> GiftLiveError:
    """Return the error that says which rows break ``rule``, and what to do."""
    row = int(bad[0])
    value = getattr(log, rule.column) if rule.shown is None else rule.shown(log)
    what = f"{_printed(value[row])} ({len(bad):,} of {len(log):,} rows are like it)"
    head = f"{file}, " if file else ""
    where = f"{head}row {first_row + row}, column {rule.column}"
    return rule.error(what, where, rule.expected, rule.hint)


def _printed(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return np.array2string(value, threshold=8, edgeitems=3, precision=6)
    if isinstance(value, float):
        return "nothing" if np.isnan(value) else f"{value:.12g}"
    return "nothing" if value is None else str(value)
