"""Defects that no recorder plants, made by hand: found where they are, and only there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pytest

from giftlive.facts import Evidence, Finding, audit
from giftlive.logs.schema import TABLES
from giftlive.logs.store import Store
from giftlive.reports.i18n import translate

HOUR, DAY = 3_600_000, 86_400_000
Rows = dict[str, list[tuple[Any, ...]]]
MakeStore = Callable[..., Store]
USERS = 60


def plain_logs(t: int, seed: int = 7, days: int = 10) -> Rows:
    """Return ten days of users who sit in rooms one after the other, give now and then, and act."""
    rng = np.random.default_rng(seed)
    rows: Rows = {name: [] for name in ("click", "gift", "comment", "like", "negative", "room")}
    for day in range(days):
        rows["room"] += [
            (100 * day + s, s, t + day * DAY, t + (day + 1) * DAY - 1 - s, 1, "a", 0)
            for s in range(20)
        ]
    for user in range(USERS):
        now = t + int(rng.integers(HOUR))
        rate = 0.5 * rng.random()
        while now < t + days * DAY - 4 * HOUR:
            streamer, watch = int(rng.integers(20)), int(rng.integers(60_000, 1_800_000))
            day = (now - t) // DAY
            if (now + watch - t) // DAY == day:
                _viewing(rows, rng, (user, 100 * day + streamer, streamer), now, watch, rate)
            now += watch + int(rng.exponential(3 * HOUR))
    return rows


def _viewing(
    rows: Rows, rng: np.random.Generator, who: tuple[int, ...], now: int, watch: int, rate: float
) -> None:
    """Add one viewing: a click, skips before it, and what is done in it, at any time of it."""
    rows["click"].append((*who, now, watch))
    rows["negative"] += [(*who, now - 1_000 - int(k)) for k in rng.integers(0, 60_000, 3)]
    for name, mean in (("gift", rate), ("comment", 0.3), ("like", 0.3)):
        for _ in range(rng.poisson(mean)):
            ts = now + int(watch * rng.random())
            price = (int(rng.choice([1, 2, 5, 10, 52])),) if name == "gift" else ()
            rows[name].append((*who, ts, *price))


@pytest.fixture
def plain(midnight: int) -> Rows:
    return plain_logs(midnight)


def findings(store: Store) -> dict[str, Finding]:
    evidence = Evidence.of(store)
    try:
        return {finding.name: finding for finding in audit(evidence)}
    finally:
        evidence.con.close()


def defects(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if finding.severity == "defect"}


@pytest.mark.parametrize("seed", range(1, 7))
def test_plain_logs_have_no_defect(make_store: MakeStore, midnight: int, seed: int) -> None:
    found = findings(make_store(plain_logs(midnight, seed)))
    assert defects(found) == set()
    shares = {name: f.value for name, f in found.items() if f.detector == "anomalous_row_share"}
    assert len(shares) == 6
    assert set(shares.values()) == {0.0}


@pytest.mark.parametrize("table", ["click", "gift", "comment", "like", "negative"])
def test_copies_are_found_table_by_table(make_store: MakeStore, plain: Rows, table: str) -> None:
    copies = plain[table][:30] + plain[table][:5]
    found = findings(make_store(plain | {table: plain[table] + copies}))
    assert defects(found) == {f"duplicates.{table}"}
    assert found[f"duplicates.{table}"].value == 35.0
    touched = found[f"anomalous_row_share.{table}"].counted
    assert touched is not None
    assert (touched.numerator, touched.denominator) == (35, len(plain[table]) + 35)


def test_copies_are_found_whatever_the_order(make_store: MakeStore, plain: Rows) -> None:
    rows = plain | {"gift": plain["gift"] + plain["gift"][:30]}
    one, other = (findings(make_store(rows, shuffle=s)) for s in (1, 2))
    assert one == other
    assert one["duplicates.gift"].value == 30.0


def test_presses_of_one_time_are_no_copies(make_store: MakeStore, plain: Rows) -> None:
    entry = {click[:2]: click[3] for click in plain["click"]}
    stamped = [(*g[:3], entry[g[0], g[1]], g[4]) for g in plain["gift"]]
    found = findings(make_store(plain | {"gift": stamped}))
    assert defects(found) == {"entry_stamping"}
    assert (found["duplicates.gift"].value or 0) == 0


def test_room_ids_that_repeat(make_store: MakeStore, plain: Rows) -> None:
    found = findings(make_store(plain | {"room": plain["room"] + plain["room"][:3]}))
    assert defects(found) == {"duplicates.room"}
    aside = {"room": {"duplicate live_id: only the first in content order is kept": 40}}
    assert defects(findings(make_store(plain, rejects=aside))) == {
        "rejects.room.duplicate live_id: only the first in content order is kept"
    }


@pytest.mark.parametrize("table", ["click", "comment", "like"])
def test_a_machine_sends_bursts(make_store: MakeStore, plain: Rows, table: str) -> None:
    first = plain[table][40]
    burst = [(*first[:3], first[3] + 97 * k, *([1] if table == "click" else [])) for k in range(90)]
    found = findings(make_store(plain | {table: plain[table] + burst}))
    assert f"bursts.{table}" in defects(found)
    assert defects(found) <= {f"bursts.{table}", "impossible_watch.overlap", "outage_days"}
    assert f"user {first[0]}:" in found[f"bursts.{table}"].examples[0]
    assert "does not explain: 1 (user" in translate(found[f"bursts.{table}"].detail)
    fullest, touched = found[f"bursts.{table}"].counted, found[f"anomalous_row_share.{table}"]
    assert fullest is not None
    assert touched.counted is not None
    assert 45 <= fullest.numerator <= touched.counted.numerator <= 93  # two places share them


def test_a_fast_user_is_no_burst(make_store: MakeStore, plain: Rows, midnight: int) -> None:
    """Somebody who likes as fast as this all the time explains it by the own rate."""
    fast = [(5, 3, 3, midnight + k * HOUR // 2 + 300 * j) for k in range(200) for j in range(12)]
    found = findings(make_store(plain | {"like": plain["like"] + fast}))
    assert "bursts.like" not in defects(found)


def test_impossible_viewings_by_kind(make_store: MakeStore, plain: Rows, midnight: int) -> None:
    clicks = plain["click"]

    def told(extra: list[Any]) -> set[str]:
        return defects(findings(make_store(plain | {"click": clicks + extra})))

    alone = [(900 + k, 9_000 + k, 1, midnight + 9 * DAY, DAY + 1) for k in range(9)]
    assert told(alone) == {"impossible_watch.day"}
    over = [(c[0], 9_000, 1, c[3] + 1, 30 * HOUR) for c in clicks[:9]]
    found = findings(make_store(plain | {"click": clicks + over}))
    assert "impossible_watch.day" in defects(found)
    assert found["impossible_watch.overlap"].value == 0.0  # those they lie over are not wrong
    before = [(900 + k, 905, 5, midnight + 9 * DAY - 9 * HOUR, 60_000) for k in range(9)]
    assert told(before) == {"impossible_watch.room"}
    twice = [(c[0], c[1], c[2], c[3] + c[4] // 2, 1_000) for c in clicks[:9]]
    assert told(twice) == {"impossible_watch.overlap"}


def test_one_giver_above_all_others(make_store: MakeStore, plain: Rows) -> None:
    first = plain["gift"][0]
    total = sum(g[4] for g in plain["gift"])
    found = findings(make_store(plain | {"gift": [*plain["gift"], (*first[:4], 40 * total)]}))
    assert defects(found) == {"dominant_user"}
    assert found["dominant_user"].examples == (f"user {first[0]}",)
    assert (found["dominant_user"].value or 0) > 0.97


def test_an_overwhelming_giver_is_named_whatever_the_others_tail(
    make_store: MakeStore, midnight: int
) -> None:
    """Amounts of 1, 4, 16, …: a tail so heavy that it allows any maximum."""
    totals = [4**k for k in range(12)]

    def told(amounts: list[int]) -> dict[str, Finding]:
        gift = [(u, 7, 7, midnight + 400_003 * u, amount) for u, amount in enumerate(amounts)]
        return findings(make_store({"gift": gift}))

    assert defects(told([*totals, 2 * sum(totals)])) == set()
    found = told([*totals, 1_000 * sum(totals)])
    assert defects(found) == {"dominant_user"}
    assert "whatever the others' tail" in translate(found["dominant_user"].detail)
    assert defects(told([5])) == set()  # nobody beside whom to dominate


@pytest.mark.parametrize("instants", [1, 29])
def test_few_instants_make_no_grid(make_store: MakeStore, midnight: int, instants: int) -> None:
    gift = [(k, 7, 7, midnight + 60_000 * (k % instants), 5) for k in range(300)]
    assert findings(make_store({"gift": gift}))["timestamp_grid_ms"].value == 1.0
    spread = [(*g[:3], midnight + 60_000 * k, 5) for k, g in enumerate(gift)]
    assert findings(make_store({"gift": spread}))["timestamp_grid_ms"].value == 60_000.0


def test_gifts_that_do_not_thin_out_are_no_evidence(make_store: MakeStore, plain: Rows) -> None:
    late = findings(make_store(plain))["late_records"]
    assert (late.value, late.counted) == (0.0, None)
    assert translate(late.evidence) == "none"


def test_several_currencies(make_store: MakeStore, plain: Rows) -> None:
    store = make_store(plain)
    assert findings(store)["currency_mix"].status == "not applicable"
    for share, expected in ((1, set()), (5, {"currency_mix"})):
        evidence = Evidence.of(store)
        evidence.con.execute(
            "CREATE OR REPLACE TEMP TABLE gift_original AS SELECT row_id, "
            f"CASE WHEN row_id % {share} = 0 THEN 'JPY' ELSE 'USD' END AS currency FROM gift"
        )
        assert {f.name for f in audit(evidence) if f.severity == "defect"} == expected
        evidence.con.close()


def test_a_day_without_rows(make_store: MakeStore, plain: Rows, midnight: int) -> None:
    kept = [c for c in plain["comment"] if (c[3] - midnight) // DAY != 4]
    found = findings(make_store(plain | {"comment": kept}))
    assert defects(found) == {"missing_days.comment"}
    assert found["missing_days.comment"].examples == ("2025-05-09",)


def test_rooms_that_cannot_be(make_store: MakeStore, plain: Rows, midnight: int) -> None:
    ill = [(5_000 + k, 1, midnight + k, midnight + k, 1, "a", 0) for k in range(3)]
    aside = {"room": {"start and end are the same instant": 4, "ends before it starts": 2}}
    found = findings(make_store(plain | {"room": plain["room"] + ill}, rejects=aside))
    assert "broken_rooms" in defects(found)
    counted = found["broken_rooms"].counted
    assert counted is not None
    assert (counted.numerator, counted.denominator) == (9, len(plain["room"]) + 9)
    touched = found["anomalous_row_share.room"].counted
    assert touched is not None
    assert touched.numerator == 9


def test_rooms_still_open_or_cut(make_store: MakeStore, plain: Rows) -> None:
    still = [(*r[:3], None, *r[4:]) if i % 10 == 0 else r for i, r in enumerate(plain["room"])]
    found = findings(make_store(plain | {"room": still}))
    assert defects(found) == {"censored_rooms"}
    assert found["censored_rooms"].value == 0.1


def test_gifts_without_a_room(make_store: MakeStore, midnight: int) -> None:
    """Donations of three episodes a month apart; the second has no rooms at all.

    Its days are those of Shanghai: in UTC it begins on the third of June.
    """
    gift = [
        (k % 50, room, room, midnight + month * 30 * DAY + k * 400_001, 5)
        for month, room in enumerate((7, -1, 7))
        for k in range(400)
    ]
    found = findings(make_store({"gift": gift}))
    assert defects(found) == {"gifts_without_room"}
    assert found["gifts_without_room"].value == pytest.approx(1 / 3)
    assert found["gifts_without_room"].examples == ("2025-06-04 to 2025-06-05 (400 of 400)",)
    follows = translate(found["gifts_without_room"].consequence)
    assert follows == "Sums by streamer are too small; sums by user are not."


def with_profiles(store: Store, columns: dict[int, dict[str, int]]) -> Store:
    """Add profiles of users with these columns to a store."""
    con = duckdb.connect()
    schema = TABLES["user"]
    con.execute(f"CREATE TABLE users AS {schema.empty_select()}")
    for user, values in columns.items():
        names = ", ".join(["user_id", *values])
        numbers = ", ".join(map(str, [user, *values.values()]))
        con.execute(f"INSERT INTO users ({names}) VALUES ({numbers})")
    con.execute(f"COPY users TO '{store.file('user')}' (FORMAT parquet)")
    con.close()
    text = store.source.as_json().replace('"room"', '"room",\n  "user"', 1)
    (store.folder / "source.json").write_text(text, encoding="utf-8")
    return Store.open(store.folder)


def test_profile_columns_that_know_the_window(make_store: MakeStore, plain: Rows) -> None:
    """One is the amount given, one follows the watch time, one is only a number."""
    rng = np.random.default_rng(1)
    amount = {u: sum(g[4] for g in plain["gift"] if g[0] == u) for u in range(USERS)}
    watch = {u: sum(c[4] for c in plain["click"] if c[0] == u) for u in range(USERS)}
    columns = {
        u: {
            "fans_num": 3 * amount[u],
            "accu_watch_live_duration": watch[u] + int(rng.integers(9_000_000)),
            "follow_num": int(rng.integers(1_000)),
        }
        for u in range(USERS)
    }
    found = findings(with_profiles(make_store(plain), columns))
    assert defects(found) == {"snapshot_columns.user", "whole_period_columns.user"}
    assert found["whole_period_columns.user"].examples == ("fans_num",)
    assert found["snapshot_columns.user"].examples == ("accu_watch_live_duration",)
    honest = {u: {"follow_num": values["follow_num"]} for u, values in columns.items()}
    assert defects(findings(with_profiles(make_store(plain), honest))) == set()
