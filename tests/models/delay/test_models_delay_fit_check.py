"""A law of arrivals held against the curve without a form: right forms agree, wrong ones warn."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.evaluation.delay.planted import DAY, Law, Plan, arrivals
from giftlive.models.delay.fit_check import LEAST_GIFTS, WARN_FROM, arrival_misfit
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.registry import treatment
from giftlive.models.delay.trained import train

JUDGED = "delayed_feedback_weibull"


def known(law: Law, seed: int = 1) -> FollowUp:
    return arrivals(Plan(law, rows=8_000, users=800), seed).history.at(int(5 * DAY * 1_000))


@pytest.mark.parametrize("law", ["fast", "slow", "amount"])
def test_the_right_form_fits(law: Law) -> None:
    found = arrival_misfit(treatment(JUDGED).fit(known(law)), known(law))
    assert found is not None
    assert 0.0 < found < WARN_FROM / 2


def test_the_wrong_form_warns_and_its_card_says_so() -> None:
    wrong = known("half_late")
    found = arrival_misfit(treatment(JUDGED).fit(wrong), wrong)
    assert found is not None
    assert found > 2 * WARN_FROM
    names = ("propensity", "mood", "relationship", "calendar")
    card = train(JUDGED, wrong, names).about
    assert card.fitted["misfit"] == found
    assert any("discrete_hazard" in limit for limit in card.limits)
    right = train(JUDGED, known("slow"), names).about
    assert not any("discrete_hazard" in limit for limit in right.limits)


def test_a_misfit_is_the_distance_to_the_curve() -> None:
    """A law that says half of the truth is off by half of the gifts at the end."""

    class Half:
        def incidence(self, X: np.ndarray, t: np.ndarray) -> np.ndarray:
            return np.tile(0.05 * (np.asarray(t) >= 0.0), (len(X), 1))

    rows = np.arange(2_000) % 10 == 0
    seen_at_once = FollowUp(
        np.zeros((2_000, 1)),
        np.full(2_000, 9.0),
        rows,
        np.where(rows, 0.0, np.nan),
        np.full(2_000, np.inf),
        rows.astype(float),
        5.0,
    )
    assert arrival_misfit(Half(), seen_at_once) == pytest.approx(0.5)


def test_without_a_law_or_gifts_there_is_none() -> None:
    slow = known("slow")
    assert arrival_misfit(treatment("naive").fit(slow), slow) is None
    few = slow.rows(np.flatnonzero(slow.seen)[: LEAST_GIFTS - 1])
    assert arrival_misfit(treatment("kaplan_meier").fit(few), few) is None
