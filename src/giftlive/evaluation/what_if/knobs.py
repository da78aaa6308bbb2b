"""The four sliders, and the policy that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from giftlive.errors import ConfigError
from giftlive.evaluation.what_if.market import Market
from giftlive.policies.base import Policy, reasons_of
from giftlive.policies.exploring import RandomBucket
from giftlive.policies.limits import Limit, limits_of, masked
from giftlive.policies.multi_objective import MultiObjective
from giftlive.policies.registry import make_policy
from giftlive.policies.whale_tier import WhaleTier
from giftlive.types import Bools, DecisionBatch, Decisions, Feedback, Ints

FAIRNESS = (0.0, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Settings of fairness along a frontier."""
NO_CAP = 0
"""The whale cap that stands for none."""
NEWCOMER = "newcomer"
"""Code of a row that was kept for rooms nobody knows."""
_LARGEST_FAIRNESS, _LARGEST_CAP = 1000.0, 1000
_SALT = 0x6E6577  # who is served a new room must not depend on who is in the random bucket


@dataclass(frozen=True)
class Knobs:
    """Where the sliders stand.

    Attributes
    ----------
    fairness : what one unit of the slope of the exposure's Gini index is worth, in mean values of a
        candidate, in [0, 1000]. cold_start : share of visits kept for new rooms, in [0, 1].
    whale_cap : whales per room at a time; 0: no cap. exploration : share of visits served at
        random, in [0, 1].

    Raises
    ------
    ConfigError
        A slider stands outside its range.
    """

    fairness: float = 0.0
    cold_start: float = 0.0
    whale_cap: int = NO_CAP
    exploration: float = 0.0

    def __post_init__(self) -> None:
        most = {"fairness": _LARGEST_FAIRNESS, "cold_start": 1.0, "exploration": 1.0}
        for name, limit in {**most, "whale_cap": _LARGEST_CAP}.items():
            if not 0.0 <= getattr(self, name) <= limit:
                raise ConfigError(f"{getattr(self, name)}", name, f"in [0, {limit:g}]")

    def at(self, fairness: float) -> Knobs:
        """Return the same with another fairness."""
        return replace(self, fairness=fairness)


@dataclass(frozen=True)
class NewcomerShare:
    """Keep a share of visits for new rooms; ``policy`` chooses among them there, as everywhere.

    Which visits follows from the user and the visit alone, so the rooms are sent a random sample
    of users and not those whom nobody else wants.

    Attributes
    ----------
    policy : decides. newcomers : [S] rooms that count as new. share : in [0, 1].
    """

    policy: Policy[Any]
    newcomers: Bools
    share: float
    name: str = "newcomer_share"

    def init(self, seats: Ints, /) -> Any:
        """Return the state of the policy."""
        return self.policy.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Close the known rooms in the visits that are kept, then let the policy decide all."""
        seen = batch.observation
        kept = RandomBucket(share=self.share, salt=_SALT, unit="visit").contains(
            seen.user, seen.visit
        )
        answer = self.policy.decide(
            state, masked(batch, ~kept[:, None] | self.newcomers[seen.rooms]), rng
        )
        reason = reasons_of(answer)
        reason[kept & (answer.choice >= 0)] = NEWCOMER
        return replace(answer, reason=reason)

    def limits(self, state: Any, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return the limits of the policy."""
        return limits_of(self.policy, state, batch)

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the state of the policy."""
        return self.policy.update(state, feedback)


def policy_of(knobs: Knobs, market: Market) -> Policy[Any]:
    """Return the policy of the sliders, from the inside out.

    Value with the weight of fairness for ordinary users; whales assigned first, at most
    ``whale_cap`` per room; a share of visits kept for new rooms; a share of visits at random among
    rooms with a free seat.
    """
    fair = MultiObjective(retention=0.0, diversity=0.0, overload=0.0, gini=knobs.fairness)
    cap = knobs.whale_cap or len(market.whales)
    tiers = WhaleTier(k=cap, whales=market.whales, rest=fair)
    started = NewcomerShare(tiers, market.newcomers, knobs.cold_start)
    return RandomBucket(started, knobs.exploration, unit="visit", respect_seats=True)


def built(spec: Any, market: Market, where: str = "policy") -> Policy[Any]:
    """Return the policy of ``{"name": …, "options": {…, "policy": {…}}}``, as the service has it.

    ``dual_price`` is given the market's own prices, which then stand still.

    Raises
    ------
    ConfigError
        There is no such policy, or it has no such option.
    """
    if not isinstance(spec, Mapping) or not isinstance(spec.get("name"), str):
        raise ConfigError(f"{spec!r}", where, "an object with `name` and perhaps `options`")
    given = spec.get("options", {})
    if not isinstance(given, Mapping):
        raise ConfigError(f"{given!r}", f"{where}.options", "an object")
    options = dict(given)
    if "policy" in options:
        options["policy"] = built(options["policy"], market, f"{where}.options.policy")
    if spec["name"] == "dual_price":
        options |= {"prices": market.prices, "learning_rate": 0.0}
    return make_policy(spec["name"], **options)
