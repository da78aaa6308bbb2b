"""A small platform by hand: a Scorer over few features, rooms, people, and a stream of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from giftlive.models.distillation import distil
from giftlive.rng import stream
from giftlive.service.deciding import Request
from giftlive.service.events import Event
from giftlive.service.scoring import Values
from giftlive.service.settings import DecisiveSettings, JoinSettings
from giftlive.tables.features.declare import FEATURES, Feature

T0 = 1_746_374_400_000
"""Midnight in Shanghai, 5 May 2025."""

EXPLORING = DecisiveSettings(
    seed=7,
    policy={
        "name": "exploration_floor",
        "options": {"floor": 0.2, "policy": {"name": "dual_price"}},
    },
    join=JoinSettings(click_seconds=20.0, settle_seconds=2.0, hold_seconds=4.0),
)
"""Dual prices over a floor of exploration, and outcomes that are final within seconds."""

USER = ("user_gift_sum", "user_click_count", "user_gift_recency_seconds", "user_gift_1h")
ROOM = ("streamer_gift_sum", "streamer_click_60m", "streamer_gift_rate")
PAIR = ("pair_gift_sum", "pair_click_count", "pair_gift_share")


def _features(names: tuple[str, ...]) -> tuple[Feature, ...]:
    known = {feature.name: feature for feature in FEATURES}
    return tuple(known[name] for name in names)


def values(seed: int = 0) -> Values:
    """Return a Scorer of values that grow with past gifts of user, room and pair."""
    rng = stream(seed, "planted values")
    n = 2_000
    user, room, pair = (
        np.floor(rng.pareto(1.0, (n, len(names))) * 5) for names in (USER, ROOM, PAIR)
    )
    level = 0.1 + 0.5 * np.log1p(user[:, 0]) + np.log1p(room[:, 0]) + 2.0 * np.log1p(pair[:, 0])
    scorer, _ = distil(level, user, room, pair, rank=3)
    return Values(scorer, _features(USER), _features(ROOM), _features(PAIR), f"planted {seed}")


def rooms(count: int, seats: int = -1) -> list[Event]:
    """Return the opening of rooms 100, 101, … of streamers 10, 11, …"""
    return [
        Event(f"open-{k}", "room_open", T0, live_id=100 + k, streamer_id=10 + k, x=seats)
        for k in range(count)
    ]


def day(seed: int, count: int, users: int = 30) -> Iterator[tuple[str, Any, int]]:
    """Yield calls ``("decide", Request, ts)`` and ``("hear", [Event…], ts)`` of a busy hour."""
    rng = stream(seed, "planted day")
    now = T0 + 1_000
    for k in range(count):
        now += int(rng.integers(1, 400))
        user = int(rng.integers(users))
        named = None if rng.random() < 0.5 else tuple(range(100, 100 + int(rng.integers(1, 9))))
        yield "decide", Request(f"r{k}", user, named, int(rng.integers(1, 4))), now
        live = 100 + int(rng.integers(8))
        kinds = ["click", "gift", "comment", "leave", "skip", "like", "unfollow", "exit", "watch"]
        batch = []
        for j in range(int(rng.integers(0, 4))):
            kind = kinds[int(rng.integers(len(kinds)))]
            x = int(rng.integers(1, 9_000)) if kind in ("gift", "leave", "watch") else -1
            ts = now - int(rng.integers(0, 2_000))
            batch.append(Event(f"e{k}-{j}", kind, ts, user, -1 if kind == "exit" else live, -1, x))
        if rng.random() < 0.05:
            batch += [Event(f"c{k}", "room_close", now, live_id=live)]
        if rng.random() < 0.05:
            opened = Event(f"o{k}", "room_open", now, live_id=live, streamer_id=live - 90, x=5)
            batch += [opened]
        if batch:
            yield "hear", batch, now
