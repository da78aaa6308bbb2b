"""An evening as a bandit: propensities, targets and exact truths of every reward."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from giftlive.evaluation.bandit import Contexts, run_trials, value_of
from giftlive.evaluation.screening import bandit_contexts, rewards_of
from giftlive.rng import derive, stream
from giftlive.world.truth import true_value


@pytest.fixture(scope="module")
def bandit(prepared: Any) -> Any:
    rewards = rewards_of(prepared.evening)
    return (*bandit_contexts(prepared.evening, rewards), rewards)


def test_the_logger_gives_every_candidate_its_share_of_the_floor(
    prepared: Any, bandit: Any
) -> None:
    contexts: Contexts = bandit[0]
    seen = prepared.evening.arrivals(derive(prepared.evening.world.seed, "bandit"))
    there = seen.rooms >= 0
    assert_allclose(contexts.logging.sum(axis=1), 1.0, rtol=1e-12)
    assert np.all(contexts.logging[~there] == 0.0)
    least = 0.01 / there.sum(axis=1, keepdims=True)
    assert np.all((contexts.logging >= least - 1e-12) | ~there)
    for target in contexts.targets.values():
        assert_allclose(target.sum(axis=1), 1.0, rtol=1e-12)
        assert np.all(target[~there] == 0.0)


def test_the_logger_is_as_soft_for_few_candidates_as_for_many(prepared: Any, bandit: Any) -> None:
    """A softmax of each candidate's value over the mean of the row's candidates, by hand."""
    contexts: Contexts = bandit[0]
    seen = prepared.evening.arrivals(derive(prepared.evening.world.seed, "bandit"))
    there = seen.rooms >= 0
    assert 0 < there[0].sum() < len(there[0])  # eight rooms in fifty columns
    value = contexts.q["full"][0, there[0]]
    weight = np.exp(value / (0.5 * value.mean()) - (value / (0.5 * value.mean())).max())
    by_hand = 0.99 * weight / weight.sum() + 0.01 / len(value)
    assert_allclose(contexts.logging[0, there[0]], by_hand, rtol=1e-9)


def test_targets_are_what_they_are_called(bandit: Any) -> None:
    contexts: Contexts = bandit[0]
    rows = np.arange(len(contexts.user))
    greedy = contexts.targets["greedy"].argmax(axis=1)
    assert_array_equal(contexts.q["full"][rows, greedy], contexts.q["full"].max(axis=1))
    chance = contexts.targets["greedy by gift chance"].argmax(axis=1)
    assert_array_equal(contexts.q["count"][rows, chance], contexts.q["count"].max(axis=1))
    sharp, soft = contexts.targets["sharper softmax"], contexts.logging
    assert sharp.max(axis=1).mean() > soft.max(axis=1).mean()


def test_rewards_are_ordered_and_truth_follows(prepared: Any, bandit: Any) -> None:
    contexts, _, rewards = bandit
    assert [r.name for r in rewards] == ["count", "capped", "full"]
    assert rewards[1].cap == prepared.evening.cap
    truth = contexts.truth
    seen = prepared.evening.arrivals(derive(prepared.evening.world.seed, "bandit"))
    world = prepared.evening.world
    full = true_value(world, seen.user[:, None], seen.rooms, seen.ts[:, None])
    assert_array_equal(truth["full"], full)
    assert np.all(truth["capped"] <= truth["full"] * (1 + 1e-9))
    assert np.all(truth["count"] <= truth["capped"] * (1 + 1e-9))


def test_drawn_rewards_have_the_exact_truth_as_their_mean(bandit: Any) -> None:
    """A z-test of 200,000 draws over contexts and rooms, for each reward."""
    contexts, draw, rewards = bandit
    g, n = stream(8, "draws"), 200_000
    row = g.integers(0, len(contexts.user), n)
    action = contexts.logging[row].argmax(axis=1)
    amount = draw(row, action, 99)
    for reward in rewards:
        error = reward.of(amount) - contexts.truth[reward.name][row, action]
        assert abs(error.mean()) / (error.std() / np.sqrt(n)) < 4.0


def test_trials_of_a_real_evening_are_unbiased(bandit: Any) -> None:
    contexts, draw, rewards = bandit
    found = run_trials(contexts, draw, rewards[:1], 200, 200, seed=5)
    for t in found:
        if t.estimator in {"ips", "dr"}:
            assert t.bias.low is not None
            assert t.bias.high is not None
            slack = t.bias.high - t.bias.low  # 12 intervals: each may miss by its own width
            assert t.bias.low - slack / 2 <= 0.0 <= t.bias.high + slack / 2
        assert t.truth == pytest.approx(value_of(contexts, contexts.targets[t.target], "count"))
