"""What stands beside a fact so that nobody reads too much into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from giftlive.facts import FactBook, compute_facts
from giftlive.logs.store import Store

Rows = dict[str, list[tuple[Any, ...]]]
MakeStore = Callable[..., Store]
DAY = 86_400_000


def popular_rows(t: int, users: int, loyal: bool) -> Rows:
    """Return six gifts a user: to streamers by popularity, or to one drawn so."""
    rng = np.random.default_rng(4)
    weight = 1.0 / np.arange(1, 41)
    drawn = rng.choice(40, size=(users, 6), p=weight / weight.sum())
    if loyal:
        drawn = np.repeat(drawn[:, :1], 6, axis=1)
    return {
        "gift": [
            (u, 100 * u + i, int(drawn[u, i]), t + i * DAY + u, 10)
            for u in range(users)
            for i in range(6)
        ]
    }


def test_users_who_choose_by_popularity_show_the_mechanical_loyalty(
    make_store: MakeStore, midnight: int
) -> None:
    book = compute_facts(make_store(popular_rows(midnight, 1_500, loyal=False)))
    observed, chance = (
        book.fact(f"gift_count_loyalty_mean{ending}") for ending in ("", "_if_by_popularity")
    )
    assert observed.low is not None
    assert observed.high is not None
    assert chance.value is not None
    assert observed.low < chance.value < observed.high
    assert chance.value > 1 / 6  # more than six different streamers would give


def test_loyal_users_stand_far_above_it(make_store: MakeStore, midnight: int) -> None:
    book = compute_facts(make_store(popular_rows(midnight, 300, loyal=True)))
    assert book.fact("gift_count_loyalty_mean").value == 1.0
    chance = book.fact("gift_count_loyalty_mean_if_by_popularity").value
    assert chance is not None
    assert chance < 0.6
    assert book.fact("gift_loyalty_one_each_p50").value == pytest.approx(1 / 6)


def test_quadrants_are_a_partition_and_so_is_independence(
    make_store: MakeStore, random_logs: Callable[..., Rows]
) -> None:
    book = compute_facts(make_store(random_logs(5, users=200, clicks=900)))
    for whose in ("user", "streamer"):
        curve = book.curves[f"quadrant_{whose}"]
        assert sum(curve["share"]) == pytest.approx(1.0)
        assert sum(curve["independent"]) == pytest.approx(1.0)
        # both have the margins of the cut: row sums agree
        margins = [
            sum(v for v, cell in zip(curve[c], curve["cell"], strict=True) if "high watch" in cell)
            for c in ("share", "independent")
        ]
        assert margins[0] == pytest.approx(margins[1])


def test_a_sample_chosen_for_giving_says_so(
    make_store: MakeStore, random_logs: Callable[..., Rows]
) -> None:
    rows = random_logs(6, users=12, clicks=500)
    givers = {gift[0] for gift in rows["gift"]}
    chosen = {name: [row for row in table if row[0] in givers] for name, table in rows.items()}
    book = compute_facts(make_store(chosen))
    assert book.fact("gifting_user_share").value == 1.0
    for name in ("gifting_user_share", "gift_rows_per_click", "gift_rate_user_with_history"):
        assert "chosen because they gave" in book.fact(name).warning, name
    assert book.fact("watch_mean_s").warning == ""
    whole = chosen | {"click": [*chosen["click"], (999, 1, 1, chosen["click"][0][3], 5)]}
    open_book = compute_facts(make_store(whole))
    assert (open_book.fact("gifting_user_share").value or 1.0) < 1.0
    assert not any(fact.warning for fact in open_book.facts)


@pytest.mark.parametrize(
    ("stamped", "known"), [(0.0, True), (0.04, True), (0.1, False), (0.4, False), (0.7, False)]
)
def test_the_delay_has_a_law_only_where_it_is_identifiable(
    make_store: MakeStore, midnight: int, stamped: float, known: bool
) -> None:
    clicks = [(u, u, u % 7, midnight + 60_000 * u, 600_000) for u in range(500)]
    gifts = [(*c[:3], c[3] + (0 if i < stamped * 500 else 30_000), 5) for i, c in enumerate(clicks)]
    book = compute_facts(make_store({"click": clicks, "gift": gifts}))
    median = book.fact("gift_delay_p50_s")
    assert (median.status == "ok") is known
    assert median.value == (30.0 if known else None)
    if not known:
        assert "NOT identifiable" in median.reason


def test_published_sizes_have_facts(
    make_store: MakeStore, random_logs: Callable[..., Rows]
) -> None:
    book: FactBook = compute_facts(make_store(random_logs(2)))
    assert book.published("clicks")[0].value == 600
    assert book.published("user_live_pairs_G")[0].name == "size_sessions"


def test_days_without_any_row_are_counted(make_store: MakeStore, midnight: int) -> None:
    gifts = [(u, u, u, midnight + d * DAY + u, 3) for u in range(5) for d in (0, 1, 4, 5)]
    assert compute_facts(make_store({"gift": gifts})).fact("silent_days").value == 2.0


def test_a_category_holds_what_its_rooms_got(make_store: MakeStore, midnight: int) -> None:
    click = [(u, u % 3, 1, midnight + u, 5) for u in range(9)]
    gift = [(u, u % 3, 1, midnight + u, 1 + 9 * (u % 3 == 2)) for u in range(9)]
    room = [(k, 1, midnight, None, 1, kind, 0) for k, kind in ((0, "a"), (1, "a"), (2, "b"))]
    book = compute_facts(make_store({"click": click, "gift": gift, "room": room * 2}))
    assert book.curves["category_mix"]["category"] == ["b", "a"]
    assert book.curves["category_mix"]["clicks"] == [3, 6]
    assert book.fact("category_top1_amount_share").value == 30 / 36
