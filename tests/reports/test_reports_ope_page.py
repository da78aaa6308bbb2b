"""The page of one evaluation: what it shows, what it withholds, and no request to the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from giftlive.evaluation.decision_logs import open_logs
from giftlive.evaluation.off_policy_log import LogEvaluation, LogEvaluator, Reward
from giftlive.evaluation.target_policies import named_target
from giftlive.logs.decisions import DecisionWriter
from giftlive.ope import IPS, SNIPS
from giftlive.reports.ope_page import coverage_rows, forest, weights, write_page
from giftlive.testing import make_decisions


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> LogEvaluation:
    log = make_decisions(1, 1_200)
    path = tmp_path_factory.mktemp("log") / "decision.parquet"
    with DecisionWriter(path) as writer:
        writer.append(log.rows((log.position == -1) & log.matured & log.shown))
    logs = open_logs([path])
    target = named_target("uniform", {}, logs)
    return LogEvaluator(target, (IPS, SNIPS), Reward("count")).evaluate(logs)


def test_the_page_holds_every_number_and_asks_nobody(found: LogEvaluation, tmp_path: Path) -> None:
    page = write_page(found, tmp_path, ["snips: <b>right</b> in 9 of 10 twins"])
    text = page.read_text(encoding="utf-8")
    for e in found.estimates:
        assert f"<td>{e.estimator}</td>" in text
        assert e.interval.reason in text
    for finding in found.audit:
        assert finding.name in text
    assert "&lt;b&gt;right" in text  # what comes from outside is text
    assert text.count("<figure") == 2
    assert "<script" not in text
    assert 'src="http' not in text
    names = {p.name for p in (tmp_path / "figures").iterdir()}
    assert names == {f"{f}.{e}" for f in ("forest", "weights") for e in ("csv", "svg", "png")}


def test_the_forest_has_bars_only_where_bounds_may_be_printed(found: LogEvaluation) -> None:
    (series,) = forest(found).series
    assert series.name == "interval withheld"  # 40 users
    assert series.low is None
    assert series.x == ("ips", "snips")
    assert series.y == tuple(e.interval.value for e in found.estimates)


def test_the_weights_fall_from_all_decisions_to_one(found: LogEvaluation) -> None:
    (series,) = weights(found).series
    assert series.y[0] == pytest.approx(1.0)
    assert series.y[-1] == pytest.approx(1.0 / found.decisions)
    assert np.all(np.diff(series.y) <= 0.0)
    assert series.x[-1] == pytest.approx(found.diagnostics.max_weight)


def test_the_coverage_is_of_this_tail_and_method(found: LogEvaluation) -> None:
    rows = coverage_rows(found)
    assert {r.tail for r in rows} == {"count"}
    assert {r.method for r in rows} == {"ratio_delta"}
    assert {r.statistic for r in rows} >= {"off_policy_near", "off_policy_far"}
