"""Each log check fails on a log that breaks just this promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from giftlive.logs.decisions import DecisionLog, DecisionWriter, world_decision_id
from giftlive.logs.decisions.arrow import as_table
from giftlive.logs.decisions.record import known
from giftlive.testing import DECISION_CHECKS, check_decision_log, make_decisions
from giftlive.testing import decisions as promise

LOG = make_decisions(5)
SINGLE = np.flatnonzero(LOG.available[:, 2] & LOG.shown & ~known(LOG.slate_id))
EXACT_ROW = int(SINGLE[np.argmax(LOG.propensity_kind[SINGLE] == "exact")])
ESTIMATED = int(SINGLE[np.argmax(LOG.propensity_kind[SINGLE] == "monte_carlo")])
NOTHING = int(np.argmax(~LOG.shown & LOG.matured & LOG.available[:, 0]))
PLACE = int(np.argmax(LOG.position == 1))

Spoil = Callable[[], Any]


def entry(name: str, row: int, value: Any, column: int | None = None) -> Spoil:
    def spoiled() -> DecisionLog:
        table = getattr(LOG, name).copy()
        table[row if column is None else (row, column)] = value
        return replace(LOG, **{name: table})

    return spoiled


def as_text() -> Any:
    table = as_table(LOG)
    return table.set_column(1, "user_id", table.column("user_id").cast(pa.string()))


def with_a_gap() -> Any:
    table, name = as_table(LOG), "policy"
    entries = [None, *table.column(name).to_pylist()[1:]]
    return table.set_column(table.column_names.index(name), name, pa.array(entries, pa.string()))


def short_list() -> Any:
    table, name = as_table(LOG), "values"
    entries = table.column(name).to_pylist()
    entries[EXACT_ROW] = entries[EXACT_ROW][:-1]
    return table.set_column(table.column_names.index(name), name, pa.array(entries))


def forgotten_zero() -> DecisionLog:
    row = LOG.propensities[ESTIMATED].copy()
    row[LOG.column[ESTIMATED] - 1 if LOG.column[ESTIMATED] else 1] = 0.0
    row /= row.sum()
    spoiled = replace(LOG, propensities=LOG.propensities.copy(), propensity=LOG.propensity.copy())
    spoiled.propensities[ESTIMATED] = row
    spoiled.propensity[ESTIMATED] = row[LOG.column[ESTIMATED]]
    return spoiled


def renamed() -> DecisionLog:
    names = world_decision_id(8, LOG.user_id, LOG.visit, LOG.slot)
    return replace(LOG, decision_id=np.where(LOG.seed >= 0, names, LOG.decision_id))


def best_but_says_softmax() -> DecisionLog:
    """Show the most valuable room and state the propensities of another rule."""
    single = LOG.rows(LOG.shown & ~known(LOG.slate_id) & (LOG.propensity_kind == "exact"))
    best = np.where(single.available, single.values, -np.inf).argmax(axis=1)
    rows = np.arange(len(single))
    action, chance = single.candidates[rows, best], single.propensities[rows, best]
    return replace(single, action=action, propensity=chance)


def sharper_than_it_says() -> DecisionLog:
    """Draw from squared propensities, state the plain ones."""
    log = make_decisions(6, 1_500)
    single = log.rows(log.shown & ~known(log.slate_id) & (log.propensity_kind == "exact"))
    table = single.propensities**3
    table /= table.sum(axis=1, keepdims=True)
    below = table.cumsum(axis=1) < np.random.default_rng(0).random((len(single), 1))
    column = below.sum(axis=1).clip(0, single.available.sum(axis=1) - 1)
    rows = np.arange(len(single))
    action, chance = single.candidates[rows, column], single.propensities[rows, column]
    return replace(single, action=action, propensity=chance)


PLANTED: tuple[tuple[promise.DecisionCheck, Spoil, str], ...] = (
    (promise.columns_are_those_of_the_schema, as_text, "user_id is VARCHAR, not BIGINT"),
    (promise.columns_are_those_of_the_schema, with_a_gap, "row 0 has a gap in policy"),
    (
        promise.every_decision_has_one_id,
        entry("decision_id", 9, LOG.decision_id[4]),
        "row 4 shares decision_id",
    ),
    (promise.every_decision_has_one_id, entry("decision_id", 9, ""), "row 9 has an empty"),
    (promise.time_never_runs_backwards, entry("ts", 9, LOG.ts[0] - 1), "row 9 was decided"),
    (promise.time_never_runs_backwards, entry("ts", 0, 10**15), "row 0 was decided at 10"),
    (
        promise.time_never_runs_backwards,
        entry("reward_ts", EXACT_ROW, 17),
        f"row {EXACT_ROW} was rewarded at 17",
    ),
    (promise.actions_are_candidates, entry("action", EXACT_ROW, 3), "shows room 3, which is not"),
    (promise.actions_are_candidates, short_list, "values for"),
    (
        promise.actions_are_candidates,
        entry("candidates", EXACT_ROW, -7, 0),
        f"row {EXACT_ROW} lists room -7",
    ),
    (
        promise.actions_are_candidates,
        entry("candidates", EXACT_ROW, LOG.candidates[EXACT_ROW, 1], 0),
        "more than once",
    ),
    (
        promise.propensities_are_probabilities,
        entry("propensities", EXACT_ROW, 0.0, 0),
        f"row {EXACT_ROW} showed .* sum to 0",
    ),
    (
        promise.propensities_are_probabilities,
        entry("propensities", EXACT_ROW, -0.1, 0),
        r"outside \[0, 1\]",
    ),
    (
        promise.propensities_are_probabilities,
        entry("propensity", EXACT_ROW, np.nan),
        f"row {EXACT_ROW} showed .* with propensity null",
    ),
    (
        promise.propensities_are_probabilities,
        entry("propensity", EXACT_ROW, 1.5),
        "states propensity 1.5",
    ),
    (
        promise.propensities_belong_to_the_action,
        entry("propensity", EXACT_ROW, 0.001),
        "states propensity 0.001, its list says",
    ),
    (
        promise.kinds_of_propensity_are_told,
        entry("propensity_kind", EXACT_ROW, "fitted"),
        "of the kind fitted",
    ),
    (promise.kinds_of_propensity_are_told, entry("draws", ESTIMATED, -1), "with draws null"),
    (promise.kinds_of_propensity_are_told, forgotten_zero, "not seen in 1000 draws"),
    (promise.rewards_are_final, entry("matured", EXACT_ROW, not LOG.matured[EXACT_ROW]), "matured"),
    (promise.rewards_are_final, entry("reward", NOTHING, 2.0), f"row {NOTHING} showed nothing"),
    (promise.rewards_are_final, entry("values", EXACT_ROW, np.inf, 0), "not finite"),
    (promise.slates_are_whole, entry("position", PLACE, 4), "place 4 of slate"),
    (promise.slates_are_whole, entry("slate_id", PLACE, None), "some of slate_id"),
    (promise.slates_are_whole, entry("user_id", PLACE, 10**6), "another user"),
    (promise.slates_are_whole, entry("action", PLACE, LOG.action[PLACE - 1]), "twice in slate"),
    (promise.slates_are_whole, entry("marginal_propensity", PLACE, 0.0), "marginal propensity 0"),
    (promise.slates_are_whole, entry("propensity", PLACE, 0.9), "not the product"),
    (promise.world_ids_follow_the_replay_key, renamed, "must be called"),
    (promise.world_ids_follow_the_replay_key, entry("policy", 3, ""), "row 3 names no policy"),
    (promise.every_decision_has_one_id, entry("user_id", 3, -5), "row 3 was asked for user -5"),
    (promise.one_policy_decides, entry("policy", 9, "greedy"), "row 9 is of policy greedy"),
    (promise.one_policy_decides, entry("policy_version", 9, "2"), "row 9 is of policy_version 2"),
    (promise.choices_follow_propensities, best_but_says_softmax, "rooms of value rank 0"),
    (promise.choices_follow_propensities, sharper_than_it_says, "rooms of propensity"),
)


@pytest.mark.parametrize(("check", "spoil", "says"), PLANTED)
def test_a_broken_log_is_caught(
    check: promise.DecisionCheck, spoil: Spoil, says: str, tmp_path: Path
) -> None:
    path, found = tmp_path / "decision.parquet", spoil()
    pq.write_table(as_table(found) if isinstance(found, DecisionLog) else found, path)
    with pytest.raises(AssertionError, match=says):
        check(path)


def test_every_log_check_has_a_log_that_breaks_it() -> None:
    assert {check for check, _, _ in PLANTED} == set(DECISION_CHECKS)


@pytest.mark.parametrize("seed", range(3))
def test_an_honest_log_keeps_every_promise(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "decision.parquet"
    with DecisionWriter(path) as writer:
        writer.append(make_decisions(seed))
    check_decision_log(path)


def test_what_is_no_log_breaks_the_first_promise(tmp_path: Path) -> None:
    path = tmp_path / "decision.parquet"
    path.write_text("user_id,ts\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="no Parquet file"):
        check_decision_log(path)
    with pytest.raises(AssertionError, match="no decision log"):
        promise.time_never_runs_backwards(path)
