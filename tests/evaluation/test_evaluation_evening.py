"""The evening: exact where it judges, blind where it estimates, bounded whatever is played."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from giftlive.allocation import certificate
from giftlive.evaluation import evening as module
from giftlive.evaluation.contest import play_night
from giftlive.evaluation.evening import Evening, last_evening, open_hours, prepare_evening
from giftlive.evaluation.rollout import play
from giftlive.models.folder import load
from giftlive.policies.registry import make_policy
from giftlive.types import DecisionBatch
from giftlive.world.truth import true_seat_seconds, true_value

HOUR_MS = 3_600_000


def test_a_stay_is_spread_over_the_buckets_and_loses_nothing(prepared: Any) -> None:
    evening: Evening = prepared.evening
    seen = evening.arrivals(1)
    problem = evening.true_problem(seen)
    spread = problem.spill.sum(axis=2)
    assert np.all(problem.spill >= -1e-15)
    assert_allclose(spread[problem.seat_seconds > 0], 1.0, rtol=1e-12)
    assert_array_equal(spread[problem.seat_seconds == 0], 0.0)
    whole = true_seat_seconds(evening.world, seen.user[:, None], seen.rooms, seen.ts[:, None])
    assert_array_equal(problem.seat_seconds, whole)
    assert problem.label == "true"
    # a stay is at most an hour: it touches the bucket of the decision and the two after it
    assert problem.spill.shape[2] == 3
    assert problem.spill[:, :, 1:].max() > 0.1


def test_buckets_cover_the_open_hours_and_offer_every_seat(prepared: Any) -> None:
    evening: Evening = prepared.evening
    start, end = evening.window
    seen = evening.arrivals(1)
    problem = evening.true_problem(seen)
    assert (end - start, problem.capacity.shape[1]) == (4 * HOUR_MS, 8)
    assert np.all((seen.ts >= start) & (seen.ts < end))
    assert problem.capacity.sum() == evening.seats_tonight * (end - start) / 1_000
    assert_array_equal(problem.bucket, (seen.ts - start) // module.BUCKET_MS)


def test_the_oracle_sees_the_truth_about_every_observation(prepared: Any) -> None:
    evening: Evening = prepared.evening
    seen = evening.arrivals(5)
    valuer = evening.true_valuer(evening.true_problem(seen), seen)
    arena, world = evening.arena(5), evening.world
    policy = make_policy("greedy_with_cap")
    observation, met = arena.reset(), 0
    while observation is not None:
        values, seconds = valuer(observation)
        cell = observation.user[:, None], observation.rooms, observation.ts[:, None]
        assert_array_equal(values, true_value(world, *cell))
        assert_array_equal(seconds, true_seat_seconds(world, *cell))
        met += len(observation)
        batch = DecisionBatch(observation, values, seconds)
        _, observation = arena.step(policy.decide(None, batch, np.random.default_rng(0)))
    assert 0 < met < len(seen)  # visits of users who still watch are lost


def test_estimates_come_from_the_logs_and_never_from_the_truth(
    prepared: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tonight's arrivals, values and stays are out of reach, and nothing changes."""

    def forbidden(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the truth about tonight was asked for")

    for name in ("true_value", "true_stay", "potential_arrivals"):
        monkeypatch.setattr(module, name, forbidden)
    world = prepared.evening.world
    prepare_evening(prepared.store, prepared.tables, world, 7, tmp_path, "hurdle")
    with np.load(tmp_path / "estimates.npz") as again:
        assert_array_equal(again["values"], prepared.evening.values)
        assert_array_equal(again["seat_seconds"], prepared.evening.seat_seconds)
        assert_array_equal(again["duals"], prepared.evening.prices.duals)


def test_the_evening_is_valued_by_the_model_that_is_asked_for(
    prepared: Any, tmp_path: Path
) -> None:
    assert prepared.evening.describe()["value_model"] == "hurdle"
    world = prepared.evening.world
    prepare_evening(prepared.store, prepared.tables, world, 7, tmp_path, "ridge")
    assert load(tmp_path / "models" / "value").card()["name"] == "ridge"
    with np.load(tmp_path / "estimates.npz") as other:
        assert np.any(other["values"] != prepared.evening.values)


def test_prices_do_not_know_tonights_law(prepared: Any) -> None:
    """A world whose tastes turn tonight has the same yesterday, hence the same prices."""
    evening: Evening = prepared.evening
    world = evening.world
    users = world.scene.users._replace(wealth=world.scene.users.wealth[::-1].copy())
    other = replace(world, scene=world.scene._replace(users=users), seed=world.seed + 1)
    found = module.yesterday_prices(prepared.store, other, evening.values, evening.seat_seconds, 7)
    assert_array_equal(found.duals, evening.prices.duals)
    assert found.duals.max() > 0.0
    assert found.label == "estimated"


def test_the_last_logged_evening_is_the_one_before_tonight(prepared: Any) -> None:
    world, store = prepared.evening.world, prepared.store
    user, ts, watch = last_evening(store, world)
    start, end = open_hours(world, world.arena_day - 1)
    assert end <= prepared.evening.window[0]
    assert len(user) == len(ts) > 100
    assert np.all((ts >= start) & (ts < end))
    con = store.connect()
    query = "select distinct user_id from click where ts >= ? and ts < ?"
    rows = con.execute(query, [start, end]).fetchall()
    con.close()
    assert {row[0] for row in rows} <= set(world.user_ids[user].tolist())
    assert watch.min() > 0.0


def test_an_evening_opens_as_it_was_prepared(prepared: Any) -> None:
    evening: Evening = prepared.evening
    users, streamers = len(evening.world.user_ids), len(evening.world.streamer_ids)
    for table in (evening.values, evening.gift_probability, evening.seat_seconds):
        assert table.shape == (users, streamers)
        assert np.all(np.isfinite(table))
        assert np.all(table >= 0.0)
    assert evening.gift_probability.max() <= 1.0
    assert evening.cap > 1.0
    assert evening.describe()["users"] == 200
    assert evening.models is not None
    assert (evening.models / "value").is_dir()


def test_no_policy_beats_the_certificate_on_average(oracle: Any) -> None:
    evening: Evening = oracle()
    nights = [play_night(evening, seed, replay=False) for seed in range(5)]
    bound = np.mean([night.bound for night in nights])
    assert np.mean([night.overflow_share for night in nights]) > 0.2
    for name in nights[0].rollouts:
        revenue = np.mean([night.rollouts[name].expected_revenue for night in nights])
        assert 0.0 < revenue < bound


def test_where_seats_abound_prices_vanish_and_change_nothing(oracle: Any) -> None:
    evening: Evening = oracle(seats__load="0.02")
    assert certificate(evening.true_problem(evening.arrivals(2))).status == "uncongested"
    night = play_night(evening, 2)
    assert (night.price_share, night.overflow_share, night.gap) == (0.0, 0.0, 0.0)
    assert evening.prices.duals.max() == 0.0
    greedy, priced = night.rollouts["greedy"], night.rollouts["dual_price"]
    assert priced.expected_revenue == greedy.expected_revenue
    assert priced.displaced == greedy.refused == 0


def test_where_seats_abound_the_gap_is_the_visits_lost_while_watching(oracle: Any) -> None:
    """Greedy is optimal per visit; the bound also counts visits that its users never make."""
    evening: Evening = oracle(seats__load="0.02")
    seen = evening.arrivals(2)
    problem = evening.true_problem(seen)
    arena = evening.arena(2)
    valuer = evening.true_valuer(problem, seen)
    outcome, _ = play(arena, make_policy("greedy"), valuer, evening.seats, 2)
    made = np.isin(module.identity(seen), (outcome.user << 32) | outcome.visit)
    best = problem.values.max(axis=1)
    assert outcome.expected_revenue == pytest.approx(best[made].sum(), rel=1e-12)
    assert certificate(problem).bound == pytest.approx(best.sum(), rel=1e-12)
    assert 0.5 < made.mean() < 1.0


def test_without_lost_visits_greedy_takes_the_whole_bound(oracle: Any) -> None:
    evening: Evening = oracle(
        seats__load="0.02", visits__per_day="0.02", sizes__users="4000", visits__sigma="0"
    )
    night = play_night(evening, 2, replay=False)
    share = night.rollouts["oracle_greedy_with_cap"].expected_revenue / night.bound
    assert 0.99 < share <= 1.0 + 1e-12
