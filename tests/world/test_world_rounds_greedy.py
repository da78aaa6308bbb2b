from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import UsageError
from giftlive.types import Decisions, Observation
from giftlive.world import (
    Outcome,
    World,
    build_world,
    load_scenario,
    make_arena,
    play_oracle_greedy,
    true_value,
)
from giftlive.world.rounds_greedy import _shortlist

FEW = {"rounds.rounds": "3", "rounds.users_per_round": "40", "people.whale_share": "0.2"}


def make(preset: str, scale: str = "tiny", **changes: float | str) -> World:
    texts = {key.replace("__", "."): str(value) for key, value in changes.items()}
    return build_world(load_scenario(preset, scale, FEW | texts), 3)


def best(world: World, observation: Observation) -> np.ndarray:
    user, ts = observation.user[:, None], observation.ts[:, None]
    return np.argmax(true_value(world, user, observation.rooms, ts), axis=1)


def played(world: World, seed: int) -> Outcome:
    """Argmax of ``true_value`` through the arena: an independent road to the same evening."""
    arena = make_arena(world, seed)
    observation = arena.reset()
    while observation is not None:
        choice = best(world, observation)
        chances = np.zeros(observation.rooms.shape)
        chances[np.arange(len(choice)), choice] = 1.0
        _, observation = arena.step(Decisions(choice, chances))
    return arena.outcome()


def unlike(one: Outcome, other: Outcome) -> list[str]:
    names = [f.name for f in fields(Outcome)]
    return [n for n in names if not np.array_equal(getattr(one, n), getattr(other, n))]


@pytest.mark.parametrize("preset", ["v1", "v2"])
@pytest.mark.parametrize("scale", ["tiny", "small"])
def test_pruning_changes_no_bit_for_any_number_of_threads(preset: str, scale: str) -> None:
    world = make(preset, scale)
    assert _shortlist(world.scene) is not None
    through_the_arena = played(world, 5)
    for threads in (1, 2, 5):
        assert unlike(play_oracle_greedy(world, 5, threads), through_the_arena) == []
    assert unlike(play_oracle_greedy(world, 6), through_the_arena) != []


SIGNED, RISING = st.floats(-2, 2), st.floats(0, 5)


@settings(max_examples=30, deadline=None)
@given(
    preset=st.sampled_from(["v1", "v2"]),
    gift=st.tuples(st.floats(-8, 4), SIGNED, RISING, SIGNED),
    amount=st.tuples(SIGNED, RISING),
    scale=st.floats(0, 4),
)
def test_the_choice_is_the_argmax_for_any_coefficients(
    preset: str,
    gift: tuple[float, ...],
    amount: tuple[float, ...],
    scale: float,
) -> None:
    base, wealth, match, skill = gift
    world = make(
        preset,
        gift__base=base,
        gift__wealth=wealth,
        gift__match=match,
        gift__skill=skill,
        amount__wealth=amount[0],
        amount__match=amount[1],
        match_scale=scale,
    )
    out, seen = play_oracle_greedy(world, 1), make_arena(world, 1).reset()
    assert seen is not None
    assert np.array_equal(out.room[:40], best(world, seen))


@pytest.mark.parametrize(
    "outside",
    [
        {"gift__match": -1.0},
        {"click__match": 0.7, "click__base": 0.0},
        {"click__quality": 0.5, "stars__quality_sigma": 1.0, "click__base": 0.0},
        {"people__homes": 3, "gift__loyal": 2.0},
        {"amount__prices": "[1, 10, 100, 1000]"},
        {"gift__base": -700.0},
    ],
)
def test_a_law_that_the_proof_does_not_cover_is_searched_in_full(
    outside: dict[str, float | str],
) -> None:
    world = make("v1", "tiny", **outside)
    assert _shortlist(world.scene) is None
    assert unlike(play_oracle_greedy(world, 2, 2), played(world, 2)) == []


def test_ties_go_to_the_smallest_index() -> None:
    world = make("v1")
    stars = world.scene.streamers
    same = stars._replace(
        taste=np.repeat(stars.taste[:1], len(stars.skill), axis=0), skill=0 * stars.skill
    )
    alike = replace(world, scene=world.scene._replace(streamers=same))
    assert set(play_oracle_greedy(alike, 1).room) == {0}
    pairs = stars._replace(
        taste=np.repeat(stars.taste[::2], 2, axis=0)[: len(stars.skill)],
        skill=np.repeat(stars.skill[::2], 2)[: len(stars.skill)],
    )
    twins = replace(world, scene=world.scene._replace(streamers=pairs))
    assert unlike(play_oracle_greedy(twins, 1), played(twins, 1)) == []
    assert set(play_oracle_greedy(twins, 1).room % 2) == {0}


def test_a_world_with_a_clock_or_no_thread_is_refused(evening: World) -> None:
    with pytest.raises(UsageError, match="clock"):
        play_oracle_greedy(evening, 1)
    with pytest.raises(UsageError, match="0 threads"):
        play_oracle_greedy(make("v1"), 1, 0)
