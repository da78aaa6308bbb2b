"""Policies x scenarios x seeds: cells that are played once, kept, and compared in pairs."""

from giftlive.evaluation.rollouts.cells import Cell, CellStore, Workers, run_cells
from giftlive.evaluation.rollouts.contestants import (
    ORACLE,
    Contestant,
    Played,
    differs,
    measured,
    overload,
    played,
)
from giftlive.evaluation.rollouts.frontier import at_level, non_dominated
from giftlive.evaluation.rollouts.market import Market
from giftlive.evaluation.rollouts.value_errors import ErrorLaw, estimated

__all__ = [
    "ORACLE",
    "Cell",
    "CellStore",
    "Contestant",
    "ErrorLaw",
    "Market",
    "Played",
    "Workers",
    "at_level",
    "differs",
    "estimated",
    "measured",
    "non_dominated",
    "overload",
    "played",
    "run_cells",
]
