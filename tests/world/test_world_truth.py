"""How exact the truth is: the table against quadrature, the log against the truth at its state."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate
from scipy.special import ndtr

from giftlive.errors import UsageError
from giftlive.types import Decide, Decisions, Floats, Observation
from giftlive.world import (
    Arena,
    Outcome,
    Scenario,
    World,
    build_world,
    load_scenario,
    make_arena,
    presets,
)
from giftlive.world.demand import arena_seed
from giftlive.world.kernel import present
from giftlive.world.law import Law, Odds, expected_amount, expected_seconds
from giftlive.world.truth import (
    RoomState,
    UserState,
    respond,
    true_click_probability,
    true_seat_seconds,
    true_value,
)
from giftlive.world.value_table import build_law

Play = Callable[[Arena, Decide], Outcome]

BELOW_CAP, FROM_CAP, SECONDS = 3e-4, 5e-5, 1e-11
"""Largest relative errors that the docstrings of ``value_table`` and ``truth`` state."""

PRICED = [name for name in presets() if load_scenario(name).amount.prices]


COMPONENTS = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
"""Chances of a stay, and of settling given a stay, that make a viewing surely one of its laws."""


def watch_laws(scenario: Scenario) -> tuple[tuple[float, float], ...]:
    watch = scenario.watch
    return (
        (math.log(watch.bounce_seconds), watch.bounce_sigma),
        (math.log(watch.stay_seconds), watch.stay_sigma),
        (math.log(watch.settle_seconds), watch.settle_sigma),
    )


def quadrature(f: Callable[[float], float], low: float, high: float, bends: list[float]) -> float:
    """Integrate adaptively over log time, to 1e-11."""
    inside = [bend for bend in bends if low < bend < high] or None
    if low >= high:
        return 0.0
    return float(
        integrate.quad(f, low, high, limit=400, points=inside, epsabs=1e-14, epsrel=1e-11)[0]
    )


def direct_reach(scenario: Scenario, law: Law, left: float) -> Floats:
    """P(T_a < W_c) [3, prices] by quadrature of the density of T times the survival of W."""
    low = math.log(scenario.watch.floor_seconds)
    high = max(low, math.log(min(left, scenario.watch.cap_seconds)))
    out = np.empty((3, len(law.prices)))
    for c, (mu, sigma) in enumerate(watch_laws(scenario)):
        for k, price in enumerate(law.prices):
            scale, shape = math.log(law.delay * price**law.delay_power), law.delay_shape

            def density(x: float, mu: float = mu, sigma: float = sigma, s: float = scale) -> float:
                z = shape * (x - s)  # noqa: B023 (called before the loop moves on)
                return shape * math.exp(z - math.exp(z)) * float(ndtr((mu - x) / sigma))  # noqa: B023

            before = -math.expm1(-math.exp(shape * (low - scale)))
            out[c, k] = before + quadrature(density, low, high, [mu, scale])
    return out


def direct_values(law: Law, reach: Floats, mu: Floats) -> Floats:
    """E[amount | latent gift, component] [mu, 3]: sums over prices of exact normal masses."""
    cuts = np.concatenate([[-np.inf], law.edges, [np.inf]])
    chance = np.diff(ndtr((cuts[None, :] - mu[:, None]) / law.amount_sigma), axis=1)
    return (chance * law.prices) @ reach.T


def times_left(cap: float, count: int) -> Floats:
    """Log-uniform seconds, with the bend at the cap from both sides."""
    rng = np.random.default_rng(0)
    near = cap * np.exp([-0.05, -0.02, -0.004, -1e-6, 0.0, 0.01])
    return np.concatenate([[1.0], np.exp(rng.uniform(0.0, math.log(cap), count)), near, [1e7]])


def largest_errors(scenario: Scenario, count: int) -> tuple[float, float]:
    """Return the largest relative error of the table (below the cap, from the cap on)."""
    law, rng = build_law(scenario), np.random.default_rng(1)
    mu = rng.uniform(-10.0, 20.0, 300)
    cells = np.floor((mu[:100] - law.table.mu_low) / law.table.mu_step)
    mu[:100] = law.table.mu_low + law.table.mu_step * (cells + 0.5)  # where a line errs most
    worst = [0.0, 0.0]
    for left in times_left(law.cap, count):
        exact = direct_values(law, direct_reach(scenario, law, left), mu)
        for c, (stay, settle) in enumerate(COMPONENTS):
            odds = [Odds(click=1.0, stay=stay, gift=1.0, mu=m, settle=settle) for m in mu]
            found = np.array([expected_amount(law, o, left) for o in odds])
            error = float(np.max(np.abs(found / exact[:, c] - 1.0)))
            worst[int(left >= law.cap)] = max(worst[int(left >= law.cap)], error)
    return worst[0], worst[1]


@pytest.mark.parametrize("name", PRICED)
def test_the_table_errs_less_than_it_says(name: str) -> None:
    below, above = largest_errors(load_scenario(name), 12)
    assert 0.0 < below < BELOW_CAP
    assert above < FROM_CAP


@pytest.mark.parametrize("name", PRICED)
def test_a_purse_costs_no_accuracy(name: str) -> None:
    """What is too dear is paid as the dearest price that the purse can pay."""
    scenario, mu = load_scenario(name), np.linspace(-8.0, 14.0, 12)
    law = build_law(scenario)
    for purse in (1.5, 150.0, 9_000.0):
        payable = np.flatnonzero(law.prices <= purse)
        cut = law._replace(prices=law.prices[payable], edges=law.edges[payable[:-1]])
        for left in times_left(law.cap, 3):
            exact = direct_values(cut, direct_reach(scenario, cut, left), mu)
            for c, (stay, settle) in enumerate(COMPONENTS):
                odds = [Odds(1.0, stay, 1.0, m, purse, settle) for m in mu]
                found = [expected_amount(law, o, left) for o in odds]
                bound = BELOW_CAP if left < law.cap else FROM_CAP
                assert_allclose(found, exact[:, c], rtol=bound)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRICED)
def test_the_table_errs_less_than_it_says_everywhere(name: str) -> None:
    below, above = largest_errors(load_scenario(name), 400)
    assert BELOW_CAP / 10 < below < BELOW_CAP
    assert FROM_CAP / 10 < above < FROM_CAP


@pytest.mark.parametrize("name", presets())
def test_expected_seconds_are_a_closed_form(name: str) -> None:
    scenario = load_scenario(name)
    law, low = build_law(scenario), math.log(scenario.watch.floor_seconds)
    for left in [0.2, *times_left(law.cap, 12)]:
        high = max(low, math.log(min(left, law.cap)))
        for (stay, settle), (mu, sigma) in zip(COMPONENTS, watch_laws(scenario), strict=True):

            def survival(x: float, mu: float = mu, sigma: float = sigma) -> float:
                return math.exp(x) * float(ndtr((mu - x) / sigma))

            exact = scenario.watch.floor_seconds + quadrature(survival, low, high, [mu])
            odds = Odds(click=1.0, stay=stay, gift=0.0, mu=0.0, settle=settle)
            assert expected_seconds(law, odds, left) == pytest.approx(exact, rel=SECONDS)


CROWDED = {
    "soft": {"seats.mode": '"soft"', "seats.alpha": "1.0", "seats.background": "0.4"},
    "substitution": {"externality.whale_gamma": "0.5"},
    "competition": {"externality.whale_gamma": "-0.5", "gift.base": "0.0"},
    "crowd in logits": {"seats.mode": '"soft"', "gift.crowd": "-0.4", "click.crowd": "0.3"},
    "hard": {"seats.background": "0.3"},
}


def states_met(world: World, seed: int, out: Outcome) -> RoomState:
    """What every decision found, from the outcome alone: entered before, left after the tick."""
    occupancy, whales = np.zeros(out.decisions, np.int64), np.zeros(out.decisions, np.int64)
    until, whale = out.ts + out.watch_ms, world.scene.users.whale[out.user]
    tick = world.scenario.calendar.tick_ms
    span_seed = arena_seed(world, seed, world.arena_day)
    seats, seating = world.scene.rooms.seats, world.scene.seating
    for i, (room, ts) in enumerate(zip(out.room, out.ts, strict=True)):
        there = out.clicked[:i] & (out.room[:i] == room) & (until[:i] > ts // tick * tick)
        occupancy[i] = present(seating, seats[room], there.sum(), span_seed, room, ts)
        whales[i] = whale[:i][there].sum()
    return RoomState(occupancy, whales)


@pytest.mark.parametrize("what", CROWDED)
def test_what_the_log_expects_is_the_truth_at_its_state(
    what: str, play: Play, uniform_decide: Callable[[int], Decide]
) -> None:
    small = {"calendar.history_days": "1", "people.whale_share": "0.3"}
    world = build_world(load_scenario("scarce", "tiny", small | CROWDED[what]), 7)
    out = play(Arena(world, 3), uniform_decide(2))
    state = states_met(world, 3, out)
    exact = true_value(world, out.user, out.room, out.ts, state=state)
    assert_array_equal(out.expected_amount, exact)
    if what == "hard":
        assert np.less_equal(state.occupancy, world.scene.rooms.seats[out.room]).all()
    alone = true_value(world, out.user, out.room, out.ts)
    assert (np.mean(alone[out.admitted] != exact[out.admitted]) > 0.05) == (what != "hard")
    assert_array_equal(out.refused, (exact == 0.0) & (alone > 0.0))


def users_met(world: World, out: Outcome) -> UserState:
    """What every user brought to a decision, from the outcome alone."""
    habits, budget = world.scene.habits, world.scene.users.budget
    start = world.origin_ms + world.arena_day * 86_400_000
    fatigue, purse = np.zeros(out.decisions), budget[out.user].copy()
    satiety, gave = np.zeros(out.decisions), np.full(len(budget), -1)
    watched, rested = np.zeros(len(budget)), np.full(len(budget), start)
    spent: dict[tuple[int, int], list[float]] = {}
    again, recent = np.zeros(out.decisions), [deque[int](maxlen=4) for _ in budget]
    for i, (user, ts, watch_ms) in enumerate(zip(out.user, out.ts, out.watch_ms, strict=True)):
        again[i] = out.room[i] in recent[user]
        if watch_ms > 0 and not again[i]:
            recent[user].append(int(out.room[i]))
        if habits.recovery_ms:
            idle = max(0.0, float(ts - rested[user]))
            fatigue[i] = watched[user] * math.exp(-idle / habits.recovery_ms)
        watched[user], rested[user] = fatigue[i] + watch_ms / 3_600_000.0, ts + watch_ms
        gifts = spent.setdefault((user, (ts - start) // (habits.budget_ms or 1 << 60)), [])
        for gift in gifts:
            purse[i] -= gift
        gifts.append(out.amount[i])
        if habits.satiety_ms and gave[user] >= 0:
            satiety[i] = math.exp(-max(0.0, float(ts - gave[user])) / habits.satiety_ms)
        if out.amount[i] > 0:
            gave[user] = ts + watch_ms
    return UserState(fatigue, purse, satiety, again)


CLOCKED = [name for name in presets() if load_scenario(name).mode == "clocked"]


@pytest.mark.parametrize("name", CLOCKED)
def test_what_the_log_expects_is_the_truth_in_every_preset(
    name: str, play: Play, uniform_decide: Callable[[int], Decide]
) -> None:
    scale = "0.001" if name == "kuailive" else "tiny"
    world = build_world(load_scenario(name, scale, {"calendar.history_days": "1"}), 7)
    out = play(Arena(world, 3), uniform_decide(2))
    state, viewer = states_met(world, 3, out), users_met(world, out)
    exact = true_value(world, out.user, out.room, out.ts, state=state, viewer=viewer)
    assert_allclose(out.expected_amount, exact, rtol=1e-12, atol=0.0)
    rested = true_value(world, out.user, out.room, out.ts, state=state)
    assert np.array_equal(rested, exact) == (name not in {"kuailive", "churny", "whale_heavy"})


def test_a_purse_is_never_overdrawn_in_the_truth_either(evening: World) -> None:
    """An empty purse is worth nothing, a purse for every price the whole value, between: less."""
    user, room, ts = pairs(evening, 300)
    prices, whole = evening.scene.law.prices, true_value(evening, user, room, ts)
    values = [
        true_value(evening, user, room, ts, viewer=UserState(purse=purse))
        for purse in (0.5, 1.0, 20.0, prices[-1] - 1.0, prices[-1])
    ]
    assert not values[0].any()
    gains = np.diff(values[:-1], axis=0)
    assert np.all(gains >= 0)
    assert np.mean(gains > 0) > 0.6  # cheap tastes are not held back
    assert_array_equal(values[-1], whole)
    assert np.all(values[1] <= true_click_probability(evening, user, room, ts))


@pytest.mark.parametrize("purse", [15.0, 600.0])
def test_the_truth_of_a_user_state_is_the_mean_of_its_responses(
    evening: World, purse: float
) -> None:
    user, room, ts = pairs(evening, 200_000)
    law = evening.scene.law._replace(click_fatigue=0.4, stay_fatigue=0.6)
    world = replace(evening, scene=evening.scene._replace(law=law))
    viewer = UserState(1.5, purse)
    drawn = respond(world, user, room, ts, 11, viewer=viewer)
    assert drawn.amount.max() <= purse
    for truth, seen in (
        (true_value(world, user, room, ts, viewer=viewer), drawn.amount),
        (true_seat_seconds(world, user, room, ts, viewer=viewer), drawn.watch_ms / 1_000),
        (true_click_probability(world, user, room, ts, viewer=viewer), drawn.clicked),
    ):
        error = np.asarray(seen, dtype=float) - truth
        assert abs(error.mean()) < 4 * error.std() / math.sqrt(len(error))


ROUNDS = [name for name in presets() if load_scenario(name).mode == "rounds"]


@pytest.mark.parametrize("name", ROUNDS)
def test_what_a_round_expects_is_the_truth_at_its_state(name: str, play: Play) -> None:
    """Everybody is sent to three rooms, so that seats, where there are any, are crowded."""
    world = build_world(load_scenario(name, "tiny", {"people.whale_share": "0.2"}), 1)

    def few(observation: Observation) -> Decisions:
        choice = observation.user % 3
        return Decisions(choice, (np.arange(observation.rooms.shape[1]) == choice[:, None]) * 1.0)

    out = play(make_arena(world, 3), few)  # type: ignore[arg-type]
    viewers, donors = np.zeros(out.decisions, np.int64), np.zeros(out.decisions, np.int64)
    whale = world.scene.users.whale[out.user]
    for i in range(out.decisions):
        here = (out.room[:i] == out.room[i]) & (out.visit[:i] == out.visit[i])
        viewers[i], donors[i] = out.clicked[:i][here].sum(), whale[:i][here].sum()
    state = RoomState(viewers, donors)
    exact = true_value(world, out.user, out.room, out.ts, state=state)
    assert_array_equal(out.expected_amount, exact)
    assert np.mean(exact != true_value(world, out.user, out.room, out.ts)) > 0.5
    assert (viewers > world.scene.rooms.seats[out.room]).any() == (name == "v2")


def pairs(world: World, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    room = rng.integers(10, size=count)
    ts = world.room_start[room] + rng.integers(4 * 3_600_000, size=count)
    return rng.integers(len(world.user_ids), size=count), room, ts


@pytest.fixture(scope="module")
def soft() -> World:
    crowd = CROWDED["soft"] | CROWDED["substitution"] | {"click.crowd": "0.3"}
    return build_world(load_scenario("scarce", "tiny", {"calendar.history_days": "1"} | crowd), 7)


def test_the_truth_at_a_state_is_the_mean_of_its_responses(soft: World) -> None:
    """z-tests over 300,000 draws in rooms twice full with two other whales."""
    user, room, ts = pairs(soft, 300_000)
    state = RoomState(2 * soft.scene.rooms.seats[room], 2)
    drawn = respond(soft, user, room, ts, 11, state=state)
    for truth, seen in (
        (true_value(soft, user, room, ts, state=state), drawn.amount),
        (true_seat_seconds(soft, user, room, ts, state=state), drawn.watch_ms / 1_000),
        (true_click_probability(soft, user, room, ts, state=state), drawn.clicked),
    ):
        error = np.asarray(seen, dtype=float) - truth
        assert abs(error.mean()) < 4 * error.std() / math.sqrt(len(error))


def test_crowding_and_whales_act_as_the_law_says(soft: World) -> None:
    user, room, ts = pairs(soft, 500)
    seats = soft.scene.rooms.seats[room]
    law = soft.scene.law._replace(click_crowd=0.0)
    world = replace(soft, scene=soft.scene._replace(law=law))
    alone = true_value(world, user, room, ts)
    assert_array_equal(true_value(world, user, room, ts, state=RoomState(seats)), alone)
    thrice = true_value(world, user, room, ts, state=RoomState(3 * seats))
    assert_allclose(thrice, alone / 3.0, rtol=1e-12)  # crowding 2, alpha 1
    whale = world.scene.users.whale[user]
    beside = true_value(world, user, room, ts, state=RoomState(whales=2))
    assert_allclose(beside, alone * np.exp(-0.5 * np.where(whale, 2, 1)), rtol=1e-12)


def test_a_full_room_with_hard_seats_is_worth_nothing(evening: World) -> None:
    user, room, ts = pairs(evening, 500)
    seats = evening.scene.rooms.seats[room]
    full, last = RoomState(seats), RoomState(seats - 1)
    alone = true_value(evening, user, room, ts)
    assert_array_equal(true_value(evening, user, room, ts, state=last), alone)
    for truth in (true_value, true_seat_seconds, true_click_probability):
        assert not truth(evening, user, room, ts, state=full).any()
    drawn = respond(evening, user, room, ts, 1, state=full)
    for column in (drawn.clicked, drawn.amount, drawn.watch_ms):
        assert not column.any()
    assert np.all(drawn.delay_ms == -1)


def test_states_broadcast_and_are_counts(evening: World) -> None:
    user, room, ts = pairs(evening, 30)
    table = true_value(
        evening, user[:, None], np.arange(4)[None, :], ts[:, None], state=RoomState(whales=[0] * 4)
    )
    assert table.shape == (30, 4)
    with pytest.raises(UsageError, match="negative number"):
        true_value(evening, user, room, ts, state=RoomState(whales=-1))


def test_in_rounds_big_donors_shrink_amounts() -> None:
    world = build_world(load_scenario("v1", "tiny"), 1)
    user, room = np.arange(20), np.arange(20)
    alone = true_value(world, user, room, world.origin_ms)
    three = true_value(world, user, room, world.origin_ms, state=RoomState(whales=3))
    assert_allclose(three, alone / 1.15, rtol=1e-12)
