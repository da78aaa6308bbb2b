"""Planted defects are found, and clean logs are not accused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from giftlive.facts import FactBook, Finding, compute_facts, identifiability
from giftlive.facts.outages import low_beside_gifts
from giftlive.logs.store import Store
from giftlive.rng import stream

HOUR, DAY = 3_600_000, 86_400_000
Rows = dict[str, list[tuple[Any, ...]]]
MakeStore = Callable[..., Store]


def regular_logs(t: int, *, lag_ms: int = 0, days: int = 10) -> Rows:
    """Return 48 clicks a day on rooms of their own, every fourth with a gift ``lag_ms`` later."""
    rows: Rows = {"click": [], "gift": []}
    for i in range(48 * days):
        ts = t + i * HOUR // 2 + i % 7
        rows["click"].append((i % 12, 1_000 + i, i % 5, ts, 60_000))
        if i % 4 == 0:
            rows["gift"].append((i % 12, 1_000 + i, i % 5, ts + lag_ms, 10))
    return rows


def found(store: Store, name: str) -> Finding:
    finding = compute_facts(store).finding(name)
    assert finding is not None
    return finding


def test_logs_with_one_gift_a_viewing_have_no_other_defect(
    make_store: MakeStore, midnight: int
) -> None:
    book = compute_facts(make_store(regular_logs(midnight, lag_ms=7_001)))
    assert {f.name for f in book.defects} == {"viewing_totals"}
    assert book.delay.identifiable is True
    assert not any(book.curves["daily_volume"]["outage"])


@pytest.mark.parametrize("lost", [0.6, 0.35])
def test_an_outage_day_is_found(make_store: MakeStore, midnight: int, lost: float) -> None:
    rows = regular_logs(midnight)
    gifted = {(g[0], g[1]) for g in rows["gift"]}
    third = [c for c in rows["click"] if (c[3] - midnight) // DAY == 3 and c[:2] not in gifted]
    gone = set(third[: round(lost * len(third))])
    store = make_store(rows | {"click": [c for c in rows["click"] if c not in gone]})
    finding = found(store, "outage_days")
    assert (finding.severity, finding.value) == ("defect", 1.0)
    assert finding.examples == ("2025-05-08",)


def test_a_quiet_holiday_is_not_an_outage(make_store: MakeStore, midnight: int) -> None:
    rows = regular_logs(midnight)
    keep = {
        name: [r for i, r in enumerate(table) if (r[3] - midnight) // DAY != 3 or i % 3 == 0]
        for name, table in rows.items()
    }
    assert found(make_store(keep), "outage_days").value == 0.0


def test_outages_ignore_scale_and_cut_days() -> None:
    quiet, gifts = np.full(9, 1000), np.full(9, 50)
    quiet[[0, 4]] = 400
    whole = np.ones(9, dtype=np.bool_)
    whole[0] = False
    assert low_beside_gifts(quiet, gifts, whole).nonzero()[0].tolist() == [4]
    assert low_beside_gifts(quiet * 7, gifts * 3, whole).nonzero()[0].tolist() == [4]
    assert not low_beside_gifts(quiet[:6], gifts[:6], whole[:6]).any()


def test_entry_stamping_makes_the_delay_unidentifiable(
    make_store: MakeStore, midnight: int
) -> None:
    store = make_store(regular_logs(midnight))
    book = compute_facts(store)
    assert book.delay.identifiable is False
    assert "NOT identifiable" in book.delay.reason
    stamped = identifiability(store)[0]
    assert (stamped.name, stamped.severity, stamped.value) == ("entry_stamping", "defect", 1.0)


@pytest.mark.parametrize(
    ("stamped", "identifiable"), [(0, True), (5, True), (12, False), (54, False), (120, False)]
)
def test_an_atom_at_the_click_beside_a_law_leaves_no_law(
    make_store: MakeStore, midnight: int, stamped: int, identifiable: bool
) -> None:
    """A twentieth of the gifts may be stamped; where more are, the median is not the gifts'."""
    rows = regular_logs(midnight)
    assert len(rows["gift"]) == 120
    lags = stream(1, "lags").exponential(20_000.0, 120).astype(int)
    rows["gift"] = [
        g if i < stamped else (*g[:3], g[3] + int(lags[i]), g[4])
        for i, g in enumerate(rows["gift"])
    ]
    book = compute_facts(make_store(rows))
    assert book.delay.identifiable is identifiable
    assert (book.fact("gift_delay_p50_s").value is not None) is identifiable
    assert ("NOT identifiable" in book.delay.reason) is not identifiable


@pytest.mark.parametrize("to", ["up", "down", "a millisecond later"])
@pytest.mark.parametrize("stamped", [0, 108])
def test_a_time_within_a_step_of_the_grid_is_the_click_s(
    make_store: MakeStore, midnight: int, to: str, stamped: int
) -> None:
    """Gift times on whole seconds, or a millisecond off, beside clicks that keep theirs."""
    rows = regular_logs(midnight)
    lags = stream(2, "lags").exponential(20_000.0, 120).astype(int)

    def moved(ts: int) -> int:
        if to == "a millisecond later":
            return ts + 1
        return -(-ts // 1_000) * 1_000 if to == "up" else ts // 1_000 * 1_000

    rows["gift"] = [
        (*g[:3], moved(g[3] + (0 if i < stamped else int(lags[i]))), g[4])
        for i, g in enumerate(rows["gift"])
    ]
    verdict = compute_facts(make_store(rows)).delay
    assert verdict.identifiable is (stamped == 0)
    assert verdict.coincident is not None
    assert (verdict.coincident > 0.85) is (stamped > 0)


def test_orphan_gifts_are_found(make_store: MakeStore, midnight: int) -> None:
    rows = regular_logs(midnight)
    rows["gift"] += [(3, 9_000_000 + i, 1, midnight + i, 5) for i in range(30)]
    finding = found(make_store(rows), "orphan_gifts")
    assert (finding.severity, finding.value) == ("defect", 30 / 150)


def test_duplicates_are_counted(make_store: MakeStore, midnight: int) -> None:
    rows = regular_logs(midnight)
    rows["click"] += rows["click"][:3] + rows["click"][:1]
    finding = found(make_store(rows), "duplicates.click")
    assert (finding.severity, finding.value) == ("defect", 4.0)
    assert found(make_store(rows), "duplicates.gift").value == 0.0


def test_rejects_zero_watch_rooms_and_anonymous(make_store: MakeStore, midnight: int) -> None:
    rows = regular_logs(midnight)
    rows["click"] = [(*c[:4], 0 if i % 10 == 0 else 5) for i, c in enumerate(rows["click"])]
    rows["gift_anonymous"] = [(0, 1, 1, midnight + i, 3) for i in range(40)]
    rows["room"] = [
        (1, 1, midnight, midnight + HOUR, 1, "a", 0),
        (2, 1, midnight, None, 1, "a", 0),
        (3, 1, midnight, midnight + 40 * DAY, 1, "a", 0),
        (4, 1, midnight, midnight, 1, "a", 0),
    ]
    window = (midnight, midnight + 10 * DAY)
    store = make_store(rows, rejects={"gift": {"negative amount": 9}}, window=window)
    assert found(store, "rejects.gift.negative amount").value == 9.0
    assert found(store, "zero_watch").value == 0.1
    assert found(store, "censored_rooms").value == 0.25  # an end after the log is an end
    assert found(store, "broken_rooms").value == 0.25
    assert found(store, "anonymous_gifts").value == 0.25
    assert compute_facts(store).fact("amount_mean").value == 10.0


@pytest.mark.parametrize("step", [1, 10, 500, 1_000])
def test_the_time_grid_is_found(make_store: MakeStore, midnight: int, step: int) -> None:
    rng = np.random.default_rng(1)
    stamps = midnight + 3 + rng.integers(10**6, size=400) * step
    store = make_store({"click": [(i, i, 1, int(ts), 9) for i, ts in enumerate(stamps)]})
    assert found(store, "timestamp_grid_ms").value == step


def test_a_book_lists_defects_only(make_store: MakeStore, midnight: int) -> None:
    book: FactBook = compute_facts(make_store(regular_logs(midnight)))
    assert {f.name for f in book.defects} == {"entry_stamping", "viewing_totals"}
