"""Pairs of targets from the same logs: who is truly better, and how often a log says so."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.evaluation.bandit import Trial
from giftlive.evaluation.bandit_order import apart, hardest, near_share, pairs_of
from giftlive.stats.intervals import no_interval
from giftlive.types import Floats

NONE = no_interval("undefined", "not looked at", "", 0, "")


def trial(target: str, truth: float, values: list[float], effective: float = 500.0) -> Trial:
    logs: Floats = np.stack([np.array(values)] * 3)
    worth = np.full(len(values), effective)
    return Trial("snips", target, "count", truth, NONE, NONE, 0.0, 0.0, logs, worth, 100)


def test_pairs_are_ordered_by_the_truth_and_counted_log_by_log() -> None:
    trials = (
        trial("low", 1.0, [1.1, 0.9, 1.0, 1.3]),
        trial("high", 1.2, [1.0, 1.2, 1.0, 1.4]),
        trial("higher", 1.25, [1.5, 1.6, 1.7, 1.8], effective=99.0),
    )
    near, middle, far = pairs_of(trials, "snips", "count")
    assert (near.better, near.worse) == ("higher", "high")
    assert near.difference == pytest.approx(0.25 / 1.2 * 0.2)
    assert (middle.better, middle.worse) == ("high", "low")
    assert middle.right.tolist() == [False, True, False, True]  # a tie is no order
    assert (middle.share.value, middle.share.n) == (0.5, 4)
    assert (far.better, far.worse, far.share.value) == ("higher", "low", 1.0)
    assert middle.answered.all()
    assert not far.answered.any()  # 99 effective decisions are too few to speak
    assert middle.share_answered == middle.share
    assert far.share_answered.status == "undefined"


def test_near_apart_and_hardest() -> None:
    values = [1.0, 1.0]
    trials = tuple(
        trial(f"{t:g}", t, [t, v]) for t, v in zip((1.0, 1.04, 1.3), (2.0, *values), strict=True)
    )
    pairs = pairs_of(trials, "snips", "count")
    assert [round(p.difference, 3) for p in pairs] == [0.04, 0.25, 0.3]
    assert near_share(pairs) == pytest.approx(1 / 3)
    assert [p.worse for p in apart(pairs)] == ["1.04", "1"]
    worst = hardest(apart(pairs))
    assert worst is not None
    assert worst.share.value == 0.5
    assert hardest(()) is None
    assert pairs_of(trials, "dr", "count") == ()


def test_a_target_that_earns_nothing_is_infinitely_far() -> None:
    (pair,) = pairs_of((trial("a", 0.0, [0.0]), trial("b", 0.5, [0.1])), "snips", "count")
    assert (pair.better, pair.difference) == ("b", np.inf)
    assert apart((pair,)) == (pair,)
