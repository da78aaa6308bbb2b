"""The pass rule by hand, and worlds in rounds as logs whose facts are known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from giftlive import metrics
from giftlive.evaluation.fidelity import Reading, readings_of, scores_of, targets_within
from giftlive.evaluation.fidelity.rounds_log import IN_ROUNDS, play_at_random, write_rounds_log
from giftlive.evaluation.fidelity.score import BEHAVIOURS
from giftlive.facts import FactBook, compute_facts
from giftlive.logs.ingest import ingest
from giftlive.world import Outcome, World, build_world, load_scenario
from giftlive.world.calibration import Target, targets

ONE = Target("one", (10.0,), "abs", 1.0)
TWO = Target("two", (10.0, 20.0), "rel", 0.1)


def readings(target: Target, *by_part: tuple[float | None, ...]) -> list[Reading]:
    return [
        Reading("w", seed, target.name, f"{target.name}_{part}", part, "", value)
        for part, values in enumerate(by_part)
        for seed, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "within"),
    [
        ((11.0, 11.0), True),  # at the border, no error
        ((11.1, 11.1), False),
        ((10.0, 14.0), True),  # mean 12, s.e. 2: 2 <= 1 + 4
        ((13.9, 14.1), False),  # mean 14, s.e. 0.1: 4 > 1.2
        ((12.0,), False),  # a single seed has no error of its own
        ((10.0, None), False),  # what a world does not have does not pass
    ],
)
def test_the_pass_rule_by_hand(values: tuple[float | None, ...], within: bool) -> None:
    (score,) = scores_of(readings(ONE, values), [ONE], "w")
    assert score.within is within


def test_a_target_passes_when_each_of_its_numbers_does() -> None:
    good, bad = ((10.5, 10.5), (21.0, 21.0)), ((10.5, 10.5), (23.0, 23.0))
    assert targets_within(scores_of(readings(TWO, *good), [TWO], "w"), 0.2) == {"two": True}
    assert targets_within(scores_of(readings(TWO, *bad), [TWO], "w"), 0.2) == {"two": False}


def test_full_size_and_information_are_not_judged_at_medium() -> None:
    full = Target("full", (1.0,), "abs", 0.1, scope="full")
    info = Target("info", (1.0,), "info")
    rows = [*readings(full, (5.0, 5.0)), *readings(info, (5.0, 5.0))]
    scores = scores_of(rows, [full, info], "w")
    assert targets_within(scores, 0.2) == {}
    assert targets_within(scores, 1.0) == {"full": False}


def test_where_no_difference_is_allowed_any_is_infinitely_far() -> None:
    exact = Target("exact", (2.0,), "abs", 0.0)
    (equal,) = scores_of(readings(exact, (2.0, 2.0)), [exact], "w")
    (other,) = scores_of(readings(exact, (1.0, 1.0)), [exact], "w")
    assert (equal.distance, other.distance) == (0.0, -math.inf)
    assert (equal.within, other.within) == (True, False)


def test_every_name_is_that_of_a_target() -> None:
    names = {target.name for target in targets()}
    assert names > IN_ROUNDS
    assert names > BEHAVIOURS


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(load_scenario("v2", "tiny"), 3)


@pytest.fixture(scope="module")
def outcome(world: World) -> Outcome:
    return play_at_random(world, 3)


@pytest.fixture(scope="module")
def book(world: World, outcome: Outcome, tmp_path_factory: pytest.TempPathFactory) -> FactBook:
    folder = tmp_path_factory.mktemp("rounds")
    write_rounds_log(world, outcome, folder / "logs")
    return compute_facts(ingest(folder / "logs", folder / "store"))


def test_a_rounds_log_has_the_facts_of_what_was_played(book: FactBook, outcome: Outcome) -> None:
    paid = np.rint(outcome.amount[outcome.amount > 0])
    assert book.fact("gift_rows_per_click").value == pytest.approx(len(paid) / outcome.decisions)
    assert book.fact("amount_mean").value == pytest.approx(float(paid.mean()))
    assert book.fact("watch_mean_s").value == pytest.approx(float(outcome.watch_ms.mean()) / 1e3)
    totals = np.bincount(outcome.user[outcome.amount > 0], weights=paid)
    assert book.fact("user_gini").value == pytest.approx(metrics.gini(totals[totals > 0]))


def test_rooms_are_other_ones_in_every_round(book: FactBook, outcome: Outcome) -> None:
    """A pair that meets in two rounds has two viewings, and so as many sessions as contacts."""
    sessions = len(set(zip(outcome.user, outcome.streamer, outcome.visit, strict=True)))
    assert book.fact("sessions_per_click").value == pytest.approx(sessions / outcome.decisions)


def test_playing_again_gives_the_same_and_another_seed_does_not(
    world: World, outcome: Outcome
) -> None:
    again, other = play_at_random(world, 3), play_at_random(world, 4)
    assert np.array_equal(again.amount, outcome.amount)
    assert np.array_equal(again.room, outcome.room)
    assert not np.array_equal(other.room, outcome.room)


def test_readings_say_what_a_log_does_not_have(book: FactBook) -> None:
    unheard = Target("unheard_of", (1.0, 2.0), "info")
    found = readings_of(book, "w", 1, [unheard, *targets()], {"unheard_of", "amount_p50"})
    assert [(r.target, r.value is None) for r in found] == [
        ("unheard_of", True),
        ("unheard_of", True),
        ("amount_p50", False),
    ]


def test_amounts_are_whole_and_at_least_1(world: World, outcome: Outcome, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    write_rounds_log(world, outcome, tmp_path / "logs")
    amounts = pq.read_table(tmp_path / "logs" / "gift.parquet")["amount"].to_numpy()
    assert len(amounts) == int((outcome.amount > 0).sum())
    assert amounts.min() >= 1
