"""Values of decisions: the Scorer on the features of the tick, computed another way."""

from __future__ import annotations

import numpy as np
import pytest
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import T0

from giftlive.service.deciding import Request
from giftlive.service.engine import Origin
from giftlive.service.events import Event
from giftlive.service.local import LocalService
from giftlive.service.settings import DecisiveSettings
from giftlive.tables.features.declare import Feature
from giftlive.tables.online import Catalogue, OnlineFeatures
from giftlive.tables.online import Event as Known
from giftlive.types import Floats

SETTINGS = DecisiveSettings(policy={"name": "greedy"}, user_refresh_seconds=60.0, pairs_per_user=2)
TOLD = [
    Event("1", "click", T0 + 10, 1, 100),
    Event("2", "gift", T0 + 20, 1, 100, -1, 500),
    Event("3", "leave", T0 + 30, 1, 100, -1, 60_000),
    Event("4", "click", T0 + 40, 2, 101),
    Event("5", "gift", T0 + 50, 2, 101, -1, 9),
]


def _service(*told: Event) -> LocalService:
    service = LocalService.open(MemoryStore(), Origin(SETTINGS, planted.values()), T0)
    service.hear(planted.rooms(3), T0)
    for event in told:
        service.hear([event], event.ts)
    return service


def _expected(user: int, at: int, events: list[Event]) -> Floats:
    """Return the values of rooms 100 to 102 by the online features, one pair at a time."""
    values = planted.values()
    online = OnlineFeatures("Asia/Shanghai", Catalogue())
    kinds = {"click": "entry", "leave": "viewing", "gift": "gift"}
    for e in events:
        streamer = e.live_id - 90
        known = Known(kinds[e.type], at - 1, e.user_id, streamer, e.live_id, max(e.x, 0))
        online.update(known)
    names = [f.name for f in online.features]

    def side(features: tuple[Feature, ...], X: Floats) -> Floats:
        return X[:, np.array([names.index(f.name) for f in features])]

    found = []
    for live in (100, 101, 102):
        X = online.at(user, np.array([live - 90]), np.array([live]), at)
        found += values.scorer.score_pairs(
            values.scorer.user_vectors(side(values.user, X)),
            values.scorer.room_vectors(side(values.room, X)),
            values.scorer.context_terms(side(values.pair, X)),
        ).tolist()
    return np.array(found)


def _values(service: LocalService, user: int, ts: int) -> Floats:
    name = f"{user}-{ts}"
    service.decide(Request(name, user, (100, 101, 102)), ts)
    logged = service.store.find(f"d:{name}")
    assert logged is not None
    return np.asarray(logged.record.arrays["values"])


def test_values_are_those_of_the_features_at_the_tick() -> None:
    service = _service(*TOLD)
    service.tick(T0 + 1_000)
    for user in (1, 2):
        np.testing.assert_allclose(
            _values(service, user, T0 + 1_200), _expected(user, T0 + 1_000, TOLD), rtol=1e-12
        )
    assert _values(service, 1, T0 + 1_201)[0] > _values(service, 1, T0 + 1_201)[2]


def test_nobody_known_gets_the_population() -> None:
    service = _service(*TOLD)
    service.tick(T0 + 1_000)
    np.testing.assert_allclose(
        _values(service, 99, T0 + 1_200), _expected(99, T0 + 1_000, TOLD), rtol=1e-12
    )


def test_an_event_counts_from_the_next_tick_on() -> None:
    service = _service(*TOLD)
    service.tick(T0 + 1_000)
    before = _values(service, 1, T0 + 1_100)
    service.hear([Event("6", "gift", T0 + 1_200, 1, 100, -1, 5_000)], T0 + 1_200)
    assert (_values(service, 1, T0 + 1_900) == before).all()
    after = _values(service, 1, T0 + 2_000)
    assert after[0] != before[0]


def test_a_user_who_comes_back_is_seen_as_of_the_next_tick() -> None:
    service = _service(*TOLD)
    service.tick(T0 + 1_000)
    vectors = service.state.vectors
    row = vectors.users[1]
    service.tick(T0 + 100_000)
    assert vectors.computed_ts[row] == T0 + 1_000  # nobody asked
    _values(service, 1, T0 + 100_500)
    service.tick(T0 + 101_000)
    assert vectors.computed_ts[row] == T0 + 101_000
    _values(service, 1, T0 + 101_500)
    service.tick(T0 + 102_000)
    assert vectors.computed_ts[row] == T0 + 101_000  # fresh enough


def test_only_the_latest_streamers_of_a_user_are_kept() -> None:
    clicks = [Event(f"c{k}", "click", T0 + k, 1, 100 + k) for k in (0, 1, 2, 1)]
    clicks[-1] = clicks[-1]._replace(event_id="again", ts=T0 + 9)
    service = _service(*clicks)
    service.tick(T0 + 1_000)
    assert list(service.state.vectors.pairs[1]) == [12, 11]


def test_without_a_model_the_crowd_is_followed() -> None:
    service = LocalService.open(MemoryStore(), Origin(SETTINGS), T0)
    service.hear(planted.rooms(3), T0)
    service.hear([Event(f"c{k}", "click", T0 + 5, k, 101) for k in range(4)])
    answer = service.decide(Request("r", 9), T0 + 100)
    assert answer["valued_by"] == "popularity"
    assert answer["ranking"][0]["live_id"] == 101
    found = _values(service, 9, T0 + 200)
    assert found.tolist() == pytest.approx([1 / (7 / 3), 5 / (7 / 3), 1 / (7 / 3)])
