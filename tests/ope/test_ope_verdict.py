from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from giftlive import ope
from giftlive.errors import InputError
from giftlive.ope.verdict import judge_weights

HEALTHY: dict[str, Any] = {
    "n": 5_000,
    "users": 800,
    "effective": 2_000.0,
    "lost": 0.0,
    "mean_passed": True,
    "mean_z": 0.3,
    "pareto_k": 0.2,
}


def test_a_healthy_log_passes_also_where_checks_are_silent() -> None:
    silent = HEALTHY | {"lost": None, "mean_passed": None, "mean_z": None, "pareto_k": None}
    for weights in (HEALTHY, silent):
        verdict = judge_weights(**weights)
        assert (verdict.status, verdict.reason, verdict.exit_code) == ("ok", "", 0)


@pytest.mark.parametrize(
    ("change", "status", "check", "says"),
    [
        ({"lost": 0.02}, "undefined", "support", "2.00%"),
        ({"users": 1}, "not_enough_data", "users", "need 2"),
        ({"effective": 99.0}, "not_enough_data", "effective_n", "worth 99 of 5,000 decisions"),
        ({"pareto_k": 0.71}, "undefined", "pareto_k", "k = 0.71"),
        ({"mean_passed": False, "mean_z": -5.2}, "undefined", "mean_weight", "z = -5.2"),
    ],
)
def test_each_check_refuses_with_its_reason(
    change: dict[str, Any], status: str, check: str, says: str
) -> None:
    verdict = judge_weights(**(HEALTHY | change))
    assert (verdict.status, verdict.check, verdict.exit_code) == (status, check, 3)
    assert says in verdict.reason


def test_limits_themselves_pass() -> None:
    edge = HEALTHY | {"effective": 100.0, "pareto_k": 0.7, "lost": 1e-6, "users": 2}
    assert judge_weights(**edge).status == "ok"


def pareto_log(tail: float, n: int = 20_000) -> ope.Interactions:
    """Return a log whose weights of the shown action follow a power law with mean 1."""
    rng = np.random.default_rng(5)
    propensity = 0.5 * rng.random(n) ** (1.0 / tail)
    action = (rng.random(n) >= propensity).astype(np.int64)
    return ope.Interactions(
        user=np.arange(n),
        action=action,
        propensity=np.where(action == 0, propensity, 1.0 - propensity),
        reward=np.ones(n),
        target=np.full((n, 2), 0.5),
    )


def test_the_pareto_k_of_a_real_log_is_found() -> None:
    """P(weight > w) falls like w^-(1 + tail): k = 1 / (1 + tail)."""
    for tail in (0.2, 3.0):
        found = ope.diagnose(pareto_log(tail))
        assert found.pareto_k == pytest.approx(1.0 / (1.0 + tail), abs=0.22)
    assert ope.diagnose(pareto_log(0.2)).verdict.status != "ok"
    assert ope.diagnose(pareto_log(3.0)).verdict.status == "ok"


def test_overlap_by_slice_adds_up_to_the_whole() -> None:
    log = pareto_log(3.0, 2_000)
    day = np.arange(2_000) % 3
    found = ope.overlap_by_slice(log, day)
    assert [o.slice for o in found] == [0, 1, 2]
    assert sum(o.n for o in found) == 2_000
    assert sum(o.n * o.mean_weight for o in found) == pytest.approx(log.weight.sum())
    assert max(o.max_weight for o in found) == log.weight.max()
    one = log.weight[day == 1]
    assert found[1].effective_n == pytest.approx(one.sum() ** 2 / (one @ one))
    assert found[1].unsupported_share is None
    with pytest.raises(InputError, match="slices"):
        ope.overlap_by_slice(log, day[1:])


def test_a_slice_without_support_or_weight_is_seen() -> None:
    n = 40
    log = ope.Interactions(
        user=np.arange(n),
        action=np.zeros(n, dtype=np.int64),
        propensity=np.ones(n),
        reward=np.ones(n),
        target=np.where(np.arange(n)[:, None] < 20, [[1.0, 0.0]], [[0.0, 1.0]]),
        propensities=np.tile([1.0, 0.0], (n, 1)),
    )
    good, bad = ope.overlap_by_slice(log, np.arange(n) // 20)
    assert (good.unsupported_share, good.effective_n) == (0.0, 20.0)
    assert (bad.unsupported_share, bad.effective_n, bad.max_weight) == (1.0, 0.0, 0.0)
