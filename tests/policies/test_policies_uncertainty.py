"""Bounds, chances of being largest, evidence that waits, and learners that find the good room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special, stats
from tests.policies.rows import after, answer, batch_of, choices, shown_rooms, told

from giftlive.errors import ConfigError, InputError
from giftlive.policies import (
    ByPair,
    EpsilonGreedy,
    Greedy,
    LastLayer,
    LinUCB,
    RoomThompson,
    RoomUCB,
    ShareOfValue,
    Thompson,
    cvar,
    lcb,
    ucb,
)
from giftlive.policies.evidence import Evidence
from giftlive.policies.largest import _log_phi, _standard, largest
from giftlive.rng import stream
from giftlive.testing import make_batch
from giftlive.testing.promise import strays


def test_the_optimist_tries_what_it_does_not_know_and_the_pessimist_avoids_it() -> None:
    batch = batch_of([[3.0, 2.5, 1.0]])
    unknown = ByPair(np.array([[0.0, 1.0, 9.0]]))
    assert choices(ucb(0.4, unknown), batch) == [2]
    assert choices(ucb(0.1, unknown), batch) == [0]
    assert choices(lcb(1.0, unknown), batch) == [0]
    assert choices(lcb(1.0, ByPair(np.array([[2.0, 0.5, 0.0]]))), batch) == [1]
    decisions = answer(ucb(0.4, unknown), batch)
    assert decisions.charges[0] == pytest.approx([0.0, -0.4, -3.6])


def test_the_logarithm_of_the_normal_law_is_exact_to_ten_digits_and_never_falls() -> None:
    z = np.sort(stream(3, "normal law").uniform(-37.0, 9.5, 50_000))
    found = np.array([_log_phi(x) for x in z])
    assert found == pytest.approx(special.log_ndtr(z), abs=1e-10)
    assert (np.diff(found) >= 0.0).all()
    near = (z > 0.0) & (z < 8.0)  # where a chance is all but 1 what is missing counts, not the rest
    assert found[near] == pytest.approx(special.log_ndtr(z[near]), rel=1e-5)
    assert (_log_phi(9.5), _log_phi(99.0), _log_phi(-38.0), _log_phi(-1e9)) == (0, 0, -700, -700)


@pytest.mark.parametrize("gamma", [True, False])
def test_a_value_is_made_standard_once(gamma: bool) -> None:
    """Wilson and Hilferty: the cube root of a Gamma value is normal, of mean 1 - sd²/9 (mean 1)."""
    centre, scale = _standard(8.0, 2.0, gamma)
    root = 2.0 if gamma else 8.0  # of the value 8 that is asked about
    third = 2.0 / 24.0
    expected = third if gamma else 0.0
    assert (root - centre) * scale == pytest.approx(expected)
    assert _standard(3.0, 0.0, gamma) == (3.0, 0.0)
    assert _standard(-1.0, 2.0, True) == (-1.0, 0.0)


def test_cvar_is_the_mean_of_the_worst_cases() -> None:
    value = stream(1, "cvar").normal(10.0, 3.0, 400_000)
    for tail in (0.05, 0.3, 0.9):
        worst = np.sort(value)[: int(tail * len(value))].mean()
        assert 10.0 + 3.0 * cvar(tail).width == pytest.approx(worst, abs=0.03)
    assert cvar(1.0).width == 0.0


def test_under_one_relative_error_for_all_every_width_is_greedy() -> None:
    for seed in range(20):
        batch = make_batch(seed)
        for policy in (ucb(2.0), lcb(0.9), cvar(0.5)):
            assert choices(policy, batch, rooms=12) == choices(Greedy(), batch, rooms=12)


@pytest.mark.parametrize("gamma", [False, True])
def test_the_chance_of_being_largest_matches_simulation(gamma: bool) -> None:
    draw = stream(2, "largest")
    for mean, sd in (
        ([3.0, 2.9, 2.0, 5.0, 0.5], [0.1, 1.0, 2.0, 0.01, 0.2]),
        ([1.0, 1.01, 4.0], [0.02, 0.02, 3.0]),
        ([2.0, 2.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0]),
    ):
        mu, sigma, draws = np.array(mean), np.array(sd), 40_000
        x = draw.normal(mu, sigma, (draws, len(mu)))
        if gamma:
            x = draw.gamma((mu / sigma) ** 2, sigma**2 / mu, (draws, len(mu)))
        count = np.bincount(x.argmax(axis=1), minlength=len(mu))
        p = largest(mu, sigma, gamma)
        assert p.sum() == pytest.approx(1.0)
        # False alarm 1e-6 for chance; the quadrature (and the cube root) may add one percent.
        allowed = strays(draws * p * (1.0 - p)) + 0.01 * draws
        assert (np.abs(count - draws * p) <= allowed).all()


def test_two_normals_have_a_closed_form() -> None:
    for lead, one, two in ((0.5, 1.0, 2.0), (0.1, 0.01, 0.3), (2.0, 3.0, 0.1), (0.0, 1.0, 1.0)):
        p = largest(np.array([lead, 0.0]), np.array([one, two]), False)
        assert p[0] == pytest.approx(stats.norm.cdf(lead / np.hypot(one, two)), abs=4e-3)


def test_known_values_are_greedy_and_ties_share() -> None:
    zero = np.zeros(3)
    assert largest(np.array([1.0, 3.0, 2.0]), zero, False).tolist() == [0.0, 1.0, 0.0]
    assert largest(np.array([3.0, 3.0, 2.0]), zero, True) == pytest.approx([0.5, 0.5, 0.0])
    for seed in range(10):
        batch = make_batch(seed)
        assert choices(Thompson(ShareOfValue(0.0)), batch, rooms=12) == choices(
            Greedy(), batch, rooms=12
        )


def test_a_floor_is_under_every_candidate() -> None:
    chances = answer(Thompson(ShareOfValue(0.1), floor=0.3), batch_of([[9.0, 1.0, 1.0]]))
    assert chances.propensities[0] == pytest.approx([0.8, 0.1, 0.1])


def test_amounts_count_when_they_are_final_and_not_before() -> None:
    policy, batch = EpsilonGreedy(0.0, prior_sd=1.0, dispersion=1.0), batch_of([[2.0, 1.9]], ts=10)
    state = policy.update(
        policy.init(np.full(8, 100)),
        told(batch, answer(policy, batch), amounts=0.0, ready=5_000),
    )
    assert state.room.tolist() == [0]
    assert not state.expected.any()
    assert choices(policy, batch, state) == [0]
    nobody = batch_of(np.zeros((0, 2)), ts=0)
    for ts, waiting in ((4_999, 1), (5_000, 0)):
        quiet = told(nobody, answer(policy, nobody))
        state = policy.update(state, type(quiet)(ts, *_rest(quiet)))
        assert len(state.room) == waiting
    assert state.expected[0] == 2.0
    mean, sd = state.posterior(1.0, 1.0)
    assert mean[:2] == pytest.approx([1.0 / 3.0, 1.0])
    assert sd[:2] == pytest.approx([1.0 / 3.0, 1.0])
    assert choices(policy, batch, state) == [1]


def test_dispersion_is_estimated_from_the_gifts_and_nothing_is_learned_without() -> None:
    state = Evidence.none(3)
    assert state.posterior(0.5, None)[0].tolist() == [1.0] * 3
    heard = told(batch_of([[1.0, 0.0, 0.0]] * 4), _first(4), amounts=[0.0, 0.0, 6.0, 2.0], rooms=3)
    state = state.heard(heard, "test")
    assert state.square / state.amount == 5.0
    mean, _ = state.posterior(0.5, None)
    assert mean[0] == pytest.approx((4.0 + 8.0 / 5.0) / (4.0 + 4.0 / 5.0))


@pytest.mark.parametrize(
    "policy",
    [
        RoomThompson(1.0, law="gamma"),
        RoomThompson(1.0, law="gaussian"),
        RoomUCB(prior_sd=1.0),
        EpsilonGreedy(0.1, prior_sd=1.0),
        LinUCB(width=1.0),
        LastLayer(rooms=np.eye(8)),
    ],
    ids=lambda policy: f"{policy.name} {getattr(policy, 'law', '')}",
)
def test_a_learner_finds_the_room_that_is_better_than_its_estimate(policy: Any) -> None:
    """Rooms look alike; room 5 gives three times what is expected, the others half of it."""
    factor = np.where(np.arange(8) == 5, 3.0, 0.5)
    draw, rng, state = stream(6, "world"), stream(7, "policy"), policy.init(np.full(8, 100))
    found = []
    for tick in range(250):
        batch = batch_of(1.0 + 0.1 * draw.random((4, 8)), ts=1_000 * tick)
        decisions = policy.decide(state, batch, rng)
        rooms = shown_rooms(batch, decisions)
        gifts = np.where(draw.random(4) < 0.4, factor[rooms] / 0.4 * draw.exponential(size=4), 0.0)
        ready = batch.observation.ts + draw.integers(0, 10_000, 4)
        state = policy.update(state, told(batch, decisions, amounts=gifts, ready=ready))
        found.append(float((rooms == 5).mean()))
    assert np.mean(found[:10]) < 0.5
    assert np.mean(found[-80:]) > 0.8


def test_the_upper_bound_of_a_room_by_hand() -> None:
    """Room 0 was expected to give 4 and gave nothing; τ = 1, φ = 2: mean 1/3, sd 1/3 of v."""
    policy = RoomUCB(width=2.0, prior_sd=1.0, dispersion=2.0)
    start, batch = policy.init(np.full(3, 9)), batch_of([[1.0, 0.0, 0.0]] * 4)
    heard = told(batch, _first(4), amounts=[0.0] * 4, rooms=3)
    state = policy.update(start, heard)
    offered = batch_of([[1.0, 0.4, 0.3]])
    assert shown_rooms(offered, policy.decide(start, offered, stream(1, "x"))).tolist() == [0]
    found = policy.decide(state, offered, stream(1, "x"))
    assert shown_rooms(offered, found).tolist() == [1]  # 0.4 (1 + 2) against 1/3 + 2 / 3
    assert found.charges is not None
    sd = np.sqrt(1.0) / 3.0
    assert found.charges[0] == pytest.approx([1.0 - (1 / 3 + 2 * sd), 0.4 - 1.2, 0.3 - 0.9])


def test_lin_ucb_is_ridge_regression_of_what_the_estimate_missed() -> None:
    draw = stream(8, "ridge")
    x = draw.normal(size=(60, 3))
    policy = LinUCB(x, width=0.0, ridge=2.0)
    batch = batch_of(np.column_stack([np.ones(60), np.zeros(60)]))
    y = 1.0 + x @ np.array([1.0, -2.0, 0.5]) + draw.normal(size=60)
    state = after(policy, [batch], amounts=y)
    expected = np.linalg.solve(2.0 * np.eye(3) + x.T @ x, x.T @ (y - 1.0))
    assert state.inverse[0] @ state.target[0] == pytest.approx(expected)
    again = answer(policy, batch, state)
    assert again.charges[:, 0] == pytest.approx(-(x @ expected))
    wide = answer(LinUCB(x, width=1.0, ridge=2.0), batch, state)
    spread = np.sqrt(np.einsum("ni,ij,nj->n", x, state.inverse[0], x))
    unit = np.abs(y - 1.0).mean()
    assert wide.charges[:, 0] == pytest.approx(-(x @ expected) - unit * spread)


def test_the_last_layer_is_bayesian_regression_shared_by_all_rooms() -> None:
    draw = stream(9, "layer")
    users, rooms = draw.normal(size=(60, 3)), draw.normal(size=(8, 3))
    policy = LastLayer(users, rooms, ridge=2.0)
    batch = batch_of(np.column_stack([np.ones(60), np.zeros(60)]))
    x = users * rooms[0]
    y = 1.0 + x @ np.array([1.0, -2.0, 0.5]) + draw.normal(size=60)
    assert (answer(policy, batch).choice == 0).all()  # nothing is uncertain yet
    state = after(policy, [batch], amounts=y)
    weights = np.linalg.solve(2.0 * np.eye(3) + x.T @ x, x.T @ (y - 1.0))
    again = answer(policy, batch, state)
    assert again.charges == pytest.approx(-np.stack([x @ weights, users * rooms[1] @ weights], 1))
    covariance = np.mean((y - 1.0) ** 2) * np.linalg.inv(2.0 * np.eye(3) + x.T @ x)
    other = users * rooms[1]
    sd = [np.sqrt(np.einsum("ni,ij,nj->n", z, covariance, z)) for z in (x, other)]
    lead = 1.0 + (x - other) @ weights
    chance = stats.norm.cdf(lead / np.hypot(*sd))
    assert again.propensities[:, 0] == pytest.approx(chance, abs=5e-3)


def test_epsilon_greedy_states_both_its_propensities() -> None:
    decisions = answer(EpsilonGreedy(0.3), batch_of([[1.0, 5.0, 2.0]], left=[0, 9, 9]))
    assert decisions.propensities[0] == pytest.approx([0.1, 0.8, 0.1])
    within = answer(
        EpsilonGreedy(0.3, respect_seats=True), batch_of([[7.0, 5.0, 2.0]], left=[0, 9, 9])
    )
    assert within.propensities[0] == pytest.approx([0.0, 0.85, 0.15])


def test_bad_settings_and_signals_are_refused_by_name() -> None:
    for make, named in (
        (lambda: ucb(-1.0), "ucb.width"),
        (lambda: cvar(0.0), "cvar.tail"),
        (lambda: Thompson(law="cauchy"), "thompson.law"),  # type: ignore[arg-type]
        (lambda: Thompson(floor=2.0), "thompson.floor"),
        (lambda: RoomThompson(prior_sd=0.0), "room_thompson.prior_sd"),
        (lambda: RoomThompson(dispersion=-1.0), "dispersion"),
        (lambda: EpsilonGreedy(1.5), "epsilon"),
        (lambda: LinUCB(ridge=0.0), "ridge"),
        (lambda: LastLayer(ridge=-1.0), "ridge"),
        (lambda: LastLayer(floor=-1.0), "floor"),
        (lambda: LastLayer(np.ones((1, 2)), np.ones((1, 3))), "widths"),
        (lambda: LinUCB(width=-1.0), "width"),
        (lambda: ShareOfValue(-0.5), "share"),
    ):
        with pytest.raises(ConfigError, match=named):
            make()
    for table, what in (
        (np.ones((1, 2)), "index 2, 2 entries"),
        (np.full((1, 3), -1.0), "number >= 0"),
        (np.full((1, 3), np.nan), "number >= 0"),
    ):
        with pytest.raises(InputError, match=what):
            answer(ucb(1.0, ByPair(table)), batch_of([[1.0, 2.0, 3.0]]))
    with pytest.raises(InputError, match=r"last_layer\.users"):
        answer(LastLayer(np.ones((1, 1))), batch_of([[1.0], [2.0]]))
    with pytest.raises(InputError, match=r"lin_ucb\.features"):
        answer(LinUCB(np.ones((1, 1))), batch_of([[1.0], [2.0]]))


def _rest(heard: Any) -> tuple[Any, ...]:
    return (
        heard.user, heard.room, heard.admitted, heard.clicked, heard.amount, heard.occupancy,
        heard.seats, heard.reward_ts, heard.value,
    )  # fmt: skip


def _first(rows: int) -> Any:
    chances = np.zeros((rows, 3))
    chances[:, 0] = 1.0
    return type(answer(Greedy(), batch_of([[1.0]])))(np.zeros(rows, np.int64), chances)
