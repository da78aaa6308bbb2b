"""Contradictions are named, smallest, and vanish when the stated change is made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.allocation.oracles import fluid_optimum, make_batch

from giftlive.allocation.batch import Batch
from giftlive.allocation.infeasibility import Limit, Relaxation, explain_infeasibility


def crowd(n: int = 10, rooms: int = 3) -> Batch:
    return Batch(
        np.ones((n, rooms)), np.tile(np.arange(rooms), (n, 1)), np.full(rooms, 4.0),
        affinity=np.full((n, rooms), 0.5), minimum=np.zeros(rooms),
    )  # fmt: skip


def kinds(batch: Batch) -> list[tuple[str, int]]:
    why = explain_infeasibility(batch)
    assert why is not None
    return [(limit.kind, limit.index) for limit in why.conflict]


def test_a_minimum_above_what_the_seats_can_carry() -> None:
    batch = replace(crowd(), minimum=np.array([0.0, 2.5, 1.0]))
    why = explain_infeasibility(batch)
    assert why is not None
    assert why.conflict == (Limit("minimum", 1, 2.5), Limit("seats", 1, 4.0))
    assert [(r.limit.kind, round(r.by, 6)) for r in why.relaxations] == [
        ("minimum", 0.5),
        ("seats", 1.0),
    ]
    np.testing.assert_allclose(why.shortfall, [0.0, 0.5, 0.0], atol=1e-9)
    assert why.in_words() == (
        "These limits cannot hold together: minimum of room 1 (2.5); seats of room 1 (4). "
        "Cheapest for these: lower minimum of room 1 (2.5) by 0.5 (20%). "
        "Or: raise seats of room 1 (4) by 1 (25%). "
        "Minima alone, for the whole batch: lower them by 0.5 in room 1."
    )


def test_minima_of_several_rooms_above_what_users_can_give() -> None:
    batch = replace(crowd(), minimum=np.array([2.0, 2.0, 2.0]))
    assert kinds(batch) == [
        ("minimum", 0), ("minimum", 1), ("minimum", 2), ("rooms per user", -1),
    ]  # fmt: skip
    assert explain_infeasibility(replace(batch, per_user=np.full(10, 2))) is None


def test_more_rooms_for_users_are_counted_in_total_as_their_limit_is() -> None:
    """Six units of attention ask for twelve showings; ten users take one each: two are missing."""
    why = explain_infeasibility(replace(crowd(), minimum=np.array([2.0, 2.0, 2.0])))
    assert why is not None
    first = why.relaxations[0]
    assert first.limit == Limit("rooms per user", -1, 10.0)
    assert first.by == pytest.approx(2.0)
    assert first.in_words() == "raise rooms per user (10 in total) by 2 (20%)"
    more = replace(crowd(), minimum=np.array([2.0, 2.0, 2.0]), per_user=np.array([2, 2, *[1] * 8]))
    assert explain_infeasibility(more) is None


def test_of_two_conflicts_the_larger_is_shown_and_both_are_counted() -> None:
    batch = replace(crowd(), minimum=np.array([2.5, 3.0, 0.5]))
    assert kinds(batch) == [("minimum", 1), ("seats", 1)]
    why = explain_infeasibility(batch)
    assert why is not None
    np.testing.assert_allclose(why.shortfall, [0.5, 1.0, 0.0], atol=1e-9)


def test_a_group_in_the_way() -> None:
    groups = np.array([[True, True, False], [False, True, True]])
    batch = replace(
        crowd(), minimum=np.array([1.0, 1.5, 0.0]), groups=groups, group_cap=np.array([4.0, 9.0])
    )
    assert kinds(batch) == [("minimum", 0), ("minimum", 1), ("group cap", 0)]


def test_caps_on_whales_in_the_way() -> None:
    batch = replace(
        crowd(4), minimum=np.array([1.5, 0.0, 0.0]), whale=np.ones(4, np.bool_),
        whale_cap=np.array([2.0, 9.0, 9.0]),
    )  # fmt: skip
    assert kinds(batch) == [("minimum", 0), ("whale cap", 0)]
    by_value = replace(batch, whale_cap=None, whale_value_cap=np.array([2.5, 9.0, 9.0]))
    assert kinds(by_value) == [("minimum", 0), ("whale value cap", 0)]


def test_nobody_to_show_leaves_only_the_minimum_to_change() -> None:
    batch = replace(crowd(), affinity=np.zeros((10, 3)), minimum=np.array([1.0, 0.0, 0.0]))
    why = explain_infeasibility(batch)
    assert why is not None
    assert why.conflict == (Limit("minimum", 0, 1.0),)
    assert why.relaxations[0].by == pytest.approx(1.0)


def test_closed_rooms_and_changes_that_do_not_help_have_words() -> None:
    batch = replace(crowd(), capacity=np.zeros(3), minimum=np.array([1.0, 0.0, 0.0]))
    why = explain_infeasibility(batch)
    assert why is not None
    assert "raise seats of room 0 (0) by 2" in why.in_words()
    assert Relaxation(Limit("seats", 1, 3.0), np.inf).in_words() == (
        "no change of seats of room 1 (3) alone helps"
    )


def test_what_can_be_met_is_not_complained_about() -> None:
    assert explain_infeasibility(make_batch(1, limits=False)) is None
    assert explain_infeasibility(replace(crowd(), minimum=np.array([2.0, 1.0, 2.0]))) is None


@pytest.mark.parametrize("seed", range(6))
def test_verdict_is_that_of_an_independent_programme_and_cuts_repair_it(seed: int) -> None:
    batch = make_batch(seed, n=80)
    assert batch.minimum is not None
    batch = replace(batch, minimum=3.0 * batch.minimum)
    assert batch.minimum is not None
    why = explain_infeasibility(batch)
    assert (why is None) == (fluid_optimum(batch) is not None)
    if why is None:
        return
    repaired = replace(batch, minimum=np.maximum(batch.minimum - why.shortfall * 1.0001, 0.0))
    assert explain_infeasibility(repaired) is None
    assert fluid_optimum(repaired) is not None


def test_some_of_those_are_infeasible_and_some_are_not() -> None:
    verdicts = []
    for seed in range(6):
        batch = make_batch(seed, n=80)
        assert batch.minimum is not None
        scaled = replace(batch, minimum=3.0 * batch.minimum)
        verdicts.append(explain_infeasibility(scaled) is None)
    assert {True, False} == set(verdicts)
