"""Time buckets, stay profiles, and prices carried to another day."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.allocation import (
    Prices,
    Problem,
    certificate,
    stay_profile,
    time_buckets,
    train_prices,
)
from giftlive.clock import MS_PER_DAY
from giftlive.errors import InputError, UsageError
from giftlive.rng import stream


def test_stay_profile_is_the_mean_overlap_with_each_bucket() -> None:
    draw = stream(0, "stays")
    stays, ts = draw.lognormal(4.0, 1.5, 500), draw.integers(0, 600_000, 20)
    profile = stay_profile(ts, stays, 0, 60_000, depth=4)
    start = ts / 1000.0
    for k in range(4):
        low = (ts // 60_000 + k) * 60.0
        leaves = np.minimum(start[:, None] + stays, low[:, None] + 60.0)
        inside = np.clip(leaves - np.maximum(start, low)[:, None], 0.0, None)
        assert profile[:, k] == pytest.approx(inside.mean(axis=1) / stays.mean())
    assert (profile.sum(axis=1) <= 1.0 + 1e-12).all()


def test_stays_within_the_bucket_do_not_spill() -> None:
    profile = stay_profile(np.array([0, 30_000]), np.array([5.0, 10.0]), 0, 60_000, depth=3)
    assert profile.tolist() == [[1.0, 0.0, 0.0]] * 2
    for stays in (np.zeros(3), np.array([-1.0, 9.0]), np.array([np.nan])):
        with pytest.raises(InputError, match="stay"):
            stay_profile(np.array([0]), stays, 0, 60_000, depth=1)


def test_a_stay_pays_the_prices_of_the_buckets_it_falls_in() -> None:
    prices = Prices(np.array([[1.0, 10.0, 100.0]]), 0, 1000, np.array([0.5, 0.25]))
    assert prices.per_stay_second().tolist() == [[0.5 + 2.5, 5.0 + 25.0, 50.0]]


def test_prices_repeat_daily_and_follow_the_streamer() -> None:
    prices = Prices(np.array([[1.0, 2.0], [3.0, 4.0]]), 500, 1000, np.ones(1))
    assert prices.bucket(np.array([500, 1600, MS_PER_DAY + 600, 9_999])).tolist() == [0, 1, 0, 1]
    assert prices.for_rooms(np.array([1, -1, 1])).duals.tolist() == [[3, 4], [0, 0], [3, 4]]


def test_bad_prices_are_refused() -> None:
    with pytest.raises(InputError, match="duals"):
        Prices(np.array([[-1.0]]), 0, 1000, np.ones(1))
    with pytest.raises(InputError, match="duals"):
        Prices(np.array([[np.inf]]), 0, 1000, np.ones(1))
    with pytest.raises(InputError, match="spill"):
        Prices(np.array([[1.0]]), 0, 1000, np.array([np.nan]))
    with pytest.raises(InputError, match="row 4, 1 rows"):
        Prices(np.array([[1.0]]), 0, 1000, np.ones(1)).for_rooms(np.array([-1, 4]))
    with pytest.raises(InputError, match="bucket_ms"):
        Prices(np.array([[1.0]]), 0, 0, np.ones(1))


@pytest.mark.parametrize(("bucket_ms", "buckets"), [(0, 3), (-5, 3), (1000, 0)])
def test_buckets_without_length_or_number_are_refused(bucket_ms: int, buckets: int) -> None:
    named = "bucket_ms" if bucket_ms < 1 else "buckets"
    with pytest.raises(UsageError) as found:
        time_buckets(np.array([0, 999]), 0, bucket_ms, buckets)
    assert found.value.where == named
    with pytest.raises(UsageError, match=named):
        stay_profile(np.array([0]), np.array([1.0]), 0, bucket_ms, 2, buckets)


def test_training_keeps_the_label_and_the_duals_of_the_certificate() -> None:
    draw = stream(3, "train")
    problem = Problem(
        draw.exponential(size=(80, 4)),
        np.tile(np.arange(4), (80, 1)),
        np.full((80, 4), 10.0),
        draw.integers(0, 2, 80),
        np.full((4, 2), 50.0),
        np.array([0.8, 0.2]),
        "estimated",
    )
    trained = train_prices(problem, 0, 1000, passes=40)
    assert trained.label == "estimated"
    assert trained.duals.tobytes() == certificate(problem, passes=40).duals.tobytes()
    assert trained.spill.tolist() == [0.8, 0.2]
