"""Is a world like the platform it stands for? Targets, the check and the fit.

Nothing is measured twice: a target is a fact of ``giftlive.facts`` with a published value.
"""

from giftlive.world.calibration.fit import Fitted, Problem, fit
from giftlive.world.calibration.ledger import Ledger
from giftlive.world.calibration.measured import Measured, Reading, measure
from giftlive.world.calibration.moments import Moments, fitted_targets, moments
from giftlive.world.calibration.parameters import Parameter, load_parameters, start_of
from giftlive.world.calibration.report import (
    Calibration,
    calibration_of,
    preset_text,
    write_atomically,
)
from giftlive.world.calibration.rule import JUDGED_FROM, SEEDS, Check, Line, check, within
from giftlive.world.calibration.targets import Target, targets

__all__ = [
    "JUDGED_FROM",
    "SEEDS",
    "Calibration",
    "Check",
    "Fitted",
    "Ledger",
    "Line",
    "Measured",
    "Moments",
    "Parameter",
    "Problem",
    "Reading",
    "Target",
    "calibration_of",
    "check",
    "fit",
    "fitted_targets",
    "load_parameters",
    "measure",
    "moments",
    "preset_text",
    "start_of",
    "targets",
    "within",
    "write_atomically",
]
