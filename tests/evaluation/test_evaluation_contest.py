"""Paired evenings: ties, shares and gains by hand, and the same numbers from any worker."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from giftlive.evaluation.contest import LINEUP, Contest, Night, play_night, run_contest
from giftlive.evaluation.rollout import Rollout


def rollout(revenue: float) -> Rollout:
    none = np.zeros(2)
    return Rollout("p", 1, 10, 0, 1, revenue, revenue, 0, 0.5, none, none)


def contest(*rows: tuple[float, float, float]) -> Contest:
    """Nights of (bound, revenue of a, revenue of b)."""
    return Contest(
        tuple(
            Night(k, {"a": rollout(a), "b": rollout(b)}, bound, 0.0, 0.3, 0.1, True, 1.0)
            for k, (bound, a, b) in enumerate(rows)
        )
    )


def test_shares_and_gains_by_hand() -> None:
    found = contest((10.0, 6.0, 5.0), (30.0, 24.0, 20.0))
    assert found.share_of_bound("a").value == pytest.approx(30 / 40)
    assert found.gain("a", "b").value == pytest.approx(2.5)
    assert found.relative_gain("a", "b").value == pytest.approx(5 / 25)
    assert found.mean("b", "expected_revenue").value == pytest.approx(12.5)
    assert found.gain("a", "b").n == 2


def test_a_policy_ties_with_itself_exactly() -> None:
    found = contest((10.0, 6.0, 6.0), (30.0, 24.0, 24.0), (7.0, 1.0, 1.0))
    for interval in (found.gain("a", "b"), found.relative_gain("a", "b")):
        assert (interval.value, interval.width) == (0.0, 0.0)


def test_pairing_removes_what_evenings_have_in_common() -> None:
    found = contest((10.0, 6.1, 6.0), (30.0, 25.1, 25.0), (70.0, 50.1, 50.0))
    assert found.gain("a", "b").value == pytest.approx(0.1)
    width = found.gain("a", "b").width
    assert width is not None
    assert width < 1e-9


@pytest.mark.slow
def test_evenings_are_the_same_from_one_worker_or_two(oracle: Any) -> None:
    evening = oracle()
    told: list[int] = []
    one = run_contest(evening, 2, 3, 1, lambda done, total: told.append(done))
    two = run_contest(evening, 2, 3, 2)
    assert told == [1, 2]
    for left, right in zip(one.nights, two.nights, strict=True):
        assert (left.seed, left.bound, left.tie) == (right.seed, right.bound, right.tie)
        for name, _, _ in LINEUP:
            assert_array_equal(left.rollouts[name].income, right.rollouts[name].income)
    assert all(night.tie for night in one.nights)


def test_oracles_and_estimates_agree_where_the_estimates_are_the_truth(oracle: Any) -> None:
    night = play_night(oracle(), 4, replay=False)
    for name in ("greedy_with_cap", "dual_price"):
        told, known = night.rollouts[name], night.rollouts[f"oracle_{name}"]
        assert told.expected_revenue == pytest.approx(known.expected_revenue, rel=1e-12)
    assert night.tie is None


def test_a_carried_generator_would_break_the_tie(
    oracle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known trap: the check must see a stream that goes on from policy to policy."""
    from giftlive.evaluation import rollout as module

    carried = np.random.default_rng(1)
    monkeypatch.setattr(module, "stream", lambda *name: carried)
    assert play_night(oracle(), 4).tie is False
