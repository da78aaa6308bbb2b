"""Revenue over time with intervals: by hand, and nothing lost."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.service.console.readings import PARTS, reach_of, revenue_of


def _points(amounts: list[float], every_ms: int = 1000) -> list[dict[str, Any]]:
    total = np.cumsum([0.0, *amounts])
    return [{"tick_ts": k * every_ms, "amount": float(a)} for k, a in enumerate(total)]


def test_revenue_by_hand() -> None:
    """Ten seconds at 1 a second, then ten at 3: sixty and 180 a minute."""
    found = revenue_of(_points([1.0] * 10 + [3.0] * 10))
    assert found["width_seconds"] == 5
    assert [b["value"] for b in found["bins"]] == [60.0, 60.0, 180.0, 180.0]
    # five equal parts are no evidence of a spread of 0
    assert [(b["low"], b["high"]) for b in found["bins"]] == [(None, None)] * 4
    uneven = revenue_of(_points([1.0, 1.0, 1.0, 1.0, 2.0] * 4))["bins"][0]
    assert (uneven["low"], uneven["high"]) == pytest.approx((38.69, 105.31), abs=0.01)
    assert [b["ts"] for b in found["bins"]] == [0, 5000, 10000, 15000]
    assert found["recent"]["value"] == 120.0
    assert found["recent"]["low"] < 120.0 < found["recent"]["high"]


@given(st.lists(st.floats(0.0, 1e6), min_size=6, max_size=300))
def test_no_revenue_is_lost_or_invented(amounts: list[float]) -> None:
    found = revenue_of(_points(amounts))
    width = found["width_seconds"]
    whole = len(found["bins"]) * width
    first = found["bins"][0]["ts"] // 1000 if found["bins"] else 0
    said = sum(b["value"] * width / 60 for b in found["bins"])
    assert said == pytest.approx(sum(amounts[first : first + whole]), rel=1e-9, abs=1e-6)
    spread = [b for b in found["bins"] if b["low"] is not None]
    assert all(0.0 <= b["low"] <= b["value"] + 1e-9 for b in spread)
    assert {b["n"] for b in found["bins"]} <= {PARTS}


def test_ticks_of_equal_time_count_once() -> None:
    """With the clock of requests, history is kept by the wall's: time may stand still."""
    points = _points([1.0] * 20)
    assert revenue_of([p for p in points for _ in range(3)]) == revenue_of(points)


def test_before_there_is_time_there_is_no_revenue() -> None:
    for points in ([], _points([]), _points([1.0])):
        assert revenue_of(points)["bins"] == []


def test_charts_reach_back_to_what_is_kept() -> None:
    points: deque[dict[str, Any]] = deque(maxlen=3)
    assert reach_of(points) == {"history_since_ts": None, "history_cut": False}
    for point in _points([1.0] * 4):
        points.append(point)
    assert reach_of(points) == {"history_since_ts": 2000, "history_cut": True}
