"""A policy of your own, checked and played in a world: python examples/own_policy.py

``Patient`` shows the room of largest value, but asks a premium for the last seat of a room:
somebody who is worth more may come. It is checked against every promise of a policy, then plays the
same evening as greedy in a world with hard seats, on true values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.evaluation.rollout import TableValuer, play, summarise
from giftlive.policies import GreedyWithCap
from giftlive.policies.base import Memoryless
from giftlive.policies.choice import choose_best
from giftlive.testing import check_policy
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints
from giftlive.world import build_world, load_scenario, make_arena, true_seat_seconds, true_value


@dataclass(frozen=True)
class Patient:
    """Show the most valuable room; the last seat costs ``premium`` times the mean value."""

    premium: float = 1.0
    name: str = "patient"

    def init(self, seats: Ints, /) -> Memoryless:
        """Remember nothing."""
        return Memoryless()

    def decide(
        self, state: Memoryless, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Choose by value less the premium of last seats, among rooms with a free one."""
        mean = batch.values.sum() / max(np.count_nonzero(batch.available), 1)
        last = batch.observation.seats_left == 1
        return choose_best(batch, batch.values - self.premium * mean * last, guard=True)

    def update(self, state: Memoryless, feedback: Feedback, /) -> Memoryless:
        """Learn nothing."""
        return state


def main() -> dict[str, float]:
    """Check the policy, play it beside greedy, and return the expected revenue of each."""
    check_policy(Patient)
    scenario = load_scenario("scarce", "tiny", {"calendar.history_days": "1"})
    world = build_world(scenario, seed=1)
    users, streamers = len(world.user_ids), len(world.streamer_ids)
    room_of = {streamer: room for room, streamer in enumerate(world.room_streamer)}
    rooms = np.array([room_of.get(s, 0) for s in range(streamers)])
    u, r = np.repeat(np.arange(users), streamers), np.tile(rooms, users)
    ts = world.room_start[r]
    valuer = TableValuer(
        true_value(world, u, r, ts).reshape(users, streamers),
        true_seat_seconds(world, u, r, ts).reshape(users, streamers),
    )
    earned = {}
    for policy in (GreedyWithCap(), Patient()):
        arena = make_arena(world, seed=7)
        outcome, displaced = play(arena, policy, valuer, world.scene.rooms.seats, seed=7)
        earned[policy.name] = summarise(policy.name, 7, outcome, displaced).expected_revenue
    return earned


if __name__ == "__main__":
    print(main())
