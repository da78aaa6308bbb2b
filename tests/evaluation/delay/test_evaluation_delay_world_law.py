"""The world's own law of the gift's time, found again by the laws of time of the models."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from giftlive.models.delay.durations import Durations
from giftlive.models.delay.kaplan_meier import KaplanMeier
from giftlive.models.delay.weibull_aft import WeibullAft
from giftlive.stats.intervals import Interval
from giftlive.types import Floats
from giftlive.world import World, build_world, load_scenario, respond

SOONER = 0.8


def viewings(world: World, count: int) -> tuple[Durations, Floats]:
    """Time to the gift of viewings of homes and strangers, censored at leaving; and the pull."""
    rng, rooms = np.random.default_rng(1), world.scene.rooms
    user, home = rng.integers(len(world.user_ids), size=count), rng.integers(3, size=count)
    first = np.full(len(world.streamer_ids), -1)
    first[rooms.streamer[::-1]] = np.arange(len(rooms.streamer))[::-1]
    room = first[world.scene.users.homes[user, home]]
    room = np.where((room >= 0) & (rng.random(count) < 0.5), room, rng.integers(len(rooms.start)))
    drawn = respond(world, user, room, world.room_start[room], seed=2)
    at = world.scene.users.homes[user] == rooms.streamer[room][:, None]
    pull = np.where(at, world.scene.law.gift_home_decay ** np.arange(at.shape[1]), 0.0).sum(axis=1)
    event = drawn.delay_ms >= 0
    time = np.where(event, np.maximum(drawn.delay_ms, 1), drawn.watch_ms) / 1_000.0
    seen = drawn.clicked
    return Durations(pull[seen, None], time[seen], event[seen]), pull[seen]


def world_in_which_everybody_would_give() -> World:
    days = {"calendar.history_days": "1", "gift.delay_loyal": str(SOONER), "people.homes": "3"}
    world = build_world(load_scenario("kuailive", "0.001", days), 5)
    law = world.scene.law._replace(gift_base=500.0, delay_power=0.0)
    return replace(world, scene=world.scene._replace(law=law))


def holds(interval: Interval, value: float) -> bool:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low <= value <= interval.high


def test_the_planted_relation_shape_and_scale_are_within_their_intervals() -> None:
    world = world_in_which_everybody_would_give()
    sample, pull = viewings(world, 12_000)
    assert 0.1 < sample.event.mean() < 0.9  # leaving censors many
    assert {0.0, 1.0} < set(pull.tolist())
    found = WeibullAft(grid=1e-3).fit(sample)
    assert holds(found.shape(0.99), world.scene.law.delay_shape)
    base, slope = found.coefficients(0.99)
    assert holds(base, math.log(world.scene.law.delay))
    assert holds(slope, -SOONER)


def given_by_one_scale(world: World) -> float:
    """Kaplan and Meier's share of strangers' gifts by one scale of their law, leaving censored."""
    sample, pull = viewings(world, 6_000)
    away = pull == 0.0
    curve = KaplanMeier().fit(Durations(sample.X[away], sample.time[away], sample.event[away]))
    return 1.0 - float(curve.at(world.scene.law.delay)[0])


def test_leaving_that_spares_gifts_is_not_independent_censoring() -> None:
    """Who bounces never gives: at risk early are some who never would, and the curve is too low."""
    exact = -math.expm1(-1.0)  # of those who would give; whatever the shape
    alike = world_in_which_everybody_would_give()
    assert given_by_one_scale(alike) == pytest.approx(exact, abs=0.04)
    shared = alike.scene.law._replace(gift_leaving=1_000.0)
    spared = replace(alike, scene=alike.scene._replace(law=shared))
    assert given_by_one_scale(spared) < exact - 0.05
