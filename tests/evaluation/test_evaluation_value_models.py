"""Models against exact expected amounts: known order, level, tenths, coverage and the ceiling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.leaderboard import Truth, predictions
from giftlive.evaluation.leaderboard.predictions import Predictions
from giftlive.evaluation.rollouts import CellStore
from giftlive.evaluation.value_models import (
    BAYES,
    COLD,
    LATENT,
    TENTHS,
    Plan,
    covered,
    luck,
    measured,
    read_worlds,
)
from giftlive.evaluation.value_models.measure import ALL, Judged
from giftlive.rng import stream
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Floats
from giftlive.world import load_scenario

N = 2_000


def judged(*scores: tuple[str, Floats], value: Floats) -> Judged:
    """Return a world whose rows are worth ``value`` and happened to bring just that."""
    ids = np.arange(len(value))
    test = predictions.TestSet(ids, np.rint(value * 10.0), ids % 50, np.zeros_like(ids))
    made = tuple(
        Predictions(name, score, np.full(len(value), 0.2), 0.0, (), score) for name, score in scores
    )
    return Judged(test, Truth(value, np.full(len(value), 0.2), np.ones_like(ids)), ids < 500, made)


def table(found: list[Number], name: str) -> dict[tuple[str, str], float | None]:
    return {(n.row, n.column): n.value for n in found if n.table == name}


@pytest.fixture
def value() -> Floats:
    return np.asarray(np.exp(1.5 * stream(3, "values").normal(size=N)))


def test_the_truth_itself_is_perfect_and_its_reverse_the_worst(value: Floats) -> None:
    found = list(
        measured(
            judged(
                ("user_past_spend", np.ones(N)),
                ("ridge", value),
                ("hurdle", 1.0 / value),
                value=value,
            )
        )
    )
    order, head = table(found, "order"), table(found, "head")
    assert order["ridge", "norm. Gini"] == pytest.approx(1.0)
    assert order["hurdle", "norm. Gini"] == pytest.approx(-1.0)
    assert order["user_past_spend", "norm. Gini"] == pytest.approx(0.0, abs=1e-9)
    for label in (ALL, COLD):
        assert head["ridge", label] == pytest.approx(head[LATENT, label])
        assert head["user_past_spend", label] == pytest.approx(0.01)  # ties share expectation


def test_a_model_twice_too_high_is_so_in_the_sum_and_in_every_tenth(value: Floats) -> None:
    found = list(measured(judged(("user_past_spend", value), ("ridge", 2.0 * value), value=value)))
    assert table(found, "level")["ridge", "Σ pred / Σ expected"] == pytest.approx(2.0)
    for label in TENTHS:
        sums = [table(found, f"{s}, {label}")["ridge", "sum"] for s in ("predicted", "expected")]
        assert sums[0] == pytest.approx(2.0 * float(sums[1] or 0.0))
    due = [table(found, f"expected, {label}")["ridge", "sum"] or 0.0 for label in TENTHS]
    assert due == sorted(due)
    assert sum(due) == pytest.approx(float(value.sum()))


def gifts(users: int = 1_500, days: int = 10) -> Matrix:
    """Return rows whose amount is log-normal around a known middle."""
    g = stream(4, "gifts")
    n = users * days
    user, day = np.tile(np.arange(users), days), np.repeat(np.arange(days), users)
    purse, taste = g.normal(size=n), g.normal(size=n)
    gave = g.random(n) < 1.0 / (1.0 + np.exp(1.5 - taste))
    y = np.where(gave, np.exp(1.0 + purse + g.normal(size=n)), 0.0)
    zero = np.zeros(n, np.int64)
    X, names = np.column_stack([purse, taste]), ("purse", "taste")
    return Matrix(X, y, gave.astype(np.int64), user, zero, zero, zero, day, names, "click")


def test_intervals_hold_as_often_as_they_say_in_every_tenth() -> None:
    found = {(n.row, n.column): n.value or 0.0 for n in covered(gifts(), FOLD, "tweedie_glm")}
    assert found["all gifts", "gifts"] == sum(found[t, "gifts"] for t in TENTHS) > 900
    assert found["all gifts", "covered"] / found["all gifts", "gifts"] == pytest.approx(
        0.9, abs=0.03
    )
    for label in TENTHS:
        assert found[label, "covered"] / found[label, "gifts"] == pytest.approx(0.9, abs=0.09)


FOLD = Fold("one", (0, 6), (6, 7), (7, 10))


def test_where_gifts_are_few_no_coverage_is_told() -> None:
    assert list(covered(gifts(users=40), FOLD, "tweedie_glm")) == []


def test_luck_is_that_of_the_training_and_test_days_of_every_fold() -> None:
    # Users 0 and 1 alone are worth something: 2 a row of training days, 1 of the others.
    user, day = np.tile(np.arange(4), 10), np.repeat(np.arange(10), 4)
    value = np.where(user < 2, np.where(day < 6, 2.0, 1.0), 0.0)
    given = np.where(day < 6, 0.5, 3.0) * value
    zero, X = np.zeros(40, np.int64), np.zeros((40, 1))
    rows = Matrix(X, given, zero, user, zero, zero, zero, day, ("x",), "click")
    truth = Truth(value, np.full(40, 0.5), np.ones(40, np.int64))
    found = [n.value for n in luck(rows, (FOLD,), truth)]
    assert found == pytest.approx([0.5, 3.0, 1.0, 2.0])


NAMES = ("user_past_spend", "ridge", "tweedie_glm")


def test_one_world_end_to_end(tmp_path: Path) -> None:
    plan = Plan(load_scenario("kuailive", "0.002"), (1,), (), NAMES, "tweedie_glm")
    store = CellStore(tmp_path, "this code")
    found = [r.number for r in read_worlds(plan, store=store)]
    (kept,) = tmp_path.glob("*.json")
    made = kept.stat().st_mtime_ns
    assert [r.number for r in read_worlds(plan, store=store)] == found
    assert kept.stat().st_mtime_ns == made  # read, not made again
    head = table(found, "head")
    assert (BAYES, ALL) not in head
    for name in NAMES:
        assert 0.0 <= (head[name, ALL] or 0.0) <= (head[LATENT, ALL] or 0.0) < 1.0
    assert table(found, "a_a")["tweedie_glm", "differs"] == 0.0
    assert len(table(found, "chosen")) == 1


@pytest.mark.slow
def test_worlds_end_to_end_with_teachers_of_the_ceiling(tmp_path: Path) -> None:
    scenario, store = load_scenario("kuailive", "0.002"), CellStore(tmp_path, "this code")
    plan = Plan(scenario, (1,), tuple(range(2, 24)), NAMES, "tweedie_glm")
    told: list[tuple[int, int]] = []
    found = read_worlds(plan, lambda done, total, /: told.append((done, total)), store)
    assert told == [(done, 24) for done in range(1, 25)]
    assert len(list(tmp_path.iterdir())) == 23
    assert read_worlds(plan, store=store) == found
    head = table([r.number for r in found], "head")
    assert head["ridge", ALL] is not None
    for label in (ALL, COLD):
        assert 0.0 < (head[BAYES, label] or 0.0) <= (head[LATENT, label] or 0.0)
