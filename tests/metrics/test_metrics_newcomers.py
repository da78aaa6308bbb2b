from __future__ import annotations

import numpy as np
import pytest

from giftlive import metrics
from giftlive.clock import MS_PER_DAY as DAY
from giftlive.errors import InputError
from giftlive.metrics import NEVER, Gifts
from giftlive.rng import stream
from giftlive.types import Ints

WINDOW = (0, 20 * DAY)


def _gifts(*rows: tuple[int, int, int]) -> Gifts:
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Gifts(table[:, 0], table[:, 1], table[:, 2])


def test_two_distinct_users_make_a_success_and_one_generous_user_does_not() -> None:
    gifts = _gifts((0, 1, DAY), (0, 2, 2 * DAY), (1, 1, DAY), (1, 1, 2 * DAY), (1, 1, 3 * DAY))
    found = metrics.newcomer_success([0, 0], [0, 0], gifts, WINDOW)
    assert (found.value, found.debuted, found.succeeded) == (0.5, 2.0, 1.0)


@pytest.mark.parametrize(
    ("second", "expected"), [(3 * DAY, 1.0), (9 * DAY - 1, 1.0), (9 * DAY, 0.0), (2 * DAY - 1, 0.0)]
)
def test_the_week_starts_at_the_first_exposure(second: int, expected: float) -> None:
    gifts = _gifts((0, 1, 2 * DAY), (0, 2, second))
    assert metrics.newcomer_success([0], [2 * DAY], gifts, WINDOW).value == expected


def test_the_never_exposed_are_failures_and_late_debuts_are_censored() -> None:
    debut = np.array([0, 0, 13 * DAY, 13 * DAY + 1, 19 * DAY])
    shown = np.array([0, NEVER, NEVER, 14 * DAY, 19 * DAY])
    gifts = _gifts((0, 1, 5), (0, 2, 5), (3, 1, 15 * DAY), (3, 2, 15 * DAY))
    found = metrics.newcomer_success(debut, shown, gifts, WINDOW)
    assert (found.debuted, found.never_exposed, found.censored) == (3.0, 2.0, 2.0)
    assert found.value == pytest.approx(1 / 3)


def test_showing_a_newcomer_late_does_not_take_them_out_of_the_denominator() -> None:
    debut, gifts = [0, 0], _gifts((0, 1, 0), (0, 2, 0), (1, 1, 19 * DAY))
    late = metrics.newcomer_success(debut, [0, 18 * DAY], gifts, WINDOW)
    assert (late.value, late.incomplete) == (0.5, 1.0)
    done = _gifts((0, 1, 0), (0, 2, 0), (1, 1, 19 * DAY), (1, 2, 19 * DAY))
    found = metrics.newcomer_success(debut, [0, 18 * DAY], done, WINDOW)
    assert (found.value, found.incomplete) == (1.0, 0.0)


def test_what_is_outside_the_window_is_not_seen() -> None:
    debut, shown = [-5, 0, 20 * DAY], [0, 20 * DAY, 20 * DAY]
    gifts = _gifts((1, 1, 20 * DAY), (1, 2, 20 * DAY))
    found = metrics.newcomer_success(debut, shown, gifts, WINDOW)
    assert (found.debuted, found.never_exposed, found.censored) == (1.0, 1.0, 0.0)


def _random() -> tuple[Ints, Ints, Gifts]:
    g = stream(60, "newcomers")
    debut = g.integers(-5, 20, 80) * DAY
    shown = np.where(g.random(80) < 0.3, NEVER, debut + g.integers(0, 9, 80) * DAY)
    gifts = Gifts(g.integers(0, 80, 500), g.integers(0, 6, 500), g.integers(0, 25, 500) * DAY)
    return debut, np.where(shown < 0, NEVER, shown), gifts


def test_it_matches_a_loop_over_streamers() -> None:
    debut, shown, gifts = _random()
    keep = (debut >= 0) | (shown == NEVER)
    shown = np.where(keep, shown, NEVER)
    wins = followed = 0
    for s in range(80):
        if not 0 <= debut[s] <= 13 * DAY:
            continue
        followed += 1
        if shown[s] == NEVER:
            continue
        own = (gifts.streamer == s) & (gifts.ts >= shown[s]) & (gifts.ts < 20 * DAY)
        own &= gifts.ts < shown[s] + 7 * DAY
        wins += len(set(gifts.user[own].tolist())) >= 2
    found = metrics.newcomer_success(debut, shown, gifts, WINDOW)
    assert (found.debuted, found.succeeded) == (followed, wins)
    assert 0 < wins < followed


def test_weights_are_copies_of_streamers_and_order_does_not_matter() -> None:
    debut, shown, gifts = _random()
    g = stream(61, "copies")
    copies, order = g.poisson(1.0, 80), g.permutation(500)
    rows = np.repeat(np.arange(80), copies)
    parts = [np.flatnonzero(gifts.streamer == s) for s in rows]
    to = np.repeat(np.arange(len(rows)), [len(p) for p in parts])
    pick = np.concatenate(parts)
    repeated = Gifts(to, gifts.user[pick], gifts.ts[pick])
    plain = metrics.newcomer_success(debut, shown, gifts, WINDOW, weights=copies)
    assert metrics.newcomer_success(debut[rows], shown[rows], repeated, WINDOW) == plain
    shuffled = Gifts(gifts.streamer[order], gifts.user[order], gifts.ts[order])
    assert metrics.newcomer_success(debut, shown, shuffled, WINDOW, weights=copies) == plain


def test_nobody_followed_has_no_value_and_impossible_input_is_refused() -> None:
    assert np.isnan(metrics.newcomer_success([], [], _gifts(), WINDOW).value)
    with pytest.raises(InputError, match="before the debut"):
        metrics.newcomer_success([DAY], [0], _gifts(), WINDOW)
    with pytest.raises(InputError, match="positions 0 to 0"):
        metrics.newcomer_success([0], [0], _gifts((1, 1, 1)), WINDOW)


def test_supply_retention_known_answers() -> None:
    debut, who, day = [0, 0, 5, 10], [0, 0, 1, 2, 2, 3], [0, 14, 13, 19, 18, 24]
    found = metrics.supply_retention(debut, who, day, last_day=20)
    assert found == metrics.SupplyRetention(2 / 3, 3.0, 2.0, 1.0)
    weighted = metrics.supply_retention(debut, who, day, 20, weights=[1.0, 3.0, 0.0, 2.0])
    assert weighted == metrics.SupplyRetention(0.25, 4.0, 1.0, 2.0)
    assert np.isnan(metrics.supply_retention([10], [], [], last_day=20).value)
    everybody = metrics.supply_retention([0, 1], [0, 1], [14, 15], last_day=15)
    assert (everybody.value, everybody.followed) == (1.0, 2.0)
    with pytest.raises(InputError, match="live_streamer"):
        metrics.supply_retention([0], [-1], [0], last_day=20)
