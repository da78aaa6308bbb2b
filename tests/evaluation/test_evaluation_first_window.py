"""Groups of features: each column in one, noise teaches nothing, a planted group comes out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from giftlive.evaluation.first_window import (
    CLOCK_ONLY,
    FULL,
    METRICS,
    NOISE,
    PR_AUC,
    REAL,
    SNAPSHOT,
    Plan,
    columns_of,
    group_of,
    measured,
    places,
    plus,
    read_worlds,
    rescored,
    rest,
    variants_of,
    whole,
    with_noise,
)
from giftlive.evaluation.first_window.rescoring import still_watching
from giftlive.evaluation.first_window.variants import taken
from giftlive.rng import stream
from giftlive.tables.features.declare import FEATURES, FIRST_WINDOW_FEATURES, SNAPSHOT_FEATURES
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import rolling_origins
from giftlive.world import load_scenario

NAMES = ("hour", "pair_gift_sum", "user_gift_sum", "streamer_gift_sum", "pair_like_count")
WINDOW = ("first_window_watch_seconds", "first_window_like_count")
MODEL = "two_part"


def log(users: int = 300, days: int = 20) -> Matrix:
    """Return sessions whose chance hangs on the pair alone; all other columns are noise."""
    g = stream(4, "first window")
    n = users * days
    user, day = np.tile(np.arange(users), days), np.repeat(np.arange(days), users)
    pair = g.normal(size=n)
    chance = 1.0 / (1.0 + np.exp(2.5 - 1.5 * pair))
    y = np.where(g.random(n) < chance, np.ceil(5.0 * g.exponential(1.0, n)), 0.0)
    X = np.column_stack([g.integers(0, 24, n), pair, *g.normal(size=(3, n))]).astype(np.float64)
    ids = np.arange(n)
    gave = (y > 0).astype(np.int64)
    return Matrix(X, y, gave, user, ids % 37, ids, 1_000 * ids, day, NAMES, "session")


@pytest.fixture(scope="module")
def values() -> dict[tuple[str, str, str], float]:
    matrix = with_noise(log(), 3)
    folds = rolling_origins(matrix.day)[-1:]
    return {
        (n.table, n.row, n.column): n.value
        for n in measured(matrix, folds, MODEL)
        if n.value is not None
    }


def adds(values: dict[tuple[str, str, str], float], group: str) -> float:
    return values["variant", plus(group), PR_AUC] - values["variant", CLOCK_ONLY, PR_AUC]


def test_every_declared_feature_is_in_one_named_group() -> None:
    names = [f.name for f in (*FEATURES, *FIRST_WINDOW_FEATURES, *SNAPSHOT_FEATURES)]
    groups = columns_of(names)
    assert set(groups) == {*REAL, "clock", SNAPSHOT}
    assert sorted(np.concatenate(list(groups.values()))) == list(range(len(names)))
    assert all(f.group == "pair" for f in FEATURES if f.name.startswith("pair_"))
    for name, group in {
        "user_like_count": "social",
        "streamer_click_today": "same-day activity",
        "streamer_gift_10m": "streamer heat",
        "streamer_efficiency": "supply efficiency",
        "user_is_live_streamer": "profile",
        "taste_gift_sum": "pair history",
        "user_fans_num": SNAPSHOT,
        "first_window_like_count": "first window",
    }.items():
        assert group_of(name) == group, name


def test_variants_leave_out_one_group_and_noise_is_let_in() -> None:
    matrix = with_noise(log(users=20), 1)
    variants, groups = variants_of(matrix), columns_of(matrix.names)
    noise = set(groups[NOISE].tolist())
    assert set(variants[FULL].tolist()) == set(range(len(matrix.names))) - noise
    assert set(variants[whole(NOISE)].tolist()) == set(range(len(matrix.names)))
    assert rest(NOISE) == FULL
    gone = set(variants[FULL].tolist()) - set(variants[rest("pair history")].tolist())
    assert gone == set(groups["pair history"].tolist())


def test_a_group_that_is_one_value_everywhere_is_in_no_variant() -> None:
    matrix = log(users=20)
    still = replace(matrix, X=matrix.X.copy())
    still.X[:, NAMES.index("user_gift_sum")] = -1.0
    assert plus("user history") not in variants_of(still)
    assert plus("user history") in variants_of(matrix)


def test_the_planted_group_comes_out_on_top_and_noise_as_nothing(
    values: dict[tuple[str, str, str], float],
) -> None:
    others = [g for g in (*REAL, NOISE) if ("variant", plus(g), PR_AUC) in values]
    assert len(others) == 5
    best = max(others, key=lambda g: adds(values, g))
    assert best == "pair history"
    second = max(adds(values, g) for g in others if g != best)
    assert adds(values, best) > second + 0.1
    assert abs(adds(values, NOISE)) < 0.05
    dropped = values["variant", FULL, PR_AUC] - values["variant", rest(best), PR_AUC]
    assert dropped > 0.1


def test_fitting_twice_ties_and_every_metric_is_there(
    values: dict[tuple[str, str, str], float],
) -> None:
    assert values["a_a", FULL, "differs"] == 0.0
    assert {c for t, r, c in values if (t, r) == ("variant", FULL)} == set(METRICS)


def late_of(entry: Matrix, seconds: int) -> Matrix:
    """Return the same sessions later: half are gone, and a like tells who gives."""
    g = stream(9, "late")
    watched = np.where(g.random(len(entry)) < 0.5, float(seconds), 0.5)
    y = np.where(watched >= seconds, entry.y, 0.0)
    likes = ((y > 0) & (g.random(len(y)) < 0.8)).astype(np.float64)
    return replace(
        entry, X=np.column_stack([entry.X, watched, likes]), y=y, names=(*NAMES, *WINDOW)
    )


def test_sessions_are_matched_by_who_where_and_when() -> None:
    entry = log(users=10)
    mixed = taken(entry, stream(1, "order").permutation(len(entry)))
    assert (mixed.ts[places(mixed, entry)] == entry.ts).all()
    other = replace(entry, ts=entry.ts + 1)
    assert (places(entry, other) == -1).all()


def test_rescoring_gains_from_who_stayed_and_more_from_what_was_seen() -> None:
    entry = log()
    late = late_of(entry, 5)
    assert still_watching(late, 5).mean() == pytest.approx(0.5, abs=0.02)
    folds = rolling_origins(entry.day)[-1:]
    found = {(n.table, n.row, n.column): n.value for n in rescored(entry, late, folds, MODEL, 5)}
    entered, stayed, again = (
        found["5 s, all", arm, PR_AUC] or 0.0 for arm in ("at entry", "stayed", "re-scored")
    )
    assert entered + 0.02 < stayed < again - 0.1
    still = found["rows", "5 s", "share of the amount still to come"]
    assert still == pytest.approx(0.5, abs=0.1)


def test_a_later_label_never_trains_the_score_of_the_entry() -> None:
    """Other labels on the test days, at either moment, leave the entry's order as it is."""
    entry = log(users=100)
    late = late_of(entry, 5)
    folds = rolling_origins(entry.day)[-1:]
    test = entry.day >= folds[0].test[0]
    turned = replace(entry, y=np.where(test, entry.y[::-1], entry.y))

    def at_entry(source: Matrix) -> list[float | None]:
        numbers = rescored(source, late, folds, MODEL, 5)
        return [n.value for n in numbers if n.row == "at entry"]

    assert at_entry(turned) == at_entry(entry)


@pytest.mark.slow
def test_a_world_gives_every_number_of_the_study() -> None:
    """Snapshot columns stand in the tables of a world, and never in the full model."""
    scenario = load_scenario("kuailive", "0.002", {})
    found = read_worlds(Plan(scenario, (3,), "ridge", dwell=(5,)))
    numbers = {(r.number.table, r.number.row, r.number.column): r.number.value for r in found}
    assert numbers["group", SNAPSHOT, "varying"]
    assert ("variant", whole(SNAPSHOT), PR_AUC) in numbers
    assert {r for t, r, _ in numbers if t == "5 s, all"} == {"at entry", "stayed", "re-scored"}
    kept = numbers["rows", "5 s", "share of the amount still to come"]
    assert kept is not None
    assert 0.3 < kept <= 1.0
