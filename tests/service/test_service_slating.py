"""Slates: marginals are those of the draws; and prices, values, policies at work in the service."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.errors import ConfigError
from giftlive.policies import PriceState
from giftlive.service.pricer import Pricer
from giftlive.service.rooms import Rooms
from giftlive.service.ruling import ALONE, AROUND, Ruling, build, renewed
from giftlive.service.settings import PricerSettings, load_settings
from giftlive.service.slating import fill
from giftlive.types import UNLIMITED_SEATS, Feedback

HOUR = 3_600_000


@given(st.integers(2, 7), st.integers(1, 8), st.integers(0, 10**6), st.booleans())
def test_marginals_are_those_of_all_first_rooms(
    m: int, places: int, seed: int, closed: bool
) -> None:
    """By enumeration of the first place: where each room stands, weighted by its chance."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(m))
    scores = rng.integers(0, 4, m).astype(float)  # ties on purpose
    may = rng.random(m) < 0.7 if closed else np.ones(m, dtype=bool)
    expected = np.zeros((places, m))
    slates = [fill(c, chances, scores, may, places) for c in range(m)]
    for c, slate in enumerate(slates):
        for place, column in enumerate(slate.columns.tolist()):
            expected[place, column] += chances[c]
    for c, slate in enumerate(slates):
        assert slate.columns[0] == c
        assert len(set(slate.columns.tolist())) == len(slate.columns)
        assert may[slate.columns[1:]].all()
        np.testing.assert_allclose(
            slate.marginal, expected[np.arange(len(slate.columns)), slate.columns], atol=1e-12
        )
        assert np.prod(slate.conditional) == pytest.approx(chances[c])


def test_nothing_first_is_nothing_at_all() -> None:
    assert len(fill(-1, np.zeros(2), np.zeros(2), np.ones(2, dtype=bool), 3).columns) == 0


def _rooms(inside: int, seats: int, refused: int = 0) -> Rooms:
    rooms = Rooms(4, 1)
    slot = rooms.open(7, 70, seats, 0)
    rooms.inside[slot], rooms.refused[slot] = inside, refused
    return rooms


def test_a_price_moves_by_the_stated_step_towards_the_target() -> None:
    pricer = Pricer(PricerSettings(learning_rate=2.0, target=0.5, floor=0.01), 5)
    pricer.tick(1, 0, _rooms(8, 10), 3.0)
    assert pricer.per_second().tolist() == [0.0] * 5  # the first tick only starts the clock
    pricer.event_ts = pricer.decision_ts = HOUR // 10
    pricer.tick(2, HOUR // 10, _rooms(8, 10), 3.0)
    step = 2.0 * 0.1 * (0.8 - 0.5)
    assert pricer.per_second()[0] == pytest.approx(3.0 * 0.01 * np.exp(step))
    assert pricer.version == 2
    pricer.tick(3, HOUR // 5, _rooms(2, 10), 3.0)
    assert pricer.per_second()[0] == 0.0  # back at the floor


def test_a_step_is_bounded_and_so_is_a_price() -> None:
    settings = PricerSettings(learning_rate=1e3, largest_step=0.25, floor=0.5, largest=1.0)
    pricer = Pricer(settings, 5)
    rooms = _rooms(10, 10, refused=90)
    pricer.tick(1, 0, rooms, 1.0)
    found = []
    for hour in range(1, 5):
        pricer.event_ts = hour * HOUR
        pricer.tick(1 + hour, hour * HOUR, rooms, 1.0)
        found.append(float(pricer.per_second()[0]))
    assert found[0] == pytest.approx(0.5 * np.exp(0.25))
    assert found[-1] == pytest.approx(1.0)


def test_rooms_without_a_limit_cost_nothing() -> None:
    pricer = Pricer(PricerSettings(), 5)
    rooms = _rooms(1000, UNLIMITED_SEATS)
    for hour in range(3):
        pricer.event_ts = hour * HOUR
        pricer.tick(hour, hour * HOUR, rooms, 1.0)
    assert (pricer.per_second() == 0.0).all()


def test_decisions_without_events_make_prices_stale_and_events_end_it() -> None:
    pricer = Pricer(PricerSettings(stale_after_seconds=60.0, floor=0.5), 5)
    rooms = _rooms(10, 10)
    pricer.event_ts = pricer.decision_ts = 1_000
    pricer.tick(1, 1_000, rooms, 1.0)
    pricer.decision_ts = 100_000
    pricer.tick(2, 100_000, rooms, 1.0)
    stale = [pricer.stale]
    assert pricer.per_second()[0] == 0.0
    pricer.event_ts = 100_500
    pricer.tick(3, 101_000, rooms, 1.0)
    stale.append(pricer.stale)
    assert pricer.per_second()[0] > 0.0
    pricer.tick(4, 10_000_000, rooms, 1.0)
    assert [*stale, pricer.stale] == [True, False, False]  # nobody decides, nobody is misled


def test_a_streamer_who_comes_back_opens_at_the_last_price() -> None:
    pricer = Pricer(PricerSettings(), 5)
    pricer.log_price[0] = 0.3
    pricer.closed(0, 70)
    pricer.opened(3, 70)
    pricer.opened(2, 71)
    assert pricer.log_price[[0, 2, 3]].tolist() == [pricer.lowest, pricer.lowest, 0.3]


def test_a_slot_is_reused_lowest_first_and_clean() -> None:
    rooms = Rooms(3, 1)
    assert [rooms.open(live, live, 5, 0) for live in (10, 11, 12)] == [0, 1, 2]
    assert rooms.full
    rooms.inside[1], rooms.earned[1], rooms.recent[1] = 3, 9, 2
    assert rooms.close(11) == 1
    assert rooms.close(11) == -1
    assert rooms.open(13, 13, 5, 7) == 1
    assert (rooms.inside[1], rooms.earned[1], rooms.recent[1], rooms.start_ts[1]) == (0, 0, 0, 7)
    assert rooms.live().tolist() == [0, 1, 2]


def _feedback(places: int, room: int, amount: float) -> Feedback:
    one = np.array([room])
    return Feedback(
        ts=1,
        user=np.zeros(1, dtype=np.int64),
        room=one,
        admitted=np.ones(1, dtype=bool),
        clicked=np.ones(1, dtype=bool),
        amount=np.array([amount]),
        occupancy=np.zeros(places, dtype=np.int64),
        seats=np.full(places, UNLIMITED_SEATS),
        reward_ts=np.array([0]),
        value=np.array([1.0]),
    )


@pytest.mark.parametrize("name", ["popularity", "round_robin", "room_thompson", "concave"])
@pytest.mark.parametrize("wrapper", ["", "exploration_floor", "frequency_cap"])
def test_a_new_room_knows_nothing_of_its_slots_last_one(name: str, wrapper: str) -> None:
    spec = {"name": name}
    spec = {"name": wrapper, "options": {"policy": spec}} if wrapper else spec  # type: ignore[dict-item]
    seats = np.full(6, UNLIMITED_SEATS)
    ruling = Ruling(spec, seats, "v")
    fresh = ruling.policy.init(seats)
    for room in (2, 3):
        ruling.hear(_feedback(6, room, 50.0))
    taught = ruling.state
    ruling.opened(2, seats)
    again = renewed(ruling.state, fresh, 3, 6)
    assert repr(taught) != repr(ruling.state)
    assert repr(again) != repr(ruling.state)


def test_prices_reach_dual_price_through_wrappers() -> None:
    spec = {"name": "frequency_cap", "options": {"policy": {"name": "dual_price"}}}
    ruling = Ruling(spec, np.full(4, 10), "v")
    ruling.price(np.array([1.0, 2.0, 3.0, 4.0]), 9)
    inner = ruling.state.inner
    assert isinstance(inner, PriceState)
    assert inner.per_second[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("name", [*ALONE, *AROUND])
def test_every_policy_on_offer_is_built_and_named(name: str) -> None:
    assert build({"name": name}).name == name


def test_settings_are_read_strictly() -> None:
    assert load_settings(None).decisive.tick_ms == 1_000
    with pytest.raises(ConfigError, match="tick_ms"):
        load_settings(None, {"decisive.tick_ms": 1})
    with pytest.raises(ConfigError, match="nothing"):
        load_settings(None, {"decisive.nothing": 1})
