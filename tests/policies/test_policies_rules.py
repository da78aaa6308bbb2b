"""Every rule alone, with the code it leaves, and the memory behind it."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policies.rows import after, answer, batch_of, choices, told

from giftlive.errors import ConfigError, InputError
from giftlive.policies import (
    ByStreamer,
    ByUser,
    Greedy,
    GreedyWithCap,
    GreedyWithRules,
    MultiObjective,
    Popularity,
    RoundRobin,
)
from giftlive.policies.concentration import gini_slope
from giftlive.policies.journal import Journal, pair_keys
from giftlive.stats.heavy_tails import gini
from giftlive.testing import make_batch, seats_of_rooms
from giftlive.types import UNLIMITED_SEATS

BEST_FIRST = [[3.0, 2.0, 1.0]]


def fired(policy: GreedyWithRules, before: int = 0, **options: object) -> tuple[int, str]:
    """Return what user 0 is shown, and why, after ``before`` batches of the same."""
    batch = batch_of(BEST_FIRST, **options)  # type: ignore[arg-type]
    decisions = answer(policy, batch, after(policy, [batch] * before))
    assert decisions.reason is not None
    return int(decisions.choice[0]), str(decisions.reason[0])


def test_without_rules_it_is_greedy_with_a_cap() -> None:
    for seed in range(30):
        batch, policy = make_batch(seed, rows=12), GreedyWithRules()
        state = policy.init(seats_of_rooms())
        assert choices(policy, batch, state) == choices(GreedyWithCap(), batch)
        open_doors = GreedyWithRules(respect_seats=False)
        assert choices(open_doors, batch, state) == choices(Greedy(), batch)


def test_each_rule_fires_alone_and_says_so() -> None:
    assert fired(GreedyWithRules()) == (0, "")
    assert fired(GreedyWithRules(exposure_cap=2), before=1) == (0, "")
    assert fired(GreedyWithRules(exposure_cap=2), before=2) == (1, "exposure_cap")
    assert fired(GreedyWithRules(frequency_cap=1), before=1) == (1, "frequency_cap")
    assert fired(GreedyWithRules(frequency_cap=1), before=2) == (2, "frequency_cap")
    assert fired(GreedyWithRules(cooldown_ms=1), before=1) == (1, "cooldown")
    assert fired(GreedyWithRules(head_cap=0.5, warm_up=2), before=1) == (0, "")
    assert fired(GreedyWithRules(head_cap=0.5, warm_up=2), before=2) == (1, "head_cap")
    assert fired(GreedyWithRules(), left=[0, 5, 5]) == (1, "seat")
    new = ByStreamer(np.array([0.0, 0.0, 1.0]))
    assert fired(GreedyWithRules(newcomer_bonus=1.9, newcomers=new)) == (0, "")
    assert fired(GreedyWithRules(newcomer_bonus=2.1, newcomers=new)) == (2, "newcomer_bonus")


def test_a_cooldown_ends_and_is_the_users_own() -> None:
    policy = GreedyWithRules(cooldown_ms=60_000)
    state = after(policy, [batch_of(BEST_FIRST, ts=1_000)])
    for ts, choice in ((2_000, 1), (60_999, 1), (61_000, 0)):
        assert choices(policy, batch_of(BEST_FIRST, ts=ts), state) == [choice]
    assert choices(policy, batch_of(BEST_FIRST, ts=2_000, users=[7]), state) == [0]


def test_a_crowded_room_is_worth_less_and_one_without_limit_is_not() -> None:
    policy, batch = GreedyWithRules(congestion=0.5), batch_of(BEST_FIRST)
    decisions = answer(policy, batch)
    full = told(batch, decisions, occupancy=[100, 0, 0, 0, 0, 0, 0, 0])
    state = policy.update(policy.init(np.full(8, 100)), full)
    crowded = answer(policy, batch, state)
    assert (crowded.choice.tolist(), crowded.reason.tolist()) == ([1], ["congestion"])
    assert crowded.charges[0] == pytest.approx([1.5, 0.0, 0.0])
    endless = told(batch, decisions, occupancy=[100] * 8, seats=UNLIMITED_SEATS)
    state = policy.update(policy.init(np.full(8, UNLIMITED_SEATS)), endless)
    assert choices(policy, batch, state) == [0]


def test_rules_count_the_rows_before_and_yield_when_they_close_everything() -> None:
    policy = GreedyWithRules(exposure_cap=1)
    decisions = answer(policy, batch_of(BEST_FIRST * 5))
    assert decisions.choice.tolist() == [0, 1, 2, 0, 0]
    assert decisions.reason.tolist() == [
        "", "exposure_cap", "exposure_cap", "rules_yielded", "rules_yielded",
    ]  # fmt: skip
    closed = answer(policy, batch_of(BEST_FIRST * 4, left=[1, 1, 1]))
    assert closed.choice.tolist() == [0, 1, 2, -1]


@settings(max_examples=60, deadline=None)
@given(
    events=st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 100), st.integers(0, 9)), max_size=6),
        max_size=12,
    )
)
def test_a_journal_counts_like_a_dictionary(events: list[list[tuple[int, int, int]]]) -> None:
    journal, counts, last, sums = Journal(), Counter[int](), dict[int, int](), Counter[int]()
    for batch in events:
        old = [run.counts.copy() for run in journal.runs]
        table = np.array(batch, dtype=np.int64).reshape(-1, 3)
        following = journal.add(table[:, 0], table[:, 1], table[:, 2].astype(np.float64))
        assert all((a == run.counts).all() for a, run in zip(old, journal.runs, strict=True))
        journal = following
        for key, ts, amount in batch:
            counts[key] += 1
            sums[key] += amount
            last[key] = max(last.get(key, -1), ts)
    keys, known = np.arange(7), range(7)
    assert journal.counts(keys).tolist() == [counts[k] for k in known]
    assert journal.last_ts(keys).tolist() == [last.get(k, -1) for k in known]
    assert journal.sums(keys).tolist() == [sums[k] for k in known]
    lengths = [len(run.keys) for run in journal.runs]
    assert all(a >= 2 * b for a, b in itertools.pairwise(lengths))


def test_pairs_have_keys_of_their_own_and_none_beyond_the_range() -> None:
    keys = pair_keys(np.arange(50)[:, None], np.arange(-1, 60)[None, :])
    assert (keys[:, 0] == -1).all()
    assert len(np.unique(keys[:, 1:])) == 50 * 60
    with pytest.raises(InputError, match="2\\^24"):
        pair_keys(np.array([0]), np.array([1 << 24]))


def test_round_robin_evens_out_and_popularity_piles_up() -> None:
    batches = [make_batch(0, rows=8, candidates=12, tick=tick) for tick in range(40)]
    spread = {}
    every: tuple[Any, ...] = (RoundRobin(), Popularity(), Greedy())
    for policy in every:
        exposure = np.zeros(12)
        state = policy.init(seats_of_rooms())
        for batch in batches:
            decisions = answer(policy, batch, state)
            heard = told(batch, decisions, rooms=12)
            np.add.at(exposure, heard.room[heard.room >= 0], 1.0)
            state = policy.update(state, heard)
        spread[policy.name] = gini(exposure)
    assert spread["round_robin"] < 0.02 < spread["greedy"] < 0.6 < spread["popularity"]


def test_popularity_forgets_with_its_half_life() -> None:
    policy, hour = Popularity(half_life_hours=1.0), 3_600_000
    old = [batch_of([[2.0, 1.0]], ts=0)] * 3
    new = [batch_of([[1.0]], rooms=[1], ts=3 * hour)]
    both = batch_of([[1.0, 1.0]], ts=3 * hour)
    assert choices(policy, both, after(policy, old + new)) == [1]
    assert choices(Popularity(), both, after(Popularity(), old + new)) == [0]


@pytest.mark.parametrize("x", [[0.0, 1.0, 2.0, 5.0], [1.0, 1.0, 4.0], [3.0, 0.0, 0.5]])
def test_the_slope_of_gini_is_its_derivative_where_there_are_no_ties(x: list[float]) -> None:
    at = np.array(x)
    untied = np.flatnonzero([x.count(value) == 1 for value in x])
    for s in untied:
        step = np.zeros(len(at))
        step[s] = 1e-6
        moved = (gini(at + step) - gini(at)) / 1e-6 * at.sum()
        assert gini_slope(at)[s] == pytest.approx(moved, abs=1e-4)


WEIGHTS = ("retention", "diversity", "gini", "overload")


def test_each_weight_of_the_aims_changes_decisions_and_is_named() -> None:
    none: dict[str, Any] = dict.fromkeys(WEIGHTS, 0.0)
    batch = batch_of(BEST_FIRST, users=[0])
    stays = ByStreamer(np.array([0.0, 0.0, 1.0]))
    plain = MultiObjective(**none, retention_signal=stays)
    heard = told(batch, answer(plain, batch), occupancy=[100, 0, 0, 0, 0, 0, 0, 0])
    state = plain.update(plain.init(np.full(8, 100)), heard)
    assert answer(plain, batch, state).choice.tolist() == [0]
    assert answer(plain, batch, state).reason.tolist() == [""]
    for aim in WEIGHTS:
        heavy = MultiObjective(**{**none, aim: 9.0}, retention_signal=stays)
        decisions = answer(heavy, batch, state)
        assert decisions.choice[0] != 0, aim
        assert decisions.reason.tolist() == [aim]
        light = MultiObjective(**{**none, aim: 0.01}, retention_signal=stays)
        assert answer(light, batch, state).choice[0] == 0, aim
    more = MultiObjective(**none, signals=((5.0, stays),))
    assert answer(more, batch, state).reason.tolist() == ["signals"]
    no_money = MultiObjective(0.0, **{**none, "retention": 1.0}, retention_signal=stays)
    assert choices(no_money, batch, state) == [2]


def test_the_aims_score_in_money_of_the_mean_value() -> None:
    policy = MultiObjective(1.0, 0.5, 0.0, 0.0, 0.0, retention_signal=ByUser(np.array([0.4])))
    decisions = answer(policy, batch_of(BEST_FIRST))
    assert decisions.charges[0] == pytest.approx([-2.0 * 0.5 * 0.4] * 3)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"exposure_cap": 0}, "exposure_cap"),
        ({"frequency_cap": 0}, "frequency_cap"),
        ({"cooldown_ms": -1}, "cooldown_ms"),
        ({"newcomer_bonus": float("nan")}, "newcomer_bonus"),
        ({"head_cap": 0.0}, "head_cap"),
        ({"congestion": 1.5}, "congestion"),
    ],
)
def test_bad_rules_are_refused_by_name(options: dict[str, float], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        GreedyWithRules(**options)  # type: ignore[arg-type]


def test_bad_weights_and_half_lives_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"multi_objective\.gini"):
        MultiObjective(gini=-1.0)
    with pytest.raises(ConfigError, match=r"multi_objective\.signals"):
        MultiObjective(signals=((np.inf, ByUser(np.ones(1))),))
    with pytest.raises(ConfigError, match="half_life"):
        Popularity(0.0)
