"""Several logs judged together: the same bits as one log, every row weighed by its own logger."""

from __future__ import annotations

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
from giftlive.evaluation.off_policy_log import LogEvaluation, LogEvaluator, Reward
from giftlive.evaluation.target_file import opened_target
from giftlive.evaluation.target_policies import mean_value, named_target
from giftlive.logs.decisions import DecisionLog
from giftlive.logs.decisions.arrow import as_table
from giftlive.ope import DR, IPS, SNIPS
from giftlive.ope.registry import estimator_of
from giftlive.testing import make_decisions

AMOUNT = Reward("amount")


@cache
def single(seed: int = 1) -> DecisionLog:
    log = make_decisions(seed, 1_600)
    return log.rows((log.position == -1) & log.matured & log.shown)


def other_policy(log: DecisionLog) -> DecisionLog:
    """Return the decisions as a second policy would log them: same ids, another name."""
    name: Any = np.full(len(log), "another", dtype=object)
    return replace(log, policy=name)


def written(folder: Path, *logs: DecisionLog) -> Path:
    folder.mkdir(exist_ok=True)
    for k, log in enumerate(logs):
        pq.write_table(as_table(log), folder / f"decision-{k + 1}.parquet", row_group_size=150)
    return folder


def judged(logs: DecisionLogs, name: str = "softmax", **changes: Any) -> LogEvaluation:
    how = LogEvaluator(named_target(name, {}, logs), (IPS, SNIPS, DR), AMOUNT)
    return replace(how, **changes).evaluate(logs)


def test_a_log_in_parts_is_the_whole_log_to_the_bit(tmp_path: Path) -> None:
    log, cut = single(), 333
    whole = open_logs([written(tmp_path / "whole", log)])
    parts = written(tmp_path / "parts", log.rows(slice(0, cut)), log.rows(slice(cut, None)))
    together = open_logs([parts])
    assert (together.rows, together.offsets) == (len(log), (0, cut))
    cuts: tuple[dict[str, Any], ...] = ({}, {"task_rows": 1, "batch_rows": 61})
    for changes in cuts:
        assert repr(judged(together, **changes)) == repr(judged(whole))
    files = [parts / "decision-2.parquet", parts / "decision-1.parquet"]
    assert judged(open_logs(files)).estimates == judged(whole).estimates  # order changes nothing


def test_two_loggers_are_weighed_row_by_row(tmp_path: Path) -> None:
    one, two = single(), other_policy(single(3))
    logs = open_logs([written(tmp_path / "log", one, two)])
    assert logs.loggers == ("softmax, version 1", "another, version 1")
    estimators = (SNIPS, estimator_of("weighted_ips", 2))
    found = LogEvaluator(named_target("uniform", {}, logs), estimators, AMOUNT).evaluate(logs)
    assert found.logging == "softmax, version 1; another, version 1"
    arrays = []
    for log in (one, two):
        target = log.available / log.available.sum(axis=1, keepdims=True)
        arrays.append(interactions(log, target))
    columns = {n: np.concatenate([getattr(a, n) for a in arrays]) for n in ("user", "reward")}
    weight = np.concatenate([a.weight for a in arrays])
    expected = float(weight @ columns["reward"] / weight.sum())
    assert found.estimates[0].computed.value == pytest.approx(expected, rel=1e-12)
    each = [ope.evaluate(a, (IPS,))["ips"].value for a in arrays]
    both = found.estimates[1].computed.value
    assert None not in (both, *each)
    assert min(each) < both < max(each)  # type: ignore[type-var, operator]
    assert found.users == len(np.unique(columns["user"]))


def test_a_file_of_probabilities_follows_the_order_of_the_logs(tmp_path: Path) -> None:
    log = single()
    logs = open_logs(
        [written(tmp_path / "log", log.rows(slice(0, 500)), log.rows(slice(500, None)))]
    )
    counts = log.available.sum(axis=1)
    target = named_target("softmax", {}, logs).probabilities(log, 0)
    table = {
        "decision_id": log.decision_id.tolist(),
        "candidates": [r[:k].tolist() for r, k in zip(log.candidates, counts, strict=True)],
        "probabilities": [r[:k].tolist() for r, k in zip(target, counts, strict=True)],
    }
    back = pa.table(table).take(np.arange(len(log))[::-1])
    pq.write_table(back, tmp_path / "target.parquet")
    with opened_target(tmp_path / "target.parquet", logs) as given:
        found = LogEvaluator(given, (IPS, SNIPS, DR), AMOUNT).evaluate(logs)
    assert found.estimates == judged(logs).estimates
    assert found.diagnostics == judged(logs).diagnostics


def test_the_scale_of_softmax_is_that_of_all_logs(tmp_path: Path) -> None:
    one, two = single(), single(3)
    logs = open_logs(
        [written(tmp_path / "log", one, replace(other_policy(two), values=3.0 * two.values))]
    )
    sizes = np.abs(one.values).sum() + 3.0 * np.abs(two.values).sum()
    expected = sizes / (one.available.sum() + two.available.sum())
    assert mean_value(logs) == pytest.approx(expected, rel=1e-12)


def test_a_decision_counts_once(tmp_path: Path) -> None:
    log = single()
    twice = written(tmp_path / "log", log.rows(slice(0, 400)), log.rows(slice(399, None)))
    with pytest.raises(
        InputError, match=f"decision {log.decision_id[399]} of softmax in two files"
    ):
        open_logs([twice])
    # Two policies on one evening of a world give their rows the same ids.
    assert open_logs([written(tmp_path / "pair", log, other_policy(log))]).rows == 2 * len(log)
    path = tmp_path / "pair" / "decision-1.parquet"
    with pytest.raises(UsageError, match="the same file twice"):
        open_logs([tmp_path / "pair", path])
    with pytest.raises(UsageError, match="no decision log"):
        open_logs([tmp_path])
