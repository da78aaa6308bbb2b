"""What if the sliders stood elsewhere: settings played on a small world, and their frontier."""

from giftlive.evaluation.what_if.frontier import (
    Point,
    Position,
    difference,
    play_position,
    play_positions,
)
from giftlive.evaluation.what_if.knobs import FAIRNESS, Knobs, built, policy_of
from giftlive.evaluation.what_if.market import Market

__all__ = [
    "FAIRNESS",
    "Knobs",
    "Market",
    "Point",
    "Position",
    "built",
    "difference",
    "play_position",
    "play_positions",
    "policy_of",
]
