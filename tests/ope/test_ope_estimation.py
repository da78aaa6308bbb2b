"""The public function on arrays: what it answers, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from giftlive import ope
from giftlive.errors import InputError, MissingCapabilityError
from giftlive.ope.estimation import Method
from giftlive.ope.estimators import Estimator, Terms
from giftlive.ope.printing import effective_users
from giftlive.stats.intervals import Interval


def arrays(seed: int = 1, n: int = 1_500, m: int = 3) -> dict[str, Any]:
    """Return a healthy log as the arguments of ``estimate``."""
    rng = np.random.default_rng(seed)
    logging = rng.dirichlet(np.ones(m), n) * 0.7 + 0.3 / m
    action = (logging.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, m - 1)
    return {
        "reward": rng.integers(0, 3, n),
        "propensity": logging[np.arange(n), action],
        "target_probability": 0.5 * logging + 0.5 * rng.dirichlet(np.ones(m), n),
        "action": action,
        "q_hat": rng.random((n, m)) * 2.0,
        "cluster": rng.integers(0, n // 3, n),
        "propensities": logging,
    }


def one(found: tuple[ope.Estimate, ...], name: str) -> ope.Estimate:
    return next(e for e in found if e.estimator == name)


def test_a_healthy_log_gets_intervals_by_user() -> None:
    found = ope.estimate(**arrays())
    assert [e.estimator for e in found] == ["ips", "snips", "dm", "dr"]
    for e in found:
        assert e.interval == e.computed
        assert e.interval.low is not None
        assert e.verdict.status == "ok"
        assert e.verdict.exit_code == 0
        assert e.interval.n_unit == "users"
    without_q = ope.estimate(**(arrays() | {"q_hat": None}))
    assert [e.estimator for e in without_q] == ["ips", "snips"]


def test_without_clusters_each_decision_is_its_own() -> None:
    found = ope.estimate(**(arrays() | {"cluster": None}))
    assert one(found, "ips").interval.n == 1_500


def test_every_method_answers() -> None:
    log = arrays() | {"estimators": (ope.SNIPS,), "q_hat": None}
    plain = ope.estimate(**log)[0].interval
    assert plain.width is not None
    bounds = ope.Bounds(reward=2.0, weight=12.0, rows=15)
    near: tuple[Method, ...] = ("skew_t", "poisson_bootstrap")
    for method in near:
        found = ope.estimate(**log, method=method, replicates=300)[0].interval
        assert found.width == pytest.approx(plain.width, rel=0.15)
    guaranteed: tuple[Method, ...] = ("empirical_bernstein", "betting")
    for method in guaranteed:
        wide = ope.estimate(**log, method=method, bounds=bounds)[0].interval
        assert wide.width is not None
        assert wide.width > plain.width
        with pytest.raises(InputError, match="no bounds"):
            ope.estimate(**log, method=method)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"propensity": 0.0}, "row 7, column propensity: 0"),
        ({"propensity": 1.2}, r"row 7, column propensity: 1\.2"),
        ({"propensity": -0.1}, "row 7, column propensity"),
        ({"reward": np.nan}, "row 7, column reward: nan"),
        ({"reward": np.inf}, "row 7, column reward: inf"),
        ({"action": 3}, "row 7, column action: 3"),
        ({"target_probability": 0.9}, "row 7, column target"),
        ({"q_hat": np.nan}, "row 7, column q: nan"),
    ],
)
def test_what_is_out_of_range_is_named(change: dict[str, float], message: str) -> None:
    log = arrays()
    for name, bad in change.items():
        log[name] = log[name].astype(np.int64 if name == "action" else np.float64)
        log[name][7] = bad
    with pytest.raises(InputError, match=message):
        ope.estimate(**log)


def test_missing_propensities_are_refused_with_what_to_log() -> None:
    with pytest.raises(MissingCapabilityError, match="log `propensity`"):
        ope.estimate(**(arrays() | {"propensity": None}))
    log = arrays()
    log["propensity"][3] = np.nan
    with pytest.raises(MissingCapabilityError, match="row 3"):
        ope.estimate(**log)


def test_a_target_outside_the_support_is_undefined() -> None:
    log = arrays()
    blind = np.array([[0.5, 0.5, 0.0]])
    n = len(log["action"])
    action = np.arange(n) % 2
    log |= {"propensities": np.tile(blind, (n, 1)), "action": action}
    log |= {"propensity": np.full(n, 0.5)}
    found = ope.estimate(**log)
    for name in ("ips", "snips", "dr"):
        e = one(found, name)
        assert (e.interval.value, e.interval.status) == (None, "undefined")
        assert "the log never shows" in e.interval.reason
        assert e.verdict.check == "support"
        assert e.verdict.exit_code == 3
    assert one(found, "dm").interval.status == "ok"
    hidden = ope.estimate(**(log | {"propensities": None}))  # the mean weight still tells
    assert one(hidden, "ips").verdict.check == "mean_weight"
    assert one(hidden, "ips").interval.value is None


def test_one_user_is_not_enough() -> None:
    found = ope.estimate(**(arrays() | {"cluster": np.zeros(1_500, dtype=np.int64)}))
    for e in found:
        assert (e.interval.value, e.interval.status) == (None, "not_enough_data")
        assert e.interval.reason


def test_an_empty_log_is_an_answer() -> None:
    empty = {k: v[:0] for k, v in arrays().items()}
    for e in ope.estimate(**empty):
        assert (e.interval.value, e.interval.status) == (None, "not_enough_data")
    assert one(ope.estimate(**empty), "ips").verdict.exit_code == 3
    none: dict[str, Any] = empty | {"cluster": None}
    assert ope.estimate(**none)[0].interval.status == "not_enough_data"


def test_few_effective_decisions_are_refused_whatever_the_reward() -> None:
    log = arrays()
    log["propensity"] = np.where(np.arange(1_500) < 3, 1e-6, log["propensity"])
    log["propensities"] = None
    found = ope.estimate(**log)
    e = one(found, "snips")
    assert e.computed.value is not None
    assert e.interval.value is None
    assert "need 100" in e.interval.reason
    assert one(found, "dm").interval == one(found, "dm").computed


def test_each_estimator_is_judged_by_its_own_weights() -> None:
    """Actions have no overlap worth having, their categories do."""
    log = arrays()
    log["propensity"] = np.where(np.arange(1_500) < 3, 1e-6, log["propensity"])
    log |= {"propensities": None, "marginal_weight": np.ones(1_500)}
    found = ope.estimate(**log, estimators=(ope.IPS, ope.MIPS, ope.OFFCEM))
    assert one(found, "ips").verdict.status == "not_enough_data"
    assert one(found, "mips").verdict.status == "ok"
    assert one(found, "offcem").interval.value is not None


def test_replay_is_judged_by_how_many_decisions_it_keeps() -> None:
    """Its weights are 0 or 1 and average the share kept, which is no fault."""
    log: dict[str, Any] = arrays(3) | {"propensity": np.full(1_500, 1 / 3), "propensities": None}
    log["action"] = np.random.default_rng(3).integers(0, 3, 1_500)
    log["target_probability"] = np.tile([1.0, 0.0, 0.0], (1_500, 1))
    kept = one(ope.estimate(**log, estimators=(ope.REPLAY,)), "replay")
    assert kept.verdict.status == "ok"
    assert kept.interval.value == pytest.approx(log["reward"][log["action"] == 0].mean())
    few: dict[str, Any] = {k: v[:200] if isinstance(v, np.ndarray) else v for k, v in log.items()}
    refused = one(ope.estimate(**few, estimators=(ope.REPLAY,)), "replay")
    assert refused.verdict.check == "effective_n"


def test_taming_weights_does_not_change_the_verdict() -> None:
    log = arrays()
    log["propensity"] = np.where(np.arange(1_500) < 3, 1e-6, log["propensity"])
    log["propensities"] = None
    found = ope.estimate(**log, estimators=(ope.clipped_ips(2.0), ope.switch_dr(2.0)))
    assert {e.verdict.check for e in found} == {"effective_n"}


def test_the_print_rule_withholds_bounds_and_says_how_many_are_needed() -> None:
    log = arrays()
    free = ope.estimate(**log)[0].interval
    for rule in (
        ope.Printing(tail="count"),
        ope.Printing(cv=8.0, skew=1.0),
        ope.Printing(cv=0.1, skew=0.1, money=True),
    ):
        shown = ope.estimate(**log, printing=rule)[0]
        assert shown.interval.value == free.value
        assert shown.interval.low is None
        assert shown.interval.reason.startswith(("not enough data", "weights with a CV of"))
        assert shown.computed.low == free.low
    assert ope.estimate(**log, printing=ope.Printing(cv=1.0, skew=1.0))[0].interval == free
    assert ope.estimate(**log, printing=ope.Printing(tail="light"))[0].interval == free
    for wrong in ({}, {"cv": 1.0}, {"tail": "count", "skew": 1.0}):
        with pytest.raises(InputError, match="Printing"):
            ope.Printing(**wrong)


def test_the_rule_of_cv_and_skew_is_met_at_its_number_and_not_one_below() -> None:
    rule = ope.Printing(cv=5.0, skew=3.0)  # max((5 / 0.25)², 25 · 3²) = 400
    for n, low in ((399, None), (400, 0.5)):
        found = Interval(1.0, 0.5, 1.5, "ips, ratio_delta", n, "users")
        assert rule.of(found, np.ones((n, 3))).low == low
    skewed = ope.Printing(cv=0.1, skew=10.0)
    for method, low in (("ratio_delta", None), ("skew_t", 0.5)):  # 2,500 and 500
        found = Interval(1.0, 0.5, 1.5, f"ips, {method}", 600, "users")
        assert skewed.of(found, np.ones((600, 3))).low == low


def test_uneven_weights_count_as_fewer_users_for_the_table() -> None:
    even, uneven = np.ones((900, 3)), np.ones((900, 3))
    uneven[:9, 1] = 1_000.0
    assert effective_users(even) == 900.0
    assert effective_users(uneven) == pytest.approx((9_000 + 891) ** 2 / (9e6 + 891))
    assert effective_users(np.zeros((3, 3))) == 0.0
    rule, found = (
        ope.Printing(tail="light"),
        Interval(1.0, 0.5, 1.5, "ips, ratio_delta", 900, "users"),
    )
    assert rule.of(found, even).low == 0.5
    uneven[0, 1] = 1e9
    withheld = rule.of(found, uneven)
    assert withheld.low is None
    assert "1 effective users" in withheld.reason


def test_terms_that_share_columns_only_sometimes_are_refused() -> None:
    def fickle(log: ope.Interactions) -> Terms:
        return log.weight * log.reward, log.ones if len(log) == 1 else np.ones(len(log))

    panel = ope.Panel((Estimator("fickle", fickle),))
    log = arrays()
    chunk = ope.Interactions(
        log["cluster"], log["action"], log["propensity"], 1.0 * log["reward"],
        log["target_probability"],
    )  # fmt: skip
    with pytest.raises(InputError, match="share a column"):
        panel.update(panel.init(), chunk)


def test_the_difference_of_two_targets_is_paired_for_every_form() -> None:
    log = arrays(2)
    base = ope.Interactions(
        user=log["cluster"],
        action=log["action"],
        propensity=log["propensity"],
        reward=1.0 * log["reward"],
        target=log["target_probability"],
        q=log["q_hat"],
    )
    near = replace(base, target=0.98 * base.target + 0.02 / 3)
    for estimator in (ope.SNDR, ope.log_sum_exp(0.1)):
        a, b = (estimator.update(estimator.init(), x) for x in (base, near))
        paired = ope.difference(estimator, a, b)
        first, second = estimator.estimate(a), estimator.estimate(b)
        assert first.value is not None
        assert second.value is not None
        assert paired.value == pytest.approx(first.value - second.value)
        assert paired.width is not None
        assert first.width is not None
        assert paired.width < first.width / 5
        same = ope.difference(estimator, a, a)
        assert (same.value, same.width) == (0.0, 0.0)
