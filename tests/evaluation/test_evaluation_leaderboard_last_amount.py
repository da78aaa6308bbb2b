"""What a donor gave last: known answer, ties, and nothing from the row itself or later ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.errors import UsageError
from giftlive.evaluation.leaderboard import LAST_AMOUNT, with_last_amount
from giftlive.evaluation.leaderboard.last_amount import last_amounts
from giftlive.tables.matrix import Matrix

ROWS = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 9)), max_size=30)


@given(ROWS)
def test_it_is_the_sum_of_the_latest_earlier_moment(rows: list[tuple[int, int, int]]) -> None:
    user, ts, y = (np.array([row[k] for row in rows], dtype=np.int64) for k in range(3))
    found = last_amounts(user, ts, y.astype(np.float64))
    for i in range(len(rows)):
        earlier = [t for u, t, _ in rows if u == user[i] and t < ts[i]]
        due = sum(x for u, t, x in rows if u == user[i] and earlier and t == max(earlier))
        assert found[i] == due


@given(ROWS, st.integers(1, 6))
def test_what_comes_at_a_row_or_later_does_not_move_it(
    rows: list[tuple[int, int, int]], now: int
) -> None:
    user, ts, y = (np.array([row[k] for row in rows], dtype=np.int64) for k in range(3))
    before = last_amounts(user, ts, y.astype(np.float64))
    changed = np.where(ts >= now, y + 100, y).astype(np.float64)
    up_to_now = ts <= now
    assert np.array_equal(last_amounts(user, ts, changed)[up_to_now], before[up_to_now])


def test_only_where_rows_are_gifts_there_is_a_last_one() -> None:
    n = np.arange(3)
    gifts = Matrix(np.ones((3, 1)), np.array([1.0, 2.0, 3.0]), n, n * 0, n, n, n, n, ("x",), "gift")
    found = with_last_amount(gifts)
    assert found.names == ("x", LAST_AMOUNT)
    assert found.column(LAST_AMOUNT).tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(UsageError, match="one row per click"):
        with_last_amount(replace(gifts, unit="click"))
