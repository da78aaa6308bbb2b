"""Is a world like the platform it stands for? Targets, the check and the fit.

Nothing is measured twice: a target is a fact of ``giftlive.facts`` with a published value.
"""

from giftlive.world.calibration.fit import Fitted, Problem, fit
from giftlive.world.calibration.ledger import Ledger
from giftlive.world.calibration.moments import Moments, fitted_targets, moments
from giftlive.world.calibration.parameters import Parameter, load_parameters, start_of
from giftlive.world.calibration.report import (
    Calibration,
    calibration_of,
    preset_text,
    write_atomically,
)
from giftlive.world.calibration.targets import Target, targets

__all__ = [
    "Calibration",
    "Fitted",
    "Ledger",
    "Moments",
    "Parameter",
    "Problem",
    "Target",
    "calibration_of",
    "fit",
    "fitted_targets",
    "load_parameters",
    "moments",
    "preset_text",
    "start_of",
    "targets",
    "write_atomically",
]
