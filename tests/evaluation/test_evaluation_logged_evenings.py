"""A named policy's evenings as decision logs that off-policy evaluation can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from giftlive.errors import ConfigError
from giftlive.evaluation.decision_logs import open_logs
from giftlive.evaluation.logged_evenings import LoggingPolicy, log_evenings
from giftlive.evaluation.off_policy_log import LogEvaluator
from giftlive.evaluation.target_policies import named_target
from giftlive.logs.decisions.record import joined
from giftlive.ope import SNIPS

SOFTMAX = LoggingPolicy("softmax", {"temperature": "0.5", "floor": "0.1", "scale": "4.0"})


def test_a_policy_judged_by_its_own_log_is_the_mean(prepared: Any, tmp_path: Path) -> None:
    evening = prepared.evening
    found = log_evenings(evening, SOFTMAX, 2, 5, tmp_path)
    logs = open_logs([tmp_path])
    assert [p.name for p in found.files] == ["decision-1.parquet", "decision-2.parquet"]
    assert logs.rows == found.decisions > 200
    own = named_target("softmax", dict(SOFTMAX.options), logs)
    judged = LogEvaluator(own, (SNIPS,)).evaluate(logs)
    assert judged.users == found.users
    assert judged.diagnostics.max_weight == pytest.approx(1.0, abs=1e-9)
    assert judged.estimates[0].computed.value == pytest.approx(found.gifts, rel=1e-9)
    amounts = [float(log.reward.sum()) for f in logs.files for log in f.batches()]
    assert found.amount == pytest.approx(sum(amounts) / found.decisions)


def test_exploring_puts_a_floor_under_every_propensity(prepared: Any, tmp_path: Path) -> None:
    evening = prepared.evening
    log_evenings(evening, LoggingPolicy("greedy", {}, 0.2), 1, 5, tmp_path)
    log = joined(list(open_logs([tmp_path]).files[0].batches()))
    alike = 0.2 / log.available.sum(axis=1)
    assert np.all(log.propensity >= alike - 1e-12)
    best = np.where(log.available, log.values, -np.inf).argmax(axis=1)
    assert np.all(log.propensities[np.arange(len(log)), best] >= 0.8)
    assert set(log.policy) == {"greedy exploring 0.2"}


def test_prices_go_to_who_asks(prepared: Any, tmp_path: Path) -> None:
    evening = prepared.evening
    log_evenings(evening, LoggingPolicy("dual_price", {}), 1, 5, tmp_path)
    log = joined(list(open_logs([tmp_path]).files[0].batches()))
    assert log.prices.sum() > 0.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("greeedy", {}), "did you mean 'greedy'"),
        (("greedy", {"warmth": "1"}), "warmth"),
        (("greedy", {}, 1.5), "a share in"),
    ],
)
def test_mistakes_are_named_before_anything_is_played(arguments: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        LoggingPolicy(*arguments)
