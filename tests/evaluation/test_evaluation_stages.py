"""Direct against two stages: the leak is one, a true part helps, the bound knows who gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from giftlive import metrics
from giftlive.evaluation import leaderboard
from giftlive.evaluation.leaderboard import Truth
from giftlive.evaluation.stages import BOTH, BOUND, GIFT_ONLY, arms_of, measured, with_leak
from giftlive.evaluation.stages.arms import Arm, same_twice
from giftlive.evaluation.stages.measure import versions
from giftlive.rng import stream
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold, rolling_origins

NAMES = ("pair_gift_sum", "streamer_gift_sum", "taste", "purse")


def log(users: int = 500, days: int = 20) -> tuple[Matrix, Truth]:
    """Return clicks whose chance hangs on one column and whose amount on another."""
    g = stream(8, "stages")
    n = users * days
    user, day = np.tile(np.arange(users), days), np.repeat(np.arange(days), users)
    taste, purse = g.normal(size=n), g.normal(size=users)[user]
    chance = 1.0 / (1.0 + np.exp(2.0 - 1.5 * taste))
    amount = 5.0 * np.exp(purse)
    y = np.where(g.random(n) < chance, np.ceil(amount * g.exponential(1.0, n)), 0.0)
    X = np.column_stack([np.maximum(taste, 0.0), g.random(n), taste, purse])
    ids = np.arange(n)
    zero = np.zeros(n, np.int64)
    matrix = Matrix(X, y, (y > 0).astype(np.int64), user, ids % 37, zero, zero, day, NAMES, "click")
    return matrix, Truth(chance * (amount + 0.5), chance, np.ones(n, np.int64))


@pytest.fixture(scope="module")
def data() -> tuple[Matrix, Truth]:
    return log()


@pytest.fixture(scope="module")
def folds(data: tuple[Matrix, Truth]) -> tuple[Fold, ...]:
    return rolling_origins(data[0].day)[-1:]


@pytest.fixture(scope="module")
def arms(data: tuple[Matrix, Truth], folds: tuple[Fold, ...]) -> dict[str, Arm]:
    return {a.name: a for a in arms_of(data[0], folds, "ridge", ("two_part",))}


def test_the_arms_share_the_rows_and_the_bound_knows_who_gave(
    data: tuple[Matrix, Truth], folds: tuple[Fold, ...], arms: dict[str, Arm]
) -> None:
    y = leaderboard.test_set(data[0], folds).y
    assert list(arms) == ["ridge", "two_part", GIFT_ONLY, BOUND]
    assert {len(arm.amount) for arm in arms.values()} == {len(y)}
    assert (arms[BOUND].amount[y == 0] == 0).all()
    assert metrics.revenue_capture(y, arms[BOUND].amount, 0.5) == pytest.approx(1.0)
    assert arms[GIFT_ONLY].chance is None


def test_the_direct_probability_is_monotone_in_its_score(arms: dict[str, Arm]) -> None:
    direct = arms["ridge"]
    assert direct.chance is not None
    in_order = direct.chance[np.argsort(direct.amount, kind="stable")]
    assert (np.diff(in_order) >= 0).all()
    assert 0.0 <= in_order[0] <= in_order[-1] <= 1.0


def test_the_isotonic_map_never_sees_a_test_label(
    data: tuple[Matrix, Truth], folds: tuple[Fold, ...], arms: dict[str, Arm]
) -> None:
    matrix, (fold,) = data[0], folds
    later = matrix.day >= fold.test[0]
    turned = replace(matrix, y=np.where(later, matrix.y[::-1], matrix.y))
    again = {a.name: a for a in arms_of(turned, folds, "ridge", ("two_part",))}
    for name in ("ridge", "two_part"):
        assert np.array_equal(again[name].amount, arms[name].amount)
        assert np.array_equal(again[name].chance, arms[name].chance)  # type: ignore[arg-type]


def test_the_leak_contains_the_label_and_only_the_leak_does(
    data: tuple[Matrix, Truth], folds: tuple[Fold, ...]
) -> None:
    matrix = data[0]
    leaky = with_leak(matrix)
    assert leaky.names[: len(NAMES)] == NAMES
    assert (leaky.X[:, : len(NAMES)] == matrix.X).all()
    for who in ("pair", "user", "streamer"):
        assert (leaky.column(f"leaked_{who}_amount") >= matrix.y).all()
    changed = matrix.y.copy()
    changed[-1] += 1_000.0
    moved = with_leak(replace(matrix, y=changed)).column("leaked_pair_amount")
    assert moved[-1] - leaky.column("leaked_pair_amount")[-1] == 1_000.0


def test_the_leak_lifts_every_model_and_a_true_part_closes_a_gap(
    data: tuple[Matrix, Truth], folds: tuple[Fold, ...]
) -> None:
    matrix, truth = data
    found = {
        (n.table, n.row, n.column): n.value
        for n in measured(matrix, folds, truth, "ridge", ("two_part",))
    }
    leaky, clean = (
        found["story", "two_part, PR-AUC", version] or 0.0 for version in ("leaky", "clean")
    )
    assert leaky > clean + 0.1
    own, chance, amount, both = (
        found["swap", row, "norm. Gini"] or 0.0
        for row in ("two_part", "two_part, true chance", "two_part, true amount", BOTH)
    )
    assert own < min(chance, amount)
    assert max(chance, amount) < both == pytest.approx(1.0)
    assert found["a_a", "two_part", "differs"] == 0.0


def test_without_a_world_nothing_is_swapped_in() -> None:
    matrix, _ = log(users=60)
    found = measured(matrix, rolling_origins(matrix.day)[-1:], None, "ridge", ("ridge",))
    assert {n.table for n in found} == {"story", "movable", "a_a"}


def test_swapping_in_an_arms_own_parts_changes_nothing() -> None:
    g = stream(2, "swap")
    chance, amount = g.random(50), g.exponential(3.0, 50)
    arm = Arm("x", chance * amount, chance)
    own = versions(arm, Truth(chance * amount, chance, np.ones(50, np.int64)))
    for score in own.values():
        assert score == pytest.approx(arm.amount)


def test_fitting_twice_gives_the_same_bits(
    data: tuple[Matrix, Truth], folds: tuple[Fold, ...]
) -> None:
    assert same_twice(data[0], folds[0], "two_part")
