"""Cells are played once and kept; errors of values; frontiers; what a rollout is measured by."""

from __future__ import annotations

import gc
import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from giftlive.errors import InputError, UsageError
from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollouts import (
    Cell,
    CellStore,
    Contestant,
    ErrorLaw,
    Market,
    Workers,
    at_level,
    concurrency,
    differs,
    estimated,
    measured,
    non_dominated,
    overload,
    played,
    run_cells,
    whales,
)
from giftlive.evaluation.rollouts.cold_start import cold_cell
from giftlive.evaluation.rollouts.market import Truth
from giftlive.evaluation.rollouts.seats import seated
from giftlive.rng import stream
from giftlive.types import Floats, Ints
from giftlive.world import World
from giftlive.world.outcome import Outcome
from giftlive.world.truth import true_value

SMALL = (
    ("rounds.rounds", "4"),
    ("rounds.users_per_round", "60"),
    ("sizes.users", "300"),
    ("sizes.streamers", "20"),
)
CELLS = [Cell("p", seed, "v1", "full", SMALL) for seed in range(3)]
PLAYED: list[int] = []


def measure(cell: Cell) -> tuple[Number, ...]:
    """Say a number with all of its digits, and one that is not there."""
    PLAYED.append(cell.seed)
    x = float(stream(cell.seed, "cell").normal())
    return Number("t", "r", "x", x), Number("t", "r", "none", None)


def breaking(cell: Cell) -> tuple[Number, ...]:
    """Break at the last seed, as a killed run does."""
    if cell.seed == 2 and len(PLAYED) < 3:
        PLAYED.append(99)
        raise KeyboardInterrupt
    return measure(cell)


def concurrency_markets() -> list[Market]:
    """Return a market under every response, each with a truth of its own."""
    settings = (("errors", (0.4, 0.25, 0.5)), ("sizes", (200, 10, 3, 2)))
    asked = (("differentiation", 0.3), ("alpha", 0.5), ("edges", (0.0, 0.5, 1.0)))
    cell = Cell("p", 3, "v1", None, (), (*settings, *asked))
    return [concurrency._market(cell, response) for response in concurrency.RESPONSES]


def whale_markets() -> list[Market]:
    """Return a market at every point of the whales, each with a truth of its own."""
    cell = Cell("p", 3, "v2", "full", SMALL, (("errors", (0.4, 0.25, 0.5)),))
    points = ((0.01, 0.2, 1.0), (0.05, 0.0, 1.0), (0.05, 0.2, 0.25))
    return [whales._market(cell, whales.Point(*point)) for point in points]


@pytest.fixture(autouse=True)
def _forget() -> None:
    PLAYED.clear()


@pytest.fixture(scope="module")
def market() -> Market:
    return Market.of(CELLS[0], ErrorLaw(0.4, 0.25, 0.5))


def test_a_finished_cell_is_not_played_again_and_says_the_same_bits(tmp_path: Path) -> None:
    store = CellStore(tmp_path, "v")
    first = run_cells(measure, CELLS, store)
    assert run_cells(measure, CELLS, store) == first == run_cells(measure, CELLS)
    assert PLAYED == [0, 1, 2, 0, 1, 2]  # the second run played nothing, the third keeps nothing
    assert [r.seed for r in first] == [0, 0, 1, 1, 2, 2]
    assert first[1].number.value is None


def test_a_killed_run_continues_where_it_stopped(tmp_path: Path) -> None:
    store = CellStore(tmp_path, "v")
    with pytest.raises(KeyboardInterrupt):
        run_cells(breaking, CELLS, store)
    found = run_cells(breaking, CELLS, store)
    assert PLAYED == [0, 1, 99, 2]
    assert found == run_cells(measure, CELLS)


def test_what_other_code_or_another_measure_kept_is_not_read(tmp_path: Path) -> None:
    run_cells(measure, CELLS[:1], CellStore(tmp_path, "v"))
    for store, what in ((CellStore(tmp_path, "w"), measure), (CellStore(tmp_path, "v"), breaking)):
        assert store.find(what, CELLS[0]) is None
    assert CellStore(tmp_path, "v").find(measure, CELLS[1]) is None


@pytest.mark.parametrize("damage", ["half of it", "another number"])
def test_a_damaged_cell_is_played_again(tmp_path: Path, damage: str) -> None:
    store = CellStore(tmp_path, "v")
    first = run_cells(measure, CELLS[:1], store)
    (path,) = tmp_path.iterdir()
    kept = json.loads(path.read_text())
    kept["numbers"][0][3] += 1e-9
    text = json.dumps(kept)
    path.write_text(text[: len(text) // 2] if damage == "half of it" else text)
    assert run_cells(measure, CELLS[:1], store) == first
    assert PLAYED == [0, 0]


def test_a_finished_run_is_read_again_without_workers_or_warnings(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    store, workers = CellStore(tmp_path, "v"), Workers(2, "threading")
    found = run_cells(measure, CELLS, store, workers)
    assert run_cells(measure, CELLS, store, workers) == found
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


def test_workers_decide_nothing(tmp_path: Path) -> None:
    alone = run_cells(measure, CELLS)
    for backend in ("threading", "sequential"):
        assert run_cells(measure, CELLS, workers=Workers(2, backend)) == alone
    with pytest.raises(UsageError, match=r"rollouts.backend"):
        run_cells(measure, CELLS, workers=Workers(1, "no such backend"))


needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason="Dask is not installed: scripts/setup dev,cluster",
)


@needs_dask
@pytest.mark.slow
def test_dask_workers_give_the_same_bits_here_and_at_an_address(tmp_path: Path) -> None:
    """Bandits that learn in the loop, in worker processes of a local cluster and of a scheduler."""
    from distributed import LocalCluster

    settings = (("errors", (0.4, 0.25, 0.5)), ("share", 0.2), ("good", 0.5), ("floor", 2.0))
    supply = (("supply", (0.5, 5.0, 5.0)),)
    cells = [Cell("p", seed, "v1", "full", SMALL, (*settings, *supply)) for seed in range(3)]
    alone = run_cells(cold_cell, cells, workers=Workers(2, "loky"))
    assert {n.number.row for n in alone} >= {"thompson", "lin_ucb", "ucb"}
    store = CellStore(tmp_path, "v")
    assert run_cells(cold_cell, cells, store, Workers(2, "dask")) == alone
    assert len(list(tmp_path.iterdir())) == len(cells)  # each worker kept its own
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        elsewhere = Workers(1, "dask", cluster.scheduler_address)
        assert run_cells(cold_cell, cells[:2], workers=elsewhere) == alone[: len(alone) * 2 // 3]


@needs_dask
def test_a_scheduler_where_nobody_answers_is_one_paragraph() -> None:
    with pytest.raises(UsageError, match=r"rollouts.scheduler"):
        run_cells(measure, CELLS[:1], workers=Workers(1, "dask", "no such protocol://x"))


def test_without_dask_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="scripts/setup cluster"):
        run_cells(measure, CELLS[:1], workers=Workers(1, "dask"))


def test_errors_of_a_calibrated_model_promise_what_is_due_and_plain_noise_does_not() -> None:
    true = np.exp(1.5 * stream(1, "values").normal(size=(400, 50)))
    ranked = {}
    for calibrated in (True, False):
        law = ErrorLaw(0.7, calibrated=calibrated)
        said = np.array([estimated(true, law, seed) for seed in range(5)])
        top = said > np.quantile(said, 0.95)
        ranked[calibrated] = said[top].sum() / np.broadcast_to(true, said.shape)[top].sum()
    assert ranked[True] == pytest.approx(1.0, abs=0.1)
    assert ranked[False] > 1.2  # the winner's curse


def test_without_errors_estimates_are_the_truth_and_worthless_pairs_stay_so() -> None:
    true = np.abs(stream(2, "values").normal(size=(30, 8)))
    true[0] = 0.0
    assert np.array_equal(estimated(true, ErrorLaw(0.0), 3), true)
    said = estimated(true, ErrorLaw(0.5, 0.3, 0.2), 3)
    assert not said[0].any()
    assert (said[1:] > 0).all()
    assert said.sum() == pytest.approx(true.sum())
    with pytest.raises(InputError, match=r"ErrorLaw.pair"):
        ErrorLaw(-0.1)


def test_identical_policies_tie_to_the_bit_and_order_carries_nothing(market: Market) -> None:
    """A generator carried from policy to policy once made +4.6 % of nothing."""
    alone = played(market, Contestant("softmax", "softmax", {"temperature": 1.0}))
    for other in ("uniform", "greedy"):
        played(market, Contestant(other, other))
    again = played(market, Contestant("the same", "softmax", {"temperature": 1.0}))
    assert differs(alone, again) == 0.0
    assert differs(alone, played(market, Contestant("greedy", "greedy"))) == 1.0


def test_a_pair_is_evaluated_once_for_all_laws_days_and_loads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def counted(world: World, user: Ints, *where: Any) -> Floats:
        asked.extend(np.ravel(user).tolist())
        return true_value(world, user, *where)

    monkeypatch.setattr("giftlive.evaluation.rollouts.market.true_value", counted)
    cell = Cell("p", 3, "v1", None, (), (("sizes", (300, 10, 4, 3)),))
    first = Market.of(seated(cell, 0.5, 0.6), ErrorLaw(0.4))
    many = [
        first,
        replace(first, law=ErrorLaw(0.1)),
        replace(first, seed=8),
        Market.of(seated(cell, 1.25, 0.6), ErrorLaw(0.4), first.truth),
    ]
    shared = [market.true for market in many]
    assert len(asked) == len(set(asked)) > 60
    for market, values in zip(many, shared, strict=True):
        alone = replace(market, truth=Truth(market.world))
        assert np.array_equal(alone.true, values)
        come = np.isin(np.arange(300), market.rounds)
        assert (values[come] > 0.0).all()
        assert not values[~come].any()


@pytest.mark.parametrize("changed", [concurrency_markets, whale_markets])
def test_markets_that_share_a_truth_have_the_same_people_and_empty_rooms(
    changed: Callable[[], list[Market]],
) -> None:
    first, *others = changed()
    for market in others:
        assert np.array_equal(market.true, first.true)


def test_only_an_oracle_sees_the_truth(market: Market) -> None:
    greedy = Contestant("greedy", "greedy")
    one, other = played(market, greedy), played(market, greedy.oracle())
    assert greedy.whose == "estimated"
    assert other.outcome.expected_revenue > one.outcome.expected_revenue
    assert one.displaced == other.displaced == 0  # each shows its own best


def test_the_measures_of_a_rollout_by_hand(market: Market) -> None:
    many = market.rounds.shape[1]
    found = played(market, Contestant("uniform", "uniform"))
    by = {n.column: n.value for n in measured("uniform", "t", found, market.seats, many)}
    assert by["expected"] == pytest.approx(found.outcome.expected_amount.sum())
    shown = np.bincount(found.outcome.streamer, minlength=20)
    spread = np.abs(shown[:, None] - shown).sum() / (2 * 20 * shown.sum())
    assert by["exposure Gini"] == pytest.approx(spread)
    assert by["displaced"] == pytest.approx(found.displaced / market.rounds.size)
    assert by["overload"] == by["refused"] == by["declined"] == 0.0


def outcome(streamer: Ints) -> Outcome:
    """Return an outcome that shows ``streamer`` and nothing else of note."""
    n = len(streamer)
    none, zero, no = np.zeros(n, dtype=np.int64), np.zeros(n), np.zeros(n, dtype=np.bool_)
    return Outcome(
        none, none, none, none, streamer, streamer, streamer >= 0, streamer >= 0, no, no,
        none, zero, zero, zero, none, zero, zero, 0, 0,
    )  # fmt: skip


def test_overload_counts_each_round_alone_not_the_load_of_the_evening() -> None:
    """Two viewers a round never overload three seats, however many rounds there are."""
    seats = np.array([3, 3])
    calm = np.array([0, 0, 1, 1] * 5)
    assert overload(outcome(calm), seats, per_round=4) == 0.0
    crowd = np.array([0, 0, 0, 0, 0, 0, -1, -1])
    assert overload(outcome(crowd), seats, per_round=4) == 0.25  # one of two rooms in two rounds
    assert overload(outcome(calm), np.array([1 << 40] * 2), per_round=4) == 0.0


def test_a_level_between_settings_is_a_lot_between_them() -> None:
    x, y = np.array([0.1, 0.5, 0.3]), np.array([1.0, 3.0, 9.0])
    assert at_level(0.3, x, y) == 9.0
    assert at_level(0.4, x, y) == pytest.approx(6.0)  # the higher of two crossings
    assert np.isnan(at_level(0.6, x, y))
    with pytest.raises(InputError, match="at_level"):
        at_level(0.5, x, y[:2])


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(3)),
                     elements=st.integers(0, 4).map(float)))  # fmt: skip
def test_nobody_on_a_frontier_is_beaten_and_everybody_else_is(points: Floats) -> None:
    on = non_dominated(points)
    assert on.any()
    for i, point in enumerate(points):
        beaten = any((p >= point).all() and (p > point).any() for p in points)
        assert on[i] == (not beaten)
