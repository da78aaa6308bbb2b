"""The Gymnasium adapter: Gymnasium's own checker, and the arena as the reference."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from giftlive.errors import UsageError
from giftlive.types import Decide, Decisions, Observation
from giftlive.world import Arena, Outcome, World, build_world, load_scenario
from giftlive.world.truth import RoomState, UserState, true_value

gymnasium = pytest.importorskip("gymnasium", reason="needs the extra gym")


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    day = {"calendar.history_days": "1"}
    soft = {"seats.mode": "soft", "seats.alpha": "1.0", "externality.whale_gamma": "0.5"}
    moods = {"gift.satiety": "1.0", "gift.again": "1.0"}
    return {
        "hard": build_world(load_scenario("scarce", "0.05", day), 3),
        "soft": build_world(load_scenario("scarce", "0.05", day | soft), 3),
        "clocked": build_world(load_scenario("kuailive", "0.0005", day), 3),
        "tired": build_world(load_scenario("churny", "0.05", day | moods), 3),
    }


def make(world: World, **kwargs: Any) -> Any:
    from giftlive.world.gym import GiftLiveEnv

    return GiftLiveEnv(world, **kwargs)


@pytest.mark.parametrize("reward", ["expected", "realised"])
@pytest.mark.parametrize("which", ["hard", "clocked"])
def test_gymnasiums_checker_has_nothing_to_say(
    worlds: dict[str, World], which: str, reward: str
) -> None:
    """Warnings are errors; made by ``gymnasium.make``, so that making again is checked as well."""
    from gymnasium.utils.env_checker import check_env

    import giftlive.world.gym  # noqa: F401 (registers the environment)

    env = gymnasium.make("giftlive/Evening-v0", world=worlds[which], reward=reward)
    check_env(env.unwrapped)


def choice_of(seen: dict[str, Any]) -> int:
    """Choose by what is seen alone: the last candidate with a free seat, else the first column."""
    free = np.flatnonzero(seen["seats_left"] > 0)
    return int(free[-1]) if len(free) else 0


def arena_choice(observation: Observation) -> Decisions:
    free = observation.seats_left > 0
    last = free.shape[1] - 1 - free[:, ::-1].argmax(axis=1)
    column = np.where(free.any(axis=1), last, 0)
    rows = np.arange(len(column))
    shown = observation.rooms[rows, column] >= 0
    chances = np.zeros(free.shape)
    chances[rows[shown], column[shown]] = 1.0
    return Decisions(np.where(shown, column, -1), chances)


def episode(env: Any, **reset: Any) -> tuple[list[dict[str, Any]], list[float], dict[str, Any]]:
    seen, first = env.reset(**reset)
    rows, rewards, over = [], [], False
    while not over:
        assert env.observation_space.contains(seen)
        rows.append({"user": int(seen["user"]), "second": float(seen["second"][0])})
        seen, reward, over, truncated, info = env.step(choice_of(seen))
        rows[-1] |= info
        rewards.append(reward)
        assert not truncated
    assert env.observation_space.contains(seen)
    assert not seen["mask"].any()
    return rows, rewards, first


@pytest.mark.parametrize("which", ["hard", "soft", "clocked", "tired"])
def test_an_episode_is_an_evening_of_the_arena_to_the_bit(
    worlds: dict[str, World], which: str, play: Callable[[Arena, Decide], Outcome]
) -> None:
    world = worlds[which]
    rows, rewards, first = episode(make(world, reward="realised"), seed=5)
    out = play(Arena(world, first["evening"]), arena_choice)
    assert out.decisions == len(rows) > 300
    assert out.clicked.sum() > 50
    for name, column in (
        ("user", out.user),
        ("amount", out.amount),
        ("expected", out.expected_amount),
        ("watch_ms", out.watch_ms),
        ("clicked", out.clicked),
        ("refused", out.refused),
    ):
        assert_array_equal([row[name] for row in rows], column, err_msg=name)
    assert_array_equal(rewards, out.amount)
    start = world.origin_ms + world.arena_day * 86_400_000
    assert_array_equal([round(1000 * row["second"]) for row in rows], out.ts - start)


def test_a_seed_names_a_sequence_of_evenings(worlds: dict[str, World]) -> None:
    env = make(worlds["hard"])
    one, again = (
        [episode(env, seed=9)[1], episode(env)[1]],
        [episode(env, seed=9)[1], episode(env)[1]],
    )
    assert one == again
    assert one[0] != one[1]
    _, info = env.reset(options={"evening": 4})
    assert info["evening"] == 4
    assert episode(env, options={"evening": 4})[1] != one[0]


def test_the_expected_reward_has_the_mean_of_the_realised(worlds: dict[str, World]) -> None:
    rows, rewards, _ = episode(make(worlds["hard"]), seed=5)
    assert rewards == [row["expected"] for row in rows]
    assert sum(rewards) > 0
    luck = np.array([row["amount"] - row["expected"] for row in rows])
    assert abs(luck.mean()) < 4 * luck.std() / np.sqrt(len(luck))


@pytest.mark.parametrize("which", ["soft", "tired"])
def test_info_tells_the_state_that_the_reward_follows(worlds: dict[str, World], which: str) -> None:
    env, rewards, exact = make(worlds[which]), [], []
    seen, info = env.reset(seed=5)
    over = False
    while not over:
        column = choice_of(seen)
        room = RoomState(info["occupancy"][column], info["whales"][column])
        again = info["again"][column]
        viewer = UserState(info["fatigue"], info["purse"], info["satiety"], again)
        where = int(seen["user"]), seen["rooms"][column], info["ts"]
        exact.append(float(true_value(env.world, *where, state=room, viewer=viewer)))
        seen, reward, over, _, info = env.step(column)
        rewards.append(reward)
    assert rewards == exact


def test_padding_shows_nothing_and_a_room_is_worth_its_true_value(
    worlds: dict[str, World],
) -> None:
    world = worlds["hard"]
    env = make(world)
    seen, info = env.reset(seed=2)
    padded, there = int(np.flatnonzero(seen["mask"] == 0)[0]), np.flatnonzero(seen["mask"])
    alone = true_value(world, int(seen["user"]), int(seen["rooms"][there[0]]), info["ts"])
    assert not info["occupancy"].any()
    _, reward, *_ = env.step(padded)
    assert reward == 0.0
    env.reset(seed=2)
    _, reward, *_ = env.step(int(there[0]))
    assert reward == float(alone) > 0.0


def test_what_is_not_possible_is_said(worlds: dict[str, World]) -> None:
    world = worlds["hard"]
    with pytest.raises(UsageError, match="no reward"):
        make(world, reward="best")
    with pytest.raises(UsageError, match="whole round"):
        make(build_world(load_scenario("v1", "tiny"), 1))
    env = make(world)
    with pytest.raises(UsageError, match="no decision is waiting"):
        env.step(0)
    env.reset(seed=1)
    with pytest.raises(UsageError, match="action 50"):
        env.step(50)


@pytest.mark.parametrize("value", [2.7, 2.0, np.float64(1.0), "x", None, [1]])
def test_a_number_that_is_not_whole_is_not_rounded(worlds: dict[str, World], value: object) -> None:
    env = make(worlds["hard"])
    env.reset(seed=1)
    with pytest.raises(UsageError, match=r"^action: .* expected a whole number"):
        env.step(value)
    if value is not None:
        with pytest.raises(UsageError, match=r"^evening: .* expected a whole number"):
            env.reset(options={"evening": value})
    env.reset(options={"evening": np.int64(4)})
    env.step(np.array(2))


def test_no_room_holds_more_than_its_seats_strangers_included(worlds: dict[str, World]) -> None:
    """Strangers, asked anew every ten minutes, take only what viewers have left."""
    busy = {"calendar.history_days": "1", "seats.background": "0.7"}
    world = build_world(load_scenario("scarce", "tiny", busy), 1)
    env, full, over = make(world), 0, False
    seen, info = env.reset(seed=5)
    while not over:
        there = seen["mask"] == 1
        free = (world.scene.rooms.seats[seen["rooms"]] - info["occupancy"])[there]
        assert free.min() >= 0
        full += (free == 0).sum()
        seen, _, over, _, info = env.step(choice_of(seen))
    assert full > 100


def test_the_package_needs_gymnasium_only_here() -> None:
    code = (
        "import sys; sys.modules['gymnasium'] = None\n"
        "import giftlive.world\n"
        "from giftlive.errors import UsageError\n"
        "try:\n    import giftlive.world.gym\n"
        "except UsageError as error:\n    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "run `scripts/setup gym`" in said.stdout


def test_the_examples_of_the_page_run() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "truth.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, str(page), "exec"), {})
