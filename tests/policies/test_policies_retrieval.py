"""The best few of many rooms, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policies.rows import answer, batch_of
from tests.policies.variants import ALONE, UNCERTAIN, WRAPPED

from giftlive.errors import InputError
from giftlive.policies import Retriever
from giftlive.rng import stream
from giftlive.testing import ROOMS, seats_of_rooms


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(0, 60), m=st.integers(1, 12))
def test_the_best_are_those_of_a_full_sort(seed: int, size: int, m: int) -> None:
    draw = stream(seed, "retrieval")
    vectors = draw.integers(-3, 4, (size, 3)).astype(np.float64)  # many ties
    user, charges = (
        draw.integers(-2, 3, 3).astype(np.float64),
        draw.integers(-2, 5, size).astype(np.float64),
    )
    rooms, scores = Retriever.of(vectors).top(user, charges, m)
    all_scores = vectors @ user - charges
    expected = np.lexsort((np.arange(size), -all_scores))[:m]
    assert rooms.tolist() == expected.tolist()
    assert scores.tolist() == all_scores[expected].tolist()


def test_the_search_ends_early_where_lengths_differ() -> None:
    draw = stream(1, "lengths")
    vectors = draw.normal(size=(50_000, 8)) * draw.pareto(1.5, 50_000)[:, None]
    retriever, charges = Retriever.of(vectors), np.zeros(50_000)
    spoiled = Retriever(retriever.vectors.copy(), retriever.reach, retriever.order)
    spoiled.vectors[25_000:] = np.nan  # never looked at
    user = draw.normal(size=8)
    assert (
        spoiled.top(user, charges, 50)[0].tolist() == retriever.top(user, charges, 50)[0].tolist()
    )


@pytest.mark.parametrize("bonus", [0.0, 50.0, 500.0])
def test_a_bonus_for_short_vectors_is_found_behind_the_long_ones(bonus: float) -> None:
    draw = stream(3, "bonus")
    lengths = draw.pareto(1.5, 9_000) + 0.01
    vectors = draw.normal(size=(9_000, 4)) * lengths[:, None]
    retriever, user = Retriever.of(vectors), draw.normal(size=4)
    charges = np.where(lengths < 0.1, -bonus, 0.1)
    rooms, _ = retriever.top(user, charges, 30)
    assert rooms.tolist() == np.argsort(charges - vectors @ user)[:30].tolist()


def test_shapes_and_numbers_are_checked() -> None:
    with pytest.raises(InputError, match=r"Retriever\.vectors"):
        Retriever.of(np.full((2, 2), np.nan))
    with pytest.raises(InputError, match=r"Retriever\.top"):
        Retriever.of(np.ones((2, 2))).top(np.ones(3), np.zeros(2), 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ALONE, *UNCERTAIN, *WRAPPED])
def test_a_hundred_thousand_candidates_are_decided(name: str) -> None:
    """Every room is listed many times, as settings by streamer know only the testing rooms."""
    draw = stream(2, "wide")
    policy = (ALONE | UNCERTAIN | WRAPPED)[name](1.0)
    listed = np.tile(np.arange(ROOMS), 100_000 // ROOMS + 1)[:100_000]
    batch = batch_of(draw.exponential(size=(2, 100_000)), rooms=listed, left=4)
    decisions = answer(policy, batch, policy.init(seats_of_rooms()))
    assert (decisions.choice >= -1).all()
    assert decisions.propensities.sum(axis=1) == pytest.approx(
        (decisions.choice >= 0).astype(float)
    )
