from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from giftlive.errors import UsageError
from giftlive.types import Decisions, Observation
from giftlive.world import (
    Arena,
    Outcome,
    RoundsArena,
    World,
    build_world,
    load_scenario,
    make_arena,
    true_value,
    write_twin,
)

DONORS = {"people.whale_share": "0.2"}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(load_scenario("v1", "tiny", DONORS), 3)


def concentrate(observation: Observation) -> Decisions:
    chances = np.zeros(observation.rooms.shape)
    chances[:, 0] = 1.0
    return Decisions(np.zeros(len(observation), dtype=np.int64), chances)


def spread(observation: Observation) -> Decisions:
    choice = np.arange(len(observation)) % observation.rooms.shape[1]
    chances = np.zeros(observation.rooms.shape)
    chances[np.arange(len(choice)), choice] = 1.0
    return Decisions(choice, chances)


def play(arena: RoundsArena | Arena, decide) -> Outcome:  # type: ignore[no-untyped-def]
    observation = arena.reset()
    while observation is not None:
        _, observation = arena.step(decide(observation))
    return arena.outcome()


def test_the_mode_chooses_the_arena(world: World, evening: World) -> None:
    assert isinstance(make_arena(world, 1), RoundsArena)
    assert isinstance(make_arena(evening, 1), Arena)


def test_every_round_brings_other_users_once_each(world: World) -> None:
    out = play(make_arena(world, 1), spread)
    assert out.decisions == 50 * 200
    for visit in range(50):
        assert len(set(out.user[out.visit == visit])) == 200


def test_identical_policies_tie_and_potential_users_do_not_depend_on_them(world: World) -> None:
    one, again = (play(make_arena(world, 1), spread) for _ in range(2))
    assert all(np.array_equal(getattr(one, f.name), getattr(again, f.name)) for f in fields(one))
    assert np.array_equal(one.user, play(make_arena(world, 1), concentrate).user)


def test_the_first_in_a_room_is_worth_the_truth_and_followers_less(world: World) -> None:
    out = play(make_arena(world, 1), concentrate)
    truth = true_value(world, out.user, out.room, world.origin_ms)
    ratio = out.expected_amount / truth
    whale = world.scene.users.whale[out.user].reshape(50, 200)
    before: np.ndarray = np.cumsum(whale, axis=1) - whale
    shrunk = 1 / (1 + 0.05 * before)
    assert np.allclose(ratio.reshape(50, 200), shrunk)
    alone = load_scenario("v1", "tiny", DONORS | {"externality.donor_gamma": "0.0"})
    whole = play(make_arena(build_world(alone, 3), 1), concentrate)
    assert np.allclose(out.amount, whole.amount * shrunk.ravel())
    assert (out.amount < whole.amount).sum() > 100


def test_expected_revenue_is_the_mean_of_revenue(world: World) -> None:
    runs = [play(make_arena(world, seed), spread) for seed in range(30)]
    gap = np.array([run.revenue - run.expected_revenue for run in runs])
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))


def test_the_rounds_end_and_have_no_history(world: World, tmp_path) -> None:  # type: ignore[no-untyped-def]
    arena = make_arena(world, 1)
    play(arena, spread)
    with pytest.raises(UsageError, match="over"):
        arena.step(Decisions(np.zeros(200, dtype=np.int64), np.zeros((200, 25))))
    with pytest.raises(UsageError, match="plays in rounds"):
        write_twin(world, tmp_path / "data")


@pytest.mark.parametrize("preset", ["v1", "v2"])
@pytest.mark.parametrize("seed", [1, 2])
def test_rounds_conserve_users_money_and_seats(preset: str, seed: int) -> None:
    hard = {"seats.mode": '"hard"', "seats.alpha": "0.0", "tiers.seats": "[9, 5, 2]"}
    world = build_world(load_scenario(preset, "tiny", hard if preset == "v2" else {}), seed)
    arena = make_arena(world, seed)
    out = play(arena, concentrate)
    assert out.streamer_income.sum() == pytest.approx(out.revenue, rel=1e-12)
    assert not out.amount[~out.clicked].any()
    key = out.visit * len(world.user_ids) + out.user
    assert len(np.unique(key)) == out.decisions
    inside = np.zeros((int(out.visit.max()) + 1, len(world.live_ids)), dtype=np.int64)
    np.add.at(inside, (out.visit[out.clicked], out.room[out.clicked]), 1)
    assert np.all(inside <= arena.seats)
    assert out.refused.any() == (preset == "v2")
