from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ope.test_ope_catalogue import full_log, rows_of, value

from giftlive import ope
from giftlive.errors import InputError, NotEnoughDataError
from giftlive.stats.intervals import Interval, no_interval


def test_without_a_user_is_the_estimate_from_the_other_users_rows() -> None:
    """All absences at once, against leaving each user's rows out of the log."""
    log = full_log(1)
    for estimator in (ope.IPS, ope.SNIPS, ope.SNDR, ope.DR, ope.weighted_ips(2)):
        found = ope.whale_influence(estimator, estimator.update(estimator.init(), log))
        alone = {
            u: value(estimator, rows_of(log, np.flatnonzero(log.user != u)))
            for u in np.unique(log.user)
        }
        whole = value(estimator, log)
        most = max(alone, key=lambda u: abs(alone[u] - whole))
        assert found.user == most
        assert found.without_one == pytest.approx(alone[most])
        assert found.value == pytest.approx(whole)
        assert found.lowest == pytest.approx(min(alone.values()))
        assert found.highest == pytest.approx(max(alone.values()))


def test_the_top_users_are_those_that_raise_the_estimate() -> None:
    log = full_log(2)
    state = ope.IPS.update(ope.IPS.init(), log)
    found = ope.whale_influence(ope.IPS, state, top=(1, 3))
    keys, index = np.unique(log.user, return_inverse=True)
    total = np.bincount(index, log.weight * log.reward)
    raise_by = total - found.value * np.bincount(index)
    for k in (1, 3):
        out = keys[np.argsort(-raise_by)[:k]]
        rest = rows_of(log, np.flatnonzero(~np.isin(log.user, out)))
        assert found.without_top[k] == pytest.approx(value(ope.IPS, rest))


def test_a_whale_stands_out_and_even_users_do_not() -> None:
    n = 1_000
    even = ope.Interactions(
        user=np.arange(n),
        action=np.zeros(n, dtype=np.int64),
        propensity=np.ones(n),
        reward=np.ones(n),
        target=np.ones((n, 1)),
    )
    flat = ope.whale_influence(ope.IPS, ope.IPS.update(ope.IPS.init(), even))
    assert flat.lowest == flat.highest == flat.value == 1.0
    reward = np.ones(n)
    reward[417] = 1e6
    rich = ope.Interactions(even.user, even.action, even.propensity, reward, even.target)
    found = ope.whale_influence(ope.IPS, ope.IPS.update(ope.IPS.init(), rich))
    assert found.user == 417
    assert found.without_one == 1.0
    assert found.value > 1_000.0


def test_nothing_to_leave_out_is_refused() -> None:
    with pytest.raises(NotEnoughDataError):
        ope.whale_influence(ope.IPS, ope.IPS.init())
    log = full_log(3)
    with pytest.raises(InputError, match="top 0"):
        ope.whale_influence(ope.IPS, ope.IPS.update(ope.IPS.init(), log), top=(0,))
    two = rows_of(log, np.flatnonzero(np.isin(log.user, np.unique(log.user)[:2])))
    found = ope.whale_influence(ope.IPS, ope.IPS.update(ope.IPS.init(), two), top=(2,))
    assert np.isnan(found.without_top[2])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(0, 3)), min_size=2, max_size=6))
def test_intervals_cross_when_some_two_are_disjoint(parts: list[tuple[float, float]]) -> None:
    intervals = {
        str(k): Interval(x, x - half, x + half, "", 9, "users") for k, (x, half) in enumerate(parts)
    }
    disjoint = any(a + h < b - g for a, h in parts for b, g in parts)
    assert ope.crossed_intervals(intervals).passed is not disjoint


def test_crossed_intervals_name_the_two_and_need_two() -> None:
    low, high = (Interval(x, x - 1, x + 1, "", 9, "users") for x in (0.0, 5.0))
    found = ope.crossed_intervals({"ips": high, "dm": low, "dr": low})
    assert found.passed is False
    assert found.value == 3.0
    assert "dm ends at 1, before ips begins at 4" in found.detail
    none = no_interval("undefined", "no overlap", "snips", 9, "users")
    assert ope.crossed_intervals({"ips": high, "snips": none}).passed is None
