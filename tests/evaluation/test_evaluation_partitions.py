"""Work handed to processes or to Spark comes back in order, and a log's sums are the same bits."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.spark import needs_spark

from giftlive.errors import InputError, UsageError
from giftlive.evaluation.decision_logs import open_logs
from giftlive.evaluation.off_policy_log import LogEvaluator, Reward
from giftlive.evaluation.partitions import in_order
from giftlive.evaluation.target_policies import named_target
from giftlive.logs.decisions.arrow import as_table
from giftlive.ope import DR, IPS, SNIPS, log_sum_exp
from giftlive.testing import make_decisions


def written(path: Path, *, immature: bool = False) -> Path:
    """Write a log of several row groups; one reward of the last may be left to grow."""
    log = make_decisions(1, 3_000)
    rows = np.flatnonzero((log.position == -1) & log.matured & log.shown)[:2_000]
    log = log.rows(rows)
    if immature:
        log = replace(log, matured=np.arange(len(log)) != len(log) - 5)
    pq.write_table(as_table(log), path, row_group_size=200)
    return path


def test_results_come_in_the_order_of_the_tasks() -> None:
    for jobs in (1, 2):
        with in_order(abs, [-3, 2, -1], jobs) as found:
            assert list(found) == [3, 2, 1]


def test_without_spark_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    logs = open_logs([written(tmp_path / "decisions.parquet")])
    target = named_target("uniform", {}, logs)
    with pytest.raises(UsageError, match="scripts/setup spark"):
        LogEvaluator(target, (IPS,), master="local[2]").evaluate(logs)


@needs_spark
@pytest.mark.slow
def test_spark_merges_to_the_same_bits_and_names_the_same_fault(tmp_path: Path) -> None:
    """Partitions on two executors' cores, workers of joblib, and one process."""
    logs = open_logs([written(tmp_path / "decisions.parquet")])
    target = named_target("softmax", {"temperature": "0.7"}, logs)
    estimators = (IPS, SNIPS, DR, log_sum_exp(0.5))
    alone = LogEvaluator(target, estimators, Reward("amount"), task_rows=1)
    here, heard = alone.evaluate(logs), []
    spread = replace(alone, master="local[2]")
    there = spread.evaluate(logs, lambda done, _: heard.append(done))
    assert len(heard) == len(logs.files[0].group_rows) > 5
    assert [e.computed for e in there.estimates] == [e.computed for e in here.estimates]
    assert (there.diagnostics, there.audit) == (here.diagnostics, here.audit)
    assert np.array_equal(there.largest_weights, here.largest_weights)
    assert [e.computed for e in replace(alone, jobs=2).evaluate(logs).estimates] == [
        e.computed for e in here.estimates
    ]
    faulty = open_logs([written(tmp_path / "faulty.parquet", immature=True)])
    messages = []
    for how in (alone, spread):
        with pytest.raises(InputError, match="column reward") as refused:
            how.evaluate(faulty)
        messages.append(str(refused.value))
    assert messages[0] == messages[1]
