"""The public conformance suite: what policies, estimators, models, scenarios and logs promise.

Each promise is a plain function that returns nothing when it is kept and raises AssertionError
with a sentence when it is broken; ``check_policy`` and its four sisters keep them all. The tuples
``POLICY_CHECKS``, ``ESTIMATOR_CHECKS``, … list the functions, for a test runner to parametrize::

    @pytest.mark.parametrize("check", POLICY_CHECKS, ids=lambda check: check.__name__)
    def test_my_policy(check):
        check(MyPolicy)
"""

from giftlive.testing.batches import ROOMS, feedback_to, make_batch, seats_of_rooms
from giftlive.testing.decisions import DECISION_CHECKS, check_decision_log
from giftlive.testing.estimators import ESTIMATOR_CHECKS, check_estimator, make_log
from giftlive.testing.logged import make_decisions
from giftlive.testing.models import MODEL_CHECKS, check_value_model
from giftlive.testing.policies import (
    ANONYMOUS_CHECKS,
    POLICY_CHECKS,
    SEAT_CHECKS,
    check_policy,
)
from giftlive.testing.promise import identical, require, strays
from giftlive.testing.samples import Sample, make_sample
from giftlive.testing.scenarios import SCENARIO_CHECKS, check_scenario

__all__ = [
    "ANONYMOUS_CHECKS",
    "DECISION_CHECKS",
    "ESTIMATOR_CHECKS",
    "MODEL_CHECKS",
    "POLICY_CHECKS",
    "ROOMS",
    "SCENARIO_CHECKS",
    "SEAT_CHECKS",
    "Sample",
    "check_decision_log",
    "check_estimator",
    "check_policy",
    "check_scenario",
    "check_value_model",
    "feedback_to",
    "identical",
    "make_batch",
    "make_decisions",
    "make_log",
    "make_sample",
    "require",
    "seats_of_rooms",
    "strays",
]
