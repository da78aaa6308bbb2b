"""What every policy must do, checked on random batches with padding, ties and full rooms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.allocation import Prices
from giftlive.errors import ConfigError, InputError
from giftlive.policies import (
    POLICIES,
    DualPrice,
    Greedy,
    GreedyWithCap,
    Policy,
    Softmax,
    Uniform,
    make_policy,
)
from giftlive.policies.choice import choose_best
from giftlive.rng import stream
from giftlive.types import UNLIMITED_SEATS, DecisionBatch, Feedback, Ints, Observation

ROOMS = 9
PRICES = Prices(
    stream(5, "prices").exponential(0.01, (ROOMS, 4)), 0, 1000, np.array([0.7, 0.3]), "estimated"
)

EVERY: dict[str, Policy[Any]] = {
    "uniform": Uniform(),
    "uniform within seats": Uniform(respect_seats=True),
    "greedy": Greedy(),
    "greedy_with_cap": GreedyWithCap(),
    "softmax": Softmax(),
    "softmax within seats": Softmax(respect_seats=True, temperature=0.1),
    "dual_price": DualPrice(PRICES),
    "dual_price that never declines": DualPrice(PRICES, decline_below=None),
}
RESPECT_SEATS = tuple(name for name in EVERY if name not in {"uniform", "greedy", "softmax"})

every_policy = pytest.mark.parametrize("policy", EVERY.values(), ids=EVERY.keys())
guarded = pytest.mark.parametrize("name", RESPECT_SEATS)


def make_batch(seed: int, n: int = 6, m: int = 5) -> DecisionBatch:
    draw = stream(seed, "batch")
    rooms = np.argsort(draw.random((n, ROOMS)), axis=1)[:, :m].astype(np.int64)
    padded = draw.random((n, m)) < 0.2
    padded[0] = True  # a user without any candidate
    rooms[padded] = -1
    left = draw.integers(0, 4, ROOMS)
    values = np.where(padded, 0.0, draw.exponential(size=(n, m)).round(2))
    seen = Observation(
        ts=np.sort(draw.integers(0, 4000, n)),
        user=np.arange(n),
        visit=np.zeros(n, np.int64),
        slot=np.zeros(n, np.int64),
        rooms=rooms,
        streamers=rooms,
        seats_left=np.where(padded, 0, left[rooms]),
    )
    return DecisionBatch(seen, values, np.where(padded, 0.0, draw.uniform(1.0, 60.0, (n, m))))


def seats() -> Ints:
    return np.full(ROOMS, 4)


@every_policy
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_propensities_sum_to_one_and_padding_is_never_chosen(
    policy: Policy[Any], seed: int
) -> None:
    batch = make_batch(seed)
    decisions = policy.decide(policy.init(seats()), batch, stream(seed, "rng"))
    shown = decisions.choice >= 0
    assert decisions.propensities.sum(axis=1) == pytest.approx(shown.astype(float))
    assert not decisions.propensities[~batch.available].any()
    assert (decisions.propensities >= 0.0).all()
    rows = np.flatnonzero(shown)
    assert (batch.observation.rooms[rows, decisions.choice[rows]] >= 0).all()
    assert (decisions.propensities[rows, decisions.choice[rows]] > 0.0).all()
    assert decisions.choice[0] == -1


@guarded
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 20))
def test_no_batch_takes_more_seats_than_were_free(name: str, seed: int, n: int) -> None:
    policy, batch = EVERY[name], make_batch(seed, n)
    decisions = policy.decide(policy.init(seats()), batch, stream(seed, "rng"))
    rows = np.flatnonzero(decisions.choice >= 0)
    rooms = batch.observation.rooms[rows, decisions.choice[rows]]
    left = batch.observation.seats_left[rows, decisions.choice[rows]]
    for room in np.unique(rooms):
        assert (rooms == room).sum() <= left[rooms == room].max()


@pytest.mark.parametrize("name", ["uniform", "softmax", "softmax within seats"])
def test_sampling_frequency_matches_propensity(name: str) -> None:
    policy, batch, rng = EVERY[name], make_batch(3, n=2), stream(0, "frequency")
    state, draws = policy.init(seats()), 4000
    taken = [policy.decide(state, batch, rng) for _ in range(draws)]
    share = np.bincount([d.choice[1] for d in taken], minlength=5) / draws
    p = taken[0].propensities[1]
    assert np.abs(share - p) == pytest.approx(0.0, abs=4.5 * np.sqrt(0.25 / draws))
    assert np.count_nonzero(p) > 1


@every_policy
@pytest.mark.parametrize("factor", [4.0, 2.7])
def test_multiplying_values_and_prices_changes_nothing(policy: Policy[Any], factor: float) -> None:
    other = policy
    if isinstance(policy, DualPrice):
        other = replace(policy, prices=replace(PRICES, duals=PRICES.duals * factor))
    for seed in range(20):
        batch = make_batch(seed)
        scaled = replace(batch, values=batch.values * factor)
        one = policy.decide(policy.init(seats()), batch, stream(seed, "rng"))
        two = other.decide(other.init(seats()), scaled, stream(seed, "rng"))
        assert (one.choice == two.choice).all()
        assert two.propensities == pytest.approx(one.propensities)


@every_policy
def test_renaming_rooms_changes_nothing(policy: Policy[Any]) -> None:
    new_name = stream(0, "names").permutation(ROOMS)
    other = policy
    if isinstance(policy, DualPrice):
        other = replace(policy, prices=PRICES.for_rooms(np.argsort(new_name)))
    for seed in range(20):
        batch = make_batch(seed)
        batch = replace(batch, values=batch.values + 1e-6 * stream(seed, "untie").random((6, 5)))
        old = batch.observation.rooms
        rooms = np.where(old >= 0, new_name[old], -1)
        renamed = replace(batch, observation=replace(batch.observation, rooms=rooms))
        one = policy.decide(policy.init(seats()), batch, stream(seed, "rng"))
        two = other.decide(other.init(seats()), renamed, stream(seed, "rng"))
        assert (one.choice == two.choice).all()
        assert (one.propensities == two.propensities).all()


@every_policy
def test_a_policy_is_frozen_leaves_its_state_alone_and_repeats_itself(policy: Policy[Any]) -> None:
    batch, state = make_batch(1), policy.init(seats())
    arrays = [x.tobytes() for x in vars(state).values() if isinstance(x, np.ndarray)]
    one = policy.decide(state, batch, stream(1, "rng"))
    two = policy.decide(policy.init(seats()), batch, stream(1, "rng"))
    assert one.choice.tobytes() == two.choice.tobytes()
    assert one.propensities.tobytes() == two.propensities.tobytes()
    policy.update(state, feedback(1000, np.full(ROOMS, 4)))
    assert arrays == [x.tobytes() for x in vars(state).values() if isinstance(x, np.ndarray)]
    with pytest.raises(FrozenInstanceError):
        policy.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", [name for name in EVERY if "uniform" not in name])
def test_a_value_that_is_not_a_number_is_refused(name: str) -> None:
    policy, batch = EVERY[name], make_batch(1)
    bad = replace(batch, values=np.where(batch.available, np.nan, 0.0))
    with pytest.raises(InputError, match="not a number"):
        policy.decide(policy.init(seats()), bad, stream(0, "rng"))


@every_policy
def test_an_empty_batch_is_answered_empty(policy: Policy[Any]) -> None:
    decisions = policy.decide(policy.init(seats()), make_batch(0, n=1), stream(0, "rng"))
    assert decisions.choice.tolist() == [-1]
    seen = make_batch(0).observation
    nobody = replace(seen, ts=seen.ts[:0], rooms=seen.rooms[:0], seats_left=seen.seats_left[:0])
    empty = DecisionBatch(nobody, np.zeros((0, 5)), np.zeros((0, 5)))
    assert policy.decide(policy.init(seats()), empty, stream(0, "rng")).propensities.shape == (0, 5)


def feedback(ts: int, occupancy: Ints) -> Feedback:
    none = np.zeros(0, np.int64)
    false = np.zeros(0, np.bool_)
    return Feedback(ts, none, none, false, false, np.zeros(0), occupancy, seats())


def test_greedy_takes_the_largest_value_and_ties_go_to_the_lowest_room() -> None:
    batch = one_row(rooms=[7, 2, 5, -1], values=[3.0, 3.0, 1.0, 9.0], left=[0, 0, 1, 9])
    assert Greedy().decide(Greedy().init(seats()), batch, stream(0, "rng")).choice.tolist() == [1]


def test_the_cap_sends_users_on_in_batch_order() -> None:
    batch = one_row(rooms=[0, 1], values=[3.0, 1.0], left=[1, 1], times=3)
    decisions = GreedyWithCap().decide(GreedyWithCap().init(seats()), batch, stream(0, "rng"))
    assert decisions.choice.tolist() == [0, 1, -1]
    assert decisions.propensities.tolist() == [[1, 0], [0, 1], [0, 0]]


def test_softmax_limits_and_floor() -> None:
    batch = one_row(rooms=[0, 1, 2, -1], values=[3.0, 1.0, 2.0, 0.0], left=[1, 0, 1, 0])

    def propensities(policy: Softmax) -> list[float]:
        answer = policy.decide(policy.init(seats()), batch, stream(0, "rng"))
        return [round(float(p), 6) for p in answer.propensities[0]]

    assert propensities(Softmax(temperature=1e-6, floor=0.3)) == [0.8, 0.1, 0.1, 0.0]
    assert propensities(Softmax(temperature=1e9, floor=0.0)) == [0.333333] * 3 + [0.0]
    expected = np.exp([3.0, 1.0, 2.0]) / np.exp([3.0, 1.0, 2.0]).sum()
    exact = propensities(Softmax(temperature=1.0, floor=0.0, scale=1.0))
    assert exact == pytest.approx([*expected, 0.0], abs=1e-6)
    within = Softmax(temperature=1e-6, floor=0.2, respect_seats=True)
    assert propensities(within) == [0.9, 0.0, 0.1, 0.0]
    worthless = replace(batch, values=np.zeros((1, 4)))
    flat = Softmax(floor=0.0).decide(Softmax().init(seats()), worthless, stream(0, "rng"))
    assert flat.propensities[0] == pytest.approx([1 / 3] * 3 + [0.0])


def test_free_seats_make_dual_price_greedy_with_cap() -> None:
    free, cap = DualPrice(replace(PRICES, duals=PRICES.duals * 0.0)), GreedyWithCap()
    for seed in range(20):
        batch, rng = make_batch(seed), stream(0, "rng")
        one = free.decide(free.init(seats()), batch, rng)
        two = cap.decide(cap.init(seats()), batch, rng)
        assert (one.choice == two.choice).all()


def test_a_dear_seat_is_passed_over_and_a_hopeless_user_declined() -> None:
    prices = Prices(np.array([[1.0, 0.0], [0.01, 0.0]]), 0, 1000, np.ones(1))
    batch = one_row(rooms=[0, 1], values=[50.0, 40.0], left=[1, 1], seconds=30.0)
    assert choice_of(DualPrice(prices), batch, 2) == [1]
    poor = replace(batch, values=batch.values / 1000.0)
    assert choice_of(DualPrice(prices), poor, 2) == [-1]
    assert choice_of(DualPrice(prices, decline_below=None), poor, 2) == [1]
    later = replace(poor, observation=replace(poor.observation, ts=np.array([1500])))
    assert choice_of(DualPrice(prices), later, 2) == [0]


def test_prices_follow_the_occupancy_within_bounds() -> None:
    policy = DualPrice(None, learning_rate=2.0, target=0.5, cold_price=1.0)
    state = policy.init(np.append(np.full(ROOMS - 1, 4), UNLIMITED_SEATS))
    assert state.per_second.ravel().tolist() == [1.0] * (ROOMS - 1) + [0.0]
    half_full = np.where(np.arange(ROOMS) == 0, 4, np.where(np.arange(ROOMS) == 1, 0, 2))
    first = policy.update(state, feedback(0, half_full))
    assert (first.factor == 1.0).all()
    later = policy.update(first, feedback(3_600_000, half_full))
    assert later.factor[:3] == pytest.approx([np.e, 1 / np.e, 1.0])
    forever = policy.update(later, feedback(10**12, half_full))
    assert forever.factor[:3] == pytest.approx([100.0, 0.01, 1.0])
    batch = one_row(rooms=[0, 2], values=[60.0, 50.0], left=[1, 1], seconds=30.0)
    choices = [policy.decide(s, batch, stream(0, "rng")).choice.tolist() for s in (first, later)]
    assert choices == [[0], [1]]  # the full room has become dearer than its lead
    fixed = DualPrice(PRICES, learning_rate=0.0)
    assert fixed.update(state, feedback(3_600_000, half_full)) is state


def test_pricing_and_choosing_in_one_pass_is_choosing_by_the_net_value() -> None:
    for seed in range(200):
        rows, m = 1 + seed % 25, 1 + seed % 5  # batches smaller and larger than the rooms
        batch = make_batch(seed, rows, m)
        policy = DualPrice(PRICES, decline_below=(0.0, None)[seed % 2])
        decisions = policy.decide(policy.init(seats()), batch, stream(0, "rng"))
        assert decisions.charges is not None
        least = -np.inf if policy.decline_below is None else 0.0
        net = batch.values - decisions.charges
        expected = choose_best(batch, net, guard=True, at_least=least)
        assert decisions.choice.tolist() == expected.choice.tolist()
        assert (decisions.propensities == expected.propensities).all()
        when, rooms = PRICES.bucket(batch.observation.ts)[:, None], batch.observation.rooms
        price = PRICES.per_stay_second()[rooms, when] * batch.seat_seconds
        assert decisions.charges == pytest.approx(np.where(batch.available, price, 0.0))


def test_euclidean_prices_move_by_addition_and_reach_zero() -> None:
    policy = DualPrice(None, learning_rate=2.0, target=0.5, cold_price=1.0, geometry="euclidean")
    half_full = np.where(np.arange(ROOMS) == 0, 4, np.where(np.arange(ROOMS) == 1, 0, 2))
    state = policy.update(policy.init(seats()), feedback(0, half_full))
    later = policy.update(state, feedback(3_600_000, half_full))
    assert later.factor[:3] == pytest.approx([2.0, 0.0, 1.0])
    twice = policy.update(later, feedback(7_200_000, half_full))
    assert twice.factor[:3] == pytest.approx([3.0, 0.0, 1.0])
    forever = policy.update(twice, feedback(10**12, half_full))
    assert forever.factor[:3] == pytest.approx([100.0, 0.0, 1.0])


def test_a_pooled_price_is_the_mean_by_seats_and_follows_all_rooms() -> None:
    many = np.append(np.arange(1, ROOMS), UNLIMITED_SEATS)
    policy = DualPrice(PRICES, learning_rate=1.0, target=0.5, pooled=True)
    state, apart = policy.init(many), DualPrice(PRICES).init(many)
    mean = np.average(apart.per_second[:-1], axis=0, weights=many[:-1])
    assert state.per_second[:-1] == pytest.approx(np.tile(mean, (ROOMS - 1, 1)))
    assert not state.per_second[-1].any()
    none, false = np.zeros(0, np.int64), np.zeros(0, np.bool_)
    occupancy = np.append(np.where(np.arange(ROOMS - 1) < 4, 0, many[:-1]), 10**6)
    heard = Feedback(0, none, none, false, false, np.zeros(0), occupancy, many)
    later = policy.update(policy.update(state, heard), replace(heard, ts=3_600_000))
    share = many[4:-1].sum() / many[:-1].sum()
    assert later.factor == pytest.approx(np.full(ROOMS, np.exp(share - 0.5)))


def test_the_registry_knows_every_policy_and_names_the_nearest() -> None:
    assert {make_policy(name).name for name in POLICIES} == set(POLICIES)
    assert make_policy("greedy", name="oracle_greedy").name == "oracle_greedy"
    with pytest.raises(ConfigError, match="did you mean 'greedy'"):
        make_policy("gredy")
    with pytest.raises(ConfigError, match="policy softmax"):
        make_policy("softmax", heat=1.0)


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda: Softmax(temperature=0.0), "temperature"),
        (lambda: Softmax(floor=1.5), "floor"),
        (lambda: Softmax(scale=-1.0), "scale"),
        (lambda: DualPrice(target=0.0), "target"),
        (lambda: DualPrice(learning_rate=-1.0), "learning_rate"),
        (lambda: DualPrice(geometry="flat"), "geometry"),  # type: ignore[arg-type]
        (lambda: DualPrice(cold_price=-1.0), "cold_price"),
        (lambda: DualPrice(PRICES).init(np.ones(2, np.int64)), "for_rooms"),
    ],
)
def test_bad_options_are_refused_by_name(make: Callable[[], object], option: str) -> None:
    with pytest.raises(ConfigError, match=option):
        make()


def choice_of(policy: Policy[Any], batch: DecisionBatch, rooms: int) -> list[int]:
    state = policy.init(np.full(rooms, 4))
    return [int(c) for c in policy.decide(state, batch, stream(0, "rng")).choice]


def one_row(
    rooms: list[int], values: list[float], left: list[int], times: int = 1, seconds: float = 1.0
) -> DecisionBatch:
    listed, zero = np.tile(np.array(rooms, np.int64), (times, 1)), np.zeros(times, np.int64)
    seen = Observation(
        zero, zero, zero, zero, listed, listed, np.tile(np.array(left, np.int64), (times, 1))
    )
    value = np.tile(np.array(values), (times, 1))
    return DecisionBatch(seen, value, np.full(value.shape, seconds))
