"""Is a world like the platform it stands for? Targets, the check and the fit.

Nothing is measured twice: a target is a fact of ``giftlive.facts`` with a published value.
"""

from giftlive.world.calibration.measured import Measured, Reading, measure
from giftlive.world.calibration.rule import JUDGED_FROM, SEEDS, Check, Line, check
from giftlive.world.calibration.targets import Target, targets

__all__ = [
    "JUDGED_FROM",
    "SEEDS",
    "Check",
    "Line",
    "Measured",
    "Reading",
    "Target",
    "check",
    "measure",
    "targets",
]
