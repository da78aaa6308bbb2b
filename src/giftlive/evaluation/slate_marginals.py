"""A target's marginal probability of the logged room in its place, for logs of slates.

The marginal sums over everything that might stand above::

    P(room at place k) = Σ over (a_1, ..., a_(k-1)) of Π_j π_j(a_j | above) · π_k(room | above)

A log shows one of these orders. A policy by name is asked about all of them, for it sees nothing
but candidates and values, and these are logged; m candidates and k places take up to m^(k-1)
askings. A file must bring its marginals along.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from giftlive.errors import MissingCapabilityError
from giftlive.evaluation.target_file import FileTarget
from giftlive.evaluation.target_policies import TargetPolicy
from giftlive.logs.decisions import DecisionLog
from giftlive.types import Floats, Ints

MAX_ASKINGS = 20_000
"""Most orders of rooms that a target is asked about in one stretch of a log."""


def target_marginals(log: DecisionLog, position: Ints, target: TargetPolicy, first: int) -> Floats:
    """Compute the target's marginal probability [n] of every logged room in its place.

    Parameters
    ----------
    log : whole slates, place after place. position : [n] places, 0 for a single choice.
    first : rows before this stretch.

    Raises
    ------
    MissingCapabilityError
        A file without marginals, or a policy with more orders than ``MAX_ASKINGS``.
    """
    if isinstance(target, FileTarget):
        return log.of_action(target.marginals(log, first))
    walk = _Walk(log, position, target)
    start = np.flatnonzero(position == 0)
    walk.down(start, np.zeros((len(start), 0), dtype=np.int64), np.ones(len(start)))
    return np.minimum(walk.found, 1.0)


class _Walk:
    """Goes through every order of rooms that the target may show, all slates side by side."""

    def __init__(self, log: DecisionLog, position: Ints, target: TargetPolicy) -> None:
        self.log, self.position, self.target = log, position, target
        self.found, self.askings = np.zeros(len(log)), 0

    def down(self, rows: Ints, above: Ints, chance: Floats) -> None:
        """Add what is shown at ``rows`` below the rooms ``above`` [r, k], met with ``chance``."""
        self._count(above.shape[1])
        here = self.log.rows(rows)
        candidates = here.candidates.copy()
        for room in above.T:
            candidates[candidates == room[:, None]] = -1
        asked = chance[:, None] * self.target.probabilities(replace(here, candidates=candidates), 0)
        self.found[rows] += here.of_action(asked)
        more = (rows + 1 < len(self.log)) & (self.position.take(rows + 1, mode="clip") > 0)
        if not more.any():
            return
        for column in np.flatnonzero((asked[more] > 0.0).any(axis=0)):
            going = more & (asked[:, column] > 0.0)
            room = here.candidates[going, column]
            self.down(rows[going] + 1, np.column_stack([above[going], room]), asked[going, column])

    def _count(self, place: int) -> None:
        self.askings += 1
        if self.askings > MAX_ASKINGS:
            raise MissingCapabilityError(
                f"more than {MAX_ASKINGS:,} orders of rooms above place {place}",
                f"marginal probabilities of {self.target.name}",
                "fewer places or candidates, or a target that leaves less to chance",
                "give the target as a file with the column `marginals`, or take rips",
            )
