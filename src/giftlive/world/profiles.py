"""What a platform would have in its profile tables: KuaiLive's columns, as seen from outside.

Each observable leans on a latent quantity with noise; none of them is one. Counts are range
strings, as published; ``accu_*`` start from a past before the window and grow in the recorder.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from giftlive.clock import MS_PER_DAY
from giftlive.rng import stream
from giftlive.types import Floats, Ints
from giftlive.world.entities import Profile, Streamers, Users

Labels = NDArray[np.str_]

_AGES = np.array(["0-11", "12-17", "18-23", "24-30", "31-40", "41-49", "50+"])
_BRANDS = np.array([f"brand_{k:02d}" for k in range(12)])
_PRICES = np.array(["0-1000", "1000-2000", "2000-3000", "3000-4000", "4000-6000", "6000+"])
_ONEHOT_LEVELS = (2, 3, 5, 8, 13, 21, 34)


def ranged(values: Ints | Floats) -> Labels:
    """Return counts as decade ranges.

    Examples
    --------
    >>> ranged(np.array([0, 7, 40_000])).tolist()
    ['0', '1-10', '10000-100000']
    """
    power = np.minimum(np.log10(np.maximum(values, 1)).astype(np.int64), 18)
    labels = np.array([f"{10**p}-{10 ** (p + 1)}" for p in range(int(power.max(initial=0)) + 1)])
    return np.where(np.asarray(values) < 1, "0", labels[power])


def _levels(score: Floats, labels: Labels) -> Labels:
    cuts = np.linspace(-1.6, 1.6, len(labels) - 1)
    return labels[np.searchsorted(cuts, score)]


def user_profile(users: Users, seed: int, origin_ms: int) -> Profile:
    """Return the observable columns [U] of the users."""
    count = len(users.wealth)
    rng = stream(seed, "user profile")
    noise = rng.standard_normal((6, count))
    wealth = (users.wealth - users.wealth.mean()) / max(users.wealth.std(), 1e-9)
    seniority = rng.exponential(700.0, count)
    clicks = np.exp(users.log_activity + 5.0 + 0.5 * noise[0])
    profile = {
        "age": _levels(0.4 * wealth + 0.9 * noise[1], _AGES),
        "gender": np.where(0.3 * users.taste[:, 0] * 4 + noise[2] > 0.4, "F", "M"),
        "country": np.full(count, "China"),
        "device_brand": _BRANDS[rng.integers(len(_BRANDS), size=count)],
        "device_price": _levels(0.6 * wealth + 0.8 * noise[3], _PRICES),
        "reg_timestamp": _past(origin_ms, seniority),
        "fans_num": ranged(np.exp(2.0 + 1.5 * noise[4])),
        "follow_num": ranged(np.exp(4.0 + 0.5 * users.log_activity + noise[5])),
        "first_watch_live_timestamp": _past(origin_ms, seniority * rng.random(count)),
        "accu_watch_live_cnt": clicks.astype(np.int64),
        "accu_watch_live_duration": (clicks * 80_000).astype(np.int64),
        "is_live_streamer": (rng.random(count) < 0.08).astype(np.int64),
        "is_photo_author": (rng.random(count) < 0.6).astype(np.int64),
    }
    return profile | _onehots(users.taste, rng)


def streamer_profile(streamers: Streamers, seed: int, origin_ms: int) -> Profile:
    """Return the observable columns [S] of the streamers."""
    count = len(streamers.quality)
    rng = stream(seed, "streamer profile")
    noise = rng.standard_normal((5, count))
    seniority = rng.exponential(500.0, count)
    fans = streamers.popularity * np.exp(5.0 + 0.8 * noise[0] + 0.3 * streamers.quality)
    lives = rng.exponential(120.0, count) + 1
    profile = {
        "gender": np.where(noise[1] > 0.0, "F", "M"),
        "age": _levels(noise[2], _AGES),
        "country": np.full(count, "China"),
        "device_brand": _BRANDS[rng.integers(len(_BRANDS), size=count)],
        "device_price": _levels(noise[3], _PRICES),
        "live_operation_tag": np.array([f"tag_{c:02d}" for c in streamers.category]),
        "fans_user_num": ranged(fans),
        "fans_group_fans_num": ranged(fans * 0.02 * np.exp(0.5 * streamers.skill)),
        "follow_user_num": ranged(np.exp(4.0 + noise[4])),
        "first_live_timestamp": _past(origin_ms, seniority * rng.random(count)),
        "accu_live_cnt": ranged(lives),
        "accu_live_duration": ranged(lives * 1.6e6),
        "accu_play_cnt": (fans * 3).astype(np.int64),
        "accu_play_duration": (fans * 3 * 80_000).astype(np.int64),
        "reg_timestamp": _past(origin_ms, seniority),
    }
    return profile | _onehots(streamers.taste, rng)


def _past(origin_ms: int, days: Floats) -> Ints:
    return origin_ms - MS_PER_DAY - (days * MS_PER_DAY).astype(np.int64)


def _onehots(taste: Floats, rng: np.random.Generator) -> Profile:
    """Anonymous categories that carry a little of one taste direction each."""
    columns: Profile = {}
    for k, levels in enumerate(_ONEHOT_LEVELS):
        score = 4.0 * taste[:, k] + rng.standard_normal(len(taste))
        cuts = np.linspace(-2.0, 2.0, levels - 1) if levels > 2 else np.zeros(1)
        columns[f"onehot_feat{k}"] = np.searchsorted(cuts, score)
    return columns
