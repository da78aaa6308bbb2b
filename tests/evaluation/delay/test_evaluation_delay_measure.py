"""Every number of a study of delay: there, equal to its definition, and telling the right story."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from giftlive.evaluation.behavioural.worlds import by_cell
from giftlive.evaluation.delay.comparison import ORACLE, VANILLA, compare
from giftlive.evaluation.delay.measure import HOUR, Questions, measured, read_logs
from giftlive.evaluation.delay.planted import DAY, Plan, arrivals
from giftlive.models.delay.registry import treatment

CUT = int(5 * DAY * 1_000)
PLAN = Plan("slow", rows=12_000, users=1_200, drift=0.5)
ASK = Questions(
    CUT,
    ("delayed_feedback_weibull", "delay_buckets"),
    windows=(HOUR, 12 * HOUR, 3 * DAY),
    step_ms=int(DAY * 1_000),
    progressive=("naive", "fixed_window", "delayed_feedback_weibull"),
)


@cache
def values() -> dict[tuple[str, str, str], float | None]:
    numbers = measured(arrivals(PLAN, 1), ASK)
    return {(n.table, n.row, n.column): n.value for n in numbers}


def value(*cell: str) -> float:
    table, row, column = cell
    found = values()[table, row, column]
    assert found is not None
    return found


def test_scores_are_those_of_the_comparison() -> None:
    planted = arrivals(PLAN, 1)
    one = compare(
        planted.history,
        CUT,
        {"delay_buckets": treatment("delay_buckets")},
        truth=planted.chance,
    )
    for name in (VANILLA, ORACLE, "delay_buckets"):
        assert value("treatments", name, "log-loss") == one.loss(name)
        assert value("treatments", name, "calibration error") == one.error(name)
        assert value("treatments", name, "tilt") == one.tilt(name, DAY).value


def test_the_story_is_told() -> None:
    loss = {n: value("treatments", n, "log-loss") for n in (VANILLA, ORACLE, *ASK.names)}
    assert loss[ORACLE] < loss["delayed_feedback_weibull"] < loss[VANILLA]
    assert value("treatments", VANILLA, "level") < 0.85
    for name in ASK.names:
        assert value("control", name, "log-loss") > loss[VANILLA]
    assert value("a_a", VANILLA, "differs") == 0.0
    assert value("age", "0 s to 6 h", VANILLA) < -0.2
    assert abs(value("age", "0 s to 6 h", "delayed_feedback_weibull")) < 0.15


def test_a_short_window_is_nearly_naive_and_its_first_seconds_are_worse() -> None:
    assert value("windows", "1 h", "level") == pytest.approx(
        value("treatments", VANILLA, "level"), abs=0.08
    )
    for window in ("1 h", "12 h"):
        first = value("windows", f"{window}, first", "level")
        assert first < value("windows", window, "level")
    assert value("windows", "72 h", "log-loss") == value("windows", "72 h, first", "log-loss")


def test_maturity_is_estimated_without_bias_from_what_is_seen() -> None:
    for row in ("1 h", "6 h", "24 h"):
        truth = value("maturity", row, "true")
        assert value("maturity", row, "estimated") == pytest.approx(truth, abs=0.06)
        assert value("maturity", row, "of the gifts seen") > truth
    assert value("maturity", "72 h", "estimated") == 1.0


def test_progressive_validation_ends_with_all_rows_after_the_first_horizon() -> None:
    planted = arrivals(PLAN, 1)
    start = planted.history.ts.min() + 3 * DAY * 1_000
    for name in ASK.progressive:
        assert value("progressive", name, "rows") == (planted.history.ts >= start).sum()
    assert value("progressive", "naive", "level") < 0.9
    assert value("progressive", "delayed_feedback_weibull", "log-loss") < value(
        "progressive", "naive", "log-loss"
    )


def test_readings_are_one_per_seed_and_the_same_again() -> None:
    plan = Plan("none", rows=4_000, users=400, days=6.0)
    ask = Questions(CUT, ("delay_buckets",), windows=(DAY,))
    heard: list[tuple[int, int]] = []
    found = read_logs(plan, (1, 2), ask, lambda done, total: heard.append((done, total)))
    cells = by_cell(found)
    assert heard == [(1, 2), (2, 2)]
    assert {len(column) for column in cells.values()} == {2}
    again = by_cell(read_logs(plan, (1, 2), ask))
    assert cells == again
    assert cells["maturity", "60 s", "true"] == [1.0, 1.0]
    short = measured(arrivals(plan, 3), Questions(int(2 * DAY * 1_000), (), windows=(DAY,)))
    assert {n.value for n in short if n.column == "estimated"} == {None}
    assert all(n.value is not None and np.isfinite(n.value) for n in short if n.table == "age")


def test_a_law_with_a_form_has_a_misfit_on_every_log_or_says_that_there_is_none() -> None:
    """A number that one log lacks must be there as unknown: over logs it is then no mean."""
    judged = "delayed_feedback_weibull"
    assert 0.0 < value("fit", judged, "misfit") < 0.1
    assert value("fit", judged, "warned") == 0.0
    assert ("fit", "delay_buckets", "misfit") not in values()  # it has no law of arrivals
    few = measured(arrivals(Plan(rows=900, users=90), 1), Questions(CUT, (judged,), windows=()))
    assert [n.value for n in few if n.table == "fit"] == [None, None]
