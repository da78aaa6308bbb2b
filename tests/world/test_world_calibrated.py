"""The calibrated world has the published behaviours because of its mechanisms, one by one.

Each test takes one mechanism away and sees its target missed; with it, the same world meets it. The
level of gifts is not set again: a mechanism that only moves the level would be no explanation.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from giftlive.world import load_scenario
from giftlive.world.calibration import moments, targets

pytestmark = pytest.mark.slow

TARGETS = {target.name: target for target in targets()}

MECHANISMS = (
    ("gift_rate_pair_with_history", {"gift.loyal": 0.0}),
    ("gifting_pairs_repeat_share", {"gift.loyal": 0.0}),
    ("revenue_share_never_gifted_pairs", {"gift.loyal": 0.0}),
    ("click_share_pair_with_history", {"people.homes": 0}),
    ("multi_gift_session_share", {"gift.satiety": 0.0}),
    ("user_gini", {"amount.wealth": 0.0, "people.price_sigma": 0.0, "amount.base": 0.0}),
    ("streamer_gini", {"amount.wealth": 0.0, "people.price_sigma": 0.0, "amount.base": 0.0}),
    ("revenue_share_watch_lt5_5to30_30to300_gt300", {"gift.delay_seconds": 0.0}),
    ("user_watch_total_p50_p90_p99_s", {"watch.stay_activity": 0.0}),
    ("watch_loyalty_p50_p90", {"watch.settle_base": -40.0, "watch.stay_loyal": 0.0}),
    ("daily_click_gini_over_streamers", {"stars.popularity_sigma": 0.0}),
)

FAR = {
    "revenue_share_never_gifted_pairs": "2.6 tolerances off on these two worlds, 2.0 on eight of"
    " medium and 1.0 of full size; `giftlive world check` passes it by two standard errors"
}
"""Behaviours that the shipped world does not show as closely as the others: findings."""


@lru_cache
def measured(*changes: tuple[str, float]) -> dict[str, tuple[float | None, ...]]:
    scenario = load_scenario("kuailive", "medium", {k: str(v) for k, v in changes})
    return moments(scenario, (1, 2), jobs=2).values


def off(name: str, values: dict[str, tuple[float | None, ...]]) -> float:
    """Return the largest error in tolerances."""
    found = np.array(values[name], dtype=np.float64)
    return float(np.max(np.abs(found - TARGETS[name].value) / TARGETS[name].limits))


def _known(name: str) -> object:
    """Return the target as a parameter; a known miss must stay one until the world is mended."""
    far = pytest.mark.xfail(strict=True, reason=FAR[name]) if name in FAR else ()
    return pytest.param(name, marks=far)


@pytest.mark.parametrize("name", [_known(name) for name, _ in MECHANISMS])
def test_the_world_shows_the_behaviour(name: str) -> None:
    assert off(name, measured()) < 1.6


@pytest.mark.parametrize(("name", "without"), MECHANISMS, ids=[name for name, _ in MECHANISMS])
def test_a_behaviour_is_gone_without_its_mechanism(name: str, without: dict[str, float]) -> None:
    gone = off(name, measured(*without.items()))
    assert gone > 2.0
    assert gone > off(name, measured()) + 0.4  # what 1.6 and 2.0 ask for
