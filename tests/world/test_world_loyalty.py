"""Homes, devotion, satiety and patience: what each does to the law, and to a log."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.world.platform_run import played

from giftlive.world import UserState, World, build_world, load_scenario, true_value
from giftlive.world.law import odds_of
from giftlive.world.state import CLICKED, Log

SEED = 3


def grown(**overrides: float) -> World:
    named = {key.replace("__", "."): str(value) for key, value in overrides.items()}
    days = {"calendar.history_days": "3"}
    return build_world(load_scenario("kuailive", "0.002", days | named), 5)


def logit(p: float) -> float:
    return math.log(p / (1.0 - p))


def test_the_kth_home_pulls_by_decay_to_the_k_and_devotion_spares_the_gift() -> None:
    decays = {"people__home_decay": 0.5, "gift__home_decay": 0.7, "gift__popularity": 0}
    world = grown(people__devotion_sigma=0.8, gift__skill=0, gift__match=0, **decays)
    scene = world.scene
    flat = scene.law._replace(click_match=0.0, click_quality=0.0)
    user = int(np.flatnonzero((scene.users.homes >= 0).all(axis=1))[0])
    devotion = float(scene.users.devotion[user])
    away = next(s for s in range(len(scene.streamers.quality)) if s not in scene.users.homes[user])
    base = odds_of(scene.users, scene.streamers, flat, user, away, 0.0, 0)
    for k, home in enumerate(scene.users.homes[user, :4]):
        odds = odds_of(scene.users, scene.streamers, flat, user, int(home), 0.0, 0)
        given = flat.gift_loyal * 0.7**k
        assert logit(odds.gift) - logit(base.gift) == pytest.approx(given)
        gained = logit(odds.click) - logit(base.click)
        assert gained == pytest.approx(flat.click_loyal * 0.5**k * devotion)


def test_the_logit_of_a_gift_follows_the_log_of_popularity() -> None:
    flat = {"gift__popularity": -0.2, "gift__skill": 0, "gift__match": 0, "gift__loyal": 0}
    scene = grown(**flat).scene
    fame = scene.streamers.log_popularity
    one, two = int(fame.argmin()), int(fame.argmax())
    small, large = (
        odds_of(scene.users, scene.streamers, scene.law, 0, s, 0.0, 0) for s in (one, two)
    )
    assert logit(large.gift) - logit(small.gift) == pytest.approx(-0.2 * (fame[two] - fame[one]))


def test_devotion_has_mean_one_and_none_without_spread() -> None:
    devotion = grown(people__devotion_sigma=0.5, people__devotion_activity=0).scene.users.devotion
    assert devotion.mean() == pytest.approx(1.0, abs=0.15)
    assert devotion.std() > 0.3
    none = grown(people__devotion_sigma=0.0, people__devotion_activity=0).scene.users.devotion
    assert np.all(none == 1.0)
    explorers = grown(people__devotion_sigma=0.0, people__devotion_activity=-0.2).scene.users
    assert np.allclose(np.log(explorers.devotion), -0.2 * explorers.log_activity)


def test_popularity_spreads_by_its_two_laws() -> None:
    body = grown(stars__popularity_sigma=1.5, stars__popularity_shape=1000.0)
    quality = body.scenario.stars.popularity_quality * body.scenario.stars.quality_sigma
    spread = body.scene.streamers.log_popularity.std()
    assert spread == pytest.approx(math.hypot(1.5, quality), rel=0.1)


def repeated(log: Log) -> float:
    """Share of viewings with a gift within two hours after another gift of the same user."""
    rows = np.flatnonzero(log.amount > 0)
    rows = rows[np.lexsort((log.ts[rows], log.user[rows]))]
    same = log.user[rows][1:] == log.user[rows][:-1]
    soon = np.diff(log.ts[rows]) < 2 * 3_600_000
    return float((same & soon).sum() / max(len(rows), 1))


def test_who_has_given_rests() -> None:
    """With satiety fewer gifts follow each other closely; a world without it has it at 0."""
    eager, sated = (
        played(grown(gift__base=-2.0, gift__satiety=c, gift__satiety_hours=6.0), SEED)[1]
        for c in (0.0, 4.0)
    )
    assert repeated(sated) < 0.5 * repeated(eager)


def first_gifts_of_returns(log: Log) -> float:
    """Share of the gifts that fall on a viewing of a room that the user had entered before."""
    rows = np.flatnonzero(log.status == CLICKED)
    rows = rows[np.lexsort((log.ts[rows], log.room[rows], log.user[rows]))]
    same = (log.user[rows][1:] == log.user[rows][:-1]) & (log.room[rows][1:] == log.room[rows][:-1])
    return float((np.r_[False, same] & (log.amount[rows] > 0)).sum() / (log.amount > 0).sum())


def test_who_comes_back_to_a_room_gives_less() -> None:
    """Only gifts on returns get rarer: on first entries the same draws meet the same odds."""
    free, once = (
        played(grown(gift__base=-2.0, gift__satiety=0, gift__again=c), SEED)[1] for c in (0.0, 3.0)
    )
    assert first_gifts_of_returns(once) < 0.6 * first_gifts_of_returns(free)
    assert np.array_equal(once.ts, free.ts)
    assert np.all(free.amount[once.amount > 0] == once.amount[once.amount > 0])
    assert (free.amount > 0).sum() > (once.amount > 0).sum()


@pytest.mark.parametrize("state", ["satiety", "again"])
def test_satiety_and_a_return_are_taken_from_the_logit_of_the_gift(state: str) -> None:
    world = grown(**{f"gift__{state}": 2.0})
    rooms = world.scene.rooms
    room = np.arange(min(200, len(rooms.start)))
    user, ts = room % len(world.user_ids), rooms.start[room]
    fresh = true_value(world, user, room, ts)
    half = true_value(world, user, room, ts, viewer=UserState(**{state: 0.5}))
    law = world.scene.law._replace(gift_base=world.scene.law.gift_base - 1.0)
    lower = replace(world, scene=world.scene._replace(law=law))
    assert np.allclose(half, true_value(lower, user, room, ts), rtol=1e-12)
    assert np.all(half[fresh > 0] < fresh[fresh > 0])


def test_long_viewings_use_up_the_visit() -> None:
    """A visit of n exposures ends once 1 + watched // patience of its viewings reach n."""
    world = grown(visits__patience_seconds=30.0)
    log = played(world, SEED)[1]
    order = np.lexsort((log.slot, log.visit, log.user))
    user, visit = log.user[order], log.visit[order]
    first = np.flatnonzero(np.r_[True, (user[1:] != user[:-1]) | (visit[1:] != visit[:-1])])
    used = 1 + np.where(log.status[order] == CLICKED, log.watch_ms[order] // 30_000, 0)
    before_last = np.add.reduceat(used, first) - used[np.r_[first[1:], len(used)] - 1]
    patient = played(grown(visits__patience_seconds=0.0), SEED)[1]
    whole = {(u, v): s for u, v, s in zip(patient.user, patient.visit, patient.slot, strict=True)}
    known = [whole.get((u, v)) for u, v in zip(user[first], visit[first], strict=True)]
    exposures = np.array([-1 if k is None else k + 1 for k in known])
    compared = exposures > 0
    assert compared.sum() > 100
    assert np.mean(before_last[compared] < exposures[compared]) > 0.98
    assert len(log.ts) < len(patient.ts)
