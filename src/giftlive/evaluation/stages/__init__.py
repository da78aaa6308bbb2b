"""Direct against two stages on the same rows: with and without a leak, and with a true part."""

from giftlive.evaluation.stages.arms import BOUND, GIFT_ONLY, Arm, arms_of
from giftlive.evaluation.stages.leak import with_leak
from giftlive.evaluation.stages.measure import BOTH, TRUE_AMOUNT, TRUE_CHANCE, measured
from giftlive.evaluation.stages.published import HEADLINE, LEAK_FREE, PUBLISHED, PUBLISHED_ECE_RULE
from giftlive.evaluation.stages.worlds import Plan, read_worlds

__all__ = [
    "BOTH",
    "BOUND",
    "GIFT_ONLY",
    "HEADLINE",
    "LEAK_FREE",
    "PUBLISHED",
    "PUBLISHED_ECE_RULE",
    "TRUE_AMOUNT",
    "TRUE_CHANCE",
    "Arm",
    "Plan",
    "arms_of",
    "measured",
    "read_worlds",
    "with_leak",
]
