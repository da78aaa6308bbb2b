from __future__ import annotations

import math

import pytest

from giftlive.errors import InputError
from giftlive.stats.print_rule import MONEY_CLUSTERS, may_print, needed_clusters


@pytest.mark.parametrize(
    ("cv", "skew", "needed"),
    [
        (5.0, 3.0, 400),  # (5 / 0.25)² beats 25 · 9
        (1.0, 3.0, 225),  # 25 · 9 beats 16
        (1.0, -3.0, 225),
        (0.3, 0.0, 2),  # never below what an interval needs
        (0.26, 0.3, 3),  # rounded up
    ],
)
def test_needed_clusters_known_answers(cv: float, skew: float, needed: int) -> None:
    assert needed_clusters(cv, skew) == needed


def test_a_difference_follows_the_skew_rule_alone() -> None:
    assert needed_clusters(math.inf, 3.0, difference=True) == 225


def test_money_is_never_printed_below_its_floor() -> None:
    assert needed_clusters(1.0, 1.0, money=True) == MONEY_CLUSTERS
    assert needed_clusters(100.0, 1.0, money=True) == 160_000


def test_may_print_changes_exactly_at_the_threshold() -> None:
    assert may_print(400, 5.0, 3.0) == (True, "")
    allowed, reason = may_print(399, 5.0, 3.0)
    assert not allowed
    assert reason == "not enough data: 399 clusters, need 400"


@pytest.mark.parametrize(("cv", "skew"), [(math.nan, 1.0), (1.0, math.inf), (-1.0, 1.0)])
def test_unknown_moments_are_refused(cv: float, skew: float) -> None:
    with pytest.raises(InputError, match="print rule"):
        needed_clusters(cv, skew)
