"""The value of a policy in a world: known, resumed, tied, and with less variance than luck."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from giftlive.errors import UsageError
from giftlive.evaluation import arena_value as module
from giftlive.evaluation.arena_value import TrueValuer, arena_value, play_evenings
from giftlive.evaluation.rollout import TableValuer, play
from giftlive.policies import Greedy, GreedyWithCap, Uniform
from giftlive.types import Floats, Observation
from giftlive.world import World, build_world, load_scenario, make_arena

SMALL = {"sizes.users": "1000", "sizes.streamers": "40", "calendar.history_days": "1"}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(load_scenario("scarce", "tiny", SMALL), 3)


def flat(world: World, level: float = 1.0) -> TableValuer:
    """Return a valuer that knows nothing."""
    shape = len(world.user_ids), len(world.streamer_ids)
    return TableValuer(np.full(shape, level), np.ones(shape))


def test_the_value_is_students_mean_of_the_evenings(world: World) -> None:
    """Golden: Student's interval by hand, from outcomes played without this module."""
    found = arena_value(world, Uniform(), flat(world), range(4))
    revenue = np.array([played(world, seed) for seed in range(4)])
    half = 3.182446305284263 * revenue.std(ddof=1) / 2  # t(3) at 97.5 %, over sqrt(4)
    assert found.value == pytest.approx(revenue.mean(), rel=1e-12)
    assert (found.low, found.high) == pytest.approx(
        (revenue.mean() - half, revenue.mean() + half), rel=1e-9
    )
    assert (found.n, found.n_unit, found.method) == (4, "evenings", "student_t")


def played(world: World, seed: int) -> float:
    arena = make_arena(world, seed)
    outcome, _ = play(arena, Uniform(), flat(world), arena.seats, seed)
    return float(outcome.expected_amount.sum())


def test_identical_policies_tie_exactly_and_others_do_not(world: World) -> None:
    one = play_evenings(world, Uniform(), flat(world), range(3))
    again = play_evenings(world, Uniform(name="another_name"), flat(world), range(3))
    gain = one.gain_over(again)
    assert (gain.value, gain.low, gain.high) == (0.0, 0.0, 0.0)
    assert_array_equal(one.realised, again.realised)
    oracle = play_evenings(world, GreedyWithCap(), TrueValuer(world), range(3))
    better = oracle.gain_over(one)
    assert better.low is not None
    assert better.low > 0
    with pytest.raises(UsageError, match="same seeds"):
        one.gain_over(play_evenings(world, Uniform(), flat(world), range(1, 4)))


@pytest.mark.slow
def test_the_result_does_not_depend_on_the_number_of_workers(world: World) -> None:
    alone = play_evenings(world, Uniform(), flat(world), range(3), jobs=1)
    pair = play_evenings(world, Uniform(), flat(world), range(3), jobs=2)
    assert_array_equal(alone.expected, pair.expected)
    assert_array_equal(alone.realised, pair.realised)


def test_a_second_call_plays_only_what_is_missing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = play_evenings(world, Uniform(), flat(world), range(3))
    counted: list[int] = []

    def counting(world: World, seed: int) -> object:
        counted.append(seed)
        return make_arena(world, seed)

    monkeypatch.setattr(module, "make_arena", counting)
    play_evenings(world, Uniform(), flat(world), range(2), folder=tmp_path)
    heard: list[tuple[int, int]] = []
    resumed = play_evenings(
        world,
        Uniform(),
        flat(world),
        range(3),
        folder=tmp_path,
        progress=lambda done, total: heard.append((done, total)),
    )
    assert counted == [0, 1, 2]
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert_array_equal(resumed.expected, whole.expected)
    assert_array_equal(resumed.realised, whole.realised)


@pytest.mark.parametrize("part", ["policy", "valuer", "world"])
def test_kept_evenings_are_those_of_the_same_world_policy_and_valuer(
    world: World, tmp_path: Path, part: str
) -> None:
    play_evenings(world, Uniform(), flat(world), [0], folder=tmp_path)
    policy = Greedy() if part == "policy" else Uniform()
    valuer = flat(world, 2.0) if part == "valuer" else flat(world)
    law = world.scene.law._replace(click_base=1.0)
    other = replace(world, scene=world.scene._replace(law=law)) if part == "world" else world
    play_evenings(other, policy, valuer, [0], folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert len(list(tmp_path.glob("*/0.json"))) == 2


def test_what_cannot_be_recognised_is_refused(world: World, tmp_path: Path) -> None:
    def closure(observation: Observation, /) -> tuple[Floats, Floats]:
        return flat(world)(observation)

    with pytest.raises(UsageError, match="cannot be recognised"):
        play_evenings(world, Uniform(), closure, [0], folder=tmp_path)
    with pytest.raises(UsageError, match="same evening twice"):
        play_evenings(world, Uniform(), flat(world), [1, 1])


def test_one_evening_has_no_interval(world: World) -> None:
    assert arena_value(world, Uniform(), flat(world), [5]).status == "not_enough_data"


@pytest.mark.slow
def test_expected_revenue_has_the_same_mean_and_less_variance(world: World) -> None:
    """A z-test of the paired difference, and the ratio of the variances."""
    evenings = play_evenings(world, Uniform(), flat(world), range(40), jobs=2)
    luck = evenings.realised - evenings.expected
    assert abs(luck.mean()) < 4 * luck.std(ddof=1) / np.sqrt(len(luck))
    assert evenings.expected.var(ddof=1) < 0.25 * evenings.realised.var(ddof=1)
    value, realised = evenings.value(), evenings.realised_value()
    assert value.width is not None
    assert realised.width is not None
    assert value.width < 0.5 * realised.width
