"""Generated logs of twenty days: entry-stamped gifts, heavy keys, many equal milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from giftlive.logs.store import Store


@pytest.fixture
def logs(make_store: Callable[..., Store]) -> Callable[[int], Store]:
    """Return a function from a seed to the store of its logs."""
    return cache(lambda seed: make_store(**_evenings(seed)))


def _evenings(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    minute, start = 60_000, 1_746_374_400_000
    tables: dict[str, Any] = {name: [] for name in ("clicks", "gifts", "comments", "likes")}
    for _ in range(1_500):
        user, streamer = int(rng.zipf(1.5)) % 60, int(rng.zipf(1.5)) % 25
        ts = start + int(rng.integers(0, 20 * 24 * 60)) * minute
        where = (user, 1_000 * streamer + (ts - start) // 86_400_000, streamer, ts)
        tables["clicks"].append((*where, int(rng.integers(0, 90)) * minute))
        if rng.random() < 0.25:
            tables["gifts"].append((*where, int(rng.integers(1, 99))))
        for name in ("comments", "likes"):
            if rng.random() < 0.3:
                tables[name].append((*where[:3], ts + int(rng.integers(0, 9)) * minute))
    shown = [(*c[:3], c[3] + 7 * minute) for c in tables["clicks"] for _ in range(2)]
    rooms = [
        {
            "live_id": live,
            "streamer_id": live // 1_000,
            "start_ts": start + (live % 1_000) * 86_400_000,
            "end_ts": start + (live % 1_000 + 1) * 86_400_000,
            "live_type": live % 3,
            "category": f"c{live % 4}",
        }
        for live in sorted({c[1] for c in tables["clicks"]})
    ]
    hidden = [(0, 0, 1, start + 9 * minute, 3), (0, 0, 2, start + 9_000 * minute, 4)]
    return {**tables, "negatives": shown, "rooms": rooms, "anonymous": hidden}
