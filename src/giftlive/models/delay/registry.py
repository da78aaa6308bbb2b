"""The treatments of late labels by name."""

from __future__ import annotations

from collections.abc import Callable

from giftlive.models.delay.chance import Chance, Logistic
from giftlive.models.delay.cox import Cox
from giftlive.models.delay.delay_buckets import DelayBuckets
from giftlive.models.delay.delayed_feedback import DelayedFeedback
from giftlive.models.delay.discrete_hazard import DiscreteHazard
from giftlive.models.delay.importance import ElapsedTimeSampled, FakeNegativeWeighted
from giftlive.models.delay.kaplan_meier import KaplanMeier
from giftlive.models.delay.maturity import SETTLED
from giftlive.models.delay.survival_chance import SurvivalChance
from giftlive.models.delay.treatments import FixedWindow, Naive, Treatment
from giftlive.models.delay.weibull_aft import WeibullAft

TREATMENTS: dict[str, Callable[[Chance], Treatment]] = {
    "naive": Naive,
    "fixed_window": lambda chance: FixedWindow(chance=chance, settled=SETTLED),
    "delay_buckets": lambda chance: DelayBuckets(chance=chance),
    "discrete_hazard": lambda chance: SurvivalChance(DiscreteHazard()),
    "weibull_aft": lambda chance: SurvivalChance(WeibullAft(grid=1e-3, penalty=1.0)),
    "kaplan_meier": lambda chance: SurvivalChance(KaplanMeier(), at_once=None),
    "cox": lambda chance: SurvivalChance(Cox(penalty=1.0)),
    "delayed_feedback": lambda chance: DelayedFeedback(),
    "delayed_feedback_weibull": lambda chance: DelayedFeedback(shape=True),
    "fnw": lambda chance: FakeNegativeWeighted(chance=chance, settled=SETTLED),
    "es_dfm": lambda chance: ElapsedTimeSampled(chance=chance, settled=SETTLED),
}
"""Each takes the classifier it learns with; laws of time and Chapelle's model bring their own."""


def treatment(name: str, chance: Chance | None = None) -> Treatment:
    """Return the treatment called ``name``, learning with ``chance`` (logistic by default)."""
    return TREATMENTS[name](Logistic() if chance is None else chance)
