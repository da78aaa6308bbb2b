"""The surrogate index: exact where the long term is a line, covers, and loses what bypasses it."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive import ope
from giftlive.errors import InputError
from giftlive.rng import stream
from giftlive.stats.intervals import Interval, influence_t
from giftlive.types import Floats, Ints

BETA = np.array([2.0, 3.0, -1.0])


def drawn(seed: int, bypass: float = 0.0) -> tuple[Interval, float]:
    """Return the estimate for "always act" from a log that acts by a coin, and the true value.

    Acting moves the surrogates from means (0, 0) to (1, 0.5), so that the long term is worth
    2 + 3 - 0.5 = 4.5, and ``bypass`` more by a way that no surrogate sees.
    """
    draw = stream(seed, "surrogates")
    past_user, user = np.repeat(np.arange(100), 3), np.repeat(np.arange(60, 260), 2)
    past = draw.normal(size=(len(past_user), 2)) + 0.5 * draw.normal(size=(100, 1))[past_user]
    noise = draw.normal(size=100)[past_user] + draw.exponential(size=len(past_user)) - 1.0
    act = draw.random(len(user)) < 0.5
    now = draw.normal(size=(len(user), 2)) + np.outer(act, [1.0, 0.5])
    found = ope.surrogate_value(
        past, BETA[0] + past @ BETA[1:] + noise, now, np.where(act, 2.0, 0.0),
        history_user=past_user, user=user,
    )  # fmt: skip
    return found, 4.5 + bypass


def test_a_line_without_noise_is_found_exactly_and_only_the_log_adds_error() -> None:
    draw = stream(1, "line")
    past, now, weight = draw.normal(size=(50, 2)), draw.normal(size=(40, 2)), draw.random(40)
    found = ope.surrogate_value(past, BETA[0] + past @ BETA[1:], now, weight)
    index = BETA[0] + now @ BETA[1:]
    value = float(weight @ index / weight.sum())
    assert found.value == pytest.approx(value)
    psi = np.concatenate([weight * (index - value) / weight.sum(), np.zeros(50)])
    alone = influence_t(value, psi)
    assert found.low == pytest.approx(alone.low)
    assert found.high == pytest.approx(alone.high)


def test_the_errors_are_the_derivatives_of_the_value() -> None:
    """Give one row of each sample a little more weight, as the jackknife does."""
    draw = stream(2, "derivative")
    past, outcome = draw.normal(size=(30, 2)), draw.normal(size=30)
    now, weight = draw.normal(size=(20, 2)), 0.5 + draw.random(20)
    value = ope.surrogate_value(past, outcome, now, weight).value
    assert value is not None
    step = 1e-6

    def moved(rows: Floats, more: Floats) -> float:
        """Weighted least squares by hand, and the weighted mean."""
        z = np.column_stack([np.ones(30), past])
        beta = np.linalg.solve(z.T @ (rows[:, None] * z), z.T @ (rows * outcome))
        x = np.column_stack([np.ones(20), now])
        return float((more * weight) @ (x @ beta) / (more * weight).sum())

    errors = []
    for sample, size in (("log", 20), ("history", 30)):
        for k in range(size):
            bump = np.ones(size)
            bump[k] += step
            at = moved(np.ones(30), bump) if sample == "log" else moved(bump, np.ones(20))
            errors.append((at - value) / step)
    by_hand = influence_t(value, np.array(errors))
    found = ope.surrogate_value(past, outcome, now, weight)
    assert found.low == pytest.approx(by_hand.low, rel=1e-4)


def test_a_user_of_both_samples_is_one_cluster() -> None:
    found, _ = drawn(1)
    assert found.n == 260  # users 0 to 259, 40 of them in both


def test_what_bypasses_the_surrogates_is_lost_and_the_interval_does_not_know() -> None:
    missed = [drawn(seed, bypass=3.0) for seed in range(20)]
    assert all(found.high is not None and found.high < truth for found, truth in missed)


def test_undefined_and_refused() -> None:
    past, outcome = np.arange(6.0)[:, None], np.arange(6.0)
    now, weight = np.ones((3, 1)), np.ones(3)
    assert ope.surrogate_value(past, outcome, now, 0.0 * weight).status == "undefined"
    flat = ope.surrogate_value(np.ones((6, 1)), outcome, now, weight)
    assert (flat.status, flat.value) == ("undefined", None)
    with pytest.raises(InputError, match="surrogates"):
        ope.surrogate_value(past, outcome, np.ones((3, 2)), weight)
    with pytest.raises(InputError, match="weight"):
        ope.surrogate_value(past, outcome, now, -weight)
    with pytest.raises(InputError, match="outcome"):
        ope.surrogate_value(past, np.full(6, np.nan), now, weight)
    users: Ints = np.arange(3)
    with pytest.raises(InputError, match="both or neither"):
        ope.surrogate_value(past, outcome, now, weight, user=users)


@pytest.mark.slow
def test_intervals_cover_the_long_term_value() -> None:
    hits = []
    for seed in range(2_000):
        found, truth = drawn(seed)
        assert found.low is not None
        assert found.high is not None
        hits.append(found.low <= truth <= found.high)
    assert 0.93 < np.mean(hits) < 0.97
