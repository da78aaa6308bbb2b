"""Do dense signals lift sparse gifts? Exposures as arrays, and the arms compared on them."""

from giftlive.evaluation.dense.arms import (
    ENTERED,
    MULTI,
    SINGLE,
    Budget,
    Found,
    Trial,
    compared,
    same_twice,
)
from giftlive.evaluation.dense.exposures import Shown, load_exposures

__all__ = [
    "ENTERED",
    "MULTI",
    "SINGLE",
    "Budget",
    "Found",
    "Shown",
    "Trial",
    "compared",
    "load_exposures",
    "same_twice",
]
