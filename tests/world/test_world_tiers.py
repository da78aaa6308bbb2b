from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit

from giftlive.errors import ConfigError
from giftlive.types import Decisions, Observation
from giftlive.world import (
    Outcome,
    World,
    build_world,
    load_scenario,
    make_arena,
    play_oracle_greedy,
    respond,
)
from giftlive.world.tiers import tier_seats, tier_table, tilted_mean, tilted_price
from giftlive.world.truth import true_value

V2 = load_scenario("v2").tiers
PRICES, CHANCES = np.array(V2.prices), np.array(V2.chances)
CROWD = {"rounds.rounds": "4", "rounds.users_per_round": "200", "people.whale_share": "0.2"}


@njit
def mean_at(tiers, tilt):  # type: ignore[no-untyped-def]
    return tilted_mean(tiers, tilt, tiers.price)


@njit
def price_at(tiers, tilt, u):  # type: ignore[no-untyped-def]
    return tilted_price(tiers, tilt, u)


def make(**changes: float | str) -> World:
    texts = {key.replace("__", "."): str(value) for key, value in changes.items()}
    return build_world(load_scenario("v2", "tiny", CROWD | texts), 3)


def concentrate(observation: Observation) -> Decisions:
    chances = np.zeros(observation.rooms.shape)
    chances[:, 0] = 1.0
    return Decisions(np.zeros(len(observation), dtype=np.int64), chances)


def scatter(seed: int):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)

    def decide(observation: Observation) -> Decisions:
        n, m = observation.rooms.shape
        choice = np.asarray(rng.integers(m, size=n), dtype=np.int64)
        return Decisions(choice, np.full((n, m), 1.0 / m))

    return decide


def play(world: World, decide, seed: int = 1) -> Outcome:  # type: ignore[no-untyped-def]
    arena = make_arena(world, seed)
    observation = arena.reset()
    while observation is not None:
        _, observation = arena.step(decide(observation))
    return arena.outcome()


@pytest.mark.parametrize("tilt", [-0.4, 0.0, 0.2, 1.0])
def test_the_mean_and_the_draws_follow_the_tilted_chances(tilt: float) -> None:
    weight = CHANCES * PRICES**tilt
    chance = weight / weight.sum()
    table = tier_table(V2)
    assert mean_at(table, tilt) == pytest.approx(chance @ PRICES, rel=1e-12)
    u = (np.arange(100_000) + 0.5) / 100_000
    drawn = np.array([price_at(table, tilt, x) for x in u])
    share = (drawn[:, None] == PRICES).mean(axis=0)
    assert np.allclose(share, chance, atol=2e-5)
    assert np.all(np.diff(drawn) >= 0)


def test_no_tilt_gives_the_base_chances_and_huge_tilts_the_ends() -> None:
    table = tier_table(V2)
    assert mean_at(table, 0.0) == pytest.approx(47.932)
    assert mean_at(table, 500.0) == 13140.0
    assert mean_at(table, -500.0) == 1.0


def test_v2_has_its_closed_form() -> None:
    world = make()
    users, streamers = world.scene.users, world.scene.streamers
    match, wealth = users.taste @ streamers.taste.T, users.wealth[:, None]
    chance = 1 / (1 + np.exp(5.0 - 0.5 * wealth - match - 0.3 * streamers.skill))
    tilt = -0.3 + 0.1 * wealth + 0.25 * match
    weight = CHANCES * PRICES ** tilt[:, :, None]
    expected = chance * (weight @ PRICES) / weight.sum(axis=2)
    everyone, rooms = np.arange(len(match))[:, None], np.arange(len(match.T))[None, :]
    assert np.allclose(true_value(world, everyone, rooms, world.origin_ms), expected, rtol=1e-12)


def test_the_truth_is_the_mean_of_the_responses() -> None:
    world = make(gift__base=-1.0)
    rng = np.random.default_rng(1)
    user, room = rng.integers(500, size=400_000), rng.integers(25, size=400_000)
    drawn = respond(world, user, room, np.full(400_000, world.origin_ms), 2)
    assert set(drawn.amount) <= {0.0, *V2.prices}
    error = drawn.amount - true_value(world, user, room, world.origin_ms)
    assert abs(error.mean()) < 4 * error.std() / math.sqrt(len(error))


def test_expected_revenue_is_the_mean_of_revenue_among_seats_and_donors() -> None:
    world = make(gift__base=-1.0)
    runs = [play(world, concentrate, seed) for seed in range(40)]
    gap = np.array([run.revenue - run.expected_revenue for run in runs])
    assert abs(gap.mean()) < 4 * gap.std() / math.sqrt(len(gap))


def test_the_most_popular_have_the_most_seats() -> None:
    world = build_world(load_scenario("v2", "small"), 1)
    order = np.argsort(-world.scene.streamers.popularity)
    assert world.scene.rooms.seats[order].tolist() == [100] * 10 + [50] * 50 + [20] * 40
    assert tier_seats(np.ones(3), V2).tolist() == [50, 50, 20]


def test_seats_act_within_the_round_and_never_on_cumulated_load() -> None:
    world = make()
    out = play(world, concentrate)
    truth = true_value(world, out.user, out.room, world.origin_ms)
    whale = world.scene.users.whale[out.user].reshape(4, 200)
    donors: np.ndarray = np.cumsum(whale, axis=1) - whale
    seats = int(world.scene.rooms.seats[0])
    crowding = np.maximum(0, np.arange(200) - seats) / seats
    expected = 1 / (1 + 0.5 * crowding) / (1 + 0.05 * donors)
    assert crowding.max() > 0.9
    assert np.allclose((out.expected_amount / truth).reshape(4, 200), expected, rtol=1e-12)


def test_hard_seats_refuse_those_who_come_last_in_every_round() -> None:
    world = make(seats__mode="hard", seats__alpha=0.0)
    out = play(world, concentrate)
    seats = int(world.scene.rooms.seats[0])
    assert np.array_equal(out.refused.reshape(4, 200), np.tile(np.arange(200) >= seats, (4, 1)))
    assert np.all(out.amount[out.refused] == 0)
    assert np.all(out.expected_amount[out.refused] == 0)
    seen = make_arena(world, 1).reset()
    assert seen is not None
    assert np.array_equal(seen.seats_left[0], world.scene.rooms.seats)


def test_every_parameter_that_can_bind_gives_another_row() -> None:
    """A table whose rows agree for different parameters has a limit that never binds."""
    changes: list[dict[str, float | str]] = [
        {},
        {"seats__alpha": 1.0},
        {"tiers__seats": "[50, 25, 10]"},
        {"externality__donor_gamma": 0.1},
        {"tiers__prices": "[1, 2, 10, 52, 100, 520, 1000, 1314, 5200, 20000]"},
        {"seats__mode": "hard"},
    ]
    rows = [play(make(**change), concentrate).expected_revenue for change in changes]
    assert len(set(rows)) == len(rows), rows
    roomy = play(make(tiers__seats="[200, 200, 200]"), concentrate)
    roomier = play(make(tiers__seats="[900, 900, 900]"), concentrate)
    assert roomy.expected_revenue == roomier.expected_revenue  # 200 users: neither can bind


def test_the_seats_of_the_preset_bind_under_greedy() -> None:
    world = build_world(load_scenario("v2"), 1)
    free = build_world(load_scenario("v2", overrides={"tiers.seats": "[9999, 9999, 9999]"}), 1)
    crowded, alone = (play_oracle_greedy(w, 1, 2) for w in (world, free))
    assert np.array_equal(crowded.room, alone.room)
    touched = crowded.expected_amount < alone.expected_amount
    assert 0.02 < touched.mean() < 0.5


def test_no_policy_passes_its_randomness_on() -> None:
    """Whatever was played before, and however often it drew, changes nothing."""
    world = make()
    alone = play(world, concentrate)
    first = play(world, scatter(1))
    again, after = play(world, scatter(1)), play(world, concentrate)
    assert np.array_equal(first.amount, again.amount)
    assert np.array_equal(alone.amount, after.amount)
    shared = make_arena(world, 1)
    for decide in (scatter(2), concentrate):
        observation = shared.reset()
        while observation is not None:
            _, observation = shared.step(decide(observation))
    assert np.array_equal(shared.outcome().amount, alone.amount)
    assert not np.array_equal(first.room, alone.room)


@pytest.mark.parametrize(
    ("preset", "overrides", "says"),
    [
        ("v2", {"tiers.chances": "[1.0]"}, "same length"),
        ("v2", {"tiers.shares": "[0.5, 0.5, 0.5]"}, "add up to 1"),
        ("v2", {"tiers.seats": "[100, 50, 0]"}, "greater than or equal to 1"),
        ("v2", {"amount.prices": "[1, 2]"}, "never both"),
        ("v2", {"seats.mode": "none", "seats.alpha": "0.0"}, "need each other"),
        ("v1", {"seats.mode": "soft"}, "need each other"),
        ("v1", {"seats.alpha": "0.5"}, "seats.mode"),
        ("scarce", {"tiers.prices": "[1]", "tiers.chances": "[1.0]"}, "mode = rounds"),
        ("v2", {"tiers.seat": "[1]"}, "did you mean seats"),
    ],
)
def test_impossible_tiers_are_named(preset: str, overrides: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_scenario(preset, None, overrides)
