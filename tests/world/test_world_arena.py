from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from giftlive.errors import UsageError
from giftlive.types import UNLIMITED_SEATS, Decide, Decisions, Observation
from giftlive.world import (
    Arena,
    Outcome,
    World,
    build_world,
    load_scenario,
    potential_arrivals,
    true_value,
)
from giftlive.world.demand import arena_seed, demanded_seconds
from giftlive.world.kernel import begin, run_platform
from giftlive.world.state import ROWS, day_span, filled, new_batch, new_log, new_state

Play = Callable[[Arena, Decide], Outcome]
Uniform = Callable[[int], Decide]


def first_column(observation: Observation) -> Decisions:
    """Always show the first candidate: an overloaded policy."""
    there = observation.rooms[:, 0] >= 0
    chances = np.zeros(observation.rooms.shape)
    chances[there, 0] = 1.0
    return Decisions(np.where(there, 0, -1), chances)


def same(a: Outcome, b: Outcome) -> bool:
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))


def occupancy_peaks(out: Outcome, rooms: int) -> np.ndarray:
    """The largest number of viewers in each room at any instant, from the outcome alone."""
    peaks = np.zeros(rooms, dtype=np.int64)
    for room in range(rooms):
        mine = out.clicked & (out.room == room)
        ts = np.concatenate([out.ts[mine] + out.watch_ms[mine], out.ts[mine]])
        step = np.repeat([-1, 1], mine.sum())
        order = np.lexsort((step, ts))  # who leaves makes room first
        peaks[room] = np.cumsum(step[order]).max(initial=0)
    return peaks


def test_identical_policies_tie_exactly(
    evening: World, play: Play, uniform_decide: Uniform
) -> None:
    one = play(Arena(evening, 3), uniform_decide(1))
    arena = Arena(evening, 3)
    play(arena, first_column)
    again = play(arena, uniform_decide(1))
    assert same(one, again)
    assert not same(one, play(Arena(evening, 4), uniform_decide(1)))


def test_seats_are_never_exceeded_at_any_instant(
    evening: World, play: Play, uniform_decide: Uniform
) -> None:
    seats = Arena(evening, 3).seats
    for decide in (first_column, uniform_decide(1)):
        out = play(Arena(evening, 3), decide)
        assert out.refused.sum() > 0
        assert np.all(occupancy_peaks(out, len(seats)) <= seats)
        assert 0 < out.seat_ms_used <= out.seat_ms_offered
    assert np.all(occupancy_peaks(play(Arena(evening, 3), first_column), len(seats)) == seats)


@pytest.mark.parametrize("which", ["evening", "clocked"])
def test_nobody_is_in_two_rooms_nor_outside_a_room(
    which: str, request: pytest.FixtureRequest, play: Play, uniform_decide: Uniform
) -> None:
    world: World = request.getfixturevalue(which)
    out = play(Arena(world, 5), uniform_decide(1))
    assert out.clicked.sum() > 50
    order = np.lexsort((out.ts, out.user))
    free = (out.ts + out.watch_ms)[order][:-1]
    next_ts, same_user = out.ts[order][1:], out.user[order][1:] == out.user[order][:-1]
    assert np.all(free[same_user] <= next_ts[same_user])
    room = out.room[out.shown]
    assert np.all(out.ts[out.shown] >= world.room_start[room])
    assert np.all((out.ts + out.watch_ms)[out.shown] <= world.room_end[room])
    assert np.array_equal(out.streamer[out.shown], world.room_streamer[room])


def test_occupancy_is_entries_less_exits(uniform_decide: Uniform) -> None:
    many_whales = {"calendar.history_days": "1", "people.whale_share": "0.3"}
    world = build_world(load_scenario("scarce", "tiny", many_whales), 7)
    arena, decide = Arena(world, 3), uniform_decide(1)
    observation, checked = arena.reset(), 0
    while observation is not None:
        now = int(observation.ts[0]) // 5_000 * 5_000
        feedback, observation = arena.step(decide(observation))
        assert np.all(feedback.occupancy <= feedback.seats)
        assert np.all(feedback.clicked <= feedback.admitted)
        checked += 1
        if checked % 40 or observation is None:
            continue
        out, rooms = arena.outcome(), len(feedback.seats)
        here = out.clicked & (out.ts + out.watch_ms > now)
        assert np.array_equal(np.bincount(out.room[here], minlength=rooms), feedback.occupancy)
        next_tick = int(observation.ts[0]) // 5_000 * 5_000
        here = out.clicked & (out.ts + out.watch_ms > next_tick)
        whale = here & world.scene.users.whale[out.user]
        assert np.array_equal(np.bincount(out.room[whale], minlength=rooms), arena._state.whales)
    assert checked > 400


def test_decisions_are_potential_arrivals_whatever_the_policy(
    evening: World, play: Play, uniform_decide: Uniform
) -> None:
    potential = potential_arrivals(evening, 3)
    key = {k: i for i, k in enumerate(zip(potential.user, potential.visit, strict=True))}
    assert len(key) == len(potential)
    for decide in (first_column, uniform_decide(1)):
        seen: list[Observation] = []

        def watch(observation: Observation, inner: Decide = decide, log: list = seen) -> Decisions:  # type: ignore[type-arg]
            log.append(observation)
            return inner(observation)

        out = play(Arena(evening, 3), watch)
        rows = [key[k] for k in zip(out.user, out.visit, strict=True)]
        assert np.array_equal(potential.ts[rows], out.ts)
        met = np.concatenate([o.rooms for o in seen])
        assert np.array_equal(potential.rooms[rows], met)
        assert len(out.ts) < len(potential)


def test_one_other_decision_changes_only_what_it_touches(
    evening: World, play: Play, uniform_decide: Uniform
) -> None:
    base = play(Arena(evening, 3), first_column)
    changed = int(np.flatnonzero(base.clicked)[3])

    def deviate() -> Decide:
        count = 0

        def decide(observation: Observation) -> Decisions:
            nonlocal count
            decisions = first_column(observation)
            if count <= changed < count + len(observation):
                row = changed - count
                decisions.choice[row] = -1
                decisions.propensities[row] = 0.0
            count += len(observation)
            return decisions

        return decide

    other = play(Arena(evening, 3), deviate())
    luck = {
        k: (w, a)
        for k, c, r, w, a in zip(
            zip(base.user, base.visit, strict=True),
            base.clicked,
            base.room,
            base.watch_ms,
            base.amount,
            strict=True,
        )
        if c
    }
    shared = [
        (luck[k], (w, a))
        for k, c, w, a in zip(
            zip(other.user, other.visit, strict=True),
            other.clicked,
            other.watch_ms,
            other.amount,
            strict=True,
        )
        if c and k in luck
    ]
    assert len(shared) > 50
    assert all(x == y for x, y in shared)
    assert not other.shown[changed]


@pytest.mark.parametrize("which", ["evening", "clocked"])
def test_the_arena_under_the_platform_is_the_compiled_history(
    which: str, request: pytest.FixtureRequest, play: Play
) -> None:
    world: World = request.getfixturevalue(which)
    span = day_span(world, arena_seed(world, 8, 1), 1)
    state, log = new_state(world, span), new_log(60_000)
    batch = new_batch(len(world.user_ids), world.scene.choices.total)
    begin(world.scene, state, span)
    assert run_platform(world.scene, state, batch, span, log)
    compiled = filled(log, int(state.cursor[ROWS]))
    arena = Arena(world, 8, day=1)
    out = play(arena, arena.platform)
    for name, column in (("ts", out.ts), ("room", out.room), ("watch_ms", out.watch_ms)):
        assert np.array_equal(getattr(compiled, name), column)
    assert np.array_equal(compiled.amount, out.amount)
    assert np.array_equal(compiled.expected, out.expected_amount)
    assert np.array_equal(compiled.propensity, out.propensity)


def test_the_platform_draws_with_the_propensities_it_states(evening: World) -> None:
    arena = Arena(evening, 3)
    observation = arena.reset()
    assert observation is not None
    wide = Observation(
        *(np.repeat(getattr(observation, n), 4_000, axis=0)[:4_000] for n in OBSERVED)
    )
    wide = replace(wide, visit=np.arange(4_000))
    decisions = arena.platform(wide)
    assert np.allclose(decisions.propensities.sum(axis=1), 1.0)
    share = np.bincount(decisions.choice, minlength=50) / 4_000
    chance = decisions.propensities[0]
    assert np.all(np.abs(share - chance) <= 4.5 * np.sqrt(chance * (1 - chance) / 4_000) + 1e-12)


OBSERVED = ("ts", "user", "visit", "slot", "rooms", "streamers", "seats_left")


def test_expected_amounts_are_the_truth_where_nothing_interferes(
    evening: World, play: Play, uniform_decide: Uniform
) -> None:
    out = play(Arena(evening, 3), uniform_decide(2))
    at = out.admitted
    assert np.array_equal(
        out.expected_amount[at], true_value(evening, out.user[at], out.room[at], out.ts[at])
    )
    assert np.all(out.expected_amount[~at] == 0)
    assert out.streamer_expected_income.sum() == pytest.approx(out.expected_revenue)
    assert out.streamer_income.sum() == pytest.approx(out.revenue)
    assert out.streamer_exposure.sum() == out.shown.sum()


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [{}, {"seats.mode": '"soft"', "seats.alpha": "1.0", "externality.whale_gamma": "0.5"}],
)
def test_expected_revenue_is_the_mean_of_revenue(
    overrides: dict[str, str], play: Play, uniform_decide: Uniform
) -> None:
    small = {"calendar.history_days": "1", "people.whale_share": "0.3"}
    world = build_world(load_scenario("scarce", "tiny", small | overrides), 2)
    runs = [play(Arena(world, seed), uniform_decide(seed)) for seed in range(200)]
    gap = np.array([run.revenue - run.expected_revenue for run in runs])
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))


def test_crowding_and_whales_lower_what_a_viewing_is_worth(
    play: Play,
) -> None:
    small = {"calendar.history_days": "1", "seats.mode": '"soft"', "people.whale_share": "0.5"}
    totals = []
    for extra in ({}, {"seats.alpha": "2.0"}, {"externality.whale_gamma": "1.0"}):
        world = build_world(load_scenario("scarce", "tiny", small | extra), 2)
        out = play(Arena(world, 1), first_column)
        assert not out.refused.any()
        totals.append(out.expected_revenue)
    assert totals[1] < 0.9 * totals[0]
    assert totals[2] < 0.9 * totals[0]


def test_strangers_fill_seats(play: Play, uniform_decide: Uniform) -> None:
    small = {"calendar.history_days": "1", "seats.load": "0.2"}
    refused = []
    for background in ("0.0", "0.5"):
        scenario = load_scenario("scarce", "tiny", small | {"seats.background": background})
        world = build_world(scenario, 2)
        refused.append(play(Arena(world, 1), uniform_decide(1)).refused.sum())
    assert refused[0] < refused[1]


def test_a_shipped_preset_has_strangers(play: Play) -> None:
    """In ``churny`` they take seats from the platform's viewers; ``background = 0`` is without."""
    assert load_scenario("churny").seats.background == 0.3
    refused = []
    for options in ({}, {"seats.background": "0.0"}):
        small = {"calendar.history_days": "1", **options}
        arena = Arena(build_world(load_scenario("churny", "tiny", small), 2), 1)
        refused.append(int(play(arena, first_column).refused.sum()))
    assert refused[0] > refused[1]


def test_dissatisfied_users_come_less_often(play: Play) -> None:
    small = {"calendar.history_days": "1"}
    away = small | {"retention.weight": "1.0", "retention.rate": "0.5", "click.base": "-6.0"}
    counts = [
        play(Arena(build_world(load_scenario("scarce", "tiny", o), 2), 1), first_column).decisions
        for o in (small | {"click.base": "-6.0"}, away)
    ]
    assert counts[1] < 0.6 * counts[0]


def test_rooms_without_a_limit_say_so(clocked: World) -> None:
    observation = Arena(clocked, 1).reset()
    assert observation is not None
    there = observation.rooms >= 0
    assert np.all(observation.seats_left[there] == UNLIMITED_SEATS)
    assert np.all(observation.seats_left[~there] == 0)


def test_showing_nothing_is_a_decision_without_a_viewing(evening: World, play: Play) -> None:
    def nothing(observation: Observation) -> Decisions:
        shape = observation.rooms.shape
        return Decisions(np.full(shape[0], -1), np.zeros(shape))

    out = play(Arena(evening, 1), nothing)
    assert out.decisions == len(potential_arrivals(evening, 1))
    assert (out.shown.sum(), out.revenue, out.seat_ms_used) == (0, 0.0, 0)


@pytest.mark.parametrize(
    ("choice", "chance", "says"),
    [(50, 1.0, "choice 50"), (-2, 1.0, "choice -2"), (0, 0.0, "propensity 0"), (0, 1.5, "1.5")],
)
def test_an_invalid_decision_is_named(
    evening: World, choice: int, chance: float, says: str
) -> None:
    arena = Arena(evening, 1)
    observation = arena.reset()
    assert observation is not None
    decisions = first_column(observation)
    decisions.choice[0] = choice
    decisions.propensities[0, 0] = chance
    with pytest.raises(UsageError, match=says):
        arena.step(decisions)


def test_steps_answer_a_waiting_batch(evening: World, play: Play) -> None:
    arena = Arena(evening, 1)
    with pytest.raises(UsageError, match="no batch"):
        arena.step(Decisions(np.zeros(0, dtype=np.int64), np.zeros((0, 50))))
    observation = arena.reset()
    assert observation is not None
    with pytest.raises(UsageError, match="shapes"):
        arena.step(Decisions(np.zeros(99, dtype=np.int64), np.zeros((99, 50))))
    with pytest.raises(UsageError, match="no rooms are scheduled"):
        Arena(evening, 1, day=99)


def test_arrivals_are_refused_where_they_are_not_exogenous(clocked: World) -> None:
    with pytest.raises(UsageError, match="not exogenous"):
        potential_arrivals(clocked, 1)


def test_the_load_is_demand_over_offer(evening: World, play: Play) -> None:
    demanded, open_seconds = demanded_seconds(evening)
    offered = Arena(evening, 1).seats.sum() * open_seconds
    assert demanded / offered == pytest.approx(1.0, abs=0.5 / Arena(evening, 1).seats.sum())
    assert play(Arena(evening, 1), first_column).seat_ms_offered == offered * 1_000
