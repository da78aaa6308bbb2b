"""The tail of a source, read from its history."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.evaluation.history import history_totals, money_tail
from giftlive.rng import stream
from giftlive.stats.print_rule import UNMEASURED
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Floats

EVEN = stream(1, "history").gamma(4.0, 1.0, 3_000)


def uneven(largest: float) -> Floats:
    """Return 3,000 users of whom one gives ``largest``."""
    return np.append(EVEN[:-1], largest)


def test_even_users_get_the_lightest_tail() -> None:
    assert money_tail(False, "click", EVEN) == "count"


def test_a_whale_in_the_history_moves_the_tail_up() -> None:
    assert money_tail(False, "click", uneven(120.0)) == "capped"
    assert money_tail(False, "click", uneven(10_000.0)) == "full"


def test_a_live_platform_is_never_lighter_than_whole_gifts() -> None:
    assert money_tail(True, "session", EVEN) == "full"


def test_givers_are_compared_with_givers() -> None:
    assert money_tail(False, "gift", EVEN) == "gift"
    lonely = np.append(np.ones(200_000), 1e9)  # one giver in 200,000 gives nearly everything
    assert money_tail(False, "gift", lonely) == UNMEASURED


@pytest.mark.parametrize("totals", [np.zeros(0), np.zeros(50), np.ones(50)])
def test_a_history_that_says_nothing_stands_for_nothing(totals: Floats) -> None:
    assert money_tail(True, "session", totals) == UNMEASURED


def test_test_days_are_not_history() -> None:
    day = np.repeat(np.arange(10), 4)
    user = np.tile(np.arange(4), 10)
    y = np.where(day >= 6, 1_000.0, 1.0)
    zero = np.zeros(40, dtype=np.int64)
    matrix = Matrix(y[:, None], y, zero, user, zero, zero, zero, day, ("x",), "click")
    fold = Fold("one", (2, 5), (5, 6), (6, 10))
    assert history_totals(matrix, fold).tolist() == [3.0, 3.0, 3.0, 3.0]
