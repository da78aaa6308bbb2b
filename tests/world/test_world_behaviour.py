"""What the past does to users and streamers: known answers and golden recomputations."""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

import numpy as np
import pytest
from tests.world.platform_run import played

from giftlive.clock import MS_PER_DAY
from giftlive.rng import uniform
from giftlive.types import Decisions, Observation
from giftlive.world import (
    Arena,
    Outcome,
    World,
    build_world,
    load_scenario,
    potential_arrivals,
)
from giftlive.world.purposes import CHURN, SUPPLY
from giftlive.world.social import MIN_WATCH_MS, acts
from giftlive.world.state import (
    CLICKED,
    NOTHING,
    Log,
    Span,
    State,
    log_of,
)
from giftlive.world.supply import return_chance

SEED = 9


class Run(NamedTuple):
    world: World
    span: Span
    log: Log
    state: State


def run(preset: str, scale: str, days: int, **overrides: float | str) -> Run:
    named = {key.replace("__", "."): str(value) for key, value in overrides.items()}
    world = build_world(
        load_scenario(preset, scale, {"calendar.history_days": str(days), **named}), 7
    )
    span, log, state = played(world, SEED)
    return Run(world, span, log, state)


@pytest.fixture(scope="module")
def churny() -> Run:
    return run("churny", "tiny", 3, gift__base=-3.0, budget__per_wealth=1.0, budget__days=1)


# --- the shipped worlds --------------------------------------------------------------------------

GOLDEN = {
    ("kuailive", "0.001"): "d1395f69d527fb7f",
    ("scarce", "tiny"): "198883d7c7b34f46",
}


@pytest.mark.parametrize(("preset", "scale"), GOLDEN)
def test_a_preset_tells_its_story_and_no_other(preset: str, scale: str) -> None:
    """A change of the kernel that changes a shipped world has to be meant: it moves its digest."""
    log = run(preset, scale, 2).log
    seen = (log.ts, log.user, log.visit, log.slot, log.room, log.status, log.watch_ms)
    gifts = (log.amount, np.rint(1_000 * log.expected))
    text = b"".join(np.ascontiguousarray(c, dtype="<i8").tobytes() for c in (*seen, *gifts))
    assert hashlib.blake2b(text, digest_size=8).hexdigest() == GOLDEN[preset, scale]


# --- the purse, fatigue, satisfaction, churn ------------------------------------------------------


def test_a_budget_renews_with_its_period(churny: Run) -> None:
    log, budget = churny.log, churny.world.scene.users.budget
    day = (log.ts - churny.span.start_ms) // MS_PER_DAY
    spent = np.zeros((len(budget), 3))
    np.add.at(spent, (log.user, day), log.amount)
    assert np.all(spent <= budget[:, None])
    assert (spent.sum(axis=1) > budget).any()


def test_fatigue_and_satisfaction_follow_from_the_log(churny: Run) -> None:
    """A recomputation, decision by decision, in plain Python."""
    world, log, scenario = churny.world, churny.log, churny.world.scenario
    commented = acts(world, log, SEED, "comment").happened
    recovery = scenario.fatigue.recovery_hours * 3.6e6
    for user in np.flatnonzero(np.bincount(log.user) > 10)[:20]:
        fatigue, rested, satisfaction = 0.0, churny.span.start_ms, 1.0
        rows = np.flatnonzero(log.user == user)
        for row in rows[np.argsort(log.ts[rows])]:
            fatigue *= math.exp(-(log.ts[row] - rested) / recovery)
            fatigue += log.watch_ms[row] / 3.6e6
            rested = log.ts[row] + log.watch_ms[row]
            joy = 0.0
            if log.status[row] == CLICKED:
                joy = 1 - math.exp(-log.watch_ms[row] / 1_000 / scenario.retention.dwell_seconds)
                joy = min(1.0, joy + scenario.retention.comment * commented[row])
            satisfaction += scenario.retention.rate * (joy - satisfaction)
        assert churny.state.fatigue[user] == pytest.approx(fatigue, rel=1e-9)
        assert churny.state.satisfaction[user] == pytest.approx(satisfaction, rel=1e-9)


@pytest.mark.parametrize("coefficient", ["fatigue.click", "fatigue.stay", "fatigue.visit"])
def test_each_fatigue_lowers_what_it_should(coefficient: str) -> None:
    quiet = {"retention__weight": 0, "churn__hazard": 0, "fatigue__recovery_hours": 48}
    off = {"fatigue__click": 0, "fatigue__stay": 0, "fatigue__visit": 0}
    key = coefficient.replace(".", "__")
    fresh, tired = (run("churny", "tiny", 2, **quiet, **(off | {key: v})).log for v in (0, 3))

    def clicks(log: Log) -> float:
        return float((log.status == CLICKED).mean())

    def watched(log: Log) -> float:
        return float(log.watch_ms[log.status == CLICKED].mean())

    if coefficient == "fatigue.click":
        assert clicks(tired) < 0.9 * clicks(fresh)
    elif coefficient == "fatigue.stay":
        assert watched(tired) < 0.9 * watched(fresh)
    else:
        assert len(tired.ts) < 0.9 * len(fresh.ts)


def test_dissatisfied_users_leave_for_good_by_a_keyed_draw() -> None:
    away = {"churn__hazard": 0.5, "churn__below": 1.0, "click__base": -60.0}
    story = run("churny", "tiny", 3, **away, retention__weight=0.0, fatigue__visit=0.0)
    log, state = story.log, story.state
    assert state.gone.mean() > 0.9
    # nobody clicks: after k decisions the satisfaction is (1 - rate)^k, at every potential visit
    rate = story.world.scenario.retention.rate
    for user in np.flatnonzero(state.gone)[:30]:
        made = np.sort(log.visit[log.user == user])
        assert np.array_equal(made, np.arange(len(made)))
        for visit in range(len(made) + 1):
            low = 1.0 - (1.0 - rate) ** visit
            left = uniform(SEED, CHURN, user, visit, 0) < 0.5 * low
            assert left == (visit == len(made))


def test_a_policy_moves_no_potential_visit(churny: Run) -> None:
    world = churny.world
    potential = potential_arrivals(world, 3)
    when = {
        (u, v): t for u, v, t in zip(potential.user, potential.visit, potential.ts, strict=True)
    }
    made = []
    for decide in (None, first_column):
        arena = Arena(world, 3)
        observation = arena.reset()
        while observation is not None:
            _, observation = arena.step((decide or arena.platform)(observation))
        out = arena.outcome()
        assert all(when[u, v] == t for u, v, t in zip(out.user, out.visit, out.ts, strict=True))
        made.append(out.decisions)
    assert made[0] != made[1]
    assert max(made) < len(potential)


def first_column(observation: Observation) -> Decisions:
    there = observation.rooms[:, 0] >= 0
    chances = np.zeros(observation.rooms.shape)
    chances[there, 0] = 1.0
    return Decisions(np.where(there, 0, -1), chances)


def test_one_other_decision_touches_one_user_alone() -> None:
    """Without seats nobody stands in another's way: only the user's own later visits may move."""
    options = {"calendar.history_days": "1", "seats.mode": '"none"'}
    world = build_world(load_scenario("churny", "tiny", options), 7)

    def play(skipped: int | None) -> tuple[np.ndarray, Outcome]:
        arena, count = Arena(world, 3), 0
        observation = arena.reset()
        while observation is not None:
            decisions = first_column(observation)
            if skipped is not None and count <= skipped < count + len(observation):
                decisions.choice[skipped - count] = -1
                decisions.propensities[skipped - count] = 0.0
            count += len(observation)
            _, observation = arena.step(decisions)
        out = arena.outcome()
        columns = (out.user, out.visit, out.ts, out.room, out.watch_ms, out.amount)
        return np.stack(columns, axis=1), out

    base, first = play(None)
    again, _ = play(None)
    assert np.array_equal(base, again)
    row = int(np.flatnonzero(first.clicked)[5])
    other, second = play(row)
    user = first.user[row]
    assert not second.shown[row]
    mine, theirs = first.user == user, second.user == user
    assert np.array_equal(base[~mine], other[~theirs])
    assert not np.array_equal(base[mine], other[theirs])


# --- comments and likes -------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["comment", "like"])
def test_acts_lie_inside_viewings_and_have_their_chance(churny: Run, what: str) -> None:
    world, log, talk = churny.world, churny.log, churny.world.scenario.social
    found = acts(world, log, SEED, what)  # type: ignore[arg-type]
    able = (log.status == CLICKED) & (log.watch_ms >= MIN_WATCH_MS)
    assert not found.happened[~able].any()
    assert np.all(found.delay_ms[~found.happened] == -1)
    delay, watch = found.delay_ms[found.happened], log.watch_ms[found.happened]
    assert np.all((delay >= 0) & (delay < watch))
    base = talk.comment_base if what == "comment" else talk.like_base
    logit = base + talk.generosity * world.scene.users.generosity[log.user[able]]
    chance = 1 / (1 + np.exp(-logit))
    z = (found.happened[able] - chance).sum() / math.sqrt((chance * (1 - chance)).sum())
    assert abs(z) < 4.0
    assert abs((delay / watch).mean() - 0.5) < 4 * math.sqrt(1 / 12 / len(delay))


def test_acts_of_a_log_in_pieces_are_those_of_the_whole(churny: Run) -> None:
    whole = acts(churny.world, churny.log, SEED, "comment")
    half = len(churny.log.ts) // 2
    pieces = [
        acts(churny.world, log_of(c[part].copy() for c in churny.log), SEED, "comment")
        for part in (slice(None, half), slice(half, None))
    ]
    assert np.array_equal(np.concatenate([p.delay_ms for p in pieces]), whole.delay_ms)


# --- streamers ----------------------------------------------------------------------------------


def test_who_goes_on_air_follows_from_the_day_before() -> None:
    """A recomputation of ``opened`` from the log, streamer by streamer, day by day."""
    story = run("cold_start", "0.3", 4, supply__weight=0.9)
    world, log = story.world, story.log
    many, rooms = len(world.streamer_ids), len(story.state.opened)
    streamer, start = world.room_streamer[:rooms], world.room_start[:rooms]
    day = (log.ts - story.span.start_ms) // MS_PER_DAY
    shown = log.status != NOTHING
    back = np.ones(many)
    opened = np.zeros(rooms, dtype=bool)
    for today in range(4):
        here = np.flatnonzero((start - story.span.start_ms) // MS_PER_DAY == today)
        for room in here:
            s = streamer[room]
            opened[room] = uniform(SEED, SUPPLY, s, today, 0) < back[s]
        on_air = np.unique(streamer[here][opened[here]])
        rows = shown & (day == today)
        who = world.room_streamer[log.room[rows]]
        exposure = np.bincount(who, minlength=many)
        income = np.bincount(who, log.amount[rows], many).astype(np.float64)
        chance = return_chance(world, exposure, income, on_air)
        back[on_air] = chance[on_air]
    inside = start < story.span.end_ms
    assert np.array_equal(story.state.opened[inside], opened[inside])
    assert 0.4 < opened[inside].mean() < 0.95
    assert np.all(opened[log.room[shown]])


def test_an_evening_says_who_will_stream_again() -> None:
    options = {"calendar.history_days": "1", "supply.weight": "1.0"}
    world = build_world(load_scenario("cold_start", "tiny", options), 7)
    arena = Arena(world, 3)
    observation = arena.reset()
    while observation is not None:
        _, observation = arena.step(first_column(observation))
    out, chance = arena.outcome(), arena.streamer_return
    there = np.unique(world.room_streamer[: len(arena.seats)])
    expected = 1 - 1 / (1 + out.streamer_exposure / 40.0 + out.streamer_income / 400.0)
    assert np.allclose(chance[there], expected[there])
    assert chance[there].min() == 0.0 < chance[there].max()
    assert not arena.users_gone.any()


def test_newcomers_have_no_past() -> None:
    options = {"newcomers.share": "0.5", "newcomers.quality_sigma": "3.0"}
    world = build_world(load_scenario("cold_start", "full", options), 7)
    stars, calendar = world.scene.streamers, world.scenario.calendar
    new = np.flatnonzero(stars.first_day > 0)
    assert 30 < len(new) < 70
    assert np.all(stars.first_day <= calendar.history_days)
    assert np.all(stars.popularity[new] == 1.0)
    assert np.all(stars.log_popularity[new] == 0.0)
    assert not np.isin(world.scene.users.homes, new).any()
    assert 2.0 < stars.quality[new].std() < 4.0 > 2 * np.delete(stars.quality, new).std()
    day = (world.room_start - world.origin_ms) // MS_PER_DAY
    assert np.all(day >= stars.first_day[world.room_streamer])
    debuts = [day[world.room_streamer == s].min() for s in new]
    assert np.array_equal(debuts, stars.first_day[new])


def test_the_established_are_the_same_with_newcomers_or_without() -> None:
    alone = build_world(load_scenario("cold_start", "full", {"newcomers.share": "0.0"}), 7)
    mixed = build_world(load_scenario("cold_start", "full"), 7)
    old = mixed.scene.streamers.first_day == 0
    assert 50 < old.sum() < 90
    for name in ("quality", "skill", "popularity", "taste"):
        one, two = getattr(alone.scene.streamers, name), getattr(mixed.scene.streamers, name)
        assert np.array_equal(one[old], two[old])


# --- rooms --------------------------------------------------------------------------------------


@pytest.mark.parametrize("background", [0.3, 0.9, 1.5])
def test_strangers_ask_for_their_share_of_the_seats_of_tiers(background: float) -> None:
    """They ask for U(0, 2b) of the seats: a room is full with probability max(0, 1 - 1 / 2b)."""
    options = {
        "calendar.history_days": "1",
        "seats.mode": '"hard"',
        "seats.background": str(background),
        "tiers.shares": "[0.1, 0.5, 0.4]",
        "tiers.seats": "[100, 50, 20]",
    }
    world = build_world(load_scenario("kuailive", "0.0005", options), 7)
    assert set(np.unique(world.scene.rooms.seats)) == {20, 50, 100}
    free: dict[tuple[int, int], bool] = {}
    arena = Arena(world, 3)
    observation = arena.reset()
    while observation is not None:
        rows, columns = np.nonzero(observation.rooms >= 0)
        for i, j in zip(rows, columns, strict=True):
            moment = int(observation.rooms[i, j]), int(observation.ts[i]) // 600_000
            free[moment] = bool(observation.seats_left[i, j] > 0)
        nothing = np.full(len(observation), -1), np.zeros(observation.rooms.shape)
        _, observation = arena.step(Decisions(*nothing))
    full, chance = 1 - np.mean(list(free.values())), max(0.0, 1 - 0.5 / background)
    assert len(free) > 500
    assert abs(full - chance) <= 4 * math.sqrt(chance * (1 - chance) / len(free))


@pytest.mark.parametrize("gamma", [-0.4, 0.4])
def test_the_sign_of_the_whale_externality_is_swept(gamma: float) -> None:
    options = {
        "calendar.history_days": "1",
        "seats.mode": '"none"',
        "people.whale_share": "0.5",
        "budget.per_wealth": "0.0",
    }
    totals = []
    for value in (0.0, gamma):
        scenario = load_scenario(
            "whale_heavy", "tiny", options | {"externality.whale_gamma": str(value)}
        )
        arena = Arena(build_world(scenario, 7), 1)
        observation = arena.reset()
        while observation is not None:
            _, observation = arena.step(first_column(observation))
        totals.append(arena.outcome().expected_revenue)
    assert np.sign(totals[0] - totals[1]) == np.sign(gamma)
