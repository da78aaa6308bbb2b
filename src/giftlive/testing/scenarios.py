"""What every scenario promises of the worlds grown from it (see ``giftlive.world``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from giftlive.policies.base import Policy, hear
from giftlive.policies.greedy import Greedy
from giftlive.policies.uniform import Uniform
from giftlive.rng import stream
from giftlive.testing.promise import identical, require
from giftlive.types import DecisionBatch, Decisions, Feedback, Floats, Ints, Observation
from giftlive.world import (
    Outcome,
    Scenario,
    World,
    build_world,
    make_arena,
    potential_arrivals,
    respond,
    true_seat_seconds,
    true_value,
)

ScenarioCheck = Callable[[Scenario], None]

SEED = 1
BATCHES = 2_000
"""Decision batches after which an evening is left."""
PAIRS, TOP, DRAWS = 40_000, 400, 160_000
LARGEST_Z = 5.0
"""Standard errors beyond which a mean is not the truth."""


def check_scenario(scenario: Scenario) -> None:
    """Raise AssertionError at the first promise that a world of ``scenario`` breaks.

    Every check builds the world anew and plays part of an evening: choose a small scale.

    Examples
    --------
    >>> from giftlive.world import load_scenario
    >>> check_scenario(load_scenario("v1", "tiny"))
    """
    for check in SCENARIO_CHECKS:
        check(scenario)


def equal_seeds_build_equal_worlds(scenario: Scenario) -> None:
    """Require that a scenario and a seed are one world, bit for bit, and another seed another."""
    one, two = build_world(scenario, SEED), build_world(scenario, SEED)
    require(identical(one, two), "the same scenario and seed built two different worlds")
    other = build_world(scenario, SEED + 1)
    require(not identical(one.scene, other.scene), "another seed built the same world")


def equal_seeds_bring_equal_arrivals(scenario: Scenario) -> None:
    """Require that who may come, when and with which candidates depends on the seed alone."""
    world = build_world(scenario, SEED)
    one, two, other = (_arrivals(world, seed) for seed in (SEED, SEED, SEED + 1))
    require(len(one), "nobody comes")
    require(identical(one, two), "the same seed brought different arrivals")
    require(not identical(one, other), "another seed brought the same arrivals")


def identical_policies_tie(scenario: Scenario) -> None:
    """Require that a policy ties exactly with itself, in a new arena and in one used before."""
    world = build_world(scenario, SEED)
    one, _ = _play(world, Uniform())
    arena = make_arena(world, SEED)
    _play(world, Greedy(), arena)
    for again, where in ((None, "another arena"), (arena, "an arena played before")):
        two, _ = _play(world, Uniform(), again)
        require(identical(one, two), f"two identical policies did not tie in {where}")


def seats_are_never_exceeded(scenario: Scenario) -> None:
    """Require that no hard seat is taken twice at any instant, under a policy that crowds."""
    world = build_world(scenario, SEED)
    outcome, heard = _play(world, Greedy())
    if scenario.seats.mode != "hard":
        require(not outcome.refused.any(), "a viewer was refused where seats are not hard")
        return
    seats = make_arena(world, SEED).seats
    for feedback in heard:
        require((feedback.occupancy <= feedback.seats).all(), "an occupancy is above the seats")
    peaks = _peaks(outcome, len(seats))
    room = int(np.argmax(peaks - seats))
    require(
        (peaks <= seats).all(),
        f"room {room} held {peaks[room]} viewers at once and has {seats[room]} seats",
    )


def money_is_never_negative(scenario: Scenario) -> None:
    """Require finite amounts >= 0, given in viewings only, that add up to streamers' income."""
    outcome, _ = _play(build_world(scenario, SEED), Uniform())
    for name in ("amount", "expected_amount"):
        amounts = getattr(outcome, name)
        require(np.isfinite(amounts).all(), f"an {name} is not finite")
        require((amounts >= 0.0).all(), f"an {name} is negative: {amounts.min()}")
    require(not outcome.amount[~outcome.clicked].any(), "somebody gave without entering a room")
    require(not outcome.expected_amount[~outcome.admitted].any(), "a refusal is worth something")
    for income, total in (
        (outcome.streamer_income, outcome.revenue),
        (outcome.streamer_expected_income, outcome.expected_revenue),
    ):
        require(
            abs(income.sum() - total) <= 1e-9 * max(total, 1.0),
            f"streamers earned {income.sum()}, viewers gave {total}",
        )


def true_values_are_the_mean_of_responses(scenario: Scenario) -> None:
    """Require that ``true_value`` is the mean amount drawn by ``respond``, all pairs alike.

    Only the most valuable pairs are drawn, many times each: amounts of the others are so rare
    and so skewed that no bounded sample has a normal mean.
    """
    world = build_world(scenario, SEED)
    pairs = _pairs(world, PAIRS)
    best = np.argsort(-true_value(world, *pairs), kind="stable")[:TOP]
    user, room, ts = (np.repeat(column[best], DRAWS // TOP) for column in pairs)
    truth = true_value(world, user, room, ts)
    require((truth > 0.0).all(), "hardly any pair of a user and a room has a positive value")
    drawn = respond(world, user, room, ts, SEED)
    require((drawn.amount >= 0.0).all(), "a response is worth less than nothing")
    _require_mean(drawn.amount / truth - 1.0, "amounts drawn by respond", "true_value")


def true_seat_seconds_are_the_mean_stay(scenario: Scenario) -> None:
    """Require that ``true_seat_seconds`` is the mean stay drawn by ``respond``."""
    world = build_world(scenario, SEED)
    user, room, ts = _pairs(world, DRAWS)
    truth = true_seat_seconds(world, user, room, ts)
    require((truth >= 0.0).all(), "an expected stay is negative")
    stays = respond(world, user, room, ts, SEED).watch_ms / 1000.0
    _require_mean(stays - truth, "stays drawn by respond", "true_seat_seconds")


SCENARIO_CHECKS: tuple[ScenarioCheck, ...] = (
    equal_seeds_build_equal_worlds,
    equal_seeds_bring_equal_arrivals,
    identical_policies_tie,
    seats_are_never_exceeded,
    money_is_never_negative,
    true_values_are_the_mean_of_responses,
    true_seat_seconds_are_the_mean_stay,
)
"""What every scenario promises."""


def _arrivals(world: World, seed: int) -> list[Observation]:
    """Return who may come; where visits depend on earlier ones, who comes if nobody is shown."""
    if world.scenario.mode == "clocked" and world.scenario.visits.exposures == 1.0:
        every = potential_arrivals(world, seed)
        return [every] if len(every) else []
    arena = make_arena(world, seed)
    seen: list[Observation] = []
    observation = arena.reset()
    while observation is not None and len(seen) < BATCHES:
        seen.append(observation)
        shape = observation.rooms.shape
        nothing = Decisions(np.full(shape[0], -1, dtype=np.int64), np.zeros(shape))
        _, observation = arena.step(nothing)
    return seen


def _play(world: World, policy: Policy[Any], arena: Any = None) -> tuple[Outcome, list[Feedback]]:
    """Play the start of an evening on values that rank rooms by index: greedy crowds the first."""
    arena = make_arena(world, SEED) if arena is None else arena
    rng, state = stream(SEED, "conformance"), policy.init(arena.seats)
    heard: list[Feedback] = []
    observation = arena.reset()
    while observation is not None and len(heard) < BATCHES:
        values = 1.0 / (2.0 + observation.rooms)
        batch = DecisionBatch(observation, values, np.ones_like(values))
        decisions = policy.decide(state, batch, rng)
        feedback, observation = arena.step(decisions)
        state = policy.update(state, hear(feedback, batch, decisions))
        heard.append(feedback)
    return arena.outcome(), heard


def _peaks(outcome: Outcome, rooms: int) -> Ints:
    """Return the largest number of viewers in each room at any instant; leavers make room first."""
    entered = outcome.clicked
    room = np.tile(outcome.room[entered], 2)
    start = outcome.ts[entered]
    ts = np.concatenate([start, start + outcome.watch_ms[entered]])
    step = np.repeat([1, -1], entered.sum())
    order = np.lexsort((step, ts, room))
    # A room's steps sum to 0, so that one running total over all rooms starts each at 0.
    peaks = np.zeros(rooms, dtype=np.int64)
    np.maximum.at(peaks, room[order], np.cumsum(step[order]))
    return peaks


def _pairs(world: World, count: int) -> tuple[Ints, Ints, Ints]:
    """Draw users, rooms and moments at which the rooms are open."""
    draw = stream(SEED, "conformance pairs")
    room = draw.integers(0, len(world.live_ids), count)
    start, end = world.room_start[room], world.room_end[room]
    ts = start + np.floor(draw.random(count) * (end - start)).astype(np.int64)
    return draw.integers(0, len(world.user_ids), count), room, ts


def _require_mean(errors: Floats, what: str, truth: str) -> None:
    """Require that ``errors`` have mean 0, by a z-test."""
    spread = float(errors.std() / np.sqrt(len(errors)))
    z = float(errors.mean()) / spread if spread > 0.0 else 0.0
    require(
        abs(z) <= LARGEST_Z and (spread > 0.0 or not errors.any()),
        f"the mean of {len(errors):,} {what} lies {z:+.1f} standard errors from {truth}",
    )
