"""What stands beside the rankings: errors, differences to two references, slices, truth, cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from giftlive.errors import UsageError
from giftlive.evaluation import leaderboard
from giftlive.evaluation.leaderboard import METRICS, Predictions, Truth
from giftlive.evaluation.leaderboard.scores import worst_decile
from giftlive.rng import stream
from giftlive.tables.matrix import Matrix, load_matrix
from giftlive.tables.splits import Fold
from giftlive.types import Floats
from giftlive.world import build_world, load_scenario


def pooled(seed: int = 3, users: int = 800, rows: int = 10) -> tuple[leaderboard.TestSet, Floats]:
    """Return test rows whose expected amounts are known, and those."""
    g = stream(seed, "deep")
    n = users * rows
    user = np.repeat(np.arange(users), rows)
    expected = 0.3 * np.exp(g.normal(0.0, 1.0, users))[user] * np.exp(g.normal(0.0, 0.5, n))
    chance = np.clip(expected / 4.0, 0.0, 0.9)
    y = np.where(g.random(n) < chance, np.ceil(4.0 * g.exponential(1.0, n)), 0.0)
    return leaderboard.TestSet(np.arange(n), y, user, np.zeros(n, np.int64)), expected


def made(name: str, amount: Floats, chance: Floats | None = None) -> Predictions:
    p = np.clip(amount / 4.0, 0.0, 0.9) if chance is None else chance
    return Predictions(name, amount, p, 0.0, (), amount)


@pytest.fixture(scope="module")
def three() -> tuple[leaderboard.TestSet, Floats, tuple[Predictions, ...]]:
    test, expected = pooled()
    g = stream(4, "noise")
    noisy = expected * np.exp(g.normal(0.0, 1.0, len(expected)))
    blind = g.random(len(expected))
    return test, expected, (made("good", expected), made("ridge", noisy), made("blind", blind))


def test_every_metric_of_the_issue_is_on_the_board_and_matches_scikit_learn(three: Any) -> None:
    test, _, models = three
    (scored, *_) = leaderboard.score(test, models)
    assert list(scored.metrics) == list(METRICS)
    value = {name: interval.value for name, interval in scored.metrics.items()}
    p, logs = models[0], (np.log1p(test.y), np.log1p(models[0].amount))
    golden = {
        "log_loss": sk.log_loss(test.y > 0, p.probability),
        "mae_log": sk.mean_absolute_error(*logs),
        "rmse_log": sk.root_mean_squared_error(*logs),
        "ndcg_100": sk.ndcg_score([test.y], [p.amount], k=100),
        "spearman": stats.spearmanr(test.y, p.amount).statistic,
        "pr_auc": sk.average_precision_score(test.y > 0, p.probability),
    }
    for name, expected in golden.items():
        assert value[name] == pytest.approx(expected), name
    k = len(test.y) // 20
    top = set(np.argsort(-p.amount)[:k].tolist())
    assert value["revenue_capture_5pct"] == pytest.approx(
        test.y[list(top)].sum() / test.y.sum(), abs=1e-12
    )


def test_a_number_without_a_measured_interval_says_so(three: Any) -> None:
    test, _, models = three
    (scored, *_) = leaderboard.score(test, models)
    for name in ("topk_overlap_1pct", "mae_log", "worst_decile"):
        found = scored.metrics[name]
        assert (found.low, found.high) == (None, None)
        assert "measured" in found.reason


def test_the_worst_decile_is_the_one_farthest_from_1_on_either_side() -> None:
    y = np.ones(100)
    up = np.arange(100) >= 90
    assert worst_decile(y, np.where(up, 3.0, 1.0)) == pytest.approx(3.0)
    assert worst_decile(y, np.where(up, 1.0, 0.2) + 1e-9 * np.arange(100)) == pytest.approx(
        0.2, rel=1e-6
    )
    assert np.isnan(worst_decile(np.zeros(100), y))


def test_differences_are_those_of_the_metrics_and_skip_the_model_itself(three: Any) -> None:
    test, _, models = three
    found = leaderboard.gaps(test, models, ("blind", "ridge"))
    assert {(g.model, g.reference) for g in found} == {
        ("good", "blind"), ("ridge", "blind"), ("good", "ridge"), ("blind", "ridge"),
    }  # fmt: skip
    board = {s.name: s.metrics for s in leaderboard.score(test, models)}
    for gap in found:
        one, other = (board[who][gap.metric].value for who in (gap.model, gap.reference))
        assert one is not None
        assert other is not None
        assert gap.interval.value == pytest.approx(one - other, abs=1e-12)
    back = {(g.model, g.reference, g.metric): g.interval for g in found}
    forth, reverse = back["ridge", "blind", "pr_auc"], back["blind", "ridge", "pr_auc"]
    assert forth.low == pytest.approx(-(reverse.high or 0.0))


def test_users_drawn_again_agree_with_the_influence_values(three: Any) -> None:
    """The interval is the limit of a paired clustered bootstrap; here both are made."""
    test, _, (good, ridge, _) = three
    names = ("revenue_capture_10pct", "pr_auc", "log_loss", "spearman", "normalised_gini")
    again = leaderboard.resampled(test, good, ridge, names, replicates=300, seed=5)
    assert [r.metric for r in again] == list(names)
    for r in again:
        assert 0.8 < r.ratio < 1.25, r


def test_pairing_makes_the_difference_of_twins_exact(three: Any) -> None:
    test, _, (good, *_) = three
    for r in leaderboard.resampled(test, good, good, replicates=5):
        assert (r.drawn, r.linear) == (0.0, 0.0)
        assert np.isnan(r.ratio)


def test_treating_rows_as_independent_would_be_seen(three: Any) -> None:
    """A user's rows stand together: with ten copies of every row the error must not shrink."""
    test, _, (good, ridge, _) = three
    copies = leaderboard.TestSet(
        *(np.repeat(c, 4) for c in (test.rows, test.y, test.user, test.fold))
    )
    four = [made(p.name, np.repeat(p.amount, 4)) for p in (good, ridge)]
    (once,) = leaderboard.resampled(test, good, ridge, ("log_loss",), replicates=2)
    (more,) = leaderboard.resampled(copies, four[0], four[1], ("log_loss",), replicates=2)
    assert more.linear == pytest.approx(once.linear)


def matrix_of(test: leaderboard.TestSet, counts: Floats) -> Matrix:
    n = len(test.y)
    zero, day = np.zeros(n, np.int64), np.arange(n) % 10
    names = ("pair_gift_count", "x")
    X = np.column_stack([counts, np.zeros(n)])
    return Matrix(X, test.y, zero, test.user, zero, zero, zero, day, names, "click")


def test_slices_part_the_rows_and_know_only_the_past(three: Any) -> None:
    test, expected, (good, *_) = three
    matrix = matrix_of(test, (expected > np.median(expected)).astype(np.float64))
    first = Fold("origin-1", (0, 5), (6, 7), (8, 10))
    last = np.flatnonzero(matrix.day >= 8)
    later = leaderboard.TestSet(last, test.y[last], test.user[last], test.fold[last])
    labels = leaderboard.labels_of(matrix, later, first)
    warm, cold = labels["pair with a gift"], labels["pair without a gift"]
    assert (warm ^ cold).all()
    assert not (labels["whales"] & labels["everyone else"]).any()
    assert labels["day 1"].sum() + labels["day 2"].sum() == len(last)
    shuffled = Matrix(**{**vars(matrix), "y": np.where(matrix.day >= 5, matrix.y[::-1], matrix.y)})
    again = leaderboard.labels_of(shuffled, later, first)
    assert (again["whales"] == labels["whales"]).all()
    part = made("good", good.amount[last])
    cuts = {c.slice: c for c in leaderboard.cuts(later, (part,), labels)}
    assert cuts["pair with a gift"].amount + cuts["pair without a gift"].amount == pytest.approx(
        1.0
    )
    both = cuts["whales"].rows + cuts["everyone else"].rows
    assert both == pytest.approx(1.0)


def test_against_the_truth_the_true_order_is_best(three: Any) -> None:
    _, expected, models = three
    truth = Truth(expected, np.clip(expected / 4, 0, 0.9), np.ones(len(expected), np.int64))
    found = leaderboard.against_truth(truth, models)
    good, blind = found["good"], found["blind"]
    for name in ("share of the latent ceiling", "norm. Gini", "Spearman", "NDCG@100"):
        assert good[name] == pytest.approx(1.0)
        assert blind[name] < 0.7
    assert good["Σ pred / Σ expected"] == pytest.approx(1.0)


def test_the_truth_of_a_twin_is_that_of_its_labels_in_total(prepared: Any) -> None:
    matrix, world = load_matrix(prepared.tables), prepared.evening.world
    truth = leaderboard.truth_of(world, prepared.store, matrix)
    for label, known in ((matrix.y, truth.value), ((matrix.y > 0) * 1.0, truth.chance)):
        error = label - known
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
    assert truth.clicks.min() >= 1
    assert np.allclose(truth.chance * truth.amount_if_gift, truth.value)
    other = build_world(load_scenario("v1", "tiny"), 1)
    with pytest.raises(UsageError, match="not of this world"):
        leaderboard.truth_of(other, prepared.store, matrix)


def test_costs_come_from_the_last_fold(three: Any) -> None:
    test, expected, _ = three
    n = len(expected)
    day = np.arange(n) % 20
    X = np.column_stack([expected, stream(1, "x").random(n)])
    zero = np.zeros(n, np.int64)
    names = ("user_gift_sum", "x")
    matrix = Matrix(X, test.y, zero, test.user, zero, zero, zero, day, names, "click")
    folds = (Fold("a", (0, 8), (9, 10), (11, 13)), Fold("b", (0, 12), (13, 14), (15, 20)))
    found = leaderboard.predict_all(matrix, folds, ("user_past_spend", "ridge"))
    for p in found:
        assert p.cost.fit_rows == int((day < 12).sum())
        assert p.cost.bytes > 100
        assert p.cost.fit_seconds > 0.0
        assert p.cost.predict_us > 0.0
    again = leaderboard.predict_all(matrix, folds, ("ridge",))
    assert again[0].cost.bytes == found[1].cost.bytes
