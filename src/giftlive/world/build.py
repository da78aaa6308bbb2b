"""A scenario and a seed become a world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from giftlive.clock import MS_PER_DAY, MS_PER_HOUR, midnight_ms, zone
from giftlive.rng import derive, stream
from giftlive.types import Floats, Ints
from giftlive.world.arrivals import cumulative_day
from giftlive.world.demand import demanded_seconds
from giftlive.world.entities import Choices, Habits, Rhythm, Scene, Seating, Talk, World
from giftlive.world.population import draw_streamers, draw_users
from giftlive.world.profiles import streamer_profile, user_profile
from giftlive.world.scenario import Scenario
from giftlive.world.schedule import draw_rooms
from giftlive.world.tiers import tier_seats
from giftlive.world.value_table import build_law


def build_world(scenario: Scenario, seed: int) -> World:
    """Grow the users, streamers, rooms and seats of a scenario.

    Equal scenarios and seeds give equal worlds, bit for bit.

    Examples
    --------
    >>> from giftlive.world.load import load_scenario
    >>> len(build_world(load_scenario("v1", "tiny"), 1).user_ids)
    500
    """
    root = derive(seed, "world", scenario.name)
    calendar = scenario.calendar
    origin = midnight_ms(calendar.start, zone(calendar.tz))
    streamers = draw_streamers(scenario, root)
    users = draw_users(scenario, root, streamers)
    rooms = draw_rooms(scenario, root, streamers, origin)
    world = World(
        scenario=scenario,
        seed=seed,
        scene=Scene(
            users=users,
            streamers=streamers,
            rooms=rooms,
            law=build_law(scenario),
            rhythm=_rhythm(scenario),
            habits=_habits(scenario),
            talk=Talk(**scenario.social.model_dump()),
            seating=Seating(hard=False, background=scenario.seats.background),
            choices=_choices(scenario),
        ),
        user_ids=_public_ids(root, "user", len(users.wealth)),
        streamer_ids=_public_ids(root, "streamer", len(streamers.weight)),
        live_ids=_public_ids(root, "live", len(rooms.start)),
        user_profile=user_profile(users, root, origin),
        streamer_profile=streamer_profile(streamers, root, origin),
        origin_ms=origin,
    )
    return world if scenario.seats.mode == "none" else _with_seats(world)


def _rhythm(scenario: Scenario) -> Rhythm:
    return Rhythm(
        diurnal=cumulative_day(scenario.visits.diurnal),
        tick_ms=scenario.calendar.tick_ms,
        skip_seconds=scenario.visits.skip_seconds,
        patience_ms=int(scenario.visits.patience_seconds * 1000),
        exposures=scenario.visits.exposures,
    )


def _habits(scenario: Scenario) -> Habits:
    budget, fatigue, retention = scenario.budget, scenario.fatigue, scenario.retention
    gift = scenario.gift
    tires = max(fatigue.click, fatigue.stay, fatigue.visit) > 0
    return Habits(
        budget_ms=budget.days * MS_PER_DAY if budget.per_wealth else 0,
        recovery_ms=fatigue.recovery_hours * MS_PER_HOUR if tires else 0.0,
        satiety_ms=gift.satiety_hours * MS_PER_HOUR if gift.satiety else 0.0,
        visit_fatigue=fatigue.visit,
        visit_weight=retention.weight,
        joy_rate=retention.rate,
        dwell_seconds=retention.dwell_seconds,
        joy_comment=retention.comment,
        churn_hazard=scenario.churn.hazard,
        churn_below=scenario.churn.below,
        supply_weight=scenario.supply.weight,
        supply_exposure=scenario.supply.exposure,
        supply_income=scenario.supply.income,
    )


def _choices(scenario: Scenario) -> Choices:
    platform, candidates = scenario.platform, scenario.candidates
    return Choices(
        total=candidates.total,
        popular=candidates.popular,
        popularity=platform.popularity,
        loyal=platform.loyal,
        match=platform.match,
        quality=platform.quality,
    )


def _public_ids(seed: int, what: str, count: int) -> Ints:
    return 1 + stream(seed, "public ids", what).permutation(count).astype(np.int64)


def _with_seats(world: World) -> World:
    """Give every room seats in proportion to popularity^exponent, at the scenario's load.

    Load = seat-seconds demanded on the arena day, if every potential arrival followed the
    platform's ranking and nobody were refused, over seat-seconds offered (before strangers).
    """
    seats, rooms, tiers = world.scenario.seats, world.scene.rooms, world.scenario.tiers
    popularity = world.scene.streamers.popularity
    if tiers.seats:
        by_streamer = tier_seats(popularity, tiers)
    else:
        demanded, open_seconds = demanded_seconds(world)
        total = demanded / (seats.load * open_seconds)
        by_streamer = apportion(popularity**seats.exponent, round(total))
    rooms = rooms._replace(seats=by_streamer[rooms.streamer])
    seating = Seating(hard=seats.mode == "hard", background=seats.background)
    scene = world.scene._replace(rooms=rooms, seating=seating)
    return replace(world, scene=scene)


def apportion(share: Floats, total: int) -> Ints:
    """Return whole seats in proportion to ``share``, at least 1 each, that sum to ``total``.

    Largest remainders; where ``total`` is below the number of rooms everybody has 1.

    Examples
    --------
    >>> apportion(np.array([5.0, 3.0, 0.1]), 9).tolist()
    [5, 3, 1]
    """
    free = max(0, total - len(share))
    exact = share / share.sum() * total
    exact = np.maximum(exact - 1.0, 0.0)
    exact *= free / max(exact.sum(), 1e-300)
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: free - int(whole.sum())]] += 1
    return whole + 1
