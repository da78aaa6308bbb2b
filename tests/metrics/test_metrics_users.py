from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive import metrics
from giftlive.errors import InputError
from giftlive.rng import stream

EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20)), max_size=60)


def _reference(pairs: set[tuple[int, int]], after: int, last: int) -> tuple[int, int, int]:
    followed = [(u, d) for u, d in pairs if d + after <= last]
    back = sum((u, d + after) in pairs for u, d in followed)
    return len(followed), back, len(pairs) - len(followed)


@given(EVENTS, st.sampled_from([1, 7]))
def test_return_matches_sets_of_pairs(events: list[tuple[int, int]], after: int) -> None:
    user, day = [u for u, _ in events], [d for _, d in events]
    days = metrics.user_days(user, day)
    found = metrics.return_rate(days.user, days.day, after, last_day=20)
    counted, returned, censored = _reference(set(events), after, 20)
    assert (found.counted, found.returned, found.censored) == (counted, returned, censored)
    assert np.isnan(found.value) if counted == 0 else found.value == returned / counted
    kept = metrics.retained_user_days(days.user, days.day)
    assert kept == len(set(events)) - len({u for u, _ in events})


def test_everybody_every_day_returns_and_the_end_is_censored() -> None:
    user, day = np.repeat(np.arange(3), 10), np.tile(np.arange(10), 3)
    d1 = metrics.return_rate(user, day, 1, last_day=9)
    d7 = metrics.return_rate(user, day, 7, last_day=9)
    assert d1 == metrics.ReturnRate(1.0, 27.0, 27.0, 3.0)
    assert d7 == metrics.ReturnRate(1.0, 9.0, 9.0, 21.0)
    longer = metrics.return_rate(user, day, 1, last_day=10)
    assert longer.value == pytest.approx(0.9)


def test_day_seven_is_exactly_day_seven() -> None:
    assert metrics.return_rate([1, 1], [0, 6], 7, last_day=13).value == 0.0
    assert metrics.return_rate([1, 1], [0, 7], 7, last_day=13).value == 1.0


def test_an_independent_user_returns_at_the_rate_of_activity() -> None:
    active = stream(50, "days").random((400, 60)) < 0.3
    user, day = np.nonzero(active)
    found = metrics.return_rate(user, day, 1, last_day=59)
    assert found.value == pytest.approx(0.3, abs=4.0 * np.sqrt(0.21 / found.counted))


def test_weights_of_a_user_are_copies_of_the_user() -> None:
    g = stream(51, "copies")
    user, day = np.nonzero(g.random((20, 15)) < 0.4)
    copies = g.poisson(1.0, 20)
    again = np.repeat(np.arange(len(user)), copies[user])
    number = np.concatenate([np.arange(copies[u]) for u in user])
    weighted = metrics.return_rate(user, day, 1, 14, weights=copies[user])
    repeated = metrics.return_rate(user[again] * 100 + number, day[again], 1, 14)
    assert weighted == repeated
    kept = metrics.retained_user_days(user, day, copies[user])
    assert kept == metrics.retained_user_days(user[again] * 100 + number, day[again])


def test_order_of_rows_and_names_of_users_do_not_matter() -> None:
    g = stream(52, "order")
    user, day = np.nonzero(g.random((20, 15)) < 0.4)
    order, name = g.permutation(len(user)), g.permutation(1000)[:20] - 500
    plain = metrics.return_rate(user, day, 7, 14)
    assert metrics.return_rate(name[user][order], day[order] - 30, 7, 14 - 30) == plain


def test_events_in_place_of_user_days_are_refused() -> None:
    with pytest.raises(InputError, match="twice"):
        metrics.return_rate([1, 1], [0, 0], 1, 5)
    with pytest.raises(InputError, match="twice"):
        metrics.retained_user_days([1, 1], [0, 0])
    with pytest.raises(InputError, match="day 6"):
        metrics.return_rate([1], [6], 1, 5)
    with pytest.raises(InputError, match="after"):
        metrics.return_rate([1], [1], 0, 5)


def test_exit_known_answers() -> None:
    # user 1 watches twice in a row and comes back much later; user 2 once, near the end
    user, ts, watch = [1, 1, 1, 2], [0, 100, 5_000, 9_950], [50, 50, 50, 20]
    assert metrics.exit_rate(user, ts, watch, 100, 10_000) == pytest.approx(2 / 3)
    assert metrics.exit_rate(user, ts, watch, 100, 20_000) == pytest.approx(3 / 4)
    assert metrics.exit_rate(user, ts, watch, 6_000, 20_000) == pytest.approx(2 / 4)
    assert np.isnan(metrics.exit_rate(user, ts, watch, 10**6, 10_000))
    assert np.isnan(metrics.exit_rate([], [], [], 1, 1))


def test_exit_does_not_depend_on_the_order_of_rows_and_weights_are_users() -> None:
    g = stream(53, "exit")
    user, ts = g.integers(0, 12, 300), g.integers(0, 50, 300) * 1_000
    watch, w = g.integers(0, 3, 300) * 1_000, g.poisson(1.0, 12)[user]
    order = g.permutation(300)
    plain = metrics.exit_rate(user, ts, watch, 2_000, 60_000, w)
    shuffled = metrics.exit_rate(user[order], ts[order], watch[order], 2_000, 60_000, w[order])
    assert shuffled == plain
    again = np.repeat(np.arange(300), w)
    number = np.concatenate([np.arange(k) for k in w])
    name = user[again] * 100 + number
    repeated = metrics.exit_rate(name, ts[again], watch[again], 2_000, 60_000)
    assert repeated == pytest.approx(plain)


def test_dwell_skip_and_complaint() -> None:
    watch = [1_000, 3_000, 3_001, 13_000]
    assert metrics.dwell_seconds(watch) == pytest.approx(5.00025)
    assert metrics.skip_rate(watch) == 0.5
    assert metrics.complaint_rate(watch, [True, False, False, False]) == 0.5
    assert metrics.complaint_rate(watch, [False, False, False, True]) == 0.75
    assert metrics.complaint_rate(watch, np.zeros(4, dtype=bool)) == metrics.skip_rate(watch)


def test_satisfaction_is_bounded_and_saturates() -> None:
    full = metrics.satisfaction([600_000, 10**9], [True, True])
    assert full == metrics.Satisfaction(1.0, 1.0, 0.0, 1.0)
    none = metrics.satisfaction([0, 0], [False, False])
    assert none == metrics.Satisfaction(0.0, 0.0, 1.0, 0.0)
    parts = metrics.satisfaction([60_000, 2_000], [False, True], [3.0, 1.0])
    assert parts.dwell == pytest.approx((3 * 60 + 2) / 600 / 4)
    assert (parts.engaged, parts.skip) == (0.25, 0.25)
    assert np.isnan(metrics.satisfaction([], []).index)


def test_money_per_user() -> None:
    per_user = np.array([0.0, 0.0, 10.0, 30.0])
    assert metrics.arppu(per_user) == 20.0
    assert metrics.pay_conversion(per_user) == 0.5
    assert metrics.arppu(per_user) * metrics.pay_conversion(per_user) == per_user.mean()
    assert metrics.revenue_per_dau([0.0, 10.0, 30.0, 0.0, 0.0]) == 8.0
    assert np.isnan(metrics.arppu([0.0, 0.0]))
    with pytest.raises(InputError, match="-1"):
        metrics.arppu([-1.0])
