from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import InputError, MissingCapabilityError
from giftlive.ope import (
    DM,
    DR,
    IPS,
    SNIPS,
    Estimator,
    Interactions,
    clipped_ips,
    difference,
    evaluate,
)
from giftlive.ope.log import of_action
from giftlive.stats.intervals import Interval, student_t
from giftlive.types import Ints

FEW = settings(max_examples=40, deadline=None)
ALL = (IPS, SNIPS, clipped_ips(1.5), DM, DR)


def four_rows() -> Interactions:
    """Two candidates, weights 2, 0.5, 1, 2: small enough to compute by hand."""
    return Interactions(
        user=np.array([1, 2, 3, 4]),
        action=np.array([0, 1, 0, 1]),
        propensity=np.array([0.25, 0.5, 0.5, 0.25]),
        reward=np.array([4.0, 2.0, 6.0, 0.0]),
        target=np.array([[0.5, 0.5], [0.75, 0.25], [0.5, 0.5], [0.5, 0.5]]),
        q=np.array([[2.0, 4.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]]),
        propensities=np.array([[0.25, 0.75], [0.5, 0.5], [0.5, 0.5], [0.75, 0.25]]),
    )


def random_log(seed: int, n: int = 60, users: int = 12, m: int = 4) -> Interactions:
    rng = np.random.default_rng(seed)
    propensities = rng.dirichlet(np.ones(m), n) * 0.8 + 0.2 / m
    action = (propensities.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, m - 1)
    return Interactions(
        user=rng.integers(0, users, n),
        action=action,
        propensity=of_action(propensities, action),
        reward=rng.integers(0, 100, n).astype(float),
        target=rng.dirichlet(np.ones(m), n),
        q=rng.normal(50.0, 30.0, (n, m)),
        propensities=propensities,
    )


def rows_of(log: Interactions, rows: Ints) -> Interactions:
    columns: dict[str, Any] = {f.name: getattr(log, f.name) for f in fields(log)}
    chosen: dict[str, Any] = {k: v[rows] for k, v in columns.items() if v is not None}
    return Interactions(**chosen)


def run(estimator: Estimator, log: Interactions) -> Interval:
    return estimator.estimate(estimator.update(estimator.init(), log))


def triple(interval: Interval) -> tuple[float | None, float | None, float | None]:
    return interval.value, interval.low, interval.high


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (IPS, (8 + 1 + 6 + 0) / 4),
        (SNIPS, (8 + 1 + 6 + 0) / 5.5),
        (clipped_ips(1.5), (6 + 1 + 6 + 0) / 4),
        (DM, (3 + 3 + 3 + 1) / 4),
        (DR, (3 + 2 * 2 + 3 + 0.5 * 2 + 3 + 1 * 2 + 1 + 2 * -2) / 4),
    ],
)
def test_values_by_hand(estimator: Estimator, expected: float) -> None:
    assert run(estimator, four_rows()).value == pytest.approx(expected, rel=1e-14)


def test_interval_by_hand() -> None:
    """IPS with one row per user is Student's interval of the four terms 8, 1, 6, 0."""
    expected = student_t(np.array([8.0, 1.0, 6.0, 0.0]))
    assert triple(run(IPS, four_rows())) == pytest.approx(triple(expected))


def test_evaluate_names_every_estimator_it_can_compute() -> None:
    log = four_rows()
    assert list(evaluate(log)) == ["ips", "snips", "dm", "dr"]
    assert list(evaluate(replace(log, q=None))) == ["ips", "snips"]
    assert list(evaluate(log, [clipped_ips(2.0)])) == ["clipped_ips(2)"]
    assert evaluate(log)["ips"].n_unit == "users"


def test_target_equal_to_logging_is_the_mean_with_weights_one() -> None:
    log = random_log(1)
    assert log.propensities is not None
    same = replace(log, target=log.propensities)
    np.testing.assert_array_equal(same.weight, 1.0)
    for estimator in (IPS, SNIPS, clipped_ips(1.0)):
        assert run(estimator, same).value == same.reward.mean()


@FEW
@given(st.integers(0, 10_000), st.floats(0.01, 1e6))
def test_snips_of_a_constant_reward_has_width_exactly_zero(seed: int, constant: float) -> None:
    log = random_log(seed)
    interval = run(SNIPS, replace(log, reward=np.full(len(log), constant)))
    assert interval.value == pytest.approx(constant)
    assert interval.width == 0.0


@FEW
@given(st.integers(0, 10_000), st.lists(st.integers(0, 60), max_size=4))
def test_chunks_merge_to_the_whole_exactly(seed: int, cuts: list[int]) -> None:
    log = random_log(seed)
    parts = np.split(np.random.default_rng(seed).permutation(len(log)), sorted(cuts))
    for estimator in ALL:
        states = [estimator.update(estimator.init(), rows_of(log, p)) for p in parts if len(p)]
        merged = states[0]
        for state in states[1:]:
            merged = estimator.merge(state, merged)
        whole = estimator.update(estimator.init(), log)
        assert estimator.estimate(merged) == estimator.estimate(whole)
        assert estimator.bootstrap(merged, 20) == estimator.bootstrap(whole, 20)


@FEW
@given(st.integers(0, 10_000))
def test_permuting_candidates_or_renaming_users_changes_nothing(seed: int) -> None:
    log = random_log(seed)
    columns = np.random.default_rng(seed).permutation(4)
    assert log.q is not None
    moved = replace(
        log,
        user=1_000 + 3 * log.user,
        action=np.argsort(columns)[log.action],
        target=log.target[:, columns],
        q=log.q[:, columns],
        propensities=None,
    )
    for estimator in ALL:
        assert triple(run(estimator, moved)) == pytest.approx(triple(run(estimator, log)))


@FEW
@given(st.integers(0, 10_000), st.floats(1e-3, 1e4))
def test_scaling_rewards_scales_the_interval(seed: int, scale: float) -> None:
    log = random_log(seed)
    assert log.q is not None
    scaled = replace(log, reward=scale * log.reward, q=scale * log.q)
    for estimator in ALL:
        expected = scale * np.array(triple(run(estimator, log)), dtype=float)
        assert triple(run(estimator, scaled)) == pytest.approx(tuple(expected), rel=1e-8)


@FEW
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_copies_of_a_users_rows_are_no_new_evidence(seed: int, copies: int) -> None:
    """Same users, every row repeated: the interval must not move, up or down."""
    log = random_log(seed)
    repeated = rows_of(log, np.tile(np.arange(len(log)), copies))
    for estimator in ALL:
        once, again = run(estimator, log), run(estimator, repeated)
        assert triple(again) == pytest.approx(triple(once))
        assert again.n == once.n


def test_new_users_with_the_same_rows_narrow_the_interval_as_theory_says() -> None:
    log = random_log(3, n=400, users=100)
    twice = rows_of(log, np.tile(np.arange(400), 2))
    twice = replace(twice, user=twice.user + 1_000 * np.repeat([0, 1], 400))
    one, two = run(IPS, log), run(IPS, twice)
    assert two.value == pytest.approx(one.value)
    assert one.width is not None
    assert two.width == pytest.approx(one.width / np.sqrt(2), rel=0.02)


def test_bootstrap_agrees_with_the_delta_method() -> None:
    log = random_log(4, n=3_000, users=600)
    for estimator in (IPS, SNIPS, DR):
        state = estimator.update(estimator.init(), log)
        delta, boot = estimator.estimate(state), estimator.bootstrap(state, 1_000, seed=2)
        assert boot.value == pytest.approx(delta.value)
        assert boot.width == pytest.approx(delta.width, rel=0.12)


def test_difference_of_two_targets_is_paired() -> None:
    log = random_log(5, n=2_000, users=300)
    other = replace(log, target=0.98 * log.target + 0.02 / 4)
    a, b = (IPS.update(IPS.init(), x) for x in (log, other))
    paired = difference(IPS, a, b)
    value_a, value_b = IPS.estimate(a), IPS.estimate(b)
    assert value_a.value is not None
    assert value_b.value is not None
    assert paired.value == pytest.approx(value_a.value - value_b.value)
    assert paired.width is not None
    assert value_a.width is not None
    assert paired.width < value_a.width / 10
    same = difference(IPS, a, a)
    assert (same.value, same.width) == (0.0, 0.0)
    with pytest.raises(InputError, match="one log"):
        difference(IPS, a, IPS.update(IPS.init(), four_rows()))


def test_without_overlap_the_weighted_estimates_are_undefined_and_say_how_much_is_lost() -> None:
    log = four_rows()
    blind = replace(log, propensities=np.array([[0.25, 0.0], [0.5, 0.5], [0.5, 0.5], [0.75, 0.25]]))
    for estimator in (IPS, SNIPS, DR):
        interval = run(estimator, blind)
        assert (interval.status, interval.value) == ("undefined", None)
        assert "12.50%" in interval.reason
    assert run(DM, blind).status == "ok"


def test_weight_on_fewer_than_two_users_is_not_enough() -> None:
    log = four_rows()
    target = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    for estimator in (IPS, SNIPS, DR):
        interval = run(estimator, replace(log, target=target))
        assert interval.status == "not_enough_data"
        assert "1 of 4 users" in interval.reason
    assert IPS.estimate(IPS.init()).status == "not_enough_data"


def test_model_estimators_say_that_the_model_is_missing() -> None:
    with pytest.raises(MissingCapabilityError, match="column q"):
        run(DR, replace(four_rows(), q=None))


def test_clipping_needs_a_positive_limit() -> None:
    with pytest.raises(InputError, match="limit 0"):
        clipped_ips(0.0)
