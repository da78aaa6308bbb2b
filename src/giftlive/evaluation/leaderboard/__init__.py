"""Every value model on identical folds: chosen on validation, scored once on the test days.

Test days of all folds are pooled (they do not overlap); each row is predicted by the model that
was trained before it. ``predictions`` fits and chooses, ``scores`` puts a number and, where one
was measured to hold, an interval on every model; ``differences`` resamples users to compare each
model with the two it must beat; ``slices`` asks the same of parts of the rows, and ``truth`` holds
the rankings against the expected values of a world that made the logs.
"""

from giftlive.evaluation.leaderboard.differences import (
    COMPARED,
    REPLICATES,
    Gap,
    Resampled,
    gaps,
    resampled,
)
from giftlive.evaluation.leaderboard.last_amount import LAST_AMOUNT, with_last_amount
from giftlive.evaluation.leaderboard.predictions import (
    TRIVIAL,
    Cost,
    Predictions,
    TestSet,
    choose,
    predict_all,
    test_set,
)
from giftlive.evaluation.leaderboard.scores import (
    BARE,
    METRICS,
    UNMEASURED,
    Metric,
    Scored,
    bare,
    gain,
    moved,
    score,
    statistics,
)
from giftlive.evaluation.leaderboard.slices import Cut, cuts, labels_of
from giftlive.evaluation.leaderboard.truth import Truth, against_truth, truth_of

__all__ = [
    "BARE",
    "COMPARED",
    "LAST_AMOUNT",
    "METRICS",
    "REPLICATES",
    "TRIVIAL",
    "UNMEASURED",
    "Cost",
    "Cut",
    "Gap",
    "Metric",
    "Predictions",
    "Resampled",
    "Scored",
    "TestSet",
    "Truth",
    "against_truth",
    "bare",
    "choose",
    "cuts",
    "gain",
    "gaps",
    "labels_of",
    "moved",
    "predict_all",
    "resampled",
    "score",
    "statistics",
    "test_set",
    "truth_of",
    "with_last_amount",
]
