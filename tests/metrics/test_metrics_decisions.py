from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from giftlive import metrics
from giftlive.errors import InputError, UsageError
from giftlive.rng import stream
from giftlive.types import Bools, Floats


@dataclass(frozen=True)
class Choices:
    value: Floats
    score: Floats
    live: Bools


@pytest.fixture
def choices() -> Choices:
    g = stream(40, "decisions")
    live = g.random((60, 9)) < 0.6
    live[0] = False
    live[1] = np.arange(9) == 4
    value = np.floor(g.exponential(4.0, (60, 9)))
    return Choices(value, np.round(g.normal(size=(60, 9))), live)


def _regrets(c: Choices) -> list[float]:
    found = []
    for value, score, live in zip(c.value, c.score, c.live, strict=True):
        if live.any():
            top = live & (score == score[live].max())
            found.append(float(value[live].max() - value[top].mean()))
    return found


def test_regret_is_the_mean_over_decisions_with_ties_shared(choices: Choices) -> None:
    chosen = metrics.top_choice(choices.score, choices.live)
    got = metrics.decision_regret(choices.value, chosen, choices.live)
    assert got == pytest.approx(np.mean(_regrets(choices)))


def test_ndcg_matches_scikit_learn_within_each_decision(choices: Choices) -> None:
    for n in (1, 3, 9):
        each = [
            ndcg_score([v[a]], [s[a]], k=n)
            for v, s, a in zip(choices.value, choices.score, choices.live, strict=True)
            if a.sum() > 1 and v[a].max() > 0
        ]
        single = [
            v[a][0] > 0 for v, a in zip(choices.value, choices.live, strict=True) if a.sum() == 1
        ]
        expected = np.mean([*each, *[1.0] * sum(single)])
        got = metrics.decision_ndcg(choices.value, choices.score, choices.live, n)
        assert got == pytest.approx(expected)


def test_the_order_of_the_values_is_perfect(choices: Choices) -> None:
    best = metrics.top_choice(choices.value, choices.live)
    assert metrics.decision_regret(choices.value, best, choices.live) == 0.0
    assert metrics.decision_regret_share(choices.value, best, choices.live) == 0.0
    assert metrics.decision_ndcg(choices.value, choices.value, choices.live) == pytest.approx(1.0)


def test_a_pooled_ranking_can_be_perfect_and_every_decision_wrong() -> None:
    # the user of row 0 is worth more in any room, but each row prefers its worse room
    value, live = np.array([[10.0, 9.0], [2.0, 1.0]]), np.ones((2, 2), dtype=bool)
    score = np.array([[8.0, 9.0], [1.0, 2.0]])
    assert metrics.spearman(value.ravel(), score.ravel()) > 0.5
    assert metrics.decision_regret(value, metrics.top_choice(score, live), live) == 1.0


def test_share_is_scale_free_and_regret_is_in_units_of_value(choices: Choices) -> None:
    chosen = metrics.top_choice(choices.score, choices.live)
    arguments = choices.value, chosen, choices.live
    scaled = choices.value * 8.0, chosen, choices.live
    assert metrics.decision_regret(*scaled) == pytest.approx(
        8.0 * metrics.decision_regret(*arguments)
    )
    assert metrics.decision_regret_share(*scaled) == pytest.approx(
        metrics.decision_regret_share(*arguments)
    )


def test_the_share_is_a_ratio_of_sums_and_no_mean_of_ratios() -> None:
    """Missing half of 10 and all of 1 loses 6 of 11, not three quarters."""
    value, live = np.array([[10.0, 5.0], [0.0, 1.0]]), np.ones((2, 2), dtype=np.bool_)
    chosen = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert metrics.decision_regret_share(value, chosen, live) == pytest.approx(6.0 / 11.0)
    twice = metrics.decision_regret_share(value, chosen, live, weights=[1.0, 2.0])
    assert twice == pytest.approx(7.0 / 12.0)


def test_padding_is_never_read(choices: Choices) -> None:
    hole = np.where(choices.live, choices.value, np.nan)
    score = np.where(choices.live, choices.score, np.inf)
    chosen = metrics.top_choice(score, choices.live)
    assert chosen.tolist() == metrics.top_choice(choices.score, choices.live).tolist()
    expected = metrics.decision_ndcg(choices.value, choices.score, choices.live)
    assert metrics.decision_ndcg(hole, score, choices.live) == expected
    assert np.isfinite(metrics.decision_regret(hole, chosen, choices.live))


def test_permuting_decisions_and_rooms_changes_nothing(choices: Choices) -> None:
    g = stream(41, "order")
    rows, rooms = g.permutation(60), g.permutation(9)
    value, score, live = (x[rows][:, rooms] for x in (choices.value, choices.score, choices.live))
    chosen = metrics.top_choice(choices.score, choices.live)
    assert metrics.decision_ndcg(value, score, live) == pytest.approx(
        metrics.decision_ndcg(choices.value, choices.score, choices.live), rel=1e-12
    )
    assert metrics.decision_regret(value, metrics.top_choice(score, live), live) == pytest.approx(
        metrics.decision_regret(choices.value, chosen, choices.live), rel=1e-12
    )


def test_weights_are_copies_of_decisions(choices: Choices) -> None:
    w = stream(42, "copies").poisson(1.0, 60)
    v, s, a = (np.repeat(x, w, axis=0) for x in (choices.value, choices.score, choices.live))
    chosen = metrics.top_choice(choices.score, choices.live)
    for regret in (metrics.decision_regret, metrics.decision_regret_share):
        assert regret(choices.value, chosen, choices.live, w) == pytest.approx(
            regret(v, metrics.top_choice(s, a), a)
        )
    assert metrics.decision_ndcg(choices.value, choices.score, choices.live, 3, w) == pytest.approx(
        metrics.decision_ndcg(v, s, a, 3)
    )


def test_showing_nothing_loses_the_best_room() -> None:
    live = np.array([[True, True]])
    assert metrics.decision_regret([[1.0, 4.0]], [[0.0, 0.0]], live) == 4.0
    assert metrics.decision_regret([[1.0, 4.0]], [[0.5, 0.0]], live) == 3.5


def test_decisions_without_a_room_or_a_value_are_not_counted() -> None:
    none = np.zeros((2, 3), dtype=bool)
    zero = np.zeros((2, 3))
    assert np.isnan(metrics.decision_regret(zero, zero, none))
    assert np.isnan(metrics.decision_ndcg(zero, zero, ~none))
    assert np.isnan(metrics.decision_regret_share(zero, zero, ~none))
    assert metrics.decision_regret(zero, zero, ~none) == 0.0
    assert np.isnan(metrics.decision_ndcg(np.zeros((0, 3)), np.zeros((0, 3)), none[:0]))
    assert np.isnan(metrics.decision_regret(zero[:, :0], zero[:, :0], none[:, :0]))


def test_impossible_choices_are_refused() -> None:
    live = np.array([[True, False]])
    with pytest.raises(InputError, match="not live"):
        metrics.decision_regret([[1.0, 1.0]], [[0.5, 0.5]], live)
    with pytest.raises(InputError, match="not probabilities"):
        metrics.decision_regret([[1.0, 1.0]], [[1.5, 0.0]], live)
    with pytest.raises(InputError, match="row 0"):
        metrics.top_choice([[np.nan, 1.0]], live)
    with pytest.raises(InputError, match="-1"):
        metrics.decision_ndcg([[-1.0, 0.0]], [[1.0, 0.0]], live)
    with pytest.raises(UsageError, match="shape"):
        metrics.top_choice([[1.0]], live)
    with pytest.raises(UsageError, match="available"):
        metrics.top_choice([[1.0, 2.0]], [[1, 0]])
    with pytest.raises(UsageError, match="places"):
        metrics.decision_ndcg([[1.0, 0.0]], [[1.0, 0.0]], live, 0)
