"""A policy judged from a log on disk: equal to the arrays, equal bits however it is read."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from giftlive import ope
from giftlive.errors import (
    ConfigError,
    GiftLiveError,
    InputError,
    MissingCapabilityError,
    NotEnoughDataError,
    UsageError,
)
from giftlive.evaluation.interactions import interactions
from giftlive.evaluation.off_policy_log import LogEvaluation, LogEvaluator, Reward, task_groups
from giftlive.evaluation.target_file import opened_target
from giftlive.evaluation.target_policies import mean_value, named_target
from giftlive.logs.decisions import (
    EXACT,
    DecisionFile,
    DecisionLog,
    DecisionWriter,
    open_decisions,
)
from giftlive.logs.decisions.arrow import as_table
from giftlive.ope import DM, DR, IPS, REPLAY, SNIPS, Printing, clipped_ips
from giftlive.rng import stream
from giftlive.testing import make_decisions
from giftlive.types import Floats

AMOUNT = Reward("amount")
PLAIN = (IPS, SNIPS, DR, DM, clipped_ips(3.0), REPLAY)


@cache
def single(seed: int = 1, decisions: int = 2_200) -> DecisionLog:
    """Return a valid log of matured single choices that always shows something."""
    log = make_decisions(seed, decisions)
    return log.rows((log.position == -1) & log.matured & log.shown)


def written(log: DecisionLog, folder: Path, group_rows: int = 200) -> DecisionFile:
    """Write a log in small row groups, so that workers have something to share."""
    pq.write_table(as_table(log), folder / "decision.parquet", row_group_size=group_rows)
    return open_decisions(folder / "decision.parquet")


def judged(file: DecisionFile, name: str = "uniform", **changes: Any) -> LogEvaluation:
    how = LogEvaluator(named_target(name, {}, file), PLAIN, AMOUNT)
    return replace(how, **changes).evaluate(file)


def numbers(found: LogEvaluation) -> str:
    """Return everything that was found; the shortest text of a float names its bits."""
    return repr((found.estimates, found.diagnostics, found.audit, found.decisions, found.users))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> DecisionFile:
    return written(single(), tmp_path_factory.mktemp("log"))


def test_a_log_on_disk_gives_what_its_arrays_give(file: DecisionFile) -> None:
    log = single()
    target = log.available / log.available.sum(axis=1, keepdims=True)
    rows = interactions(log, target, log.values)
    expected = ope.estimate(
        rows.reward, rows.propensity, rows.target, rows.action, rows.q, rows.user, PLAIN,
        propensities=rows.propensities, printing=Printing(tail="full"),
    )  # fmt: skip
    found = judged(file)
    assert found.estimates == expected
    assert found.diagnostics == ope.diagnose(rows)
    assert (found.decisions, found.users) == (len(log), len(np.unique(log.user_id)))
    assert found.logging == "softmax, version 1"


@pytest.mark.parametrize("name", ["uniform", "softmax", "greedy", "epsilon_greedy"])
def test_no_cut_changes_a_bit(name: str, file: DecisionFile) -> None:
    whole = numbers(judged(file, name, task_rows=10**9, batch_rows=10**6))
    for task_rows, batch_rows in ((1, 10**6), (1, 61), (450, 128), (10**9, 83)):
        assert numbers(judged(file, name, task_rows=task_rows, batch_rows=batch_rows)) == whole


def test_row_groups_change_no_bit(tmp_path: Path, file: DecisionFile) -> None:
    (tmp_path / "other").mkdir()
    other = written(single(), tmp_path / "other", 77)
    assert numbers(judged(other, "softmax", task_rows=1)) == numbers(judged(file, "softmax"))


def test_workers_change_no_bit_and_report_progress(file: DecisionFile) -> None:
    target = named_target("softmax", {"temperature": "0.7"}, file)
    heard: list[tuple[int, int]] = []
    alone = LogEvaluator(target, PLAIN, AMOUNT, task_rows=1)
    two = replace(alone, jobs=2).evaluate(file, lambda done, total: heard.append((done, total)))
    assert numbers(two) == numbers(alone.evaluate(file))
    assert heard[-1] == (file.rows, file.rows)
    assert [done for done, _ in heard] == sorted({done for done, _ in heard})
    assert len(heard) == len(file.group_rows) > 3


def test_the_targets_are_what_their_names_say(file: DecisionFile) -> None:
    log = single()
    some, many = log.available.sum(axis=1), log.available
    uniform = named_target("uniform", {}, file).probabilities(log, 0)
    assert_allclose(uniform, many / some[:, None])
    greedy = named_target("greedy", {}, file).probabilities(log, 0)
    best = np.where(many, log.values, -np.inf).argmax(axis=1)
    assert_array_equal(greedy.argmax(axis=1), best)
    mixed = named_target("epsilon_greedy", {"epsilon": "0.3"}, file).probabilities(log, 0)
    assert_allclose(mixed, 0.7 * greedy + 0.3 * uniform)
    scale = float(np.abs(log.values[many]).mean())
    assert_allclose(mean_value(file), scale, rtol=1e-12)
    soft = named_target("softmax", {"temperature": "0.4", "floor": "0.2"}, file)
    weight = np.where(many, np.exp(log.values / (0.4 * scale)), 0.0)
    expected = 0.8 * weight / weight.sum(axis=1, keepdims=True) + 0.2 * uniform
    assert_allclose(soft.probabilities(log, 0), expected, rtol=1e-10)
    assert soft.name == "softmax(temperature=0.4, floor=0.2)"


@pytest.mark.parametrize(
    ("name", "options", "kind", "words"),
    [
        ("unifrom", {}, ConfigError, "'unifrom' is no policy and no file.*did you mean 'uniform'"),
        ("dual_price", {}, MissingCapabilityError, "free seats, learnt prices or earlier"),
        ("concave", {}, MissingCapabilityError, "earlier decisions"),
        ("thompson", {}, MissingCapabilityError, "earlier decisions"),
        ("greedy_with_cap", {}, MissingCapabilityError, "give them as a Parquet file"),
        ("uniform", {"respect_seats": "true"}, MissingCapabilityError, "uniform with respect_seat"),
        ("softmax", {"heat": "1"}, ConfigError, "policy softmax"),
        ("softmax", {"temperature": "0"}, ConfigError, "softmax.temperature"),
        ("epsilon_greedy", {"epsilon": "2"}, ConfigError, r"a share in \[0, 1\]"),
        ("epsilon_greedy", {"eps": "0.1"}, ConfigError, "no option 'eps'"),
    ],
)
def test_policies_that_a_log_cannot_play_are_refused(
    name: str, options: dict[str, str], kind: type[GiftLiveError], words: str, file: DecisionFile
) -> None:
    with pytest.raises(kind, match=words):
        named_target(name, options, file)


def test_rewards(file: DecisionFile) -> None:
    amount = np.array([0.0, 3.0, 10.0])
    assert Reward("count").of(amount).tolist() == [0.0, 1.0, 1.0]
    assert Reward("amount").of(amount).tolist() == [0.0, 3.0, 10.0]
    assert Reward("capped", 5.0).of(amount).tolist() == [0.0, 3.0, 5.0]
    assert Reward("capped", 5.0).printing == Printing(tail="capped")
    share = judged(file, estimators=(IPS,), reward=Reward("count")).estimates[0].computed.value
    log = single()
    w = 1.0 / (log.available.sum(axis=1) * log.propensity)
    assert share == pytest.approx(float(np.mean(w * (log.reward > 0.0))), rel=1e-12)
    wrongs: tuple[dict[str, Any], ...] = (
        {"name": "money"},
        {"name": "capped"},
        {"name": "count", "cap": 3.0},
    )
    for wrong in wrongs:
        with pytest.raises(UsageError):
            Reward(**wrong)
    with pytest.raises(UsageError, match="a finite amount above 0"):
        Reward("capped", 0.0)


def test_an_empty_log_has_no_answer(tmp_path: Path) -> None:
    with DecisionWriter(tmp_path / "decision.parquet"):
        pass
    with pytest.raises(NotEnoughDataError, match="no decisions") as refused:
        judged(open_decisions(tmp_path / "decision.parquet"))
    assert refused.value.exit_code == 3


def test_one_user_has_no_answer(tmp_path: Path) -> None:
    log = single(decisions=400)
    found = judged(written(replace(log, user_id=np.full(len(log), 7)), tmp_path))
    assert {e.interval.status for e in found.estimates} == {"not_enough_data"}
    assert found.diagnostics.verdict.check == "users"


def test_a_target_outside_the_support_is_refused(tmp_path: Path) -> None:
    """The log is certain of the action; a uniform target goes where it never went."""
    log = single(decisions=800)
    sure = (log.candidates == log.action[:, None]).astype(np.float64)
    ones, exact = np.ones(len(log)), np.full(len(log), EXACT, dtype=object)
    log = replace(log, propensities=sure, propensity=ones, propensity_kind=exact)
    found = judged(written(replace(log, draws=np.full(len(log), -1)), tmp_path))
    by_name = {e.estimator: e for e in found.estimates}
    assert by_name["ips"].interval.status == "undefined"
    assert "never shows" in by_name["ips"].interval.reason
    assert by_name["dm"].interval.status == "ok"  # a model needs no support
    assert found.diagnostics.verdict.exit_code == 3


def _at(log: DecisionLog, column: str, row: int, value: float) -> DecisionLog:
    changed = getattr(log, column).copy()
    changed[row] = value
    return replace(log, **{column: changed})


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("propensity", 0.0, "row 301, column propensity"),
        ("propensity", 1.5, "row 301, column propensity"),
        ("reward", np.nan, "row 301, column reward"),
    ],
)
@pytest.mark.parametrize("task_rows", [1, 10**9])
def test_a_wrong_value_is_named_by_its_row_in_the_file(
    column: str, value: float, words: str, task_rows: int, tmp_path: Path
) -> None:
    """A later row is wrong too: the first one is reported, whichever task finds which."""
    log = _at(_at(single(), column, 901, value), column, 301, value)
    file = written(log, tmp_path)
    with pytest.raises(GiftLiveError, match=words) as refused:
        judged(file, task_rows=task_rows)
    assert refused.value.exit_code == 2


def test_decisions_out_of_order_across_row_groups_are_refused(tmp_path: Path) -> None:
    log = single()
    later = np.where(np.arange(len(log)) < 200, 10**9, 0)
    late = replace(log, ts=log.ts + later, reward_ts=log.reward_ts + later)
    with pytest.raises(InputError, match="row 200, column ts"):
        judged(written(late, tmp_path), task_rows=1)


def test_a_second_policy_in_another_row_group_is_refused(tmp_path: Path) -> None:
    log = single()
    other = np.where(np.arange(len(log)) < 200, "softmax", "other").astype(object)
    with pytest.raises(InputError, match="row 200, column policy"):
        judged(written(replace(log, policy=other), tmp_path), task_rows=1)


def test_open_rewards_and_slates_are_refused(tmp_path: Path) -> None:
    log = make_decisions(1, 300)
    open_ones = log.rows((log.position == -1) & log.shown)
    first = int(np.argmin(open_ones.matured))
    with pytest.raises(NotEnoughDataError, match=f"row {first}, column matured"):
        judged(written(open_ones, tmp_path, 20), task_rows=1)
    with pytest.raises(InputError, match="estimate_slates"):
        judged(written(log.rows(log.shown), tmp_path))


def test_task_groups_cover_every_row_group_once() -> None:
    sizes = stream(3, "sizes").integers(0, 9, 40).tolist()
    for task_rows in (1, 5, 1_000):
        tasks = task_groups(sizes, task_rows)
        assert [k for task in tasks for k in task] == list(range(40))
        assert all(sum(sizes[k] for k in task) >= task_rows for task in tasks[:-1])
    assert task_groups((), 5) == ()


def as_file(log: DecisionLog, target: Floats, path: Path, **changes: Any) -> Path:
    """Write target probabilities of a log in an order of their own."""
    order = stream(4, "order").permutation(len(log))
    inside = log.available[order]
    columns: dict[str, Any] = {
        "decision_id": log.decision_id[order].tolist(),
        "candidates": [
            row[m].tolist() for row, m in zip(log.candidates[order], inside, strict=True)
        ],
        "probabilities": [row[m].tolist() for row, m in zip(target[order], inside, strict=True)],
    }
    for name, change in changes.items():
        columns[name] = change(columns[name])
    pq.write_table(pa.table(columns), path)
    return path


def test_a_file_of_probabilities_gives_what_the_policy_gives(
    file: DecisionFile, tmp_path: Path
) -> None:
    target = named_target("softmax", {}, file)
    path = as_file(single(), target.probabilities(single(), 0), tmp_path / "target.parquet")
    expected = judged(file, "softmax")
    with opened_target(path, file) as given:
        ways: tuple[dict[str, Any], ...] = ({}, {"task_rows": 1, "batch_rows": 37})
        for changes in ways:
            sent: Any = pickle.loads(pickle.dumps(given))  # as a worker gets it
            assert numbers(judged(file, target=sent, **changes)) == numbers(expected)
        assert given.name == "target.parquet"
        kept = given.path
    assert not kept.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"decision_id": lambda ids: ["nobody", *ids[1:]]}, r"is missing \(1 of"),
        ({"decision_id": lambda ids: [ids[1], *ids[1:]]}, "is missing"),
        ({"candidates": lambda c: [[1, *c[0][1:]], *c[1:]]}, "has other candidates"),
        ({"probabilities": lambda p: [[*p[0], 0.0], *p[1:]]}, "one probability for every cand"),
        ({"probabilities": lambda p: [[None, *p[0][1:]], *p[1:]]}, "one probability for every"),
        ({"probabilities": lambda p: [[2.0 * x for x in p[0]], *p[1:]]}, "that sum to 2"),
        ({"probabilities": lambda p: [[float("nan") for _ in p[0]], *p[1:]]}, "that sum to nan"),
        ({"probabilities": lambda p: ["1" for _ in p]}, "column probabilities: values of type"),
    ],
)
def test_a_wrong_file_of_probabilities_is_refused(
    changes: dict[str, Any], words: str, file: DecisionFile, tmp_path: Path
) -> None:
    log = single()
    target = named_target("uniform", {}, file).probabilities(log, 0)
    path = as_file(log, target, tmp_path / "target.parquet", **changes)
    with (
        pytest.raises(InputError, match=words),
        opened_target(path, file) as given,
    ):
        judged(file, target=given)


def test_a_decision_that_stands_twice_in_the_file_is_refused(
    file: DecisionFile, tmp_path: Path
) -> None:
    log = single()
    target = named_target("uniform", {}, file).probabilities(log, 0)
    path = as_file(log, target, tmp_path / "target.parquet")
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), path)
    with pytest.raises(InputError, match="stands more than once"), opened_target(path, file):
        pass


def test_what_is_no_parquet_file_is_refused(file: DecisionFile, tmp_path: Path) -> None:
    (tmp_path / "target.parquet").write_text("no", encoding="utf-8")
    with (
        pytest.raises(InputError, match="not readable"),
        opened_target(tmp_path / "target.parquet", file),
    ):
        pass
