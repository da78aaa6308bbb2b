"""A world's own late log: labels have the chances it tells, and nothing is known too early."""

from __future__ import annotations

from functools import cache
from typing import cast

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import UsageError
from giftlive.evaluation.delay.recorded import (
    FEATURES,
    HORIZON,
    LATE_ALONE,
    Events,
    Recorded,
    _read,
    counted_before,
    features,
    recorded_log,
)
from giftlive.logs.store import Store
from giftlive.world import load_scenario

SMALL = {"calendar.history_days": "16", "gift.base": "-3.0"} | LATE_ALONE


@cache
def log(lag: str = "slow") -> Recorded:
    return recorded_log(
        load_scenario("kuailive", "0.002", SMALL | {"recorder.arrival_lag": lag}), 3
    )


def test_labels_come_with_the_chance_that_is_told() -> None:
    """Chances are the world's, in the state each click met: sums over parts of the log agree."""
    history, chance = log().planted.history, log().planted.chance
    assert history.label.sum() > 150
    for part in (chance >= np.median(chance), chance < np.median(chance), history.user % 2 == 0):
        error = history.label[part].sum() - chance[part].sum()
        assert abs(error) < 4 * np.sqrt((chance * (1 - chance))[part].sum()) + 1.0


@pytest.mark.parametrize(("lag", "mean"), [("slow", 43_200.0), ("fast", 60.0)])
def test_a_label_is_known_when_its_record_arrives(lag: str, mean: float) -> None:
    """The delay is the watch time and an exponential lag of the recorder's mean."""
    history = log(lag).planted.history
    delay = history.delay[history.delay < np.inf]
    watch = np.median(log("fast").planted.history.delay[log("fast").planted.history.label])
    late = np.median(delay[delay <= HORIZON])
    if lag == "slow":
        assert late == pytest.approx(mean * np.log(2.0) + watch, rel=0.2)
    assert delay.min() >= 0.0
    known = history.at(log(lag).cut_ms)
    gone = history.label[history.shown_before(log(lag).cut_ms)].sum() - known.seen.sum()
    assert (gone > 5) == (lag == "slow")


def test_the_same_world_says_whether_it_can_show_the_delay_within_viewings() -> None:
    told = {number.column: number.value for number in log().numbers}
    assert told["identifiable"] == 1.0
    assert told["estimated median"] == pytest.approx(told["true median"], rel=0.25)


def test_features_know_what_was_there_before_the_click() -> None:
    shown = Events(*(np.array(c) for c in ([1, 1, 2], [7, 7, 7], [5, 6, 6], [10, 20, 30])))
    given_to = Events(*(np.array(c) for c in ([1, 1], [7, 7], [5, 5], [19, 20])))
    X, rate = features(shown, given_to), 0.01
    assert X.shape == (3, len(FEATURES))
    assert X[:, 0] == pytest.approx(np.log1p([0, 1, 0]))  # clicks of the user before
    assert X[:, 1] == pytest.approx(np.log((np.array([0, 1, 0]) + 10 * rate) / [10, 11, 10]))
    assert X[:, 4] == pytest.approx(np.log1p([0, 1, 2]))  # clicks on the streamer before
    assert X[:, 5] == pytest.approx(np.log((np.array([0, 1, 2]) + 10 * rate) / [10, 11, 12]))


def test_the_amount_is_that_of_the_gift_that_made_the_label_known() -> None:
    """5 known after ten seconds, 1,000 of the same viewing a day later: one hour in, 5."""

    class Two:
        def connect(self) -> duckdb.DuckDBPyConnection:
            con = duckdb.connect()
            con.execute(
                "CREATE TABLE click AS SELECT * FROM (VALUES (1::BIGINT, 7::BIGINT, 3::BIGINT, "
                "1000000::BIGINT), (2, 7, 3, 2000000)) t(user_id, live_id, streamer_id, ts)"
            )
            con.execute(
                "CREATE TABLE gift AS SELECT * FROM (VALUES (1::BIGINT, 7::BIGINT, 3::BIGINT, "
                "1001000::BIGINT, 1010000::BIGINT, 5::BIGINT), (1, 7, 3, 1060000, 90000000, 1000)) "
                "t(user_id, live_id, streamer_id, ts, known_ts, amount)"
            )
            return con

    known = _read(cast(Store, Two())).at(4_000_000)
    assert known.seen.tolist() == [True, False]
    assert known.amount.tolist() == [5.0, 0.0]


_EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 5)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(_EVENTS.filter(bool), _EVENTS)
def test_counts_are_those_of_a_loop(
    asked: list[tuple[int, int]], events: list[tuple[int, int]]
) -> None:
    (group, ts), (of, when) = (
        np.array(c, dtype=np.int64).reshape(-1, 2).T for c in (asked, events)
    )
    found = counted_before(group, ts, of, when)
    assert found.tolist() == [sum(g == h and s < t for h, s in events) for g, t in asked]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"recorder.orphans": "0.05"}, "other defects"),
        ({"recorder.arrival_lag": "none"}, "arrival_lag none"),
        ({"recorder.arrival_lag": "amount"}, "arrival_lag amount"),
        ({"calendar.history_days": "12"}, "12 days"),
    ],
)
def test_another_recorder_is_refused(changed: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        recorded_log(load_scenario("kuailive", "0.002", SMALL | changed), 3)
