"""The audit as a mergeable state: equal bits for any cut, and it finds what was planted."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.ope import Interactions, audit_parts, audit_propensities
from giftlive.ope.audit_sums import AuditSums, audit_sums, no_audit
from giftlive.types import Floats, Ints


def log_of(seed: int, n: int = 3_000, told: Floats | None = None) -> Interactions:
    """Draw actions from rows of chances; ``told`` is what the log says of them instead."""
    draw = np.random.default_rng(seed)
    rows = draw.dirichlet(np.full(5, 0.4), n)
    action = (draw.random((n, 1)) > rows.cumsum(axis=1)).sum(axis=1).clip(0, 4)
    said = rows if told is None else (rows**told) / (rows**told).sum(axis=1, keepdims=True)
    return Interactions(
        user=draw.integers(0, n // 3, n),
        action=action,
        propensity=np.take_along_axis(said, action[:, None], axis=1)[:, 0],
        reward=draw.random(n),
        target=np.full((n, 5), 0.2),
        propensities=said,
    )


def cut(log: Interactions, low: int, high: int) -> Interactions:
    rows = slice(low, high)
    assert log.propensity is not None
    assert log.propensities is not None
    return Interactions(
        log.user[rows], log.action[rows], log.propensity[rows], log.reward[rows],
        log.target[rows], propensities=log.propensities[rows],
    )  # fmt: skip


@settings(max_examples=20)
@given(st.integers(0, 1_000), st.lists(st.integers(0, 90), max_size=5))
def test_chunks_in_order_give_the_whole_bit_for_bit(seed: int, cuts: list[int]) -> None:
    log = log_of(seed, 90)
    edges = [0, *sorted(cuts), 90]
    parts = [audit_sums(cut(log, a, b)) for a, b in pairwise(edges)]
    assert repr(reduce(AuditSums.merge, parts).findings()) == repr(audit_sums(log).findings())
    late = parts[0].merge(reduce(AuditSums.merge, parts[1:])) if len(parts) > 1 else parts[0]
    assert repr(no_audit().merge(late).findings()) == repr(audit_sums(log).findings())


def test_it_agrees_with_the_audit_of_the_whole_log() -> None:
    log = log_of(3)
    found = {f.name: f for f in audit_sums(log).findings()}
    whole = {f.name: f for f in (*audit_propensities(log), *audit_parts(log))}
    for name in ("choices_follow_propensities", "draws_independent"):
        value = whole[name].value
        assert value is not None
        assert found[name].value == pytest.approx(value, rel=1e-2)  # users without pairs are out
    assert found["chance_left"] == whole["chance_left"]
    assert all(f.passed is not False for f in found.values())


def test_wrong_propensities_are_found() -> None:
    """The log says chances are more even than they were, or more certain."""
    for power in (0.5, 2.0):
        found = {f.name: f.passed for f in audit_sums(log_of(4, told=np.array(power))).findings()}
        assert found["choices_follow_propensities"] is False
        assert found["reliability"] is False


def test_a_seed_used_twice_is_found() -> None:
    draw = np.random.default_rng(5)
    n, even = 2_000, np.full((2_000, 4), 0.25)
    action: Ints = np.repeat(draw.integers(0, 4, n // 2), 2)
    log = Interactions(np.arange(n), action, even[:, 0], np.zeros(n), even, propensities=even)
    found = {f.name: f.passed for f in audit_sums(log).findings()}
    assert found["draws_independent"] is False
    assert found["choices_follow_propensities"] is None  # even chances cannot tell


def test_reliability_leaves_out_what_was_impossible() -> None:
    """Padding and candidates of probability 0 are no propensities of a size."""
    log = log_of(6, 200)
    assert log.propensities is not None
    wide = np.column_stack([log.propensities, np.zeros((200, 40))])
    target = np.column_stack([log.target, np.zeros((200, 40))])
    padded = Interactions(
        log.user, log.action, log.propensity, log.reward, target, propensities=wide
    )
    for found, expected in zip(
        audit_sums(padded).findings(), audit_sums(log).findings(), strict=True
    ):
        assert found.value == pytest.approx(expected.value, rel=1e-9)


def test_true_propensities_pass_also_where_rare_candidates_were_never_shown() -> None:
    """Ten thousand entries of 0.0005 to 0.003: five or so are shown, or none."""
    alarms = 0
    for seed in range(60):
        draw = np.random.default_rng(seed)
        rows = np.column_stack([np.ones(1_000), draw.uniform(5e-4, 3e-3, (1_000, 9))])
        rows[:, 0] -= rows[:, 1:].sum(axis=1)
        action = (draw.random((1_000, 1)) > rows.cumsum(axis=1)).sum(axis=1).clip(0, 9)
        chance = np.take_along_axis(rows, action[:, None], axis=1)[:, 0]
        user = np.arange(1_000)
        log = Interactions(user, action, chance, np.zeros(1_000), rows, propensities=rows)
        alarms += {f.name: f for f in audit_sums(log).findings()}["reliability"].passed is False
    assert alarms <= 1


def test_nothing_seen_is_silent() -> None:
    passed = {f.name: f.passed for f in no_audit().findings()}
    assert passed.pop("chance_left") is True
    assert set(passed.values()) == {None}
