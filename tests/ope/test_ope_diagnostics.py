from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from giftlive.errors import NotEnoughDataError
from giftlive.ope import Interactions, audit_propensities, diagnose, evaluate
from giftlive.ope.audit import AuditFinding
from giftlive.ope.diagnostics import effective_n
from giftlive.ope.log import of_action


def log(seed: int = 1, n: int = 4_000, m: int = 3) -> Interactions:
    """Draw a log with true propensities and a target that leans towards the same candidates."""
    rng = np.random.default_rng(seed)
    propensities = rng.dirichlet(np.full(m, 0.7), n) * 0.85 + 0.15 / m
    action = (propensities.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, m - 1)
    leaning = propensities * rng.dirichlet(np.ones(m), n)
    return Interactions(
        user=rng.integers(0, n // 4, n),
        action=action,
        propensity=of_action(propensities, action),
        reward=rng.integers(0, 10, n).astype(float),
        target=leaning / leaning.sum(axis=1, keepdims=True),
        propensities=propensities,
    )


def audit(interactions: Interactions) -> dict[str, AuditFinding]:
    return {f.name: f for f in audit_propensities(interactions)}


def failed(interactions: Interactions) -> set[str]:
    return {name for name, f in audit(interactions).items() if f.passed is False}


def test_effective_n_known_answers() -> None:
    assert effective_n(np.ones(7)) == 7.0
    assert effective_n(np.array([3.0, 1.0])) == pytest.approx(1.6)
    assert effective_n(np.zeros(3)) == 0.0


def test_diagnostics_by_hand() -> None:
    small = Interactions(
        user=np.array([1, 1, 2]),
        action=np.array([0, 1, 0]),
        propensity=np.array([0.5, 0.25, 0.5]),
        reward=np.array([2.0, -1.0, 10.0]),
        target=np.array([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]),
        propensities=np.array([[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]]),
    )
    found = diagnose(small)  # weights 2, 2, 1
    assert (found.n, found.users, found.max_weight) == (3, 2, 2.0)
    assert found.effective_n == pytest.approx(25 / 9)
    assert found.mean_weight == pytest.approx(5 / 3)
    assert found.largest_user_share == pytest.approx(10 / 12)
    assert found.unsupported_share == pytest.approx(0.5 / 3)
    assert found.status == "undefined"
    assert "16.67%" in found.reason


def test_a_healthy_log_is_ok_and_a_thin_one_is_not() -> None:
    assert diagnose(log()).status == "ok"
    thin = diagnose(log(n=80))
    assert thin.status == "not_enough_data"
    assert "need 100" in thin.reason
    silent = diagnose(replace(log(), reward=np.zeros(4_000), propensities=None))
    assert (silent.largest_user_share, silent.unsupported_share) == (None, None)


def test_an_empty_log_is_an_answer_too() -> None:
    empty = log(n=4)
    none = np.zeros(0, dtype=np.int64)
    empty = Interactions(none, none, none.astype(float), none.astype(float), empty.target[:0])
    assert evaluate(empty)["ips"].status == "not_enough_data"
    with pytest.raises(NotEnoughDataError, match="no decisions"):
        diagnose(empty)


def test_true_propensities_pass() -> None:
    assert [failed(log(seed)) for seed in range(1, 6)] == [set()] * 5


def test_an_all_uniform_propensity_column_shows_up() -> None:
    wrong = replace(log(), propensity=np.full(4_000, 1 / 3))
    assert {"logged_equals_row", "weights_average_one"} <= failed(wrong)


def test_propensities_that_are_all_uniform_and_agree_show_up_in_the_weights() -> None:
    """Nothing in a row is inconsistent; only the choices betray the log."""
    third = np.full((4_000, 3), 1 / 3)
    greedy = np.argmax(log().target, axis=1)  # logged by a policy close to the target
    wrong = replace(log(), action=greedy, propensity=third[:, 0], propensities=third)
    assert failed(wrong) == {"weights_average_one"}


def test_choices_from_a_flatter_policy_than_logged_show_up() -> None:
    true = log(2)
    assert true.propensities is not None
    sharper = true.propensities**2 / (true.propensities**2).sum(axis=1, keepdims=True)
    wrong = replace(true, propensities=sharper, propensity=of_action(sharper, true.action))
    assert "choices_follow_propensities" in failed(wrong)


def test_one_wrong_row_is_named() -> None:
    true = log()
    assert true.propensity is not None
    assert true.propensities is not None
    propensity, rows = true.propensity.copy(), true.propensities.copy()
    propensity[17] = min(1.0, propensity[17] + 0.01)
    rows[40] *= 1.01
    found = audit(replace(true, propensity=propensity, propensities=rows))
    assert "row 17" in found["logged_equals_row"].detail
    assert "row 40" in found["rows_sum_to_one"].detail
    rows[40, 0] = np.nan
    assert "row 40" in audit(replace(true, propensities=rows))["rows_in_range"].detail


def test_lost_mass_is_not_mistaken_for_a_wrong_propensity() -> None:
    """Candidates never logged lower E[w] by exactly their target mass."""
    true = log()
    assert true.propensities is not None
    pad = np.zeros((4_000, 1))
    blind = replace(
        true,
        target=np.hstack([0.9 * true.target, pad + 0.1]),
        propensities=np.hstack([true.propensities, pad]),
    )
    found = diagnose(blind)
    assert found.unsupported_share == pytest.approx(0.1)
    assert found.mean_test.passed is True
    assert found.mean_weight == pytest.approx(0.9, abs=0.05)
    assert failed(blind) == set()
    assert failed(replace(blind, propensities=None)) == {"weights_average_one"}


def test_what_cannot_be_answered_is_neither_passed_nor_failed() -> None:
    found = audit(replace(log(), propensities=None))
    assert found["rows_sum_to_one"].passed is None
    assert found["choices_follow_propensities"].passed is None
    true = log()
    assert true.propensities is not None
    same = audit(replace(true, target=true.propensities))["weights_average_one"]
    assert same.passed is None
    assert "silent" in same.detail


def test_a_constant_weight_other_than_one_fails() -> None:
    doubled = replace(log(), propensity=np.full(4_000, 0.5), target=np.full((4_000, 3), 1 / 3))
    assert audit(replace(doubled, propensities=None))["weights_average_one"].passed is False
