"""Worlds beside what is published: played, measured by the facts, scored by the target table.

Nothing is measured twice: every world is written as a log and read by ``giftlive.facts``, those
in rounds as well.
"""

from giftlive.evaluation.fidelity.comparison import (
    CALIBRATED,
    LOGS,
    ROUNDS,
    Comparison,
    compare,
)
from giftlive.evaluation.fidelity.measure import Reading, clocked_book, readings_of, rounds_book
from giftlive.evaluation.fidelity.score import BEHAVIOURS, Score, scores_of, targets_within

__all__ = [
    "BEHAVIOURS",
    "CALIBRATED",
    "LOGS",
    "ROUNDS",
    "Comparison",
    "Reading",
    "Score",
    "clocked_book",
    "compare",
    "readings_of",
    "rounds_book",
    "scores_of",
    "targets_within",
]
