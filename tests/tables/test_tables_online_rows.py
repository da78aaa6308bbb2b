"""A whole log told to the service one event at a time: every row of its tables, the first too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from giftlive.logs.store import Store
from giftlive.tables import TableOptions, build_tables, load_matrix
from giftlive.tables.build import features_of
from giftlive.tables.online import Catalogue, Event, OnlineFeatures

MakeStore = Callable[..., Store]
HOUR, DAY, LARGEST = 3_600_000, 86_400_000, 2**63 - 1
ONE_PER_VISIT = TableOptions(unit="click", strict=False)
SPRING, AUTUMN = 1_741_410_000_000, 1_761_969_600_000
"""2025-03-08 and 2025-11-01 in New York: the next day has 23 hours, or 25."""
USERS, STREAMERS = (1, 2, 3, LARGEST), (4, 5, LARGEST)

Rows = list[tuple[int, ...]]


def log_of(start: int) -> dict[str, Any]:
    """Draw four days, the third empty, with ties and with visits beside every midnight."""
    rng = np.random.default_rng(8)
    clicks: Rows = []
    for day in (0, 1, 3):
        at = rng.choice([0, 1, HOUR, HOUR + 1, 5 * HOUR, 22 * HOUR, 23 * HOUR + 7, 24 * HOUR], 50)
        for ts in at.tolist():
            s = int(rng.integers(3))
            who = USERS[int(rng.integers(4))], 100 * day + 10 * s + 1, STREAMERS[s]
            clicks.append((*who, start + day * DAY + ts, int(rng.integers(0, 2 * HOUR))))
    acts = [c[:4] for c in clicks]
    rooms = [
        {"live_id": live, "streamer_id": s, "start_ts": start - live, "live_type": live % 3,
         "category": ("Song", "unknown", "Dance")[live % 3]}
        for live, s in sorted({c[1:3] for c in clicks})
    ]  # fmt: skip
    return {
        "clicks": [*clicks, *clicks[::9]],
        "gifts": [(*who, 1 + i) for i, who in enumerate(acts[::4])],
        "anonymous": [(-1, *who[1:], 7) for who in acts[::11]],
        "comments": acts[::5],
        "likes": acts[::6],
        "negatives": [(*who[:3], who[3] + 17) for who in acts[::2]],
        "rooms": rooms,
        "users": [{"user_id": u, "age": f"{u % 7}0-", "fans_num": "10-100"} for u in USERS[:3]],
        "streamers": [{"streamer_id": s, "gender": "FM"[s % 2]} for s in STREAMERS],
    }


def catalogue_of(log: dict[str, Any], codes: dict[str, dict[str, int]]) -> Catalogue:
    """Return what the service has to be told of rooms and people: codes of words, and starts."""

    def coded(row: dict[str, Any], who: str) -> dict[str, int]:
        named = {f"{who}_{column}": str(word) for column, word in row.items()}
        return {name: codes[name].get(word, -1) for name, word in named.items() if name in codes}

    rooms = {row["live_id"]: coded(row, "room") for row in log["rooms"]}
    for row in log["rooms"]:
        known = rooms[row["live_id"]]
        known |= {"start_ts": row["start_ts"], "category": known["room_category"]}
    users = {row["user_id"]: coded(row, "user") for row in log["users"]}
    streamers = {row["streamer_id"]: coded(row, "streamer") for row in log["streamers"]}
    return Catalogue(rooms, users, streamers)


def events_of(log: dict[str, Any]) -> list[Event]:
    """Return everything that became known, in time order; gifts are known when a visit ends."""
    ends = {(c[0], c[1], c[3]): c[3] + c[4] for c in sorted(log["clicks"], key=lambda c: c[4])}
    told = []
    for user, live, streamer, ts, watch in log["clicks"]:
        told.append(Event("entry", ts, user, streamer, live))
        told.append(Event("viewing", ts + watch, user, streamer, live, watch))
    for user, live, streamer, ts, amount in log["gifts"]:
        known = ends.get((user, live, ts), ts)
        told.append(Event("gift", known, user, streamer, live, amount))
    for user, live, streamer, ts, amount in log["anonymous"]:
        told.append(Event("gift_anonymous", ts, user, streamer, live, amount))
    for kind in ("comment", "like", "negative"):
        told += [Event(kind, ts, user, of, live) for user, live, of, ts in log[f"{kind}s"]]
    return sorted(told, key=lambda event: event.known_ts)


@pytest.mark.parametrize("start", [SPRING, AUTUMN], ids=["23 hours", "25 hours"])
def test_every_row_of_the_tables_is_what_the_service_would_have_known(
    make_store: MakeStore, tmp_path: Path, start: int
) -> None:
    log = log_of(start)
    store = make_store(**log, tz="America/New_York")
    build_tables(store, tmp_path, ONE_PER_VISIT)
    batch = load_matrix(tmp_path, matured_only=False)
    codes = json.loads((tmp_path / "dictionary.json").read_text())["codes"]
    features = features_of(store.source, ONE_PER_VISIT)
    online = OnlineFeatures("America/New_York", catalogue_of(log, codes), features)
    waiting = iter([*events_of(log), Event("like", start + 30 * DAY, 1, 4, 1)])
    event = next(waiting)
    for row, ts in enumerate(batch.ts.tolist()):
        while event.known_ts < ts:
            online.update(event)
            event = next(waiting)
        who = (batch.user[row : row + 1], batch.streamer[row : row + 1], batch.live[row : row + 1])
        found = online.of_pairs(*who, ts)[0]
        moved = [batch.names[j] for j in np.flatnonzero(found != batch.X[row])]
        assert moved == [], f"row {row}"
    assert len(batch) == 167
    profile = ["user_age", "user_fans_num", "streamer_gender", "room_live_type", "room_category"]
    assert all(len(np.unique(batch.column(name))) > 1 for name in profile)
