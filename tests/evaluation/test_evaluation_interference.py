"""Targets in the shadow of a logger: right where nobody shares a seat, not where they do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from giftlive.evaluation.interference import Interference, Shadowed, interference, online, shadow
from giftlive.evaluation.screening_targets import LINEUP, Screened


def test_the_logger_judges_itself_exactly(prepared: Any) -> None:
    """Its weights are 1, so the estimate is the mean of its own evening."""
    found = shadow(prepared.evening, True, 3)["logger"]
    assert found.weight == found.decisions
    assert 0.0 < found.low < found.weighted / found.weight < found.high
    assert abs(found.weighted - found.gifts) < 4.0 * np.sqrt(found.gifts)
    assert found.refused > 0


def test_with_and_without_limit_are_paired_and_only_one_refuses(prepared: Any) -> None:
    cases = interference(prepared.evening, 1, 3)
    assert [(c.seats, c.target) for c in cases] == [
        (seats, name) for seats in (True, False) for name in online(prepared.evening)
    ]
    for case in cases:
        assert len(case.nights) == 1
        assert (case.refused > 0.0) == (case.seats and case.target != "dual_price")
        assert case.truth > 0.0
    full, free = cases[0], cases[len(cases) // 2]
    assert free.truth > full.truth  # nobody is turned away


def test_the_error_is_relative_to_the_truth() -> None:
    nights = (
        Shadowed(6.0, 20.0, 0.1, 0.5, 20.0, 100, 30),
        Shadowed(8.0, 20.0, 0.3, 0.5, 20.0, 100, 0),
    )
    found = Interference("greedy", True, nights)
    assert (found.truth, found.estimated) == (0.2, 0.35)
    assert found.error.value == pytest.approx((0.1 + 0.2) / 0.4)
    assert (found.held, found.refused) == (1, 0.15)


def test_every_screened_target_is_a_policy_on_the_contexts(prepared: Any) -> None:
    evening = prepared.evening
    seen = evening.arrivals(5)
    values, seconds = evening.estimated_valuer(seen)
    made = Screened(evening.values, evening.prices, evening.seats)
    answers = made.answers(seen, values, seconds)
    assert tuple(answers) == LINEUP
    # Three whales need not meet on an evening this small: here they all want one room.
    there, whales = seen.rooms >= 0, made.whales[seen.user]
    crowded = np.where(seen.rooms == np.bincount(seen.rooms[there]).argmax(), values.max(), values)
    answers["whale_tier"] = made.answers(seen, crowded, seconds)["whale_tier"]
    rows = np.arange(len(seen))
    for name, found in answers.items():
        wanted = crowded if name == "whale_tier" else values
        greedy = np.where(there, wanted, -np.inf).argmax(axis=1)
        np.testing.assert_allclose(found.sum(axis=1), 1.0)
        assert np.all(found[~there] == 0.0)
        assert found[rows, greedy].mean() < 1.0, name  # no target is greedy again
        assert name != "whale_tier" or np.all(found[rows, greedy][~whales] == 1.0)
    bonus = made.newcomers[np.where(there, seen.streamers, 0)] & there
    assert (answers["cold_start"] * bonus).sum() > (answers["concave"] * bonus).sum()
