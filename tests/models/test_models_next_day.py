"""Next-day return: by hand, on planted rates, at the end of the log."""

import numpy as np
import pytest

from giftlive.errors import InputError
from giftlive.models.next_day import next_day_return
from giftlive.rng import stream


def test_the_last_day_cannot_be_followed_and_repeats_count_once() -> None:
    user, streamer = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 0, 0])
    day = np.array([1, 1, 2, 1, 3])
    rate = next_day_return(user, streamer, day, users=2, streamers=2, last_day=3, prior_days=1e-9)
    # Followed: user 0 on day 1 (back), user 0 on day 2 (not), user 1 on day 1 (not: day 3 is late).
    assert rate.mean == pytest.approx(1.0 / 3.0)
    assert rate.user.tolist() == pytest.approx([1.5, 0.0], abs=1e-6)
    assert rate.streamer.tolist() == pytest.approx([1.5, 0.0], abs=1e-6)


def test_planted_users_and_streamers_are_found() -> None:
    """Everybody watches on even days; who is back on odd days follows user and streamer."""
    g = stream(7, "returns")
    users, pairs = 1_000, 200
    keen = np.arange(users) % 2 == 0
    everyone, rows = np.arange(users), []
    for day in range(0, 2 * pairs, 2):
        watched = g.integers(0, 20, users)
        back = g.random(users) < np.where(keen, 0.6, 0.3) * np.where(watched < 10, 1.2, 0.8)
        rows.append(np.column_stack([everyone, watched, np.full(users, day)]))
        rows.append(np.column_stack([everyone, np.full(users, 20), np.full(users, day + 1)])[back])
    user, streamer, day = np.concatenate(rows).T
    rate = next_day_return(
        user, streamer, day, users=users, streamers=21, last_day=2 * pairs - 1, prior_days=1.0
    )
    assert rate.user[keen].mean() > rate.user[~keen].mean()
    ratio = rate.streamer[:10].mean() / rate.streamer[10:20].mean()
    assert ratio == pytest.approx(1.5, abs=0.1)


def test_nothing_seen_and_impossible_indices() -> None:
    none = np.zeros(0, dtype=np.int64)
    rate = next_day_return(none, none, none, users=2, streamers=1, last_day=5)
    assert rate.table().tolist() == [[0.0], [0.0]]
    one = np.array([2])
    with pytest.raises(InputError, match="user"):
        next_day_return(one, np.zeros(1, np.int64), one, users=2, streamers=1, last_day=5)
    with pytest.raises(InputError, match="streamer"):
        next_day_return(np.zeros(1, np.int64), none, one, users=2, streamers=1, last_day=5)
