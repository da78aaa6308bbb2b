"""A treatment of late labels after training, with its card, that can be saved and loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import Card, State
from giftlive.models.delay.chance import Chance, FittedChance
from giftlive.models.delay.fit_check import WARN_FROM, arrival_misfit
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.maturity import settled_after
from giftlive.models.delay.plain import Plain
from giftlive.models.delay.registry import treatment
from giftlive.models.delay.treatments import Recent
from giftlive.types import Floats

KIND = "delay_treatment"

SHORT = 0.01
"""Share of the horizon below which a log is hardly meant to be so short."""

_EVERY = (
    "a log whose gifts carry the time of the entry holds no delay: ask facts.delay first",
    "probabilities are of a gift within the horizon, not of one after it",
)
LIMITS: Mapping[str, tuple[str, ...]] = {
    "naive": ("takes every open row for a negative: too low where labels are late",),
    "fixed_window": ("no row younger than its window is used: a drift is followed late",),
    "delay_buckets": ("late buckets learn from few gifts; the law of delay must not drift",),
    "discrete_hazard": ("the link is 1 − e^−e^…: 2e-4 nats where the truth is logistic",),
    "cox": ("hazards are proportional at all times; the link as of a discrete hazard",),
    "kaplan_meier": ("knows no feature",),
    "weibull_aft": ("everybody gives some day: overshoots where most never do",),
    "delayed_feedback": ("delays are exponential given x; leaving is not in it",),
    "delayed_feedback_weibull": ("delays are Weibull given x; leaving is not in it",),
    "fnw": ("P(x) must not move: late positives carry the features of their own time",),
    "es_dfm": ("P(x) must not move; its weights learn from mature rows alone",),
}
"""What a reader must know of each treatment before using its numbers."""


@dataclass(frozen=True)
class TrainedTreatment:
    """P(gift within the horizon | x) and the card that says what it is.

    Attributes
    ----------
    fitted : what the treatment's ``fit`` returned, with the quantities it has beyond the chance.
    """

    about: Card
    fitted: FittedChance

    def probability(self, X: Floats) -> Floats:
        """Return [n] P(gift within the horizon | x) of rows [n, p]."""
        if X.ndim != 2 or X.shape[1] != len(self.about.features):
            wanted = f"[n, {len(self.about.features)}]"
            raise UsageError(f"shape {X.shape}", "argument X", wanted, "the card names them")
        return self.fitted.probability(X)

    def card(self) -> dict[str, Any]:
        """Return the card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return everything needed to rebuild it."""
        plain = Plain()
        numbers = {"card": self.card(), "fitted": plain.write(self.fitted, "fitted")}
        return State(KIND, numbers, plain.forests, arrays=plain.arrays)

    @classmethod
    def from_state(cls, state: State) -> TrainedTreatment:
        """Rebuild it: equal predictions, bit for bit."""
        fitted = Plain(dict(state.arrays), dict(state.forests)).read(state.numbers["fitted"])
        return cls(Card.from_dict(state.numbers["card"]), fitted)


def train(
    name: str,
    follow_up: FollowUp,
    features: Sequence[str],
    chance: Chance | None = None,
    memory: float | None = None,
) -> TrainedTreatment:
    """Fit the treatment called ``name`` and write its card.

    Parameters
    ----------
    features : names of the columns. chance : as of ``registry.treatment``. memory : seconds;
        older rows are forgotten (``Recent``). ``None``: none is.

    Raises
    ------
    UsageError
        Another number of names than of columns.
    """
    if len(features) != follow_up.X.shape[1]:
        columns = f"{follow_up.X.shape[1]} columns"
        raise UsageError(f"{len(features)} names", "argument features", columns)
    plain = treatment(name, chance)
    chosen = plain if memory is None else Recent(plain, memory)
    used = follow_up if memory is None else follow_up.rows(follow_up.age <= memory)
    settled, fitted = settled_after(follow_up), chosen.fit(follow_up)
    misfit = arrival_misfit(fitted, used)
    card = Card(
        name=name if memory is None else f"recent {name}",
        estimand="P(gift within the horizon | x)",
        features=tuple(features),
        rows=len(used),
        positives=int(used.seen.sum()),
        settings=json.loads(json.dumps(asdict(chosen))),  # type: ignore[call-overload]
        fitted={
            "horizon_seconds": _or_none(follow_up.horizon),
            "settled_after_seconds": _or_none(settled),
            "open_share": float((~used.seen & ~used.mature & ~used.left).mean()),
            "misfit": misfit,
        },
        limits=(*LIMITS[name], *_misfitting(misfit), *_too_young(follow_up), *_EVERY),
    )
    return TrainedTreatment(card, fitted)


def _too_young(follow_up: FollowUp) -> tuple[str, ...]:
    """Return the limit of a log that is short beside the horizon, as one in the wrong unit is."""
    oldest = float(follow_up.age.max(initial=0.0))
    if not np.isfinite(follow_up.horizon) or oldest >= SHORT * follow_up.horizon:
        return ()
    return (
        f"the oldest row is {oldest:g} s old, the horizon {follow_up.horizon:g} s: "
        "are times in milliseconds and delays in seconds?",
    )


def _misfitting(misfit: float | None) -> tuple[str, ...]:
    """Return the limit of a law whose form is not that of the log."""
    if misfit is None or misfit <= WARN_FROM:
        return ()
    return (
        f"its law of arrivals is {misfit:.0%} of the gifts off Kaplan and Meier's curve: "
        "the form does not fit this log, use discrete_hazard or delay_buckets",
    )


def _or_none(seconds: float) -> float | None:
    return float(seconds) if np.isfinite(seconds) else None
