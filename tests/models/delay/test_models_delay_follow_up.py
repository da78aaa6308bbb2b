"""What a cut knew: nothing of what came after it, and everything before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.delay.histories import HOUR, HOUR_MS, history

from giftlive.errors import InputError, LeakError, UsageError
from giftlive.models.delay.durations import Durations, gifts, leavings
from giftlive.models.delay.follow_up import NEVER, FollowUp, History


def one(**changed: object) -> FollowUp:
    """One row that shows a gift after 3 of 10 seconds."""
    columns: dict[str, object] = {
        "X": np.zeros((1, 1)),
        "age": np.array([10.0]),
        "seen": np.array([True]),
        "delay": np.array([3.0]),
        "left_after": np.array([NEVER]),
        "amount": np.array([5.0]),
        "horizon": 60.0,
    }
    return FollowUp(**(columns | changed))  # type: ignore[arg-type]


def test_a_gift_is_known_from_its_arrival_on_and_not_before() -> None:
    log = History(
        np.arange(3.0)[:, None],
        np.array([1_000, 2_000, 9_000]),
        np.array([1, 2, 3]),
        np.array([4.0, NEVER, 1.0]),
        np.array([NEVER, 5.0, NEVER]),
        np.array([7.0, 0.0, 8.0]),
        60.0,
    )
    early, at, later = log.at(4_999), log.at(5_000), log.at(7_000)
    assert early.seen.tolist() == [False, False]  # the third is not shown yet
    assert np.isnan(early.delay).all()
    assert early.amount.tolist() == [0.0, 0.0]
    assert at.seen.tolist() == [True, False]
    assert at.delay[0] == 4.0
    assert at.amount.tolist() == [7.0, 0.0]
    assert at.age.tolist() == [4.0, 3.0]
    assert at.left_after.tolist() == [NEVER, NEVER]
    assert later.left_after.tolist() == [NEVER, 5.0]
    assert log.shown_before(9_000).tolist() == [0, 1]  # strictly before
    assert log.mature_at(62_000).tolist() == [True, True, False]


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 5))
def test_a_later_cut_knows_more_and_a_cut_knows_nothing_later(a: int, b: int, seed: int) -> None:
    log = history(seed, 200)
    first, second = sorted((a * HOUR_MS, b * HOUR_MS))
    early, late = log.at(first), log.at(second)
    n = len(early)
    assert len(late) >= n
    assert not (early.seen & ~late.seen[:n]).any()
    assert late.delay[:n][early.seen] == pytest.approx(early.delay[early.seen])
    # Whatever happens after the cut may be anything: the cut sees the same.
    unknown = log.ts / 1_000 + log.delay > first / 1_000
    other = replace(
        log,
        delay=np.where(unknown, log.delay * 3.0 + 1.0, log.delay),
        amount=np.where(unknown, log.amount + 1.0, log.amount),
    )
    same = other.at(first)
    assert np.array_equal(same.seen, early.seen)
    assert np.array_equal(same.delay, early.delay, equal_nan=True)
    assert np.array_equal(same.amount, early.amount)


def test_a_gift_after_the_horizon_is_no_gift() -> None:
    log = history(1, 500, mean_delay=20 * HOUR)
    late = np.isfinite(log.delay) & (log.delay > log.horizon)
    assert late.any()
    known = log.at(500 * HOUR_MS)
    assert not known.seen[late].any()
    assert np.array_equal(known.seen, log.label)
    assert known.mature.all()


def test_time_under_observation_ends_with_the_first_of_four() -> None:
    known = FollowUp(
        np.zeros((4, 1)),
        np.array([10.0, 10.0, 10.0, 99.0]),
        np.array([True, False, False, False]),
        np.array([3.0, np.nan, np.nan, np.nan]),
        np.array([8.0, 8.0, NEVER, NEVER]),
        np.array([5.0, 0.0, 0.0, 0.0]),
        60.0,
    )
    assert known.watched_for.tolist() == [3.0, 8.0, 10.0, 60.0]
    assert known.left.tolist() == [False, True, False, False]
    sample = gifts(known)
    assert sample.event.tolist() == [True, False, False, False]
    left = leavings(known)
    assert left is not None
    assert left.time.tolist() == sample.time.tolist()
    assert left.event.tolist() == [False, True, False, False]
    assert leavings(known.rows(np.array([2, 3]))) is None
    assert known.rows(known.seen).amount.tolist() == [5.0]


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"delay": np.array([11.0])}, LeakError, "a gift is known in 1 rows"),
        ({"left_after": np.array([11.0])}, LeakError, "leaving is known"),
        ({"left_after": np.array([2.0])}, InputError, "after leaving"),
        ({"delay": np.array([np.nan])}, InputError, "a delay"),
        ({"seen": np.array([False])}, InputError, "a delay"),
        ({"delay": np.array([-1.0])}, InputError, "a delay"),
        ({"horizon": 2.0}, InputError, "a delay"),
        ({"age": np.array([np.inf])}, InputError, "an age"),
        ({"amount": np.array([-1.0])}, InputError, "an amount"),
        ({"X": np.array([[np.nan]])}, InputError, "features are not finite"),
        ({"X": np.zeros((2, 1))}, UsageError, "shapes"),
        ({"age": np.array([10.0, 11.0])}, UsageError, "shapes"),
    ],
)
def test_rows_that_contradict_each_other_are_refused(
    changed: dict[str, object], error: type[Exception], says: str
) -> None:
    one()
    with pytest.raises(error, match=says):
        one(**changed)


def test_logs_and_durations_that_are_impossible_are_refused() -> None:
    log = history(2, 10)
    with pytest.raises(UsageError, match="horizon"):
        replace(log, horizon=0.0)
    with pytest.raises(InputError, match="a delay"):
        replace(log, delay=-log.delay - 1.0)
    with pytest.raises(UsageError, match="shapes"):
        Durations(np.zeros((2, 1)), np.zeros(3), np.zeros(2) > 0)
    with pytest.raises(InputError, match="a time"):
        Durations(np.zeros((2, 1)), np.array([1.0, np.inf]), np.zeros(2) > 0)


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"seen": np.array([1])}, InputError, "int64; expected True and False"),
        ({"seen": np.array([1.0])}, InputError, "float64; expected True and False"),
        ({"amount": np.array([np.inf])}, InputError, "an amount is wrong"),
        (
            {"seen": np.array([False]), "delay": np.array([np.nan])},
            LeakError,
            "an amount is known in 1 rows that show no gift",
        ),
    ],
)
def test_what_would_be_misread_or_was_not_known_is_refused(
    changed: dict[str, object], error: type[Exception], says: str
) -> None:
    """Integers choose rows by position; the amount of a gift that is not there tells that it is."""
    with pytest.raises(error, match=says):
        one(**changed)


@pytest.mark.parametrize("amount", [np.nan, np.inf, -1.0])
def test_a_history_refuses_what_a_cut_would_refuse(amount: float) -> None:
    log = history(1, 20)
    with pytest.raises(InputError, match="an amount is wrong in 20 rows"):
        replace(log, amount=np.full(20, amount))
    with pytest.raises(InputError, match="left_after is wrong in 20 rows"):
        replace(log, left_after=np.full(20, np.nan))
