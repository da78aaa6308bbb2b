"""The one-shot optimum against the linear assignment of SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from giftlive.allocation import Problem, dual_bound, optimal_assignment
from giftlive.errors import InputError
from giftlive.rng import stream
from giftlive.types import Floats, Ints


def hungarian(values: Floats, rooms: Ints, seats: Ints) -> float:
    """Optimum by expanding every room into its seats."""
    owner = np.repeat(np.arange(len(seats)), seats)
    dense = np.zeros((len(values), len(seats)))
    for i in range(len(values)):
        for j in range(rooms.shape[1]):
            if rooms[i, j] >= 0:
                dense[i, rooms[i, j]] = max(0.0, values[i, j])
    wide = dense[:, owner]
    row, column = linear_sum_assignment(wide, maximize=True)
    return float(wide[row, column].sum())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 12), rooms=st.integers(1, 6))
def test_flow_is_the_linear_assignment(seed: int, n: int, rooms: int) -> None:
    draw = stream(seed, "flow")
    listed = np.tile(np.arange(rooms), (n, 1))
    listed[draw.random((n, rooms)) < 0.2] = -1
    values = draw.normal(1.0, 2.0, (n, rooms))
    seats = draw.integers(0, 4, rooms)
    best = optimal_assignment(values, listed, seats)
    assert best.value == pytest.approx(hungarian(values, listed, seats), abs=1e-9)
    shown = np.flatnonzero(best.choice >= 0)
    used = listed[shown, best.choice[shown]]
    assert (used >= 0).all()
    assert (np.bincount(used, minlength=rooms) <= seats).all()


def test_the_dual_bound_covers_the_one_shot_optimum() -> None:
    draw = stream(1, "flow")
    values, listed = draw.exponential(size=(30, 5)), np.tile(np.arange(5), (30, 1))
    seats = np.array([1, 2, 3, 4, 5])
    problem = Problem(
        values, listed, np.ones((30, 5)), np.zeros(30, np.int64), seats[:, None].astype(float)
    )
    best = optimal_assignment(values, listed, seats)
    assert dual_bound(problem, draw.exponential(size=(5, 1))) >= best.value


def test_values_below_the_smallest_normal_number_are_still_told_apart() -> None:
    tiny = np.array([[1e-320, 3e-320]])
    assert optimal_assignment(tiny, np.array([[0, 1]]), np.array([1, 1])).choice.tolist() == [1]


@pytest.mark.parametrize(
    ("values", "rooms", "seats", "named"),
    [
        ([[np.nan, 1.0]], [[0, 1]], [1, 1], "not finite"),
        ([[2.0, 1.0]], [[0, 2]], [1, 1], "room 2, 2 entries"),
        ([[2.0, 1.0]], [[0, 1]], [1, -1], "-1 seats"),
        ([[2.0, 1.0]], [[0, 1]], [1.0, np.nan], "nan seats"),
    ],
)
def test_what_no_flow_may_answer_without_a_word(
    values: Any, rooms: Any, seats: Any, named: str
) -> None:
    """A NaN would never be shown, and a room without an entry would be a seat for everybody."""
    with pytest.raises(InputError, match=named):
        optimal_assignment(np.array(values), np.array(rooms), np.array(seats))
    padding = np.array([[np.nan, 1.0]]), np.array([[-1, 0]]), np.array([1])
    assert optimal_assignment(*padding).choice.tolist() == [1]


def test_nothing_to_show_and_bad_values() -> None:
    none = optimal_assignment(np.zeros((2, 1)), np.zeros((2, 1), np.int64), np.array([1]))
    assert none.choice.tolist() == [-1, -1]
    assert none.value == 0.0
    with pytest.raises(InputError, match="values"):
        optimal_assignment(np.full((1, 1), np.inf), np.zeros((1, 1), np.int64), np.array([1]))
    with pytest.raises(InputError, match="shape"):
        optimal_assignment(np.ones((1, 2)), np.zeros((1, 1), np.int64), np.array([1]))
