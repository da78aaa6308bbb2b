"""Balanced estimators from logs on disk: the mixture of the policies that wrote them."""

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

from giftlive import ope
from giftlive.errors import InputError, UsageError
from giftlive.evaluation.decision_logs import DecisionLogs, open_logs
from giftlive.evaluation.interactions import interactions
from giftlive.evaluation.logging_policies import opened_loggers
from giftlive.evaluation.off_policy_log import LogEvaluator, Reward
from giftlive.evaluation.target_policies import TargetPolicy, named_target
from giftlive.logs.decisions import DecisionLog
from giftlive.logs.decisions.arrow import as_table
from giftlive.ope import BALANCED_DR, BALANCED_IPS, IPS
from giftlive.rng import stream
from giftlive.testing import make_decisions

SOFTMAX = {"temperature": "0.8", "scale": "6"}
GIVEN: tuple[tuple[str, dict[str, str]], ...] = (("softmax", SOFTMAX), ("uniform", {}))
BOTH = (IPS, BALANCED_IPS, BALANCED_DR)


def drawn(log: DecisionLog, policy: TargetPolicy, seed: int) -> DecisionLog:
    """Return the decisions as ``policy`` would have made and logged them."""
    chances = policy.probabilities(log, 0)
    edges, luck = chances.cumsum(axis=1), stream(seed, "drawn").random((len(log), 1))
    column = (edges <= luck * edges[:, -1:]).sum(axis=1)
    rows = np.arange(len(log))
    named: Any = np.full(len(log), policy.name, dtype=object)
    exact: Any = np.full(len(log), "exact", dtype=object)
    return replace(
        log, action=log.candidates[rows, column], propensity=chances[rows, column],
        propensities=chances, propensity_kind=exact, policy=named,
        draws=np.full(len(log), -1), reward=np.where(column == 0, log.reward, 1.0),
    )  # fmt: skip


@cache
def both() -> tuple[DecisionLog, DecisionLog]:
    """Return 400 decisions by softmax and 900 by chance."""
    made = make_decisions(1, 3_000)
    whole = made.rows((made.position == -1) & made.matured & made.shown)
    nobody: Any = None
    softmax, uniform = (named_target(*given, nobody) for given in GIVEN)
    one = drawn(whole.rows(slice(0, 400)), softmax, 1)
    return one, drawn(whole.rows(slice(400, 1_300)), uniform, 2)


@pytest.fixture
def logs(tmp_path: Path) -> DecisionLogs:
    for k, log in enumerate(both()):
        pq.write_table(as_table(log), tmp_path / f"decision-{k + 1}.parquet", row_group_size=150)
    return open_logs([tmp_path])


def test_weights_are_those_against_the_mixture(logs: DecisionLogs) -> None:
    target = named_target("greedy", {}, logs)
    with opened_loggers(GIVEN, logs) as loggers:
        assert loggers.shares == pytest.approx((4 / 13, 9 / 13))
        how = LogEvaluator(target, BOTH, Reward("amount"), loggers=loggers)
        found = how.evaluate(logs)
        sent: LogEvaluator = pickle.loads(pickle.dumps(how))  # as workers get it
        cut = replace(sent, task_rows=1, batch_rows=61).evaluate(logs)
    assert repr(cut) == repr(found)
    policies = [named_target(*given, logs) for given in GIVEN]
    parts, table = [], []
    for log in both():
        part = interactions(log, target.probabilities(log, 0), log.values)
        parts.append(part)
        rows = np.arange(len(log)), part.action
        table.append(np.column_stack([p.probabilities(log, 0)[rows] for p in policies]))
    whole = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("user", "action", "propensity", "reward", "target", "q")
    }
    logger = np.repeat([0, 1], [400, 900])
    mixed = ope.mean_propensity(np.concatenate(table), logger)
    expected = ope.evaluate(ope.Interactions(**whole, mean_propensity=mixed), BOTH)
    assert {e.estimator: e.computed.value for e in found.estimates} == pytest.approx(
        {name: interval.value for name, interval in expected.items()}, rel=1e-12
    )
    plain, balanced = (e.computed for e in found.estimates[:2])
    assert None not in (plain.low, plain.high, balanced.low, balanced.high)
    assert balanced.high - balanced.low < plain.high - plain.low  # type: ignore[operator]


def test_a_policy_that_contradicts_its_log_is_refused(logs: DecisionLogs) -> None:
    wrong = (("softmax", SOFTMAX | {"temperature": "0.7"}), GIVEN[1])
    target = named_target("greedy", {}, logs)
    for given, number in ((wrong, 1), (GIVEN[::-1], 1)):
        with (
            opened_loggers(given, logs) as loggers,
            pytest.raises(InputError, match=rf"logging policy {number}, .*propensities that"),
        ):
            LogEvaluator(target, (BALANCED_IPS,), loggers=loggers).evaluate(logs)


def test_every_logging_policy_is_given_once(logs: DecisionLogs) -> None:
    with (
        pytest.raises(UsageError, match=r"1 policies for logs by 2.*softmax"),
        opened_loggers(GIVEN[:1], logs),
    ):
        raise AssertionError
    with (
        pytest.raises(UsageError, match="settings beside a file"),
        opened_loggers((("x.parquet", SOFTMAX), GIVEN[1]), logs),
    ):
        raise AssertionError


def test_a_policy_may_be_a_file_and_an_estimated_propensity_is_taken_as_logged(
    logs: DecisionLogs, tmp_path: Path
) -> None:
    target, softmax = named_target("greedy", {}, logs), named_target(*GIVEN[0], logs)
    rows: dict[str, list[Any]] = {"decision_id": [], "candidates": [], "probabilities": []}
    for log in both():
        counts, chances = log.available.sum(axis=1), softmax.probabilities(log, 0)
        rows["decision_id"] += log.decision_id.tolist()
        for name, table in (("candidates", log.candidates), ("probabilities", chances)):
            rows[name] += [row[:k].tolist() for row, k in zip(table, counts, strict=True)]
    pq.write_table(pa.table(rows), tmp_path / "softmax.parquet")
    found = []
    for first in (GIVEN[0], (str(tmp_path / "softmax.parquet"), {})):
        with opened_loggers((first, GIVEN[1]), logs) as loggers:
            found.append(LogEvaluator(target, (BALANCED_IPS,), loggers=loggers).evaluate(logs))
    assert found[0] == found[1]
    log = both()[0]
    estimated: Any = np.full(len(log), "monte_carlo", dtype=object)
    rough = replace(log, propensity_kind=estimated, propensity=log.propensity * 0.9)
    with opened_loggers(GIVEN, logs) as loggers:
        mixed = loggers.mean_propensity(rough, 0, 0, "")
        exact = loggers.mean_propensity(log, 0, 0, "")
    np.testing.assert_allclose(exact - mixed, 0.1 * log.propensity * 4 / 13)
