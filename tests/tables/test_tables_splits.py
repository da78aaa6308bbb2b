"""Rolling origins: layout by hand, and what every layout must satisfy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.tables import Fold, event_folds, rolling_origins


def test_three_weeks() -> None:
    days = 20_000 + np.repeat(np.arange(21), 3)
    assert [(f.train, f.validation, f.test) for f in rolling_origins(days)] == [
        ((20_004, 20_011), (20_012, 20_014), (20_015, 20_017)),
        ((20_004, 20_013), (20_014, 20_016), (20_017, 20_019)),
        ((20_004, 20_015), (20_016, 20_018), (20_019, 20_021)),
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(8, 40), st.integers(3, 5), st.integers(0, 3), st.integers(0, 2), st.integers(1, 3)
)
def test_folds_are_ordered_disjoint_and_inside(
    span: int, folds: int, burn_in: int, gap: int, test: int
) -> None:
    days = np.arange(100, 100 + span)
    try:
        found = rolling_origins(days, folds, burn_in, gap, 1, test)
    except NotEnoughDataError:
        assert span < burn_in + 1 + gap + 1 + gap + folds * test
        return
    assert len(found) == folds
    assert found[-1].test[1] == 100 + span
    for fold in found:
        assert fold.train[0] == 100 + burn_in < fold.train[1]
        assert fold.train[1] + gap == fold.validation[0] < fold.validation[1]
        assert fold.validation[1] + gap == fold.test[0] < fold.test[1]
    assert all(a.test[1] == b.test[0] for a, b in pairwise(found))


def test_shortest_span_and_one_day_less() -> None:
    assert rolling_origins(np.arange(8))[0] == Fold("origin-1", (1, 2), (3, 4), (5, 6))
    with pytest.raises(NotEnoughDataError, match="7 days cannot hold 3 origins") as error:
        rolling_origins(np.arange(7))
    assert error.value.exit_code == 3
    assert "at least 8 days" in error.value.expected
    with pytest.raises(NotEnoughDataError, match="0 days"):
        rolling_origins(np.array([], dtype=np.int64))


@pytest.mark.parametrize(
    "sizes",
    [{"folds": 2}, {"gap_days": -1}, {"burn_in_days": -1}, {"test_days": 0}],
)
def test_sizes_that_make_no_sense(sizes: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        rolling_origins(np.arange(30), **sizes)


def test_events_are_never_cut_in_two() -> None:
    groups = np.array([3, 3, -1, 0, 0, -1, 7, 7, -1, 5, 5, 9, -1])
    days = np.array([1, 2, 5, 10, 12, 15, 20, 21, 25, 30, 31, 40, 50])
    assert event_folds(days, groups) == (
        Fold("event-7", (1, 3), (10, 13), (20, 22)),
        Fold("event-5", (1, 13), (20, 22), (30, 32)),
        Fold("event-9", (1, 22), (30, 32), (40, 41)),
    )


def test_too_few_or_overlapping_events() -> None:
    with pytest.raises(NotEnoughDataError, match="4 events"):
        event_folds(np.arange(4) * 10, np.arange(4))
    with pytest.raises(NotEnoughDataError, match="share a day"):
        event_folds(np.array([0, 1, 1, 2, 3, 4, 5]), np.array([0, 0, 1, 2, 3, 4, 5]))
