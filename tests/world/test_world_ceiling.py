"""E[value | observables] where it is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.types import Floats, Ints
from giftlive.world import World, respond
from giftlive.world.ceiling import Lesson, bayes_value, drawn, value_of_click

LATENT = 1.0
"""Standard deviation of the log value that no observable shows."""


def rows(count: int, seed: int) -> tuple[Floats, Floats, Floats, Ints]:
    """Observables, E[value | observables], value with latents, user."""
    rng = np.random.default_rng(seed)
    user = rng.integers(0, count // 10, count)
    x = rng.standard_normal((count, 3))
    seen = np.exp(x[:, 0] + 0.5 * x[:, 1] * x[:, 2])
    latent = rng.standard_normal(count // 10)[user]
    return x, seen, seen * np.exp(LATENT * latent - LATENT**2 / 2), user


def spread() -> tuple[Floats, Floats, Ints, Floats]:
    """Observables, values over many orders of magnitude, user; other observables."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((20_000, 2))
    user = np.arange(20_000) // 20
    value = np.exp(4.0 * x[:, 0]) * rng.lognormal(-2.0, 2.0, 1_000)[user]
    return x, value, user, rng.standard_normal((5_000, 2))


def test_a_few_kinds_of_rows_have_their_means() -> None:
    """Known answer: with one discrete observable it is the mean of each kind."""
    rng = np.random.default_rng(3)
    kind = rng.integers(0, 4, 8_000)
    value = np.array([0.0, 1.0, 3.0, 40.0])[kind] * rng.lognormal(0.0, 0.5, 8_000)
    user = np.arange(8_000) // 4
    found = bayes_value(
        Lesson(kind[:, None].astype(float), value, user), np.arange(4.0)[:, None], 400
    )
    means = [value[kind == k].mean() for k in range(4)]
    assert_allclose(found.value, means, rtol=0.05, atol=0.05)
    assert np.argsort(found.value).tolist() == [0, 1, 2, 3]
    assert found.rows == 8_000


def test_more_rows_come_nearer_to_the_conditional_mean() -> None:
    at, exact, _, _ = rows(5_000, 9)
    errors = []
    for count in (3_000, 24_000):
        x, _, value, user = rows(count, 1)
        found = bayes_value(Lesson(x, value, user), at, count // 20)
        errors.append(np.sqrt(np.mean((np.log(found.value) - np.log(exact)) ** 2)))
    assert errors[1] < 0.75 * errors[0]
    assert errors[1] < 0.3


def test_equal_rows_give_equal_bits_and_the_order_of_clusters_is_no_matter() -> None:
    x, _, value, user = rows(3_000, 1)
    one, two = (bayes_value(Lesson(x, value, user), x[:50], 150) for _ in range(2))
    assert_array_equal(one.halves, two.halves)
    assert_array_equal(bayes_value(Lesson(x, value, user + 7), x[:50], 150).halves, one.halves)


def test_what_nobody_gives_is_worth_nothing() -> None:
    x, _, value, user = rows(2_000, 1)
    assert not bayes_value(Lesson(x, 0.0 * value, user), x[:5], 100).value.any()


def test_too_little_and_wrong_data_are_refused() -> None:
    x, _, value, user = rows(2_000, 1)
    with pytest.raises(NotEnoughDataError, match="2,000 rows for models of 101"):
        bayes_value(Lesson(x, value, user), x, 101)
    with pytest.raises(NotEnoughDataError, match="one cluster"):
        bayes_value(Lesson(x, value, 0 * user), x, 100)
    with pytest.raises(UsageError, match="shapes"):
        bayes_value(Lesson(x, value[:-1], user), x, 100)
    with pytest.raises(UsageError, match="negative"):
        bayes_value(Lesson(x, value - 1e3, user), x, 100)

    with pytest.raises(UsageError, match="shape"):
        bayes_value(Lesson(x, value, user), x[:, :2], 100)


def test_a_draw_keeps_the_large_rows_and_stands_for_all_of_them() -> None:
    """Horvitz and Thompson's sums are met on average; what is surely kept weighs one."""
    value = np.random.default_rng(2).lognormal(0.0, 3.0, 5_000)
    sums = []
    for seed in range(200):
        kept, weight = drawn(value, 500, np.random.default_rng(seed))
        sums.append((weight.sum(), (weight * value[kept]).sum(), len(kept)))
        assert set(np.argsort(-value)[:50]) <= set(kept.tolist())
    mean, error = np.mean(sums, axis=0), np.std(sums, axis=0) / np.sqrt(200)
    assert (np.abs(mean - [5_000, value.sum(), 500]) < 4 * error + 1e-6 * mean).all()
    kept, weight = drawn(value, 5_000, np.random.default_rng(1))
    assert_array_equal(kept, np.arange(5_000))
    assert_array_equal(weight, 1.0)


def test_weights_stand_for_rows() -> None:
    """A fifth of the rows teaches the level of all of them; without weights it is 27 times off."""
    x, value, user, at = spread()
    kept, weight = drawn(value, 4_000, np.random.default_rng(1))
    every = bayes_value(Lesson(x, value, user), at, 1_000)
    part = Lesson(x[kept], value[kept], user[kept], weight, 20_000)
    found = bayes_value(part, at, 1_000)
    assert found.rows == every.rows == 20_000
    assert 0.7 < np.median(found.value / every.value) < 1.4


def test_a_few_large_givers_of_the_other_half_do_not_end_the_learning() -> None:
    """Under Poisson's deviance the correlation of ranks is 0.86."""
    x, value, user, at = spread()
    found = bayes_value(Lesson(x, value, user), at, 1_000)
    order = np.corrcoef(np.argsort(np.argsort(found.value)), np.argsort(np.argsort(at[:, 0])))
    assert order[0, 1] > 0.95


def test_the_value_of_a_click_is_the_mean_amount_of_clicks(evening: World) -> None:
    """A z-test over 200,000 draws; a closed room has no value."""
    rng = np.random.default_rng(5)
    room = rng.integers(10, size=200_000)
    user = rng.integers(len(evening.user_ids), size=200_000)
    ts = evening.room_start[room]
    drawn = respond(evening, user, room, ts, 4)
    error = (drawn.amount - value_of_click(evening, user, room, ts))[drawn.clicked]
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
    assert not value_of_click(evening, user, room, evening.room_end[room]).any()
