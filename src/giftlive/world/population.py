"""Users and streamers drawn from a scenario, each quantity from its own named stream."""

from __future__ import annotations

import numpy as np

from giftlive.rng import stream
from giftlive.types import Floats, Ints
from giftlive.world.behaviour import People
from giftlive.world.entities import Streamers, Users
from giftlive.world.scenario import Scenario

TASTE_DIM = 16
_HOME_POOL = 48
_WEIGHT_SCALE = 1_000
_CHUNK = 4_096
_MOST_WEIGHT = 1 << 62
"""Of all streamers together: a sum of weights stays a whole number of 64 bits."""
_MOST_VISITS = 8_640.0
"""Potential visits of a user a day, on average: one every ten seconds."""


def draw_streamers(scenario: Scenario, seed: int) -> Streamers:
    """Draw [S] streamers: Pareto popularity, tilted by quality; taste around a category."""
    stars, count = scenario.stars, scenario.streamers
    quality = stars.quality_sigma * stream(seed, "streamer quality").standard_normal(count)
    skill = stars.skill_sigma * stream(seed, "streamer skill").standard_normal(count)
    tail = stream(seed, "streamer popularity").pareto(stars.popularity_shape, count) + 1.0
    body = stars.popularity_sigma * stream(seed, "streamer fame").standard_normal(count)
    popularity = tail * np.exp(body + stars.popularity_quality * quality)
    log_popularity = np.log(popularity)
    if scenario.mode == "rounds":  # engagement: the standardised popularity of a room
        skill = (log_popularity - log_popularity.mean()) / max(log_popularity.std(), 1e-12)
    category = stream(seed, "streamer category").integers(stars.categories, size=count)
    first_day = _first_days(scenario, seed, count)
    new = first_day > 0
    fresh = stream(seed, "newcomer quality").standard_normal(count)
    quality = np.where(new, scenario.newcomers.quality_sigma * fresh, quality)
    popularity, log_popularity = np.where(new, 1.0, popularity), np.where(new, 0.0, log_popularity)
    return Streamers(
        taste=_tastes(scenario, seed, "streamer", category),
        quality=quality,
        skill=skill,
        popularity=popularity,
        log_popularity=log_popularity,
        weight=_weights(popularity),
        category=category,
        first_day=first_day,
    )


def _weights(popularity: Floats) -> Ints:
    most = float(_MOST_WEIGHT // len(popularity))
    return np.clip(np.rint(popularity * _WEIGHT_SCALE), 1.0, most).astype(np.int64)


def _first_days(scenario: Scenario, seed: int, count: int) -> Ints:
    """Return [S] a newcomer's first day, any after the window's first; 0 for everybody else."""
    rng = stream(seed, "newcomers")
    day = rng.integers(1, scenario.calendar.history_days + 1, size=count)
    return np.where(rng.random(count) < scenario.newcomers.share, day, 0)


def draw_users(scenario: Scenario, seed: int, streamers: Streamers) -> Users:
    """Draw [U] users: wealth with a Pareto tail, log-normal activity, home streamers."""
    people, count = scenario.people, scenario.users
    raw_wealth = _raw_wealth(scenario, seed)
    wealth, per_wealth = np.log1p(raw_wealth), scenario.budget.per_wealth
    sensitivity = stream(seed, "user price sensitivity").standard_normal(count)
    log_activity = scenario.visits.sigma * stream(seed, "user activity").standard_normal(count)
    category = stream(seed, "user category").integers(scenario.stars.categories, size=count)
    taste = _tastes(scenario, seed, "user", category)
    devotion = stream(seed, "user devotion").standard_normal(count)
    noise = stream(seed, "user generosity").standard_normal(count)
    phase = scenario.visits.phase_hours / 24 * stream(seed, "user phase").standard_normal(count)
    return Users(
        taste=taste,
        wealth=wealth,
        generosity=people.generosity_sigma * noise + people.generosity_activity * log_activity,
        activity=np.minimum(scenario.visits.per_day * np.exp(log_activity), _MOST_VISITS),
        log_activity=log_activity,
        phase=phase,
        price_sensitivity=people.price_sigma * sensitivity,
        budget=per_wealth * raw_wealth if per_wealth else np.full(count, np.inf),
        devotion=_devotion(people, devotion, log_activity),
        homes=_homes(scenario, seed, taste, streamers),
        whale=wealth >= np.quantile(wealth, 1.0 - people.whale_share),
    )


def _devotion(people: People, noise: Floats, log_activity: Floats) -> Floats:
    """Return [U] how much loyalty does to a user: log-normal, of mean 1 at the median activity."""
    spread = people.devotion_sigma
    return np.exp(spread * noise - 0.5 * spread**2 + people.devotion_activity * log_activity)


def _raw_wealth(scenario: Scenario, seed: int) -> Floats:
    people, count = scenario.people, scenario.users
    rng = stream(seed, "user wealth")
    body = rng.lognormal(people.wealth_mu, people.wealth_sigma, count)
    tail = people.tail_minimum * (1.0 + rng.pareto(people.tail_shape, count))
    return np.where(rng.random(count) < people.tail_share, tail, body)


def _tastes(scenario: Scenario, seed: int, who: str, category: Ints) -> Floats:
    centres = stream(seed, "category centres").standard_normal(
        (scenario.stars.categories, TASTE_DIM)
    )
    noise = stream(seed, who, "taste").standard_normal((len(category), TASTE_DIM))
    vectors = noise + scenario.people.taste_focus * centres[category]
    return np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _homes(scenario: Scenario, seed: int, taste: Floats, streamers: Streamers) -> Ints:
    """Return [U, L]: of a pool drawn by popularity, the streamers nearest to the user's taste.

    Newcomers are nobody's home yet.
    """
    count = min(scenario.people.homes, len(streamers.weight))
    known = np.exp(scenario.people.home_popularity * streamers.log_popularity)
    known[streamers.first_day > 0] = 0.0
    share = np.cumsum(known) / max(float(known.sum()), 1e-300)
    rng = stream(seed, "user homes")
    homes = np.full((len(taste), count), -1, dtype=np.int64)
    for start in range(0, len(taste) if count else 0, _CHUNK):
        part = taste[start : start + _CHUNK]
        pool = np.searchsorted(share, rng.random((len(part), _HOME_POOL)), side="right")
        pool = np.sort(np.minimum(pool, len(share) - 1), axis=1)
        near = np.einsum("ik,ijk->ij", part, streamers.taste[pool])
        near[:, 1:][pool[:, 1:] == pool[:, :-1]] = -np.inf
        order = np.argsort(-near, axis=1, kind="stable")[:, :count]
        chosen = np.take_along_axis(pool, order, axis=1)
        distinct = np.isfinite(np.take_along_axis(near, order, axis=1))
        homes[start : start + _CHUNK] = np.where(distinct, chosen, -1)
    return homes
