"""The tripwire: what must trip it, what must not, and what is not enough to say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from giftlive.tables.audit.lift import MAX_AUC, Ranked, auc_of, finding_of, share_of
from giftlive.types import Floats


def rows_of(n: int, users: int, seed: int = 0) -> Ranked:
    rng = np.random.default_rng(seed)
    gift = rng.random(n) < 0.05
    amount = np.where(gift, rng.integers(1, 50, n), 0).astype(np.float64)
    return Ranked(amount, rng.integers(0, users, n), np.ones(n))


def test_auc_is_that_of_scikit_learn() -> None:
    rows = rows_of(2_000, 300)
    x = np.round(np.random.default_rng(1).normal(size=2_000) + (rows.amount > 0), 1)
    assert auc_of(x, rows).mean == pytest.approx(roc_auc_score(rows.amount > 0, x), abs=1e-12)


def test_share_of_the_best_order_by_hand() -> None:
    amount = np.zeros(200)
    amount[[3, 7, 9]] = 60, 30, 10
    rows = Ranked(amount, np.arange(200), np.ones(200))
    assert share_of(amount, rows).mean == pytest.approx(1.0)
    x = np.zeros(200)
    x[[7, 100]] = 1
    assert share_of(x, rows).mean == pytest.approx(30 / 90)
    assert share_of(np.zeros(200), rows).mean == pytest.approx(0.01 / 0.9)


@pytest.mark.parametrize("sign", [1, -1])
def test_any_monotone_copy_of_the_label_trips_it(sign: int) -> None:
    rows = rows_of(10_000, 2_000)
    assert finding_of("copy", sign * np.log1p(rows.amount), rows).passed is False


def test_a_copy_of_few_users_is_not_enough_data() -> None:
    rows = rows_of(10_000, 20)
    assert finding_of("copy", rows.amount, rows).passed is None


def test_a_strong_honest_feature_does_not_trip_it() -> None:
    """0 alarms of 200 features with a true AUC of 0.87, above any honest one we know."""
    tripped = 0
    for seed in range(200):
        rows = rows_of(3_000, 1_000, seed)
        noise: Floats = np.random.default_rng(seed + 1_000).normal(size=3_000)
        x = noise + 1.6 * (rows.amount > 0)
        assert auc_of(x, rows).mean < MAX_AUC + 0.05
        tripped += finding_of("strong", x, rows).passed is False
    assert tripped == 0


def test_weights_stand_for_rows_left_out() -> None:
    rows = rows_of(4_000, 500)
    x = np.random.default_rng(2).normal(size=4_000) + (rows.amount > 0)
    twice = Ranked(rows.amount, rows.user, np.full(4_000, 2.0))
    assert auc_of(x, twice).mean == pytest.approx(auc_of(x, rows).mean)
    assert share_of(x, twice).mean == pytest.approx(share_of(x, rows).mean)


def test_a_constant_ranks_nothing() -> None:
    assert finding_of("constant", np.zeros(3_000), rows_of(3_000, 100)).passed is True
