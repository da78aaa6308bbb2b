"""Off-policy estimates where users share seats: what a log says against what the arena shows.

The log's policy plays an evening. Every target is asked beside it what it would have shown in each
decision, *as the log met it*: its free seats, its memory fed with what the log's policy showed.
That is all a log can offer. The truth is what the target earns when it plays the same evening
itself, where its own choices fill the rooms. With seats without limit on the same evenings the two
agree up to chance; what more they differ by with seats is interference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from giftlive import ope
from giftlive.evaluation.evening import Evening
from giftlive.evaluation.rollout import play
from giftlive.evaluation.screening import LOGGER, relative_values
from giftlive.evaluation.screening_targets import Screened
from giftlive.policies import Greedy, Policy, Softmax, hear
from giftlive.rng import derive, stream
from giftlive.stats.intervals import Interval, ratio_delta
from giftlive.types import (
    UNLIMITED_SEATS,
    DecisionBatch,
    Feedback,
    Floats,
    Ints,
    Observation,
    Progress,
    silent,
)
from giftlive.world import World
from giftlive.world.payoff import with_payoff

BUCKET = 0.2
"""Share of random traffic of the logger here."""


@dataclass(frozen=True)
class AsLogged:
    """The logging policy of the trials in the arena, with a larger random bucket.

    A fifth of the traffic keeps chance small beside what is looked for here.
    """

    softmax: Softmax = field(
        default_factory=lambda: Softmax(LOGGER["temperature"], BUCKET, scale=1.0)
    )
    name: str = "logger"

    def init(self, seats: Any, /) -> Any:
        """Return the empty state."""
        return self.softmax.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Any:
        """Draw by values relative to the row's mean."""
        values = relative_values(batch.values, batch.available)
        return self.softmax.decide(state, replace(batch, values=values), rng)

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the state as it was."""
        return state


@dataclass(frozen=True)
class Shadowed:
    """One evening: a target's estimate from the log, and its own evening.

    Attributes
    ----------
    weighted, weight : Σ w 1[gift] and Σ w of the log. low, high : of their ratio, by users.
    gifts, decisions : expected gifts and decisions of the target's own evening.
    refused : its decisions that met a full room.
    """

    weighted: float
    weight: float
    low: float
    high: float
    gifts: float
    decisions: int
    refused: int


@dataclass(frozen=True)
class Interference:
    """A target over all evenings.

    Attributes
    ----------
    target : its name. seats : whether rooms had their seats, or any number of them.
    nights : an evening each.
    """

    target: str
    seats: bool
    nights: tuple[Shadowed, ...]

    @property
    def truth(self) -> float:
        """Expected gifts per decision where the target plays."""
        return self._sum("gifts") / max(self._sum("decisions"), 1.0)

    @property
    def estimated(self) -> float:
        """SNIPS of all evenings' logs together."""
        return self._sum("weighted") / self._sum("weight")

    @property
    def error(self) -> Interval:
        """Estimate how far the log leads astray: Σ (estimate - truth) / Σ truth of evenings."""
        truth = np.array([n.gifts / max(n.decisions, 1) for n in self.nights])
        found = np.array([n.weighted / n.weight if n.weight > 0.0 else 0.0 for n in self.nights])
        return ratio_delta(found - truth, truth, n_unit="evenings")

    @property
    def held(self) -> int:
        """In how many evenings the log's 95 % interval holds the target's value that evening."""
        return sum(n.low <= n.gifts / max(n.decisions, 1) <= n.high for n in self.nights)

    @property
    def refused(self) -> float:
        """Share of the target's own decisions that met a full room."""
        return self._sum("refused") / max(self._sum("decisions"), 1.0)

    def _sum(self, name: str) -> float:
        return float(sum(getattr(night, name) for night in self.nights))


def interference(
    evening: Evening, evenings: int, seed: int, jobs: int = 1, progress: Progress = silent
) -> tuple[Interference, ...]:
    """Return every target with its seats and without limit, over ``evenings`` paired evenings."""
    names = [derive(seed, "interference", k) for k in range(evenings)]
    cases = [(seats, name) for seats in (True, False) for name in names]
    calls = (delayed(shadow)(evening, seats, name) for seats, name in cases)
    found: list[dict[str, Shadowed]] = []
    for night in Parallel(n_jobs=jobs, return_as="generator")(calls):
        found.append(night)
        progress(len(found), len(cases))
    return tuple(
        Interference(
            target,
            seats,
            tuple(n[target] for n, c in zip(found, cases, strict=True) if c[0] == seats),
        )
        for seats in (True, False)
        for target in found[0]
    )


def online(evening: Evening) -> dict[str, Policy[Any]]:
    """Return the targets as they would run: greedy and two of those screened, and the logger.

    Prices stay as trained, so that a target is the same rule with seats and without limit. The
    logger judged by its own log shows what chance alone does.
    """
    made = Screened(evening.values, evening.prices, evening.seats)
    best = evening.values.max(axis=1)
    return {
        "logger": AsLogged(),
        "greedy": Greedy(),
        "concave": made.policy("concave", best),
        "dual_price": made.policy("dual_price", best),
    }


def shadow(evening: Evening, seats: bool, seed: int) -> dict[str, Shadowed]:
    """Play the logger with every target in its shadow, then every target itself.

    Parameters
    ----------
    seats : False: rooms take anybody.
    """
    targets, planned = online(evening), evening.seats
    evening = evening if seats else _without_limit(evening)
    user, reward, weights = _logged(evening, targets, planned, seed)
    counting = replace(evening, world=_counting(evening.world))
    found = {}
    for name, policy in targets.items():
        outcome, _ = play(counting.arena(seed), policy, evening.estimated_valuer, planned, seed)
        log = ope.Interactions(
            user, np.zeros(len(user), dtype=np.int64), np.ones(len(user)), reward,
            np.ones((len(user), 1)), marginal_weight=weights[name],
        )  # fmt: skip
        sums = ope.SNMIPS.update(ope.SNMIPS.init(), log)
        interval = ope.SNMIPS.estimate(sums)
        found[name] = Shadowed(
            weighted=float(weights[name] @ reward),
            weight=float(weights[name].sum()),
            low=-np.inf if interval.low is None else interval.low,
            high=np.inf if interval.high is None else interval.high,
            gifts=float(outcome.expected_revenue),
            decisions=int(outcome.decisions),
            refused=int(outcome.refused.sum()),
        )
    return found


def _logged(
    evening: Evening, targets: Mapping[str, Policy[Any]], seats: Ints, seed: int
) -> tuple[Any, Floats, dict[str, Floats]]:
    """Return user and reward [n] of the logger's evening, and every target's weights [n]."""
    arena, logger, rng = evening.arena(seed), AsLogged(), stream(seed, "policy")
    states = {name: policy.init(seats) for name, policy in targets.items()}
    weights: dict[str, list[Floats]] = {name: [] for name in targets}
    observation: Observation | None = arena.reset()
    while observation is not None:
        batch = DecisionBatch(observation, *evening.estimated_valuer(observation))
        decisions = logger.decide(None, batch, rng)
        at = np.arange(len(batch)), decisions.choice
        chance = decisions.propensities[at]
        for name, policy in targets.items():
            asked = policy.decide(states[name], batch, stream(seed, "shadow", name))
            weights[name].append(asked.propensities[at] / chance)
        feedback, observation = arena.step(decisions)
        heard = hear(feedback, batch, decisions)
        states = {name: policy.update(states[name], heard) for name, policy in targets.items()}
    outcome = arena.outcome()
    reward = (outcome.amount > 0.0).astype(np.float64)
    return outcome.user, reward, {name: np.concatenate(w) for name, w in weights.items()}


def _without_limit(evening: Evening) -> Evening:
    """Return the evening with as many seats as anybody wants."""
    scene = evening.world.scene
    rooms = scene.rooms._replace(seats=np.full_like(scene.rooms.seats, UNLIMITED_SEATS))
    return replace(evening, world=replace(evening.world, scene=scene._replace(rooms=rooms)))


def _counting(world: World) -> World:
    """Return the world with gifts counted instead of valued, in expectation."""
    return with_payoff(world, np.ones(len(world.scene.law.prices)))
