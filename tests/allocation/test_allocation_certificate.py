"""The certificate against an independent LP, weak duality, and its limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from giftlive.allocation import Problem, certificate, dual_bound
from giftlive.errors import InputError
from giftlive.rng import stream


def make_problem(
    seed: int, n: int = 300, m: int = 8, rooms: int = 12, buckets: int = 5, load: float = 1.2
) -> Problem:
    """A congested day: heavy-tailed users, differentiated rooms, padding, per-decision spill."""
    draw = stream(seed, "problem")
    listed = np.argsort(draw.random((n, rooms)), axis=1)[:, :m].astype(np.int64)
    listed[draw.random((n, m)) < 0.1] = -1
    wealth, quality = draw.normal(0.0, 1.3, (n, 1)), draw.normal(0.0, 0.8, rooms)
    values = np.exp(wealth + quality[listed] + draw.normal(0.0, 0.5, (n, m)))
    seconds = draw.uniform(100.0, 900.0, (n, m))
    first = draw.uniform(0.4, 1.0, (n, 1))
    spill = np.concatenate([first, (1.0 - first) * 0.7], axis=1)
    share = draw.dirichlet(np.full(rooms, 3.0))
    capacity = np.outer(share, np.full(buckets, seconds.mean() * n / buckets / load))
    bucket = np.sort(draw.integers(0, buckets, n))
    return Problem(values, listed, seconds, bucket, capacity, spill)


def linear_optimum(problem: Problem) -> float:
    """The fluid optimum by HiGHS."""
    row, column = np.nonzero(problem.rooms >= 0)
    n, (rooms, buckets) = len(problem.rooms), problem.capacity.shape
    spill = np.broadcast_to(problem.shares, (*problem.rooms.shape, problem.shares.shape[2]))
    entries = [(np.ones(row.size), row, np.arange(row.size))]
    for k in range(spill.shape[2]):
        when = problem.bucket[row] + k
        inside = np.flatnonzero(when < buckets)
        use = (problem.seat_seconds * spill[:, :, k])[row, column]
        cell = n + problem.rooms[row, column] * buckets + when
        entries.append((use[inside], cell[inside], inside))
    data, i, j = (np.concatenate(part) for part in zip(*entries, strict=True))
    matrix: Any = csr_matrix((data, (i, j)), shape=(n + rooms * buckets, row.size))
    limits = np.concatenate([np.ones(n), problem.capacity.ravel()])
    solved = linprog(
        -problem.values[row, column], A_ub=matrix, b_ub=limits, bounds=(0, None), method="highs"
    )
    assert solved.status == 0
    return -float(solved.fun or 0.0)


@pytest.mark.parametrize("load", [0.6, 1.2, 2.5])
def test_bound_is_the_linear_optimum_within_half_a_percent_and_never_below(load: float) -> None:
    problem = make_problem(3, load=load)
    optimum, priced = linear_optimum(problem), certificate(problem)
    assert optimum * (1 - 1e-9) <= priced.bound <= optimum * 1.005
    assert priced.feasible <= optimum * (1 + 1e-9)
    assert priced.gap < 0.03
    assert priced.congested


def test_spill_per_candidate_reaches_the_linear_optimum_too() -> None:
    base = make_problem(4)
    share = stream(4, "share").uniform(0.2, 1.0, base.rooms.shape)
    problem = replace(base, spill=np.stack([share, 1.0 - share], axis=2))
    optimum, priced = linear_optimum(problem), certificate(problem)
    assert optimum * (1 - 1e-9) <= priced.bound <= optimum * 1.005


def test_two_users_one_seat() -> None:
    one_seat = Problem(
        np.array([[5.0], [3.0]]),
        np.zeros((2, 1), np.int64),
        np.ones((2, 1)),
        np.zeros(2, np.int64),
        np.ones((1, 1)),
    )
    priced = certificate(one_seat)
    assert priced.bound == pytest.approx(5.0, rel=0.005)
    assert 3.0 * 0.98 <= priced.duals[0, 0] <= 5.0
    assert priced.greedy_value == 8.0
    assert priced.overflow_share == pytest.approx(0.5)


OPTIMUM_OF_FIVE = linear_optimum(make_problem(5, n=60, m=5, rooms=6, buckets=3))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.floats(0.0, 0.05))
def test_weak_duality_for_random_prices(seed: int, size: float) -> None:
    problem = make_problem(5, n=60, m=5, rooms=6, buckets=3)
    prices = size * stream(seed, "prices").exponential(size=problem.capacity.shape)
    assert dual_bound(problem, prices) >= OPTIMUM_OF_FIVE * (1 - 1e-9)


def test_without_congestion_greedy_is_optimal_and_nothing_has_a_price() -> None:
    base = make_problem(6)
    priced = certificate(replace(base, capacity=base.capacity * 1e3))
    assert priced.status == "uncongested"
    assert not priced.duals.any()
    assert priced.bound == priced.greedy_value == priced.feasible
    assert priced.overflow_share == priced.price_share == priced.gap == 0.0
    assert priced.bound == pytest.approx(
        float(np.where(base.rooms >= 0, base.values, 0).max(1).sum())
    )


def test_bound_and_shares_grow_with_congestion() -> None:
    relaxed, tight = (certificate(make_problem(7, load=load)) for load in (0.7, 2.0))
    assert tight.bound < relaxed.bound <= relaxed.greedy_value
    assert 0.0 < relaxed.overflow_share < tight.overflow_share < 1.0
    assert 0.0 < relaxed.price_share < tight.price_share < 1.0


def test_complementary_slackness() -> None:
    problem = make_problem(8)
    priced = certificate(problem, tolerance=0.0)
    slack = problem.capacity - priced.use
    assert (slack >= -1e-9 * problem.capacity).all()
    assert 0.0 <= (priced.duals * slack).sum() <= priced.gap * priced.bound * (1 + 1e-9)


def test_rooms_that_cannot_fill_stay_free() -> None:
    problem = make_problem(8)
    capacity = problem.capacity.copy()
    capacity[:3] = problem.seat_seconds.sum()
    duals = certificate(replace(problem, capacity=capacity)).duals
    assert duals[:3].max() == 0.0
    assert duals[3:].max() > 0.0


@pytest.mark.parametrize("factor", [0.25, 3.7])
def test_scaling_values_scales_bound_and_prices(factor: float) -> None:
    problem = make_problem(9)
    one, other = certificate(problem), certificate(replace(problem, values=problem.values * factor))
    assert other.bound == pytest.approx(factor * one.bound, rel=1e-4)
    assert other.price_share == pytest.approx(one.price_share, abs=1e-3)
    if factor == 0.25:  # a power of two: not a bit may differ
        assert (other.duals == factor * one.duals).all()


def test_renaming_rooms_renames_the_prices() -> None:
    problem = make_problem(10)
    new_name = stream(1, "names").permutation(12)
    renamed = replace(
        problem,
        rooms=np.where(problem.rooms >= 0, new_name[problem.rooms], -1),
        capacity=problem.capacity[np.argsort(new_name)],
    )
    one, other = certificate(problem), certificate(renamed)
    assert other.bound == pytest.approx(one.bound, rel=1e-4)
    assert np.corrcoef(one.duals.ravel(), other.duals[new_name].ravel())[0, 1] > 0.99


def test_same_seed_same_bits_and_a_warm_start_helps() -> None:
    problem = make_problem(11)
    first, second = certificate(problem, passes=20), certificate(problem, passes=20)
    assert first.bound == second.bound
    assert first.duals.tobytes() == second.duals.tobytes()
    warm = certificate(problem, passes=1, duals=certificate(problem).duals)
    assert warm.bound <= certificate(problem, passes=1).bound


def test_empty_day_and_impossible_rooms() -> None:
    nobody = certificate(
        Problem(
            np.zeros((0, 3)), np.zeros((0, 3), np.int64), np.zeros((0, 3)), np.zeros(0, np.int64),
            np.ones((2, 2)),
        )
    )  # fmt: skip
    assert (nobody.bound, nobody.status) == (0.0, "uncongested")
    closed = replace(make_problem(12), capacity=np.zeros((12, 5)), spill=np.ones(1))
    priced = certificate(closed)
    assert priced.feasible == 0.0
    assert priced.bound < 0.2 * priced.greedy_value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("values", np.full((300, 8), np.nan)),
        ("values", np.zeros((3, 3))),
        ("rooms", np.full((300, 8), 12)),
        ("bucket", np.full(300, 5)),
        ("seat_seconds", np.full((300, 8), -1.0)),
        ("spill", np.array([0.7, 0.7])),
        ("spill", np.zeros((2, 2))),
    ],
)
def test_bad_problems_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"Problem\.{field}"):
        replace(make_problem(1), **{field: value})


def test_rows_instead_of_tables_are_refused() -> None:
    row, none = np.zeros(2), np.zeros(2, np.int64)
    with pytest.raises(InputError, match=r"Problem\.rooms"):
        Problem(row, none, row, none, np.ones((1, 1)))
    with pytest.raises(InputError, match=r"Problem\.rooms"):
        replace(make_problem(1), capacity=np.ones(12))


def test_bad_prices_are_refused() -> None:
    problem = make_problem(1)
    with pytest.raises(InputError, match="duals"):
        dual_bound(problem, np.zeros((1, 1)))
    with pytest.raises(InputError, match="price"):
        dual_bound(problem, -np.ones_like(problem.capacity))


@pytest.mark.slow
def test_a_large_day_is_priced_tightly() -> None:
    problem = make_problem(2, n=20_000, m=50, rooms=100, buckets=24, load=1.0)
    priced = certificate(problem)
    assert priced.gap < 0.01
