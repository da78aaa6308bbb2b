"""The print rule: formula, evidence, and the words of a refusal."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from giftlive.errors import InputError, IntegrityError
from giftlive.stats.coverage_table import CoverageRow, groups_for, read_rows, table, write_rows
from giftlive.stats.intervals import Interval, no_interval
from giftlive.stats.print_rule import (
    MONEY_CLUSTERS,
    UNMEASURED,
    may_print,
    method_of,
    need,
    need_of,
    needed_clusters,
    printed,
)

ROW = CoverageRow(
    "ratio", "ratio_delta", "count", 10, 100, 2_000, 1_900, 50, 50, 0, 0.5, cv=5.0, skew=3.0
)


@pytest.mark.parametrize(
    ("cv", "skew", "needed"),
    [
        (5.0, 3.0, 400),  # (5 / 0.25)² beats 25 · 9
        (1.0, 3.0, 225),  # 25 · 9 beats 16
        (1.0, -3.0, 225),
        (0.3, 0.0, 2),  # never below what an interval needs
        (0.26, 0.3, 3),  # rounded up
    ],
)
def test_needed_clusters_known_answers(cv: float, skew: float, needed: int) -> None:
    assert needed_clusters(cv, skew) == needed


def test_a_difference_follows_the_skew_rule_alone() -> None:
    assert needed_clusters(math.inf, 3.0, difference=True) == 225


def test_a_method_that_corrects_for_skewness_needs_a_fifth() -> None:
    assert needed_clusters(0.0, 10.0, method="skew_t") == 500
    assert needed_clusters(0.0, 10.0, method="student_t") == 2_500


def test_money_is_never_printed_below_its_floor() -> None:
    assert needed_clusters(1.0, 1.0, money=True) == MONEY_CLUSTERS
    assert needed_clusters(100.0, 1.0, money=True) == 160_000


@pytest.mark.parametrize("bad", [(math.nan, 1.0), (1.0, math.inf), (-1.0, 1.0)])
def test_a_spread_that_is_no_number_is_refused(bad: tuple[float, float]) -> None:
    with pytest.raises(InputError):
        needed_clusters(*bad)


def cells(*covered: int) -> tuple[CoverageRow, ...]:
    return tuple(replace(ROW, clusters=10**k, covered=c) for k, c in enumerate(covered, start=2))


def test_the_measured_size_counts_where_it_is_larger_than_the_formula() -> None:
    assert need_of(cells(1_900, 1_900, 1_900)).clusters == 400  # the formula's
    assert need_of(cells(1_700, 1_900, 1_900)).clusters == 1_000
    assert need_of(cells(1_900, 1_700, 1_900)).shown is False  # one good row may be luck
    assert need_of(cells(1_900, 1_700, 1_900, 1_900)).clusters == 10_000
    assert need_of(cells(1_900, 1_900, 1_980)).shown is False  # 99 % is not 95 % either


def test_no_measured_size_means_never() -> None:
    found = need_of(cells(1_700, 1_800, 1_850))
    assert (found.shown, found.clusters) == (False, 10_001)
    assert need("ratio", "skew_t", UNMEASURED).clusters == 0
    assert may_print(10**9, "ratio", "skew_t", UNMEASURED)[1].endswith("stands for this source")


def test_a_guarantee_may_cover_more() -> None:
    rows = tuple(replace(r, method="betting") for r in cells(1_900, 1_990, 2_000))
    assert need_of(rows).shown
    assert need_of(rows).clusters == 400  # the width rule alone


def test_a_replication_without_an_interval_is_a_miss() -> None:
    row = replace(ROW, covered=1_800, below=0, above=0, withheld=200)
    assert not row.holds


def test_may_print_changes_exactly_at_the_need() -> None:
    kind = ("ratio", "skew_t", "count", 10.0)
    needed = need(*kind)
    assert needed.shown
    assert may_print(needed.clusters, *kind) == (True, "")
    allowed, reason = may_print(needed.clusters - 1, *kind, n_unit="users")
    assert not allowed
    about = f"{needed.clusters - 1:,} users, need about {needed.clusters:,}"
    assert reason == f"not enough data: {about}"


def test_an_interval_that_was_never_measured_is_an_error() -> None:
    interval = Interval(1.0, 0.0, 2.0, "made_up", 10**9, "users")
    with pytest.raises(IntegrityError, match=r"made_up.*has no row"):
        printed(interval, "ratio", "count")


def test_a_refused_interval_keeps_its_value_and_says_why() -> None:
    shown = printed(Interval(1.0, 0.0, 2.0, "skew_t", 10, "users"), "ratio", "full")
    assert (shown.value, shown.low, shown.high) == (1.0, None, None)
    assert shown.reason.startswith("not enough data: 10 users, need")


def test_a_status_is_left_as_it_is() -> None:
    found = no_interval("undefined", "no rows", "skew_t", 0, "users")
    assert printed(found, "ratio", "full") is found


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("skew_t", "skew_t"),
        ("snips, ratio_delta", "ratio_delta"),
        ("snips, poisson_bootstrap(1000)", "poisson_bootstrap"),
        ("influence_t(logit)", "influence_t(logit)"),
    ],
)
def test_methods_are_named_as_in_the_table(method: str, name: str) -> None:
    assert method_of(no_interval("undefined", "", method, 0, "users")) == name


def test_between_two_measured_numbers_of_rows_both_must_allow_it() -> None:
    def sizes(rows: float) -> list[int]:
        groups = groups_for("ratio", "skew_t", "count", rows)
        return [group[0].rows_per_cluster for group in groups]

    assert sizes(9.9) == [1, 10]
    assert sizes(10.0) == [10]
    assert sizes(0.5) == [1]
    assert sizes(500.0) == [60]
    both = need("ratio", "skew_t", "full", 30.0)
    alone = [need("ratio", "skew_t", "full", rows) for rows in (10.0, 60.0)]
    assert both.clusters == max(n.clusters for n in alone)


def test_rows_survive_the_file() -> None:
    assert read_rows(write_rows(table())) == table()
