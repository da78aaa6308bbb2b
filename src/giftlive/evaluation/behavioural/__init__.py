"""How rankers order on a world, laid out like the published day-frozen results."""

from giftlive.evaluation.behavioural.compare import COMPARED, differences
from giftlive.evaluation.behavioural.labels import every_click
from giftlive.evaluation.behavioural.measure import Number, numbers_of
from giftlive.evaluation.behavioural.published import PUBLISHED
from giftlive.evaluation.behavioural.rankers import RANKERS
from giftlive.evaluation.behavioural.worlds import Reading, by_cell, read_worlds

__all__ = [
    "COMPARED",
    "PUBLISHED",
    "RANKERS",
    "Number",
    "Reading",
    "by_cell",
    "differences",
    "every_click",
    "numbers_of",
    "read_worlds",
]
