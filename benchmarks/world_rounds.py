"""The compiled rounds world against a loop over contacts, one law, one assignment.

The story of preset ``v1``: each round some users arrive and every room is empty; each user is
assigned the streamer of largest expected value; a gift happens with a logistic chance, its
amount is log-normal, and A / (1 + gamma * big donors already there) reaches the streamer. The
wealth mixture, tastes and engagement are those of one world that all three share, so they must
choose the same rooms and agree on the expected revenue, or the benchmark stops.

Two loops stand in for a simulator written without a compiler. Both pay two exponentials per
pair of a user and a streamer, those of sigmoid(logit) * exp(mu + sigma^2 / 2):

- plain:   Python over contacts, Python over streamers
- vector:  Python over contacts, NumPy over streamers
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np

from benchmarks.timing import in_turns, ratio
from giftlive.policies import Greedy
from giftlive.rng import stream
from giftlive.types import DecisionBatch, Floats, Ints
from giftlive.world import Outcome, World, build_world, load_scenario, make_arena, true_value

SEED = 1


@dataclass(frozen=True)
class Result:
    """Rooms chosen [n], Σ E[amount | shown, donors present] and Σ amounts drawn."""

    rooms: Ints
    expected: float
    drawn: float


def compiled(world: World) -> Outcome:
    """Play greedy on true values through the arena."""
    arena, policy, rng = make_arena(world, SEED), Greedy(), stream(SEED, "policy")
    state, observation = policy.init(arena.seats), arena.reset()
    while observation is not None:
        seen = observation
        values = true_value(world, seen.user[:, None], seen.rooms, seen.ts[:, None])
        batch = DecisionBatch(seen, values, np.zeros_like(values))
        _, observation = arena.step(policy.decide(state, batch, rng))
    return arena.outcome()


Pick = Callable[[int], tuple[int, float, float]]


def contacts(world: World, users: Ints, pick: Pick) -> Result:
    """Assign ``users`` [n] one after another, all of them in Python.

    ``pick`` maps a user to (room, P(gift), E[log amount]).
    """
    per_round, sigma = world.scenario.rounds.users_per_round, world.scenario.amount.sigma
    gamma, draw = world.scenario.externality.donor_gamma, stream(SEED, "loop")
    whale, streamers = world.scene.users.whale.tolist(), len(world.streamer_ids)
    rooms, expected, drawn = np.zeros(len(users), dtype=np.int64), 0.0, 0.0
    donors = [0] * streamers
    for i, user in enumerate(users.tolist()):
        if i % per_round == 0:
            donors = [0] * streamers
        room, chance, mu = pick(user)
        share = 1.0 / (1.0 + gamma * donors[room])
        rooms[i] = room
        expected += chance * math.exp(mu + sigma**2 / 2.0) * share
        if draw.random() < chance:
            drawn += math.exp(mu + sigma * draw.standard_normal()) * share
        donors[room] += whale[user]
    return Result(rooms, expected, drawn)


def plain_pick(world: World) -> Pick:
    """Return the choice that loops over streamers in Python."""
    gift, amount = world.scenario.gift, world.scenario.amount
    wealth, likes = world.scene.users.wealth.tolist(), world.scene.users.taste.tolist()
    skill, styles = world.scene.streamers.skill.tolist(), world.scene.streamers.taste.tolist()
    scale, half = world.scenario.match_scale, amount.sigma**2 / 2.0

    def pick(user: int) -> tuple[int, float, float]:
        best, best_value, best_chance, best_mu = -1, -1.0, 0.0, 0.0
        w, taste = wealth[user], likes[user]
        for s, style in enumerate(styles):
            match = 0.0
            for p, q in zip(taste, style, strict=True):
                match += p * q
            match *= scale
            logit = gift.base + gift.wealth * w + gift.match * match + gift.skill * skill[s]
            chance = 1.0 / (1.0 + math.exp(-logit))
            mu = amount.base + amount.wealth * w + amount.match * match
            value = chance * math.exp(mu + half)
            if value > best_value:
                best, best_value, best_chance, best_mu = s, value, chance, mu
        return best, best_chance, best_mu

    return pick


def vector_pick(world: World) -> Pick:
    """Return the choice that takes all streamers of a contact at once with NumPy."""
    gift, amount = world.scenario.gift, world.scenario.amount
    users, streamers = world.scene.users, world.scene.streamers
    from_streamer: Floats = gift.base + gift.skill * streamers.skill
    style, half = world.scenario.match_scale * streamers.taste, amount.sigma**2 / 2.0

    def pick(user: int) -> tuple[int, float, float]:
        w = float(users.wealth[user])
        match = style @ users.taste[user]
        chance = 1.0 / (1.0 + np.exp(-(from_streamer + gift.wealth * w + gift.match * match)))
        mu = amount.base + amount.wealth * w + amount.match * match
        best = int(np.argmax(chance * np.exp(mu + half)))
        return best, float(chance[best]), float(mu[best])

    return pick


def disagreement(outcome: Outcome, result: Result) -> str:
    """Return in words where a loop and the arena differ, '' where they agree."""
    differ = int(np.sum(outcome.room != result.rooms))
    if differ:
        return f"{differ} of {len(result.rooms)} contacts were assigned another room"
    if abs(result.expected / outcome.expected_revenue - 1.0) > 1e-9:
        return f"expected revenue {result.expected:.6f}, arena {outcome.expected_revenue:.6f}"
    return ""


def main() -> int:
    """Print contacts per second of each and the ratios; exit 1 if they disagree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--users-per-round", type=int, default=200)
    parser.add_argument("--streamers", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    sizes = {
        "rounds.rounds": str(asked.rounds),
        "rounds.users_per_round": str(asked.users_per_round),
        "sizes.streamers": str(asked.streamers),
        "candidates.total": str(asked.streamers),
    }
    world = build_world(load_scenario("v1", "full", sizes), SEED)
    outcome = compiled(world)
    loops = {
        "plain": partial(contacts, world, outcome.user, plain_pick(world)),
        "vector": partial(contacts, world, outcome.user, vector_pick(world)),
    }
    for name, loop in loops.items():
        if problem := disagreement(outcome, loop()):
            print(f"{name}: {problem}", file=sys.stderr)
            return 1
    seconds = in_turns({**loops, "giftlive": partial(compiled, world)}, asked.repeats)
    n = outcome.decisions
    print(f"{n:,} contacts, greedy over {asked.streamers} streamers, {asked.repeats} turns;")
    print(f"same rooms chosen, expected revenue {outcome.expected_revenue:,.2f} in all three\n")
    print(f"{'':10}{'contacts/s':>12}   giftlive's rate over this one (smallest - largest)")
    for name, times in seconds.items():
        middle, low, high = ratio(times, seconds["giftlive"])
        compared = "" if name == "giftlive" else f"   {middle:.3g} ({low:.3g} - {high:.3g})"
        print(f"{name:10}{n / median(times):12,.0f}{compared}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
