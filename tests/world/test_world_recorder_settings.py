"""Settings of a recorder that cannot be."""

from __future__ import annotations

import pytest

from giftlive.errors import ConfigError
from giftlive.world import load_scenario


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("recorder.entry_stampd", "0.5", "entry_stamped"),
        ("recorder.lagged", "0.5", "<= 1"),
        ("recorder.outage_days", "[1]", "same length"),
        ("recorder.outage_days", "[3, 3]", "must differ"),
        ("recorder.outage_days", "[-1, 3]", "outage_days"),
        ("recorder.arrival_lag", "slwo", "'slow'"),
        ("recorder.grid_ms", "0", "grid_ms"),
        ("recorder.orphans", "1.5", "orphans"),
        ("recorder.presses", "0.5", "presses"),
        ("recorder.slow_seconds", "-1.0", "slow_seconds"),
    ],
)
def test_impossible_settings_are_named(key: str, value: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_scenario("kuailive", overrides={key: value})
