"""The compiled rounds world against a loop over contacts, one law, one assignment.

The story of preset ``v1``: each round some users arrive and every room is empty; each user is
assigned the streamer of largest expected value; a gift happens with a logistic chance, its
amount is log-normal, and A / (1 + gamma * big donors already there) reaches the streamer. The
wealth mixture, tastes and engagement are those of one world that all three share, so they must
choose the same rooms and agree on the expected revenue, or the benchmark stops.

Two loops stand in for the simulator that a researcher writes. Both pay two exponentials per
pair of a user and a streamer, those of sigmoid(logit) * exp(mu + sigma^2 / 2), and keep a row per
contact:

- plain:   Python over contacts, Python over streamers: the reference loop
- vector:  Python over contacts, NumPy over streamers: the same after a day of tuning

Against them stand

- arena:   ``RoundsArena`` with the policy ``Greedy`` on ``true_value``: any policy fits in
- oracle:  ``play_oracle_greedy``, the same decisions with exact pruning (proof in its module)

The ratios are of processor seconds, which another user of the machine stretches least; two
threads are also shown by the wall's clock, which on a busy machine says little.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from os import getloadavg
from statistics import median

import numpy as np

from benchmarks.timing import Spent, ratio, spent_in_turns
from giftlive.policies import Greedy
from giftlive.rng import stream
from giftlive.types import DecisionBatch, Floats, Ints
from giftlive.world import (
    Outcome,
    World,
    build_world,
    load_scenario,
    make_arena,
    play_oracle_greedy,
    true_value,
)

SEED, TIMES = 1, 10


@dataclass(frozen=True)
class Result:
    """Rooms chosen [n], Σ E[amount | shown, donors present], and the rows kept."""

    rooms: Ints
    expected: float
    rows: list[tuple[int, int, int, float, float]]


def through_arena(world: World) -> Outcome:
    """Play greedy on true values, the policy in Python."""
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
    watch_mu, watch_sigma = math.log(world.scenario.watch.stay_seconds), 1.0
    whale, streamers = world.scene.users.whale.tolist(), len(world.streamer_ids)
    rooms, expected, rows = np.zeros(len(users), dtype=np.int64), 0.0, []
    donors = [0] * streamers
    for i, user in enumerate(users.tolist()):
        if i % per_round == 0:
            donors = [0] * streamers
        room, chance, mu = pick(user)
        share = 1.0 / (1.0 + gamma * donors[room])
        rooms[i] = room
        expected += chance * math.exp(mu + sigma**2 / 2.0) * share
        watch = math.exp(watch_mu + watch_sigma * draw.standard_normal())
        amount = 0.0
        if draw.random() < chance:
            amount = math.exp(mu + sigma * draw.standard_normal()) * share
        rows.append((i // per_round, user, room, watch, amount))
        donors[room] += whale[user]
    return Result(rooms, expected, rows)


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


def disagreement(outcome: Outcome, found: Result | Outcome) -> str:
    """Return in words where a loop or an outcome differs from the arena, '' where it agrees."""
    if isinstance(found, Outcome):
        names = [f.name for f in fields(Outcome)]
        unlike = [n for n in names if not np.array_equal(getattr(outcome, n), getattr(found, n))]
        return f"other bits in {', '.join(unlike)}" if unlike else ""
    differ = int(np.sum(outcome.room[: len(found.rooms)] != found.rooms))
    if differ:
        return f"{differ} of {len(found.rooms)} contacts were assigned another room"
    expected = float(outcome.expected_amount[: len(found.rooms)].sum())
    if abs(found.expected / expected - 1.0) > 1e-9:
        return f"expected revenue {found.expected:.6f}, arena {expected:.6f}"
    return ""


Player = Callable[[], Result | Outcome]


def players(world: World, users: Ints, plain_rounds: int) -> dict[str, tuple[int, Player]]:
    """Return the contacts of a call, and the call, of everything that is compared."""
    few = users[: plain_rounds * world.scenario.rounds.users_per_round]
    return {
        "plain": (len(few), partial(contacts, world, few, plain_pick(world))),
        "vector": (len(users), partial(contacts, world, users, vector_pick(world))),
        "arena": (len(users), partial(through_arena, world)),
        "oracle": (len(users), partial(play_oracle_greedy, world, SEED)),
        "oracle, 2 threads": (len(users), partial(play_oracle_greedy, world, SEED, 2)),
    }


def again(play: Player, times: int) -> None:
    """Play several times, so that a turn of the fastest is long enough for a clock."""
    for _ in range(times):
        play()


def show(spent: dict[str, list[Spent]], counts: dict[str, int]) -> None:
    """Print contacts per second and the ratios to both loops, turn by turn."""
    cost = {name: [s.processor / counts[name] for s in turns] for name, turns in spent.items()}
    wall = {name: [s.wall / counts[name] for s in turns] for name, turns in spent.items()}
    print(f"{'':18}{'contacts/s':>12}{'wall':>12}   over plain   over vector (smallest - largest)")
    for name in spent:
        rate, by_wall = 1.0 / median(cost[name]), 1.0 / median(wall[name])
        over_plain, (middle, low, high) = (
            ratio(cost["plain"], cost[name])[0],
            ratio(cost["vector"], cost[name]),
        )
        print(
            f"{name:18}{rate:12,.0f}{by_wall:12,.0f}{over_plain:12.3g}x"
            f"{middle:12.3g}x ({low:.3g} - {high:.3g})"
        )


def main() -> int:
    """Print contacts per second of each and the ratios; exit 1 if they disagree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--plain-rounds", type=int, default=5, help="of the slowest loop")
    parser.add_argument("--users-per-round", type=int, default=200)
    parser.add_argument("--streamers", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    sizes = {
        "rounds.rounds": str(asked.rounds),
        "rounds.users_per_round": str(asked.users_per_round),
        "sizes.streamers": str(asked.streamers),
    }
    world = build_world(load_scenario("v1", "full", sizes), SEED)
    outcome = through_arena(world)
    compared = players(world, outcome.user, asked.plain_rounds)
    for name, (_, play) in compared.items():
        if problem := disagreement(outcome, play()):
            print(f"{name}: {problem}", file=sys.stderr)
            return 1
    times = {name: TIMES if "oracle" in name else 1 for name in compared}
    works = {name: partial(again, play, times[name]) for name, (_, play) in compared.items()}
    spent = spent_in_turns(works, asked.repeats)
    print(f"{outcome.decisions:,} contacts of {len(world.user_ids):,} users, ", end="")
    print(f"greedy over {asked.streamers} streamers, {asked.repeats} turns, ", end="")
    print(f"load {getloadavg()[0]:.1f};")
    print(f"same rooms, expected revenue {outcome.expected_revenue:,.2f} in all; arena and oracle")
    print("agree in every bit. Contacts per second of the processor, and by the wall's clock:\n")
    show(spent, {name: count * times[name] for name, (count, _) in compared.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
