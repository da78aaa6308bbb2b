"""An evening turned into a bandit: contexts, logging policy, targets, rewards and exact truth."""

from __future__ import annotations

import numpy as np

from giftlive.evaluation.bandit import Contexts, Draw, Reward
from giftlive.evaluation.evening import Evening
from giftlive.evaluation.screening_targets import Screened
from giftlive.policies.registry import make_policy
from giftlive.rng import derive, stream
from giftlive.types import Bools, DecisionBatch, Floats, Ints, Observation
from giftlive.world.payoff import with_payoff
from giftlive.world.truth import respond, true_value

LOGGER = {"temperature": 0.5, "floor": 0.01}
"""The logging policy: softmax over each user's values, and a random bucket of 1 % of traffic.

The bucket is drawn anew for every decision, so its share is part of the propensity."""


def rewards_of(evening: Evening) -> tuple[Reward, ...]:
    """Return the three rewards; the cap is a quantile of the *past* gifts, fixed beforehand."""
    return (
        Reward("count", np.inf),
        Reward("capped", evening.cap),
        Reward("full", np.inf),
    )


def bandit_contexts(
    evening: Evening, rewards: tuple[Reward, ...], bucket: float = LOGGER["floor"]
) -> tuple[Contexts, Draw]:
    """Return tonight's decisions as contexts, and the world's law as a source of rewards.

    Parameters
    ----------
    bucket : share of the traffic that the logging policy leaves to chance.
    """
    seen = evening.arrivals(derive(evening.world.seed, "bandit"))
    values, seconds = evening.estimated_valuer(seen)
    there = seen.streamers >= 0
    chance = evening.gift_probability[seen.user[:, None], np.maximum(seen.streamers, 0)]
    chance = np.where(there, chance, 0.0)
    relative = relative_values(values, there)
    contexts = Contexts(
        user=seen.user,
        logging=_propensities(
            "softmax", seen, relative, seconds, scale=1.0, **LOGGER | {"floor": bucket}
        ),
        targets={
            "greedy": _propensities("greedy", seen, values, seconds),
            "greedy by gift chance": _propensities("greedy", seen, chance, seconds),
            "sharper softmax": _propensities(
                "softmax", seen, relative, seconds, scale=1.0, temperature=0.2, floor=0.0
            ),
            **Screened(evening.values, evening.prices, evening.seats).answers(
                seen, values, seconds
            ),
            "uniform": _propensities("uniform", seen, values, seconds),
        },
        q={
            "count": chance,
            "capped": np.minimum(values, evening.cap * chance),
            "full": values,
        },
        truth={reward.name: _truth(evening, seen, reward) for reward in rewards},
        scale=evening.cap,
    )

    def draw(row: Ints, action: Ints, seed: int) -> Floats:
        room = seen.rooms[row, action]
        return respond(evening.world, seen.user[row], room, seen.ts[row], seed).amount

    return contexts, draw


def relative_values(values: Floats, there: Bools) -> Floats:
    """Return values relative to the mean of a row's candidates: big spenders are not greedier."""
    count = np.maximum(there.sum(axis=1, keepdims=True), 1)
    return values / np.maximum(values.sum(axis=1, keepdims=True) / count, 1e-12)


def _propensities(
    name: str, seen: Observation, values: Floats, seconds: Floats, **settings: float
) -> Floats:
    policy = make_policy(name, **settings)
    batch = DecisionBatch(seen, values, seconds)
    state = policy.init(np.zeros(0, dtype=np.int64))
    found = policy.decide(state, batch, stream(0, "propensities")).propensities
    return found / found.sum(axis=1, keepdims=True)


def _truth(evening: Evening, seen: Observation, reward: Reward) -> Floats:
    prices = evening.world.scene.law.prices
    world = with_payoff(evening.world, reward.of(prices))
    return true_value(world, seen.user[:, None], seen.rooms, seen.ts[:, None])
