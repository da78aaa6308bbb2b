"""An auditor of a finished run: every printed number, computed again by another path.

The path starts at the rows that the studies kept in ``tables/`` and shares no estimator with
them: sums by SQL, metrics by scikit-learn and SciPy or from their definition, intervals from
textbook forms, from resamples of its own or from nudged weights, rules from their file.
"""

from giftlive.run.verify.outcome import Difference, Tally, Verification
from giftlive.run.verify.verification import verify

__all__ = ["Difference", "Tally", "Verification", "verify"]
