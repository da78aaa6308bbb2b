"""Point-in-time features: known answers, a golden in plain Python, and what must not matter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from giftlive.errors import UsageError
from giftlive.logs.store import Store
from giftlive.tables import TableOptions, build_tables, features_at, load_matrix
from giftlive.tables.features import FEATURES, SNAPSHOT_FEATURES
from giftlive.tables.features.ordinal import ordinal_codes

MakeStore = Callable[..., Store]
ReadSamples = Callable[[Path], list[dict[str, Any]]]
GROUPS = ("pair", "user", "streamer")
HISTORY = (
    "gift_count",
    "gift_sum",
    "gift_mean",
    "gift_recency_seconds",
    "click_count",
    "watch_seconds",
)


def history(row: dict[str, Any], group: str) -> tuple[float, ...]:
    return tuple(row[f"{group}_{name}"] for name in HISTORY)


EMPTY = (0, 0, 0, -1, 0, 0)


def test_known_answer_of_a_small_story(
    make_store: MakeStore, tmp_path: Path, samples: ReadSamples
) -> None:
    clicks = [
        (1, 10, 5, 0, 10_000),  # 0 first visit of user 1 to streamer 5, over at 10 s
        (1, 20, 6, 5_000, 30_000),  # 1 overlaps it, over at 35 s
        (2, 10, 5, 8_000, 1_000),  # 2 another user in the same room
        (1, 11, 5, 10_000, 0),  # 3 the first visit ends in this very ms
        (1, 12, 5, 10_001, 5_000),  # 4 one ms later
        (2, 21, 6, 35_001, 9),  # 5 user 2 meets streamer 6
    ]
    gifts = [
        (1, 10, 5, 0, 100),  # stamped with entry 0, known when it ends at 10 s
        (1, 20, 6, 5_000, 7),  # stamped with entry 1, known at 35 s
        (1, 10, 5, 10_000, 20),  # an orphan in time: known at its own ms
        (9, 12, 5, 9_000, 1_000),  # a gift without any click
    ]
    build_tables(make_store(clicks, gifts), tmp_path)
    rows = samples(tmp_path)
    assert [row["sample_id"] for row in rows] == [0, 1, 2, 3, 4, 5]
    assert history(rows[0], "pair") == history(rows[0], "user") == EMPTY
    assert history(rows[1], "pair") == EMPTY
    assert history(rows[1], "user") == (0, 0, 0, -1, 1, 0)  # entered, still watching
    assert history(rows[2], "streamer") == (0, 0, 0, -1, 1, 0)
    assert history(rows[3], "pair") == (0, 0, 0, -1, 1, 0)  # same ms: not known yet
    assert history(rows[3], "streamer") == (1, 1_000, 1_000, 1.0, 2, 1.0)
    assert history(rows[4], "pair") == (2, 120, 60, 0.001, 2, 10.0)
    assert history(rows[4], "user") == (2, 120, 60, 0.001, 3, 10.0)
    assert history(rows[4], "streamer") == (3, 1_120, 1_120 / 3, 0.001, 3, 11.0)
    assert history(rows[5], "pair") == EMPTY
    assert history(rows[5], "user") == (0, 0, 0, -1, 1, 1.0)
    assert history(rows[5], "streamer") == (1, 7, 7, 0.001, 1, 30.0)


def test_anonymous_gifts_count_for_the_streamer_only(
    make_store: MakeStore, tmp_path: Path, samples: ReadSamples
) -> None:
    gifts = [(1, 10, 5, 0, 3), (1, 10, 5, 1_000, 4), (1, -1, -1, 2_000, 5), (1, -1, -1, 3_000, 6)]
    store = make_store([], gifts, anonymous=[(0, 10, 5, 500, 90), (-1, -1, -1, 600, 70)])
    tables = build_tables(store, tmp_path)
    rows = samples(tmp_path)
    assert tables.unit == "gift"
    assert [row["label_amount"] for row in rows] == [3, 4, 5, 6]
    assert [row["user_gift_sum"] for row in rows] == [0, 3, 7, 12]
    assert [row["streamer_gift_sum"] for row in rows] == [0, 93, 0, 0]  # -1 is nobody
    assert [row["pair_gift_sum"] for row in rows] == [0, 3, 0, 0]
    assert not any("click" in name or "watch" in name for name in tables.features)
    assert tables.attribution.anonymous.amount == 160


def test_largest_ids_and_amounts_stay_exact(
    make_store: MakeStore, tmp_path: Path, samples: ReadSamples
) -> None:
    big, odd = 2**63 - 1, 2**53 + 1
    clicks = [(big, big, big, 0, 1), (big, big - 1, big, 500, 1), (big - 1, big, big, 900, 1)]
    build_tables(make_store(clicks, [(big, big, big, 0, odd)]), tmp_path)
    rows = samples(tmp_path)
    assert [row["user_id"] for row in rows] == [big, big, big - 1]
    assert [row["pair_gift_sum"] for row in rows] == [0, odd, 0]
    assert [row["streamer_gift_sum"] for row in rows] == [0, odd, odd]
    assert load_matrix(tmp_path, matured_only=False).user.tolist() == [big, big, big - 1]


def test_profiles_are_coded_and_snapshots_left_out(
    make_store: MakeStore, tmp_path: Path, samples: ReadSamples
) -> None:
    profile = {"age": "18-23", "gender": "M", "device_price": "1000+", "fans_num": "10-100"}
    store = make_store(
        [(1, 10, 5, 0, 1), (2, 11, 6, 500, 1)],
        rooms=[{"live_id": 10, "streamer_id": 5, "start_ts": 0, "live_type": 3, "category": "Pop"}],
        users=[{"user_id": 1, "is_live_streamer": 1, **profile}, {"user_id": 3, "gender": "F"}],
        streamers=[{"streamer_id": 5, "age": "unknown", "accu_live_cnt": "7"}],
    )
    tables = build_tables(store, tmp_path)
    first, second = samples(tmp_path)
    assert (first["user_age"], first["user_gender"], first["user_device_price"]) == (18, 1, 1000)
    assert (first["user_is_live_streamer"], first["streamer_age"]) == (1, -1)
    assert (first["room_live_type"], first["room_category"]) == (3, 0)
    coded = [
        f.name for f in FEATURES if f.group in ("room_profile", "user_profile", "streamer_profile")
    ]
    assert [second[name] for name in coded] == [-1] * len(coded)
    assert not {f.name for f in SNAPSHOT_FEATURES} & set(tables.features)
    loose = build_tables(store, tmp_path, TableOptions(strict=False))
    assert {f.name for f in SNAPSHOT_FEATURES} <= set(loose.features)
    assert samples(tmp_path)[0]["user_fans_num"] == 10


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (["5-10", "10-20", "0-5"], [5, 10, 0]),
        (["<12", "12-17", "60+", ">=70"], [0, 12, 60, 70]),
        (["1.5-2", "0"], [1, 0]),
        (["b", "a", "360"], [2, 1, 0]),
    ],
)
def test_ordinal_codes(values: list[str], codes: list[int]) -> None:
    found = ordinal_codes([*values, "", "UNKNOWN", "-1"])
    assert [found[value] for value in values] == codes
    assert len(found) == len(values)


def test_local_hours_follow_daylight_saving(
    make_store: MakeStore, tmp_path: Path, samples: ReadSamples
) -> None:
    # New York, 2016-03-13: 06:59 UTC is 01:59, 07:00 UTC is 03:00; a Sunday.
    before = 1_457_852_340_000
    gifts = [(1, 1, 1, before, 1), (1, 1, 1, before + 60_000, 1), (1, 1, 1, before - 7_200_000, 1)]
    build_tables(make_store([], gifts, tz="America/New_York"), tmp_path)
    rows = samples(tmp_path)
    assert [(row["hour"], row["weekday"]) for row in rows] == [(23, 5), (1, 6), (3, 6)]
    assert rows[1]["day"] == rows[0]["day"] + 1 == rows[2]["day"]
    build_tables(make_store([], gifts[:1], tz="Asia/Kathmandu"), tmp_path)
    assert samples(tmp_path)[0]["hour"] == 12  # 06:59 + 05:45


TIMES = st.integers(0, 12).map(lambda k: 500 * k)
WHO = st.tuples(st.integers(0, 2), st.sampled_from([(10, 5), (11, 5), (20, 6)]), TIMES)
ENTRIES = st.lists(st.tuples(WHO, st.sampled_from([0, 500, 1_750])), min_size=1, max_size=12)
PRESENTS = st.lists(st.tuples(WHO, st.integers(0, 9)), max_size=8)
Event = tuple[int, int, int, int, int]


def event_rows(drawn: list[tuple[tuple[int, tuple[int, int], int], int]]) -> list[Event]:
    return [(user, live, streamer, ts, v) for (user, (live, streamer), ts), v in drawn]


def by_hand(
    clicks: list[Event], gifts: list[Event], probe: dict[str, Any], group: str
) -> tuple[float, ...]:
    """Golden: walk over every event and ask whether it was known."""
    ts = probe["ts"]

    def mine(event: Event) -> bool:
        user = group == "streamer" or event[0] == probe["user_id"]
        return user and (group == "user" or event[2] == probe["streamer_id"])

    entered = [c for c in clicks if mine(c) and c[3] < ts]
    ended = [c[4] for c in entered if c[3] + c[4] < ts]
    stamped = {(c[0], c[1], c[3]): c[3] + c[4] for c in sorted(clicks, key=lambda c: c[4])}
    known = [(stamped.get((g[0], g[1], g[3]), g[3]), g[4]) for g in gifts if mine(g)]
    seen = [(when, amount) for when, amount in known if when < ts]
    total = sum(amount for _, amount in seen)
    mean = total / len(seen) if seen else 0
    recency = (ts - max(when for when, _ in seen)) / 1_000 if seen else -1
    return len(seen), total, mean, recency, len(entered), sum(ended) / 1_000


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ENTRIES, PRESENTS, st.sampled_from(["session", "click"]))
def test_features_match_the_golden_row_for_row(
    make_store: MakeStore,
    tmp_path: Path,
    samples: ReadSamples,
    entries: list[Any],
    presents: list[Any],
    unit: str,
) -> None:
    clicks, gifts = event_rows(entries), event_rows(presents)
    build_tables(make_store(clicks, gifts), tmp_path, TableOptions(unit=unit))
    rows = samples(tmp_path)
    assert len(rows) == (len(clicks) if unit == "click" else len({c[:2] for c in clicks}))
    for row in rows:
        for group in GROUPS:
            if gifts:
                assert history(row, group) == by_hand(clicks, gifts, row, group)
            else:
                expected = by_hand(clicks, gifts, row, group)[4:]
                assert (row[f"{group}_click_count"], row[f"{group}_watch_seconds"]) == expected


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ENTRIES, PRESENTS.filter(len))
def test_probes_at_the_samples_return_the_samples(
    make_store: MakeStore, tmp_path: Path, entries: list[Any], presents: list[Any]
) -> None:
    store = make_store(event_rows(entries), event_rows(presents))
    build_tables(store, tmp_path)
    m = load_matrix(tmp_path, matured_only=False)
    found = features_at(store, m.user[::-1], m.streamer[::-1], m.ts[::-1], lives=m.live[::-1])
    np.testing.assert_array_equal(found, m.X[::-1])


def test_probe_of_unknown_ids_and_chosen_names(make_store: MakeStore) -> None:
    store = make_store([(1, 10, 5, 0, 1_000)], [(1, 10, 5, 0, 8)])
    names = ("streamer_gift_sum", "pair_gift_sum", "user_click_count")
    users, streamers = np.array([1, -1, 1, 1]), np.array([5, 5, -1, 99])
    at_end = features_at(store, users, streamers, 1_000, names)
    after = features_at(store, users, streamers, 1_001, names)
    assert at_end.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert after.tolist() == [[8, 8, 1], [8, 0, 0], [0, 0, 1], [0, 0, 1]]
    with pytest.raises(UsageError, match="no feature 'gifts'"):
        features_at(store, users, streamers, 0, ("gifts",))
    with pytest.raises(UsageError, match="lengths"):
        features_at(store, users, streamers[:1], 0)
    assert features_at(store, users[:0], streamers[:0], 0).shape[0] == 0


def test_names_are_unique_and_say_what_they_are() -> None:
    declared = FEATURES + SNAPSHOT_FEATURES
    assert len({feature.name for feature in declared}) == len(declared)
    assert all(f.definition and f.unit and f.as_of for f in declared)
