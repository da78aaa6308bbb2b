"""The leaderboard: chosen on validation, scored once on test, paired by user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from giftlive.errors import NotEnoughDataError
from giftlive.evaluation import leaderboard
from giftlive.evaluation.leaderboard import Predictions
from giftlive.models.base import State
from giftlive.models.registry import MODELS
from giftlive.rng import stream
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold, rolling_origins
from giftlive.types import Floats, Ints

NAMES = ("user_gift_sum", "pair_gift_sum", "streamer_gift_sum", "taste")


def matrix(seed: int = 1, users: int = 600, days: int = 20) -> Matrix:
    """Users give in proportion to what they gave before; the rest of the columns is noise."""
    g = stream(seed, "leaderboard")
    n = users * days
    user, day = np.tile(np.arange(users), days), np.repeat(np.arange(days), users)
    spend = np.exp(g.normal(0.0, 1.0, users))[user]
    y = np.where(g.random(n) < 0.4, np.ceil(5.0 * spend), 0.0)
    X = np.column_stack([spend, g.random(n), g.random(n), g.normal(size=n)])
    still = np.zeros(n, dtype=np.int64)
    return Matrix(
        X, y, (y > 0).astype(np.int64), user, still, still, still, day, NAMES, "click"
    )  # fmt: skip


@dataclass(frozen=True)
class Oracle:
    """A model that has read the labels of some days."""

    known: tuple[int, int]
    lookup: Matrix

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> Oracle:
        return self

    def predict(self, X: Floats) -> Floats:
        found = np.zeros(len(X))
        place = {key.tobytes(): i for i, key in enumerate(self.lookup.X)}
        for k, row in enumerate(X):
            i = place[row.tobytes()]
            if self.known[0] <= self.lookup.day[i] < self.known[1]:
                found[k] = self.lookup.y[i]
        return found

    def predict_proba(self, X: Floats) -> Floats:
        return np.minimum(self.predict(X), 1.0)

    def state(self) -> State:
        return State("oracle", {})

    def card(self) -> dict[str, object]:
        return {}


@pytest.fixture(scope="module")
def data() -> Matrix:
    return matrix()


@pytest.fixture(scope="module")
def folds(data: Matrix) -> tuple[Fold, ...]:
    return rolling_origins(data.day)


@pytest.fixture(scope="module")
def predictions(data: Matrix, folds: tuple[Fold, ...]) -> dict[str, Predictions]:
    names = ("user_past_spend", "streamer_past_income", "ridge")
    return {p.name: p for p in leaderboard.predict_all(data, folds, names)}


def test_test_days_are_pooled_without_meeting_twice(data: Matrix, folds: tuple[Fold, ...]) -> None:
    pooled = leaderboard.test_set(data, folds)
    assert len(np.unique(pooled.rows)) == len(pooled.rows)
    assert_array_equal(pooled.y, data.y[pooled.rows])
    for k, fold in enumerate(folds):
        day = data.day[pooled.rows[pooled.fold == k]]
        assert (day.min(), day.max() + 1) == fold.test
        before = data.day < fold.train[1]
        assert not np.any(before[pooled.rows[pooled.fold == k]])


def test_predictions_line_up_with_the_pooled_rows(
    data: Matrix, folds: tuple[Fold, ...], predictions: dict[str, Predictions]
) -> None:
    pooled = leaderboard.test_set(data, folds)
    spend = predictions["user_past_spend"].amount
    assert len(spend) == len(pooled.rows)
    order = np.argsort(data.X[pooled.rows, 0], kind="stable")
    for k in range(len(folds)):
        inside = order[pooled.fold[order] == k]
        assert np.all(np.diff(spend[inside]) >= 0)


def test_a_model_against_itself_ties_exactly(
    data: Matrix, folds: tuple[Fold, ...], predictions: dict[str, Predictions]
) -> None:
    pooled, ridge = leaderboard.test_set(data, folds), predictions["ridge"]
    for metric in leaderboard.statistics(pooled, ridge):
        tie = leaderboard.gain(pooled, ridge, ridge, metric)
        assert (tie.value, tie.low, tie.high, tie.width) == (0.0, 0.0, 0.0, 0.0)


def test_gains_are_antisymmetric_and_agree_with_the_board(
    data: Matrix, folds: tuple[Fold, ...], predictions: dict[str, Predictions]
) -> None:
    pooled, metric = leaderboard.test_set(data, folds), "revenue_capture_1pct"
    one, other = predictions["user_past_spend"], predictions["streamer_past_income"]
    gain = leaderboard.gain(pooled, one, other, metric)
    back = leaderboard.gain(pooled, other, one, metric)
    scored = leaderboard.score(pooled, (one, other))
    first, second = (s.metrics[metric].value for s in scored)
    assert gain.value is not None
    assert back.value == -gain.value
    assert first is not None
    assert second is not None
    assert_allclose(gain.value, first - second, atol=1e-12)
    assert gain.low is not None
    assert gain.low > 0.0  # past spend is what the world is made of
    assert gain.n == 600


def test_a_ranker_of_shuffled_labels_gains_nothing(
    data: Matrix, folds: tuple[Fold, ...], predictions: dict[str, Predictions]
) -> None:
    g, pooled = stream(4, "shuffle"), leaderboard.test_set(data, folds)
    shuffled = replace(pooled, y=g.permutation(pooled.y))
    one, other = predictions["user_past_spend"], predictions["streamer_past_income"]
    gain = leaderboard.gain(shuffled, one, other, "revenue_capture_1pct")
    assert gain.low is not None
    assert gain.high is not None
    assert gain.low <= 0.0 <= gain.high


def test_a_later_validation_span_which_an_earlier_origin_tests_does_not_choose(
    data: Matrix, folds: tuple[Fold, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, later = folds[0], folds[-1]
    monkeypatch.setitem(MODELS, "knows_first", lambda: Oracle(first.validation, data))
    monkeypatch.setitem(MODELS, "knows_later", lambda: Oracle(later.validation, data))
    found = leaderboard.predict_all(data, folds, ("user_past_spend", "knows_first", "knows_later"))
    assert leaderboard.choose(found)[0].name == "knows_first"


def test_choice_sees_validation_and_nothing_else(
    data: Matrix, folds: tuple[Fold, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One planted model knows the labels of the test days, the other of the validation days."""
    last = folds[-1]
    monkeypatch.setitem(MODELS, "knows_test", lambda: Oracle(last.test, data))
    monkeypatch.setitem(MODELS, "knows_validation", lambda: Oracle(last.validation, data))
    names = ("user_past_spend", "knows_test", "knows_validation")
    found = leaderboard.predict_all(data, (last,), names)
    learned, trivial = leaderboard.choose(found)
    by_name = {p.name: p for p in found}
    assert (learned.name, trivial.name) == ("knows_validation", "user_past_spend")
    assert np.mean(by_name["knows_test"].by_fold) > np.mean(learned.by_fold)


def test_choice_separates_trivial_rankers_from_models() -> None:
    def made(name: str, validation: float, test: float) -> Predictions:
        return Predictions(name, np.zeros(1), np.zeros(1), validation, (test,), np.zeros(1))

    learned, trivial = leaderboard.choose(
        (
            made("user_past_spend", 0.3, 0.1),
            made("pair_past_spend", 0.2, 0.9),
            made("ridge", 0.1, 0.9),
            made("two_part", 0.15, 0.1),
        )
    )
    assert (learned.name, trivial.name) == ("two_part", "user_past_spend")


def test_a_perfect_and_a_constant_ranker_by_hand() -> None:
    y = np.concatenate([np.zeros(98), [4.0, 6.0]])
    pooled = leaderboard.TestSet(np.arange(100), y, np.arange(100), np.zeros(100, np.int64))
    perfect = leaderboard.statistics(pooled, Predictions("p", y, np.minimum(y, 1.0), 0.0, (), y))
    ones = np.ones(100)
    same = Predictions("c", 0.1 * ones, 0.02 * ones, 0.0, (), ones)
    flat = leaderboard.statistics(pooled, same)
    assert perfect["revenue_capture_1pct"].value == pytest.approx(0.6)
    assert perfect["calibration_ratio"].value == pytest.approx(1.0)
    assert perfect["pr_auc"].value == pytest.approx(1.0)
    assert flat["revenue_capture_1pct"].value == pytest.approx(0.01)
    assert flat["pr_auc"].value == pytest.approx(0.02)
    (scored,) = leaderboard.score(pooled, (same,))
    assert scored.metrics["ece"].low == 0.0


def test_rows_that_are_all_gifts_have_no_occurrence_to_score() -> None:
    pooled = leaderboard.TestSet(np.arange(5), np.ones(5), np.arange(5), np.zeros(5, np.int64))
    found = leaderboard.statistics(
        pooled, Predictions("p", np.arange(5.0), np.ones(5), 0.0, (), np.ones(5))
    )
    assert not {"pr_auc", "ece"} & set(found)


@pytest.mark.parametrize("span", ["validation", "test"])
def test_days_without_a_gift_refuse_instead_of_choosing_by_nothing(
    data: Matrix, folds: tuple[Fold, ...], span: str
) -> None:
    low, high = getattr(folds[0], span)
    silent = replace(data, y=np.where((data.day >= low) & (data.day < high), 0.0, data.y))
    with pytest.raises(NotEnoughDataError, match=f"origin-1, {span}"):
        leaderboard.predict_all(silent, folds, ("user_past_spend",))
