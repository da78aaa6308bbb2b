"""New policies in a world's evening: played, and logged with charges and rules.

Writing a log plays its evening twice and refuses a policy that decides otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from giftlive.evaluation.decisions import LoggedEvening
from giftlive.evaluation.explanation import PriceBook, prices_of
from giftlive.evaluation.rollout import TableValuer, play, summarise
from giftlive.logs.decisions import read_decisions
from giftlive.policies import (
    ByPair,
    ByStreamer,
    CapacityGuard,
    Concave,
    DualPrice,
    EcosystemGuard,
    EpsilonGreedy,
    GreedyWithRules,
    LinUCB,
    MultiObjective,
    RandomBucket,
    RoomThompson,
    Softmax,
    WhaleTier,
    ucb,
)
from giftlive.rng import stream
from giftlive.testing import check_decision_log, make_batch
from giftlive.world import World, build_world, load_scenario
from giftlive.world.rounds import make_arena


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(load_scenario("scarce", "tiny"), 1)


@pytest.fixture(scope="module")
def valuer(world: World) -> TableValuer:
    draw = stream(1, "values")
    shape = len(world.user_ids), len(world.streamer_ids)
    return TableValuer(draw.exponential(1.0, shape), draw.uniform(30.0, 300.0, shape))


def logged_policies(world: World) -> dict[str, Any]:
    users, streamers = len(world.user_ids), len(world.streamer_ids)
    draw = stream(2, "settings")
    newcomers = ByStreamer((draw.random(streamers) < 0.3).astype(np.float64))
    return {
        "rules": GreedyWithRules(
            frequency_cap=1, cooldown_ms=60_000, newcomer_bonus=1.0, newcomers=newcomers,
            exposure_cap=10, congestion=0.5,
        ),
        "whales": WhaleTier(1, whales=draw.random(users) < 0.3),
        "optimist": ucb(2.0, ByPair(draw.exponential(1.0, (users, streamers)))),
        "deep": CapacityGuard(RandomBucket(EcosystemGuard(DualPrice(cold_price=0.001)), 0.3)),
        "aims": MultiObjective(),
        "thompson": RoomThompson(),
    }  # fmt: skip


NAMES = (
    "rules",
    "deep",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("whales", "optimist", "aims")),
    pytest.param("thompson", marks=pytest.mark.slow),
)


@pytest.mark.parametrize("name", NAMES)
def test_an_evening_is_logged_with_what_decided_it(
    name: str, world: World, valuer: TableValuer, tmp_path: Path
) -> None:
    evening = LoggedEvening(world, logged_policies(world)[name], valuer, seed=3)
    path = tmp_path / "decision.parquet"
    rows = evening.write(path)
    assert rows > 300
    check_decision_log(path)
    log = next(iter(read_decisions(path, 1 << 20)))
    assert len(log) == rows
    codes = set(log.reason)
    expected = {
        "rules": {"exposure_cap", "newcomer_bonus", "seat", "greedy"},
        "whales": {"whale_tier", "greedy"},
        "optimist": {"price", "greedy"},
        "deep": {"random_bucket"},
        "aims": {"diversity", "greedy"},
        "thompson": {"random"},
    }[name]
    assert expected <= codes, codes
    signs = {
        "rules": log.prices.min() < 0.0 < log.prices.max(),
        "whales": not log.prices.any(),
        "optimist": log.prices.min() < 0.0 >= log.prices.max(),
        "deep": log.prices.max() > 0.0 and log.price_version[0] is not None,
        "aims": log.prices.any(),
        "thompson": not log.prices.any(),
    }
    assert signs[name]


@pytest.mark.parametrize("policy", [Concave(), EpsilonGreedy(), LinUCB()], ids=lambda p: p.name)
def test_two_plays_of_one_evening_tie_exactly(
    policy: Any, world: World, valuer: TableValuer
) -> None:
    one, two = (
        summarise("a", 3, *play(arena, policy, valuer, arena.seats, 3))
        for arena in (make_arena(world, 3), make_arena(world, 3))
    )
    assert one.expected_revenue == two.expected_revenue > 0.0
    assert (one.exposure == two.exposure).all()


def test_rewards_are_final_when_viewings_end(world: World, valuer: TableValuer) -> None:
    arena = make_arena(world, 3)
    observation, late, ends = arena.reset(), 0, []
    while observation is not None:
        n, m = observation.rooms.shape
        chances = np.zeros((n, m))
        there = observation.rooms >= 0
        choice = np.where(there.any(axis=1), there.argmax(axis=1), -1)
        chances[np.arange(n), choice] = 1.0
        decisions = type(Softmax().decide(Softmax().init(arena.seats), make_batch(0), stream(0)))(
            choice, chances
        )
        feedback, observation = arena.step(decisions)
        assert feedback.reward_ts is not None
        late += int((feedback.reward_ts > feedback.ts).sum())
        ends.append(feedback.reward_ts)
    outcome = arena.outcome()
    assert late > 100
    assert (np.concatenate(ends) == outcome.ts + outcome.watch_ms).all()


def test_prices_are_versioned_through_wrappers() -> None:
    seats, plain = np.full(12, 3), DualPrice(cold_price=0.01)
    wrapped = CapacityGuard(RandomBucket(EcosystemGuard(plain)))
    whales = WhaleTier(rest=plain)
    version = PriceBook.of(plain, plain.init(seats)).version(4)
    assert version is not None
    for policy in (wrapped, whales):
        assert PriceBook.of(policy, policy.init(seats)).version(4) == version
    assert PriceBook.of(Softmax(), Softmax().init(seats)).version(4) is None
    batch = make_batch(1)
    decisions = plain.decide(plain.init(seats), batch, stream(0, "rng"))
    price = 0.01 * np.where(batch.available, batch.seat_seconds, 0.0)
    assert prices_of(batch, decisions).tolist() == price.tolist()
