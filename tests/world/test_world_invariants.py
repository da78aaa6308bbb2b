"""What holds in every world, on every seed: the story's conservation laws, and that tests bite.

Each check reads the truth of a run; ``PLANTED`` breaks one law in a copy, and its check must
notice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from tests.world.platform_run import played

from giftlive.clock import MS_PER_DAY
from giftlive.rng import uniform
from giftlive.types import Decisions, Ints, Observation
from giftlive.world import Arena, World, build_world, load_scenario
from giftlive.world.kernel import present
from giftlive.world.outcome import Outcome, outcome_of
from giftlive.world.purposes import BACKGROUND
from giftlive.world.state import (
    CLICKED,
    NOTHING,
    REFUSED,
    SKIPPED,
    Log,
    Span,
    State,
    log_of,
)


class Story(NamedTuple):
    """A run of the platform over the history: its log, and the state at the last decision."""

    world: World
    span: Span
    log: Log
    state: State
    outcome: Outcome


def told(world: World, seed: int) -> Story:
    return story_of(world, *played(world, seed))


def story_of(world: World, span: Span, log: Log, state: State) -> Story:
    streamers = len(world.streamer_ids)
    outcome = outcome_of(log, world.room_streamer, streamers, 0, span.end_ms)
    return Story(world, span, log, state, outcome)


def nobody_is_in_two_rooms(story: Story) -> None:
    log = story.log
    order = np.lexsort((log.ts, log.user))
    free, then = (log.ts + log.watch_ms)[order][:-1], log.ts[order][1:]
    same = log.user[order][1:] == log.user[order][:-1]
    assert np.all(free[same] <= then[same])


def occupancy_is_entries_less_exits(story: Story) -> None:
    """At the last tick: who entered and has not left, in all and whales."""
    log, state, tick = story.log, story.state, story.world.scene.rhythm.tick_ms
    now = int(log.ts[-1]) // tick * tick
    here = (log.status == CLICKED) & (log.ts + log.watch_ms > now)
    rooms, whale = len(state.occupancy), story.world.scene.users.whale
    assert np.array_equal(np.bincount(log.room[here], minlength=rooms), state.occupancy)
    big = here & whale[log.user]
    assert np.array_equal(np.bincount(log.room[big], minlength=rooms), state.whales)


def gifts_lie_inside_their_viewings(story: Story) -> None:
    log = story.log
    gave = log.amount > 0
    assert np.all(log.status[gave] == CLICKED)
    assert np.all((log.delay_ms[gave] >= 0) & (log.delay_ms[gave] <= log.watch_ms[gave]))
    assert np.all(log.delay_ms[~gave] == -1)
    assert np.all(log.watch_ms[log.status != CLICKED] == 0)


def rooms_are_open(story: Story) -> None:
    """Shown rooms have opened and not closed, entered ones hold the viewer to their end."""
    log, world = story.log, story.world
    shown = log.status != NOTHING
    room, ts = log.room[shown], log.ts[shown]
    assert np.all(story.state.opened[room])
    assert np.all(ts >= world.room_start[room])
    assert np.all(ts + log.watch_ms[shown] <= world.room_end[room])


def money_is_conserved(story: Story) -> None:
    """Σ rows = Σ incomes; every gift is a price; no period's spending is above its budget."""
    log, out, users = story.log, story.outcome, story.world.scene.users
    assert log.amount.sum() == out.streamer_income.sum() == out.revenue
    assert np.isin(log.amount, np.append(story.world.scene.law.prices, 0.0)).all()
    habits = story.world.scene.habits
    if habits.budget_ms == 0:
        return
    period = (log.ts - story.span.start_ms) // habits.budget_ms
    spent = np.zeros((len(users.budget), int(period.max()) + 1))
    np.add.at(spent, (log.user, period), log.amount)
    assert np.all(spent <= users.budget[:, None])
    last = np.minimum(story.state.period, spent.shape[1] - 1)
    assert np.allclose(
        users.budget - story.state.purse, spent[np.arange(len(last)), last], atol=1e-6
    )


def seats_hold(story: Story) -> None:
    """Nobody is refused where seats are not hard.

    Where they are, no instant has more viewers than seats, a viewer is let in exactly if strangers
    ask for less than the rest, and with strangers a room never holds more than its seats.
    """
    world, out, log = story.world, story.outcome, story.log
    seats, seating, seed = world.scene.rooms.seats, world.scene.seating, story.span.seed
    if not seating.hard:
        assert not out.refused.any()
        return
    assert np.all(peaks(out, len(seats)) <= seats)
    viewers = viewers_found(story)
    for row in np.flatnonzero(log.status != NOTHING):
        room, ts, inside = log.room[row], log.ts[row], viewers[row]
        share = 2.0 * seating.background * uniform(seed, BACKGROUND, room, ts // 600_000, 0)
        asked = int(min(1.0, share) * seats[room])
        assert (log.status[row] == REFUSED) == (inside + asked >= seats[room])
    marks, inside = viewers_at_redraws(story)
    for room, k in np.argwhere(inside > 0):
        there = present(seating, seats[room], inside[room, k], seed, room, marks[k])
        assert inside[room, k] <= there <= seats[room]


def viewers_at_redraws(story: Story) -> tuple[Ints, Ints]:
    """The times at which strangers ask anew, and the viewers in each room then [rooms, times]."""
    out, ten_minutes = story.outcome, 600_000
    marks = np.arange(story.span.start_ms, story.span.end_ms, ten_minutes)
    assert marks[0] % ten_minutes == 0
    inside = np.zeros((len(story.world.live_ids), len(marks) + 1), dtype=np.int64)
    entered = np.flatnonzero(out.clicked)
    for ts, step in ((out.ts, 1), (out.ts + out.watch_ms, -1)):
        np.add.at(inside, (out.room[entered], np.searchsorted(marks, ts[entered])), step)
    return marks, inside.cumsum(axis=1)[:, :-1]


def viewers_found(story: Story) -> Ints:
    """How many viewers each decision found in its room: entered before, left after the tick."""
    log, tick = story.log, story.world.scene.rhythm.tick_ms
    found, until = np.zeros(len(log.ts), dtype=np.int64), log.ts + log.watch_ms
    for room in np.unique(log.room[log.room >= 0]):
        mine = np.flatnonzero(log.room == room)
        there = (log.status[mine] == CLICKED) & (until[mine] > log.ts[mine, None] // tick * tick)
        found[mine] = np.tril(there, -1).sum(axis=1)
    return found


def peaks(out: Outcome, rooms: int) -> Ints:
    """The largest number of viewers in each room at any instant; who leaves makes room first."""
    entered = np.flatnonzero(out.clicked)
    room = np.tile(out.room[entered], 2)
    ts = np.concatenate([out.ts[entered] + out.watch_ms[entered], out.ts[entered]])
    step = np.repeat([-1, 1], len(entered))
    order = np.lexsort((step, ts, room))
    running = np.cumsum(step[order])  # every room ends with as many exits as entries
    top = np.zeros(rooms, dtype=np.int64)
    np.maximum.at(top, room[order], running)
    return top


def the_gone_do_not_return(story: Story) -> None:
    """Whoever left for good decides nothing after; whoever has not been met has not left."""
    assert np.all(story.state.purse >= 0.0)
    assert np.all((story.state.satisfaction >= 0.0) & (story.state.satisfaction <= 1.0))
    met = np.bincount(story.log.user, minlength=len(story.state.gone)) > 0
    assert not np.any(story.state.gone & ~met)


CHECKS: tuple[Callable[[Story], None], ...] = (
    nobody_is_in_two_rooms,
    occupancy_is_entries_less_exits,
    gifts_lie_inside_their_viewings,
    rooms_are_open,
    money_is_conserved,
    seats_hold,
    the_gone_do_not_return,
)

# a world is small already: nothing is won by shrinking a failure
phases = [Phase.explicit, Phase.generate]
few = settings(max_examples=4, deadline=None, derandomize=True, phases=phases)
EVENINGS = ("scarce", "cold_start", "whale_heavy", "churny")
MODES = st.sampled_from(("hard", "soft", "none"))


def evening(preset: str, seed: int, **overrides: float | str) -> World:
    named = {key.replace("__", "."): str(value) for key, value in overrides.items()}
    small = {"calendar.history_days": "3", "gift.base": "-3.0", **named}
    return build_world(load_scenario(preset, "0.05", small), seed)


@pytest.mark.parametrize("preset", EVENINGS)
@few
@given(
    seed=st.integers(0, 2**31),
    mode=MODES,
    load=st.floats(0.3, 1.5),
    background=st.sampled_from((0.0, 0.4, 1.5)),
    gamma=st.floats(-0.5, 0.5),
)
@example(seed=1, mode="hard", load=0.6, background=0.7, gamma=0.0)
def test_the_laws_hold_in_every_evening(
    preset: str, seed: int, mode: str, load: float, background: float, gamma: float
) -> None:
    world = evening(
        preset,
        seed,
        seats__mode=mode,
        seats__load=load,
        seats__background=background,
        seats__alpha=0.5,
        externality__whale_gamma=gamma,
        people__whale_share=0.2,
    )
    story = told(world, seed)
    assert len(story.log.ts) > 300
    for check in CHECKS:
        check(story)


@few
@given(seed=st.integers(0, 2**31), mode=st.sampled_from(("none", "hard")))
def test_the_laws_hold_where_rooms_come_and_go(seed: int, mode: str) -> None:
    tiers = {"tiers.shares": "[0.1, 0.9]", "tiers.seats": "[2, 1]", "seats.mode": '"hard"'}
    memory = {
        "supply.weight": "0.8",
        "newcomers.share": "0.3",
        "retention.weight": "0.5",
        "churn.hazard": "0.2",
        "fatigue.click": "0.5",
        "budget.per_wealth": "0.5",
        "calendar.history_days": "3",
    }
    overrides = memory | (tiers if mode == "hard" else {})
    story = told(build_world(load_scenario("kuailive", "0.0005", overrides), seed), seed)
    assert (story.log.status == SKIPPED).sum() > 100
    for check in CHECKS:
        check(story)


def first_column(observation: Observation) -> Decisions:
    there = observation.rooms[:, 0] >= 0
    chances = np.zeros(observation.rooms.shape)
    chances[there, 0] = 1.0
    return Decisions(np.where(there, 0, -1), chances)


@pytest.mark.parametrize("preset", EVENINGS)
def test_a_policy_that_crowds_exceeds_no_seat_and_conserves_money(preset: str) -> None:
    world = evening(preset, 3)
    arena = Arena(world, 3)
    observation = arena.reset()
    while observation is not None:
        _, observation = arena.step(first_column(observation))
    out = arena.outcome()
    assert out.refused.any()
    assert np.all(peaks(out, len(arena.seats)) <= arena.seats)
    assert out.streamer_income.sum() == out.amount.sum()
    assert np.array_equal(out.streamer_income, arena._state.income)
    assert np.array_equal(out.streamer_exposure, arena._state.exposure)


@pytest.fixture(scope="module")
def plain() -> Story:
    story = told(evening("churny", 5, seats__load=1.5, budget__per_wealth=1.0), 5)
    for check in CHECKS:
        check(story)
    return story


def _copy(story: Story) -> Story:
    log = log_of(column.copy() for column in story.log)
    copied = {
        name: getattr(story.state, name).copy()
        for name in ("occupancy", "whales", "opened", "purse", "satisfaction", "gone")
    }
    return story._replace(log=log, state=story.state._replace(**copied))


def _first(story: Story, where: np.ndarray) -> int:
    return int(np.flatnonzero(where)[0])


def two_rooms(story: Story) -> None:
    log = story.log
    order = np.lexsort((log.ts, log.user))
    same = np.flatnonzero(log.user[order][1:] == log.user[order][:-1])[0]
    log.watch_ms[order[same]] = log.ts[order[same + 1]] - log.ts[order[same]] + 1


def a_forgotten_exit(story: Story) -> None:
    story.state.occupancy[0] += 1


def a_forgotten_whale(story: Story) -> None:
    story.state.whales[0] -= 1


def a_late_gift(story: Story) -> None:
    row = _first(story, story.log.amount > 0)
    story.log.delay_ms[row] = story.log.watch_ms[row] + 1


def a_gift_without_a_viewing(story: Story) -> None:
    row = _first(story, story.log.status == SKIPPED)
    story.log.amount[row], story.log.delay_ms[row] = 1.0, 0


def an_event_after_closing(story: Story) -> None:
    row = _first(story, story.log.status == SKIPPED)
    story.log.ts[row] = story.world.room_end[story.log.room[row]] + MS_PER_DAY


def an_event_in_a_room_that_never_opened(story: Story) -> None:
    story.state.opened[story.log.room[_first(story, story.log.room >= 0)]] = False


def money_from_nowhere(story: Story) -> None:
    story.log.amount[_first(story, story.log.amount > 0)] += 1.0


def an_exceeded_budget(story: Story) -> None:
    row = _first(story, story.log.amount > 0)
    story.log.amount[row] = story.world.scene.law.prices[-1]


def a_purse_that_forgets(story: Story) -> None:
    story.state.purse[:] = story.world.scene.users.budget + 1.0


def one_viewer_too_many(story: Story) -> None:
    """Every refused viewer of one room is let in for the whole evening."""
    log = story.log
    refused = np.flatnonzero(log.status == REFUSED)
    mine = refused[log.room[refused] == log.room[refused[0]]]
    log.status[mine], log.watch_ms[mine] = CLICKED, 3_600_000


def a_viewer_in_a_strangers_seat(story: Story) -> None:
    """One refused viewer is let in for a moment: no more viewers than seats, but with strangers."""
    row = _first(story, story.log.status == REFUSED)
    story.log.status[row], story.log.watch_ms[row] = CLICKED, 1


def a_return_from_the_gone(story: Story) -> None:
    story.log.user[story.log.user == story.log.user[0]] = story.log.user[1]
    story.state.gone[:] = True


PLANTED = (
    (two_rooms, nobody_is_in_two_rooms),
    (a_forgotten_exit, occupancy_is_entries_less_exits),
    (a_forgotten_whale, occupancy_is_entries_less_exits),
    (a_late_gift, gifts_lie_inside_their_viewings),
    (a_gift_without_a_viewing, gifts_lie_inside_their_viewings),
    (an_event_after_closing, rooms_are_open),
    (an_event_in_a_room_that_never_opened, rooms_are_open),
    (money_from_nowhere, money_is_conserved),
    (an_exceeded_budget, money_is_conserved),
    (a_purse_that_forgets, money_is_conserved),
    (one_viewer_too_many, seats_hold),
    (a_viewer_in_a_strangers_seat, seats_hold),
    (a_return_from_the_gone, the_gone_do_not_return),
)


@pytest.mark.parametrize(("plant", "check"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_violation_is_noticed(
    plain: Story, plant: Callable[[Story], None], check: Callable[[Story], None]
) -> None:
    broken = _copy(plain)
    plant(broken)
    # an outcome is made of the broken log, except where the money itself is what was broken
    keeps = plant is money_from_nowhere
    if not keeps:
        broken = story_of(broken.world, broken.span, broken.log, broken.state)
    with pytest.raises(AssertionError):
        check(broken)
