"""Value models held against the exact expected amounts of the worlds that made their logs."""

from giftlive.evaluation.value_models.coverage import LEVEL, covered
from giftlive.evaluation.value_models.luck import LUCK, luck
from giftlive.evaluation.value_models.measure import (
    BAYES,
    CEILINGS,
    COLD,
    LATENT,
    REFERENCE,
    TENTHS,
    measured,
)
from giftlive.evaluation.value_models.worlds import Plan, read_worlds

__all__ = [
    "BAYES",
    "CEILINGS",
    "COLD",
    "LATENT",
    "LEVEL",
    "LUCK",
    "REFERENCE",
    "TENTHS",
    "Plan",
    "covered",
    "luck",
    "measured",
    "read_worlds",
]
