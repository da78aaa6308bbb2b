"""Ceilings of ranking metrics: in a population whose Bayes order is known, and in a twin."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from giftlive.errors import UsageError
from giftlive.evaluation.ceiling import ceilings, value_of_rows
from giftlive.metrics.ceilings import bayes_ceiling, latent_ceiling
from giftlive.metrics.ranking import ndcg
from giftlive.tables.matrix import load_matrix
from giftlive.types import Floats, Ints
from giftlive.world import build_world, load_scenario
from giftlive.world.ceiling import Lesson, bayes_value

LATENT = 1.2


def rows(count: int, seed: int) -> tuple[Floats, Floats, Floats, Ints]:
    """Observables, E[value | observables], value with latents, user."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, 2))
    seen = np.exp(1.2 * x[:, 0] + 0.5 * np.abs(x[:, 1]))
    value = seen * np.exp(LATENT * rng.standard_normal(count) - LATENT**2 / 2)
    return x, seen, value, np.arange(count)


def test_the_ceiling_found_is_the_known_one_within_its_error() -> None:
    at, seen, value, _ = rows(20_000, 2)
    x, _, learnt, user = rows(40_000, 1)
    found = ceilings(value, bayes_value(Lesson(x, learnt, user), at, 2_000), (0.01, 0.1), (2_000,))
    exact = [bayes_ceiling(value, seen, k) for k in (0.01, 0.1)] + [ndcg(value, seen, 2_000)]
    latent = [latent_ceiling(value, k) for k in (0.01, 0.1)] + [1.0]
    assert [c.metric for c in found] == ["revenue_capture@0.01", "revenue_capture@0.1", "ndcg@2000"]
    assert_allclose([c.latent for c in found], latent)
    for ceiling, known in zip(found, exact, strict=True):
        assert ceiling.bayes < ceiling.latent
        assert abs(ceiling.bayes - known) <= ceiling.error + 0.01 * known
        assert 0.0 < ceiling.error < 0.05


@pytest.mark.slow
def test_sixteen_known_ceilings_are_met_a_little_low() -> None:
    """The figures of docs/truth.md."""
    errors, stated = [], []
    for seed in range(4):
        at, seen, value, _ = rows(20_000, 100 + seed)
        exact = [bayes_ceiling(value, seen, k) for k in (0.01, 0.1)]
        for count in (20_000, 60_000):
            x, _, learnt, user = rows(count, 200 + seed)
            order = bayes_value(Lesson(x, learnt, user), at, count // 20)
            found = ceilings(value, order, (0.01, 0.1), ())
            errors += [c.bayes - known for c, known in zip(found, exact, strict=True)]
            stated += [c.error for c in found]
    off, room = np.array(errors), np.array(stated)
    assert off.mean() == pytest.approx(-0.004, abs=0.001)
    assert room.mean() == pytest.approx(0.009, abs=0.001)
    assert off.min() == pytest.approx(-0.012, abs=0.002)
    assert abs(int((np.abs(off) <= room).sum()) - 10) <= 1


def test_a_model_of_a_twentieth_of_the_data_stays_below() -> None:
    """A straight line through too few rows, and an order by one observable alone."""
    at, _, value, _ = rows(20_000, 2)
    x, _, learnt, user = rows(40_000, 1)
    found = ceilings(value, bayes_value(Lesson(x, learnt, user), at, 2_000), (0.05,), ())[0]
    line = np.linalg.lstsq(np.c_[np.ones(2_000), x[:2_000]], learnt[:2_000], rcond=None)[0]
    for score in (np.c_[np.ones(len(at)), at] @ line, at[:, 0]):
        assert bayes_ceiling(value, score, 0.05) < found.bayes


def test_the_rows_of_a_twin_have_their_exact_values(prepared) -> None:  # type: ignore[no-untyped-def]
    """The total of the true values is that of the labels, by a z-test; foreign rows are named."""
    matrix = load_matrix(prepared.tables)
    world = prepared.evening.world
    value = value_of_rows(world, matrix)
    assert (value > 0.0).all()
    error = matrix.y - value
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
    assert latent_ceiling(value, 0.1) > 0.3
    other = build_world(load_scenario("v1", "tiny"), 1)
    with pytest.raises(UsageError, match="not of this world"):
        value_of_rows(other, matrix)
