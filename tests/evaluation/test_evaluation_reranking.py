"""Lists ordered anew: only the order within the list moves, and the truth is the bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from giftlive.errors import UsageError
from giftlive.evaluation.reranking import (
    CAPTURE,
    DIRECT,
    FIRST,
    NDCG,
    SLATE,
    Listed,
    Plan,
    by_staged,
    by_truth,
    first_places,
    listed,
    measured,
    moved,
    read_worlds,
    reranked,
    scores,
)
from giftlive.evaluation.world_logs import world_store
from giftlive.rng import stream
from giftlive.tables.build import build_tables
from giftlive.tables.matrix import Matrix, load_matrix
from giftlive.tables.options import TableOptions
from giftlive.tables.splits import rolling_origins
from giftlive.types import Bools, Floats
from giftlive.world import Scenario, load_scenario

NAMES = ("pair_gift_sum", "streamer_gift_sum", "x", "z")


def scored(n: int = 40, m: int = 12) -> tuple[Floats, Floats, Bools]:
    g = stream(3, "lists")
    live = g.random((n, m)) < 0.8
    live[:, 0] = True
    return np.round(g.exponential(1.0, (n, m)), 1), g.exponential(1.0, (n, m)), live


def test_the_same_rooms_and_the_same_scores_stay_in_the_list() -> None:
    direct, other, live = scored()
    for length in (1, 3, 5, 50):
        again = reranked(direct, other, live, length)
        assert (np.sort(again, axis=1) == np.sort(direct, axis=1)).all()
        assert (again[~live] == direct[~live]).all()
        places = first_places(direct, live, length)
        outside = np.ones(direct.shape, dtype=bool)
        np.put_along_axis(outside, places, False, axis=1)
        assert (again[outside] == direct[outside]).all()


def test_within_the_list_the_order_is_the_other_one() -> None:
    direct, other, live = scored()
    direct = direct + 1e-3 * np.arange(direct.shape[1])  # no ties
    again = reranked(direct, other, live, 5)
    for i in range(len(direct)):
        rooms = [j for j in first_places(direct, live, 5)[i] if live[i, j]]
        by_other = sorted(rooms, key=lambda j: -other[i, j])
        assert sorted(rooms, key=lambda j: -again[i, j]) == by_other


def test_the_direct_model_itself_changes_nothing_to_the_bit() -> None:
    direct, _, live = scored()
    same = reranked(direct, direct, live, 7)
    assert np.array_equal(same, direct)
    assert not moved(direct, same, live).any()


def test_a_list_of_one_cannot_be_reordered_and_none_is_refused() -> None:
    direct, other, live = scored()
    assert np.array_equal(reranked(direct, other, live, 1), direct)
    with pytest.raises(UsageError, match="list of 0"):
        reranked(direct, other, live, 0)


def test_what_is_not_available_never_enters_a_list() -> None:
    direct, other, live = np.array([[5.0, 4.0, 3.0]]), np.array([[1.0, 9.0, 2.0]]), np.array([[1]])
    live = np.array([[True, False, True]])
    assert reranked(direct, other, live, 2).tolist() == [[3.0, 4.0, 5.0]]
    assert moved(direct, reranked(direct, other, live, 2), live).tolist() == [True]


def sessions(users: int = 300, days: int = 20) -> Matrix:
    g = stream(6, "sessions")
    n = users * days
    user, day = np.tile(np.arange(users), days), np.repeat(np.arange(days), users)
    X = g.normal(size=(n, 4))
    X[:, :2] = np.abs(X[:, :2])
    chance = 1.0 / (1.0 + np.exp(2.0 - 1.5 * X[:, 2]))
    y = np.where(g.random(n) < chance, np.ceil(4.0 * g.exponential(1.0, n)), 0.0)
    ids = np.arange(n)
    gave = (y > 0).astype(np.int64)
    return Matrix(X, y, gave, user, ids % 37, ids, ids, day, NAMES, "session")


def lists(n: int = 120, m: int = 8) -> Listed:
    """Return decisions whose rooms are worth what the third column says."""
    g = stream(7, "decisions")
    live = np.ones((n, m), dtype=bool)
    live[:, m - 1] = g.random(n) < 0.5
    X = g.normal(size=(int(live.sum()), 4))
    X[:, :2] = np.abs(X[:, :2])
    value = np.zeros((n, m))
    value[live] = 5.0 / (1.0 + np.exp(2.0 - 1.5 * X[:, 2]))
    gifts = np.zeros((n, m))
    gifts[:, 0] = np.where(g.random(n) < 0.3, 5.0, 0.0)
    return Listed(X, live, gifts, value, 0.5 * value, np.zeros(n, dtype=np.int64))


@pytest.fixture(scope="module")
def values() -> dict[tuple[str, str, str], float]:
    matrix = sessions()
    folds = rolling_origins(matrix.day)[-1:]
    found = measured(matrix, folds, lists(), "streamer_past_income", "two_part", (3, 5), 5)
    return {(n.table, n.row, n.column): n.value for n in found if n.value is not None}


def test_a_better_second_stage_raises_ndcg_and_the_truth_bounds_it(
    values: dict[tuple[str, str, str], float],
) -> None:
    """The direct order here is one column of noise; stage 2 knows the column that pays."""
    for length in (3, 5):
        own, one, best = (
            values["list", row, NDCG] for row in (DIRECT, by_staged(length), by_truth(length))
        )
        assert own + 0.02 < one <= best
    assert values["list", by_staged(5), NDCG] > values["list", by_staged(3), NDCG]
    assert values["list", by_staged(5), FIRST] > values["list", DIRECT, FIRST]


def test_a_slate_of_three_rooms_recalled_cannot_change(
    values: dict[tuple[str, str, str], float],
) -> None:
    three = values["list", by_staged(3), SLATE]
    assert three == pytest.approx(values["list", DIRECT, SLATE])


def test_the_checks_find_real_changes_and_exact_ties(
    values: dict[tuple[str, str, str], float],
) -> None:
    assert values["a_a", DIRECT, "differs"] == 0.0
    assert values["reordered", "asked", "share"] > 0.5
    assert values["lists", "decisions", "count"] == 120.0


def test_the_order_by_the_truth_has_every_metric_at_its_best() -> None:
    found = lists()
    best = scores(found.entered, found)
    assert best[NDCG] == pytest.approx(1.0)
    for other in (np.ones(found.entered.shape), -found.entered):
        worse = scores(other, found)
        for metric in (NDCG, CAPTURE, FIRST, SLATE):
            assert (worse[metric] or 0.0) < (best[metric] or 0.0)


def test_ties_share_the_slate() -> None:
    found = lists()
    flat = scores(np.ones(found.entered.shape), found)
    mean = found.shown.sum(axis=1) / found.available.sum(axis=1)
    assert flat[SLATE] == pytest.approx(3.0 * mean.mean())
    assert flat[FIRST] == pytest.approx(mean.mean())


def test_rows_of_one_origin_get_their_own_features() -> None:
    found = replace(lists(n=4), fold=np.array([0, 1, 0, 1]))
    owner = np.nonzero(found.available)[0]
    assert np.array_equal(found.of(np.array([1, 3])), found.X[(owner == 1) | (owner == 3)])
    assert np.array_equal(found.spread(found.X[:, 0])[found.available], found.X[:, 0])


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("kuailive", "0.002", {})


@pytest.mark.slow
def test_the_room_that_was_entered_looks_as_its_session_does(scenario: Scenario) -> None:
    """A candidate's features are those of the tables, bit for bit, and gifts are on it alone."""
    with world_store(scenario, 3) as made:
        build_tables(made.store, made.folder / "tables", TableOptions(threads=1))
        matrix = load_matrix(made.folder / "tables")
        folds = rolling_origins(matrix.day)
        found = listed(made, matrix, folds, 150, "1GB")
    assert 80 < len(found.fold) < 250
    assert set(found.fold.tolist()) <= {0, 1, 2}
    gave = np.argwhere(found.gifts > 0.0)
    assert len(gave) == len(set(gave[:, 0].tolist())) > 0
    assert (found.entered[found.available] >= found.shown[found.available]).all()
    assert (found.entered[~found.available] == 0.0).all()
    place = np.cumsum(found.available.ravel()) - 1
    for i, j in gave:
        features = found.X[place[i * found.available.shape[1] + j]]
        same = (features == matrix.X).all(axis=1) & (matrix.y == found.gifts[i, j])
        assert same.any()


def test_a_world_gives_every_number_of_the_study(scenario: Scenario) -> None:
    plan = Plan(scenario, (3,), "ridge", "ridge_log1p", 10, (3, 10), 100)
    told: list[tuple[int, int]] = []
    found = read_worlds(plan, lambda done, total: told.append((done, total)))
    rows = {n.number.row for n in found if n.number.table == "list"}
    assert {DIRECT, by_staged(3), by_staged(10), by_truth(3), by_truth(10)} <= rows
    assert told == [(1, 1)]
