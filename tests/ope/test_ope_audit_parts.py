from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from giftlive.errors import InputError
from giftlive.ope import Interactions
from giftlive.ope.audit import AuditFinding
from giftlive.ope.audit_parts import audit_parts
from giftlive.ope.log import of_action
from giftlive.types import Floats

N, M = 4_000, 4
HOUR = np.arange(N) % 6


def log(seed: int = 1, uniforms: Floats | None = None) -> Interactions:
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(M, 0.8), N) * 0.8 + 0.2 / M
    u = rng.random(N) if uniforms is None else uniforms
    action = (rows.cumsum(axis=1) <= u[:, None]).sum(axis=1).clip(0, M - 1)
    return Interactions(
        user=rng.integers(0, N // 4, N),
        action=action,
        propensity=of_action(rows, action),
        reward=np.zeros(N),
        target=rng.dirichlet(np.array([2.0, 1.0, 1.0, 0.4]), N),
        propensities=rows,
    )


def audit(of: Interactions) -> dict[str, AuditFinding]:
    return {f.name: f for f in audit_parts(of, segments={"hour": HOUR})}


def failed(of: Interactions) -> set[str]:
    return {name for name, f in audit(of).items() if f.passed is False}


def test_true_propensities_pass_every_part() -> None:
    assert [failed(log(seed)) for seed in range(1, 13)] == [set()] * 12
    assert set(audit(log())) == {
        *("weights_by_candidate", "weights_by_hour", "reliability"),
        *("draws_independent", "chance_left"),
    }


def test_one_wrong_hour_is_named() -> None:
    """In one hour of six the logger showed its favourite, and logged what it did elsewhere."""
    base = log(2)
    assert base.propensities is not None
    action = np.where(HOUR == 4, base.propensities.argmax(axis=1), base.action)
    wrong = replace(base, action=action, propensity=of_action(base.propensities, action))
    found = audit(wrong)["weights_by_hour"]
    assert found.passed is False
    assert "segment 4" in found.detail
    assert "worst of 6 parts" in found.detail


def test_one_favoured_room_is_named() -> None:
    """A room gets a tenth of the others' turns and the log does not know."""
    base = log(3)
    assert base.propensities is not None
    rng = np.random.default_rng(3)
    action = np.where((base.action != 2) & (rng.random(N) < 0.1), 2, base.action)
    wrong = replace(base, action=action, propensity=of_action(base.propensities, action))
    rooms = np.array([10, 20, 30, 40])
    found = {f.name: f for f in audit_parts(wrong, candidate=rooms)}["weights_by_candidate"]
    assert found.passed is False
    assert "candidate 30" in found.detail


def test_mass_outside_the_support_is_not_taken_for_a_wrong_propensity() -> None:
    base = log(9)
    assert base.propensities is not None
    pad = np.zeros((N, 1))
    blind = replace(
        base,
        target=np.hstack([0.8 * base.target, pad + 0.2]),
        propensities=np.hstack([base.propensities, pad]),
    )
    twins = np.array([0, 1, 2, 3, 3])  # the blind candidate has the id of one that is shown
    found = {f.name: f for f in audit_parts(blind, candidate=twins, segments={"hour": HOUR})}
    assert found["weights_by_candidate"].passed is True
    assert found["weights_by_hour"].passed is True


def test_columns_that_move_are_followed_by_their_ids() -> None:
    base = log(4)
    assert base.propensities is not None
    order = np.argsort(np.random.default_rng(4).random((N, M)), axis=1)
    moved = replace(
        base,
        action=(order == base.action[:, None]).argmax(axis=1),
        target=np.take_along_axis(base.target, order, axis=1),
        propensities=np.take_along_axis(base.propensities, order, axis=1),
    )
    here = {f.name: f for f in audit_parts(base)}["weights_by_candidate"]
    there = {f.name: f for f in audit_parts(moved, candidate=order)}["weights_by_candidate"]
    assert there.value == pytest.approx(here.value)
    assert there.detail == here.detail


def test_propensities_sharper_than_the_choices_are_unreliable() -> None:
    base = log(5)
    assert base.propensities is not None
    sharp = base.propensities**2 / (base.propensities**2).sum(axis=1, keepdims=True)
    wrong = replace(base, propensities=sharp, propensity=of_action(sharp, base.action))
    found = audit(wrong)["reliability"]
    assert found.passed is False
    assert "propensities of" in found.detail


def test_rare_candidates_raise_no_alarm() -> None:
    """True chances of 1 in 1,000: a log of 1,000 rows shows none of them, or one."""
    g = np.random.default_rng(11)
    alarms = 0
    for _ in range(20):
        rare = g.uniform(0.0005, 0.003, (1_000, 9))
        p = np.column_stack([1.0 - rare.sum(axis=1), rare])
        action = (p.cumsum(axis=1) < g.random((1_000, 1))).sum(axis=1)
        made = Interactions(
            np.arange(1_000), action, of_action(p, action), np.zeros(1_000), p, propensities=p
        )
        found = {f.name: f for f in audit_parts(made)}
        alarms += found["reliability"].passed is False
    assert alarms == 0


def test_a_seed_used_twice_shows_up_in_the_draws_alone() -> None:
    half = np.random.default_rng(6).random(N // 2)
    assert failed(log(6, np.repeat(half, 2))) == {"draws_independent"}


def test_certain_decisions_are_counted() -> None:
    base = log(7)
    assert base.propensities is not None
    rows = base.propensities.copy()
    rows[:400] = np.eye(M)[base.action[:400]]
    found = audit(replace(base, propensities=rows, propensity=of_action(rows, base.action)))
    assert found["chance_left"].value == pytest.approx(0.1)
    assert "10.0%" in found["chance_left"].detail
    assert audit(base)["chance_left"].passed is True


def test_what_the_log_cannot_answer_is_silent_and_wrong_shapes_are_refused() -> None:
    base = log(8)
    blind = audit(replace(base, propensities=None))
    assert blind["weights_by_candidate"].passed is True
    assert blind["reliability"].passed is None
    assert blind["draws_independent"].passed is None
    few = Interactions(
        base.user[:20], base.action[:20], base.logged[:20], base.reward[:20], base.target[:20],
        propensities=None if base.propensities is None else base.propensities[:20],
    )  # fmt: skip
    assert {f.passed for f in audit_parts(few)} == {None, True}
    with pytest.raises(InputError, match="candidate"):
        audit_parts(base, candidate=np.arange(3))
    with pytest.raises(InputError, match="segment hour"):
        audit_parts(base, segments={"hour": HOUR[1:]})
