"""Twins of a log: their truth is exact, and the advice follows from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from giftlive import ope
from giftlive.errors import NotEnoughDataError
from giftlive.evaluation.decision_logs import DecisionLogs, open_logs
from giftlive.evaluation.off_policy_advice import Advice, Trialled, advise
from giftlive.evaluation.off_policy_log import Reward
from giftlive.evaluation.off_policy_twin import Twin, twin_of
from giftlive.evaluation.target_policies import named_target
from giftlive.logs.decisions import DecisionLog, DecisionWriter
from giftlive.rng import stream
from giftlive.stats.intervals import proportion
from giftlive.testing import make_decisions

COUNT = Reward("count")


def written(path: Path, log: DecisionLog) -> DecisionLogs:
    with DecisionWriter(path / "decision.parquet") as writer:
        writer.append(log)
    return open_logs([path])


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> DecisionLogs:
    log = make_decisions(1, 3_000)
    kept = log.rows((log.position == -1) & log.matured & log.shown)
    return written(tmp_path_factory.mktemp("log"), kept)


@pytest.fixture(scope="module")
def twin(logs: DecisionLogs) -> Twin:
    return twin_of(logs, named_target("uniform", {}, logs), COUNT)


def test_a_twin_keeps_decisions_and_draws_what_its_law_says(logs: DecisionLogs, twin: Twin) -> None:
    assert len(twin.target) == logs.rows
    assert_allclose(twin.target.sum(axis=1), 1.0)
    assert_allclose(twin.logging.sum(axis=1), 1.0)
    assert np.all(twin.chance[:, -1] == 0.0)  # showing nothing earns nothing
    drawn = [twin.draw(stream(1, "t", k)) for k in range(30)]
    expected = float(np.einsum("nm,nm->", twin.logging, twin.chance)) / len(twin.target)
    found = np.array([log.reward.mean() for log in drawn])
    assert abs(found.mean() - expected) < 4.0 * found.std() / np.sqrt(30)
    assert set(np.unique(drawn[0].reward)) == {0.0, 1.0}


def test_actions_are_drawn_as_logged_and_nothing_where_nothing_could_be() -> None:
    logging = np.tile([[0.7, 0.1, 0.2, 0.0], [0.0, 0.0, 0.0, 1.0]], (2_000, 1))
    n = len(logging)
    by_hand = Twin(
        start=np.arange(n + 1), target=logging, logging=logging, chance=np.full((n, 4), 0.5),
        bin=np.zeros((n, 4), dtype=np.int64), q=np.zeros((n, 4)), pools=(np.array([3.0]),),
        mean=np.array([3.0]),
    )  # fmt: skip
    log = by_hand.draw(stream(3, "t"))
    some = log.target[:, 3] == 0.0
    shares = np.bincount(log.action[some], minlength=4) / some.sum()
    assert_allclose(shares, [0.7, 0.1, 0.2, 0.0], atol=0.05)
    assert np.all(log.action[~some] == 3)
    assert set(np.unique(log.reward)) == {0.0, 3.0}
    assert by_hand.truth == pytest.approx(1.5)


def test_ips_is_unbiased_for_the_truth_of_the_twin(twin: Twin) -> None:
    values = [
        ope.evaluate(twin.draw(stream(2, "t", k)), (ope.IPS,))["ips"].value for k in range(60)
    ]
    found = np.array(values, dtype=np.float64)
    assert abs(found.mean() - twin.truth) < 4.0 * found.std() / np.sqrt(60)


def test_givers_go_on_giving(logs: DecisionLogs, twin: Twin) -> None:
    """Users who gave more than promised have the higher chances in the twin."""
    rows = [log for file in logs.files for log in file.batches()]
    user = np.concatenate([log.user_id for log in rows])
    gave = np.concatenate([log.reward > 0.0 for log in rows])
    rate = np.array([gave[user == u].mean() for u in np.unique(user)])
    chance = np.add.reduceat(twin.chance.mean(axis=1), twin.start[:-1]) / np.diff(twin.start)
    assert np.corrcoef(rate, chance)[0, 1] > 0.5


def test_large_logs_are_sampled_by_whole_users(logs: DecisionLogs) -> None:
    some = twin_of(logs, named_target("uniform", {}, logs), COUNT, most=600)
    assert 200 < len(some.target) < 1_400
    sizes = np.unique(
        np.concatenate([log.user_id for f in logs.files for log in f.batches()]),
        return_counts=True,
    )[1]
    assert set(np.diff(some.start)) <= set(sizes)


def test_the_advice_is_right_about_itself(logs: DecisionLogs) -> None:
    """Judged by its own policy SNIPS is the mean; a clip at 0.1 hides most of the value."""
    target = named_target("uniform", {}, logs)
    found = advise(logs, target, COUNT, (ope.clipped_ips(0.1),), twins=60)
    by_name = {(t.estimator, t.method): t for t in found.tried}
    clipped = by_name["clipped_ips(0.1)", "ratio_delta"]
    assert clipped.bias < -0.5
    assert clipped.coverage.value == 0.0
    assert abs(by_name["ips", "ratio_delta"].bias) < 0.2
    errors = [t.error for t in found.tried]
    assert errors == sorted(errors)
    assert (found.decisions, found.twins) == (logs.rows, 60)
    assert found == advise(logs, target, COUNT, (ope.clipped_ips(0.1),), twins=60)


def tried(name: str, error: float, held: int) -> Trialled:
    return Trialled(name, "skew_t", error, 0.01, proportion(held, 100))


def test_the_best_is_the_smallest_error_whose_interval_held() -> None:
    rows = (tried("dm", 0.05, 80), tried("snips", 0.08, 95), tried("ips", 0.2, 96))
    found = Advice(rows, 100, 1_000, 50, 0.1)
    assert found.best == rows[1]
    first, second = found.lines()
    assert first.startswith("snips with skew_t: off by 8.0% (bias +1.0%), interval held in 95.0%")
    assert second.startswith("smallest error: dm, off by 5.0%")
    none = replace(found, tried=(tried("dm", 0.05, 80), tried("ips", 0.2, 99)))
    assert none.best is None
    assert none.lines()[0].endswith("believe none")
    assert "no interval held in 93% to 97% of 100 twins" in none.lines()[0]


def test_a_log_without_gifts_has_no_twin(tmp_path: Path) -> None:
    log = make_decisions(1, 600)
    kept = log.rows((log.position == -1) & log.matured & log.shown)
    logs = written(tmp_path, replace(kept, reward=np.zeros(len(kept))))
    with pytest.raises(NotEnoughDataError, match="no gift in the log"):
        twin_of(logs, named_target("uniform", {}, logs), COUNT)
