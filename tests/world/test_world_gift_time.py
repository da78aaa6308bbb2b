"""The gift's time and the intent to leave: relation, shared intent, and what they are worth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from giftlive.world import World, build_world, load_scenario, respond, true_value
from giftlive.world.law import expected_amount, odds_of
from giftlive.world.payoff import with_payoff
from giftlive.world.truth import true_click_probability

PACE, LEAVING = 1.2, 1.5
BOTH = {"gift.delay_loyal": str(PACE), "gift.leaving": str(LEAVING)}


def grown(**changes: str) -> World:
    few = {"calendar.history_days": "1", "people.homes": "3", "gift.base": "-3.0"}
    named = {key.replace("__", "."): value for key, value in changes.items()}
    return build_world(load_scenario("kuailive", "0.001", few | named), 5)


@pytest.fixture(scope="module")
def plain() -> World:
    return grown()


@pytest.fixture(scope="module")
def both() -> World:
    return grown(gift__delay_loyal=str(PACE), gift__leaving=str(LEAVING))


def visits(world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Users in a room of one of their homes or of a stranger: user, room, ts, which home or -1."""
    rng, rooms = np.random.default_rng(3), world.scene.rooms
    user = rng.integers(len(world.user_ids), size=60_000)
    homes = world.scene.users.homes[user]
    first = np.full(len(world.streamer_ids), -1)
    first[rooms.streamer[::-1]] = np.arange(len(rooms.streamer))[::-1]
    k = rng.integers(-1, homes.shape[1], size=len(user))
    room = np.where(k >= 0, first[homes[np.arange(len(user)), np.maximum(k, 0)]], -1)
    stranger = rng.integers(len(rooms.start), size=len(user))
    room = np.where(room >= 0, room, stranger)
    at = homes == rooms.streamer[room][:, None]
    return user, room, world.room_start[room], np.where(at.any(axis=1), at.argmax(axis=1), -1)


def logit(p: float) -> float:
    return math.log(p / (1.0 - p))


def test_the_delay_of_a_gift_is_shorter_by_the_relation_and_by_nothing_else(plain: World) -> None:
    """Common random numbers: the same gift, its time times exp(-d decay^k) at the k-th home."""
    near = grown(gift__delay_loyal=str(PACE))
    user, room, ts, k = visits(plain)
    one, other = (respond(w, user, room, ts, seed=4) for w in (plain, near))
    gave = (one.amount > 0) & (other.amount > 0)
    pull = np.where(k >= 0, plain.scene.law.gift_home_decay ** np.maximum(k, 0), 0.0)
    expected = one.delay_ms * np.exp(-PACE * pull)
    assert np.all(np.abs(other.delay_ms - expected)[gave] <= 1.0)
    assert all(np.sum(gave & (k == home)) > 30 for home in (-1, 0, 1, 2))
    assert np.array_equal(one.watch_ms, other.watch_ms)
    more = (other.amount > 0) & (one.amount == 0)
    assert more.any()
    assert np.all(k[more] >= 0)  # only at home do gifts come that were too late before


def test_the_intent_moves_the_logit_of_a_gift_by_component(both: World) -> None:
    scene = both.scene
    odds = odds_of(scene.users, scene.streamers, scene.law, 0, 0, 0.0, 0)
    for factor, shift in ((odds.leaver, -LEAVING), (odds.settler, LEAVING)):
        assert logit(odds.gift * factor) == pytest.approx(logit(odds.gift) + shift)
    none = odds_of(scene.users, scene.streamers, scene.law._replace(gift_leaving=0.0), 0, 0, 0.0, 0)
    assert (none.leaver, none.settler, none.gift) == (1.0, 1.0, odds.gift)


def test_those_who_mean_to_leave_give_less_and_watches_stay_what_they_were(plain: World) -> None:
    """In the limit who bounces never gives and who settles does; nobody's watch time moves."""
    law = plain.scene.law._replace(gift_leaving=60.0, bounce_sigma=1e-9, stay_sigma=1e-9, delay=0.0)
    one = replace(plain, scene=plain.scene._replace(law=law._replace(gift_leaving=0.0)))
    other = replace(plain, scene=plain.scene._replace(law=law))
    user, room, ts, _ = visits(plain)
    free, bound = (respond(w, user, room, ts, seed=4) for w in (one, other))
    assert np.array_equal(free.watch_ms, bound.watch_ms)
    bounce, stay = (
        np.abs(free.watch_ms - 1000.0 * math.exp(m)) <= 1.0 for m in (law.bounce_mu, law.stay_mu)
    )
    settled = free.clicked & ~bounce & ~stay
    assert (free.amount[bounce] > 0).any()
    assert not bound.amount[bounce].any()
    assert np.array_equal(free.amount[stay], bound.amount[stay])
    assert (bound.amount[settled] > 0).mean() > 0.9 > (free.amount[settled] > 0).mean()
    assert np.all(bound.delay_ms <= bound.watch_ms)  # no gift after leaving


@pytest.mark.parametrize("home", [-1, 0, 2])
@pytest.mark.parametrize("left", [40.0, 1e6])
def test_the_table_holds_relation_and_intent(both: World, home: int, left: float) -> None:
    """Against quadrature over every price and component, by relation."""
    law, watch = both.scene.law, both.scenario.watch
    users, streamers = both.scene.users, both.scene.streamers
    user = int(np.flatnonzero((users.homes >= 0).all(axis=1))[0])
    away = next(s for s in range(len(streamers.quality)) if s not in users.homes[user])
    streamer = int(users.homes[user, home]) if home >= 0 else away
    odds = odds_of(users, streamers, law, user, streamer, 0.0, 0)
    pace = math.exp(-PACE * law.gift_home_decay**home) if home >= 0 else 1.0
    cuts = np.concatenate([[-np.inf], law.edges, [np.inf]])
    price = np.diff(stats.norm.cdf((cuts - odds.mu) / law.amount_sigma))
    end, total = max(watch.floor_seconds, min(left, watch.cap_seconds)), 0.0
    base = logit(odds.gift)
    for share, shift, median, sigma in (
        (1 - odds.stay, -LEAVING, watch.bounce_seconds, watch.bounce_sigma),
        (odds.stay * (1 - odds.settle), 0.0, watch.stay_seconds, watch.stay_sigma),
        (odds.stay * odds.settle, LEAVING, watch.settle_seconds, watch.settle_sigma),
    ):
        scale = law.delay * law.prices**law.delay_power * pace
        grid = np.geomspace(watch.floor_seconds, end, 20_001)
        slower = stats.lognorm(sigma, scale=median).sf(grid)[:, None]
        shape = law.delay_shape
        density = shape / scale * (grid[:, None] / scale) ** (shape - 1)
        density = density * np.exp(-((grid[:, None] / scale) ** shape))
        reach = -np.expm1(-((watch.floor_seconds / scale) ** shape))
        reach = reach + integrate.trapezoid(density * slower, grid, axis=0)
        chance = 1.0 / (1.0 + math.exp(-(base + shift)))
        total += share * chance * float(price * law.prices @ reach)
    found = expected_amount(law, odds, left)
    assert found == pytest.approx(odds.click * total, rel=5e-4)
    poor = odds._replace(purse=float(law.prices[-2]))
    assert 0.0 < expected_amount(law, poor, left) <= found * (1 + 1e-9)
    assert expected_amount(law, odds._replace(purse=float(law.prices[-1]) + 1), left) == found


def test_the_truth_is_the_mean_of_the_responses_with_both(both: World) -> None:
    user, room, ts, _ = visits(both)
    user, room, ts = (np.tile(column, 5) for column in (user, room, ts))
    drawn = respond(both, user, room, ts, seed=6)
    count = with_payoff(both, np.ones(len(both.scene.law.prices)))
    for truth, seen in (
        (true_value(count, user, room, ts), drawn.amount > 0),
        (true_click_probability(both, user, room, ts), drawn.clicked),
    ):
        error = np.asarray(seen, dtype=float) - truth
        assert abs(error.mean()) < 4 * error.std() / math.sqrt(len(error))
        assert truth.mean() > 0
