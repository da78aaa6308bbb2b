from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive import ope
from giftlive.errors import InputError, MissingCapabilityError
from giftlive.ope.estimators import Estimator
from giftlive.ope.log import of_action
from giftlive.types import Ints

FEW = settings(max_examples=25, deadline=None)
ALL: tuple[Estimator, ...] = (
    *(ope.REPLAY, ope.IPS, ope.SNIPS, ope.DM, ope.DR, ope.SNDR),
    *(ope.MIPS, ope.SNMIPS, ope.OFFCEM, ope.BIPW, ope.ASSISTED_SNIPS),
    *(ope.BALANCED_IPS, ope.BALANCED_DR, ope.weighted_ips(2), ope.log_sum_exp(0.01)),
    *(ope.clipped_ips(1.5), ope.clipped_dr(1.5), ope.switch_dr(1.5), ope.dros(2.0)),
    *(ope.sub_gaussian_ips(0.2), ope.sub_gaussian_dr(0.2)),
)
SELF_NORMALISED = (ope.REPLAY, ope.SNIPS, ope.SNMIPS, ope.BIPW, ope.ASSISTED_SNIPS, ope.SNDR)
SHIFT_EQUIVARIANT = (ope.REPLAY, ope.SNIPS, ope.SNMIPS, ope.BIPW)


def full_log(seed: int, n: int = 80, users: int = 14, m: int = 4) -> ope.Interactions:
    """Draw a log with every optional column; in some rows the target is certain."""
    rng = np.random.default_rng(seed)
    logging = rng.dirichlet(np.ones(m), n) * 0.8 + 0.2 / m
    action = (logging.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, m - 1)
    target = rng.dirichlet(np.ones(m), n)
    target[::3] = np.eye(m)[rng.integers(0, m, len(target[::3]))]
    target[:9:3] = np.eye(m)[action[:9:3]]
    return ope.Interactions(
        user=rng.integers(0, users, n),
        action=action,
        propensity=of_action(logging, action),
        reward=np.floor(60.0 * rng.random(n)) * (rng.random(n) < 0.5),
        target=target,
        q=rng.normal(15.0, 9.0, (n, m)),
        propensities=logging,
        marginal_weight=ope.category_weight(target, logging, action, np.arange(m) // 2),
        balanced_weight=rng.random(n) * 2.0,
        logger=np.arange(n) % 2,
        mean_propensity=rng.random(n) * 0.5 + 0.5,
        modelled_amount=rng.random(n) * 40.0,
    )


def rows_of(log: ope.Interactions, rows: Ints) -> ope.Interactions:
    columns: dict[str, Any] = {f.name: getattr(log, f.name) for f in fields(log)}
    chosen: dict[str, Any] = {k: None if v is None else v[rows] for k, v in columns.items()}
    return ope.Interactions(**chosen)


def value(estimator: Estimator, log: ope.Interactions) -> float:
    found = ope.evaluate(log, [estimator])[estimator.name].value
    assert found is not None
    return found


def small() -> ope.Interactions:
    """Return four decisions with weights 2, 0.5, 1, 2."""
    return ope.Interactions(
        user=np.array([1, 2, 3, 4]),
        action=np.array([0, 1, 0, 1]),
        propensity=np.array([0.25, 0.5, 0.5, 0.25]),
        reward=np.array([4.0, 2.0, 6.0, 0.0]),
        target=np.array([[0.5, 0.5], [0.75, 0.25], [0.5, 0.5], [0.5, 0.5]]),
        q=np.array([[2.0, 4.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]]),
        marginal_weight=np.array([1.0, 2.0, 0.5, 0.5]),
        balanced_weight=np.array([3.0, 1.0, 0.0, 1.0]),
        logger=np.array([0, 0, 1, 1]),
        mean_propensity=np.array([0.5, 0.25, 0.25, 1.0]),
        modelled_amount=np.array([5.0, 3.0, 1.0, 9.0]),
    )


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (ope.clipped_dr(1.5), (3 + 1.5 * 2 + 3 + 0.5 * 2 + 3 + 2 + 1 + 1.5 * -2) / 4),
        (ope.switch_dr(1.5), (3 + 3 + 0.5 * 2 + 3 + 2 + 1) / 4),
        (ope.dros(2.0), (3 + 4 / 6 * 2 + 3 + 1 / 2.25 * 2 + 3 + 2 / 3 * 2 + 1 - 4 / 6 * 2) / 4),
        (ope.sub_gaussian_ips(0.5), (2 / 1.5 * 4 + 0.5 / 0.75 * 2 + 6 + 0) / 4),
        (ope.sub_gaussian_dr(0.5), (10 + 2 / 1.5 * 2 + 0.5 / 0.75 * 2 + 2 - 2 / 1.5 * 2) / 4),
        (ope.SNDR, (3 + 3 + 3 + 1) / 4 + (2 * 2 + 0.5 * 2 + 2 - 2 * 2) / 5.5),
        (ope.MIPS, (4 + 4 + 3 + 0) / 4),
        (ope.SNMIPS, (4 + 4 + 3 + 0) / 4.0),
        (ope.OFFCEM, (10 + 2 + 4 + 1 - 1) / 4),
        (ope.BIPW, (12 + 2) / 5),
        (ope.ASSISTED_SNIPS, (2 * 5 + 0.5 * 3 + 1 * 1) / 5.5),
        (ope.BALANCED_IPS, (1 * 4 + 1 * 2 + 2 * 6 + 0) / 4),
        (ope.BALANCED_DR, (10 + 1 * 2 + 1 * 2 + 2 * 2 + 0.5 * -2) / 4),
        (ope.log_sum_exp(0.1), -10 * np.log(np.exp([-0.8, -0.1, -0.6, 0.0]).mean())),
        # terms 8, 1 (mean 4.5, variance 12.25) and 6, 0 (mean 3, variance 9)
        (ope.weighted_ips(2), (4.5 / 12.25 + 3 / 9) / (1 / 12.25 + 1 / 9)),
    ],
    ids=lambda x: x.name if isinstance(x, Estimator) else "",
)
def test_values_by_hand(estimator: Estimator, expected: float) -> None:
    assert value(estimator, small()) == pytest.approx(expected, rel=1e-13)


def test_replay_keeps_the_decisions_the_target_would_have_taken() -> None:
    log = replace(small(), target=np.array([[1.0, 0.0], [1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]))
    assert value(ope.REPLAY, log) == (4.0 + 0.0) / 2


@FEW
@given(st.integers(0, 10_000), st.lists(st.integers(0, 80), max_size=4))
def test_chunks_of_all_estimators_merge_to_the_whole_bit_for_bit(
    seed: int, cuts: list[int]
) -> None:
    panel, log = ope.Panel(ALL), full_log(seed)
    parts = np.split(np.random.default_rng(seed).permutation(len(log)), sorted(cuts))
    merged = panel.init()
    for part in parts:
        if len(part):
            merged = panel.merge(panel.update(panel.init(), rows_of(log, part)), merged)
    whole = panel.update(panel.init(), log)
    assert panel.intervals(merged) == panel.intervals(whole)
    assert panel.intervals(merged, "skew_t") == panel.intervals(whole, "skew_t")
    again = panel.intervals(whole, "poisson_bootstrap", replicates=20)
    assert panel.intervals(merged, "poisson_bootstrap", replicates=20) == again


def test_a_panel_is_its_estimators_one_by_one() -> None:
    panel, log = ope.Panel(ALL), full_log(3)
    state = panel.update(panel.init(), log)
    for method in ("ratio_delta", "skew_t", "poisson_bootstrap"):
        together = panel.intervals(state, method, replicates=30, seed=4)
        for estimator, found in zip(ALL, together, strict=True):
            own = estimator.update(estimator.init(), log)
            alone = {
                "ratio_delta": lambda e=estimator, s=own: e.estimate(s),
                "skew_t": lambda e=estimator, s=own: e.skew_corrected(s),
                "poisson_bootstrap": lambda e=estimator, s=own: e.bootstrap(s, 30, 4),
            }[method]()
            assert found == alone
            assert found.status == "ok"


def test_a_constant_reward_has_no_width_even_where_many_resamples_are_empty() -> None:
    log = full_log(77)
    constant = replace(log, reward=np.ones(len(log)))
    state = ope.REPLAY.update(ope.REPLAY.init(), constant)
    assert 2 <= np.count_nonzero(state.values[:, 1]) < 4  # users whose rows the target would take
    found = ope.REPLAY.bootstrap(state, 40)
    assert (found.value, found.width) == (1.0, 0.0)


def test_a_panel_keeps_what_estimators_share_once() -> None:
    panel = ope.Panel((ope.IPS, ope.SNIPS, ope.DR, ope.clipped_ips(2.0)))
    columns = panel.init().whole.shape[1]
    assert columns == 3 + 2 + 1 + 1  # rows, w, lost; w r twice (two functions), DR, clipped


@FEW
@given(st.integers(0, 10_000), st.integers(1, 50))
def test_a_constant_reward_leaves_self_normalised_estimates_no_width(seed: int, c: int) -> None:
    log = full_log(seed)
    constant = replace(
        log,
        reward=np.full(len(log), float(c)),
        q=np.full((len(log), 4), 2.0),
        modelled_amount=np.full(len(log), float(c)),
    )
    panel = ope.Panel(SELF_NORMALISED)
    state = panel.update(panel.init(), constant)
    for method in ("ratio_delta", "skew_t", "poisson_bootstrap"):
        for found in panel.intervals(state, method, replicates=40):
            assert found.value == pytest.approx(c, rel=1e-12)
            assert found.width == 0.0


@FEW
@given(st.integers(0, 10_000), st.floats(-50.0, 50.0))
def test_adding_a_constant_to_every_reward_adds_it_to_the_estimate(seed: int, c: float) -> None:
    log = full_log(seed)
    moved = replace(log, reward=log.reward + c)
    for estimator in SHIFT_EQUIVARIANT:
        assert value(estimator, moved) == pytest.approx(value(estimator, log) + c, abs=1e-9)


@FEW
@given(st.integers(0, 10_000), st.floats(-1e4, 1e4))
def test_sndr_does_not_see_a_shift_of_the_model(seed: int, c: float) -> None:
    """DR is blind to it in expectation only; self-normalised it is in every log."""
    log = full_log(seed)
    assert log.q is not None
    shifted = replace(log, q=log.q + c)
    expected = value(ope.SNDR, log)
    assert value(ope.SNDR, shifted) == pytest.approx(expected, rel=1e-8, abs=1e-7)
    if abs(c) > 1.0:
        mean_weight = log.weight.mean()
        gap = value(ope.DR, shifted) - value(ope.DR, log)
        assert gap == pytest.approx(c * (1.0 - mean_weight), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("tamed", "limit"),
    [
        (ope.clipped_dr(1e12), ope.DR),
        (ope.switch_dr(1e12), ope.DR),
        (ope.dros(1e14), ope.DR),
        (ope.sub_gaussian_dr(0.0), ope.DR),
        (ope.clipped_ips(1e12), ope.IPS),
        (ope.sub_gaussian_ips(0.0), ope.IPS),
        (ope.log_sum_exp(1e-9), ope.IPS),
        (ope.clipped_dr(1e-12), ope.DM),
        (ope.switch_dr(1e-12), ope.DM),
        (ope.dros(1e-14), ope.DM),
    ],
    ids=lambda e: e.name,
)
def test_limits(tamed: Estimator, limit: Estimator) -> None:
    log = full_log(7)
    assert value(tamed, log) == pytest.approx(value(limit, log), rel=1e-5)


def test_a_model_that_is_right_in_every_row_makes_dr_its_own_answer() -> None:
    log = full_log(8)
    assert log.q is not None
    right = replace(log, reward=of_action(log.q, log.action))
    for estimator in (ope.DR, ope.SNDR, ope.OFFCEM, ope.switch_dr(1.0), ope.dros(1.0)):
        assert value(estimator, right) == pytest.approx(value(ope.DM, right), rel=1e-12)


@pytest.mark.parametrize("estimator", [e for e in ALL if e.needs], ids=lambda e: e.name)
def test_a_missing_column_is_asked_for_by_name(estimator: Estimator) -> None:
    log = full_log(9)
    for column in estimator.needs:
        without: dict[str, Any] = {column: None}
        with pytest.raises(MissingCapabilityError, match=f"column {column}"):
            estimator.update(estimator.init(), replace(log, **without))


@pytest.mark.parametrize(
    ("column", "row", "bad"),
    [
        ("marginal_weight", 2, -1.0),
        ("balanced_weight", 3, np.nan),
        ("modelled_amount", 1, np.inf),
        ("mean_propensity", 0, 0.0),
        ("mean_propensity", 0, 1.5),
        ("logger", 4, -1),
    ],
)
def test_optional_columns_are_checked(column: str, row: int, bad: float) -> None:
    log = full_log(10)
    wrong = getattr(log, column).copy()
    wrong[row] = bad
    with pytest.raises(InputError, match=f"row {row}, column {column}"):
        replace(log, **{column: wrong})
    with pytest.raises(InputError, match=f"column {column}"):
        replace(log, **{column: wrong[1:]})


def test_numbers_out_of_range_are_refused() -> None:
    for make, number in ((ope.log_sum_exp, 0.0), (ope.log_sum_exp, np.inf), (ope.dros, -1.0)):
        with pytest.raises(InputError):
            make(number)
    with pytest.raises(InputError, match="0 loggers"):
        ope.weighted_ips(0)
    with pytest.raises(InputError, match="logger 1"):
        value(ope.weighted_ips(1), full_log(11))


def test_marginal_weights_do_not_ask_for_the_support_of_actions() -> None:
    """The target prefers an action never logged, but its category is; MIPS answers, IPS not."""
    n = 40
    logging = np.tile([0.5, 0.0, 0.5], (n, 1))
    target = np.tile([0.0, 0.5, 0.5], (n, 1))
    action = np.tile([0, 2], n // 2)
    log = ope.Interactions(
        user=np.arange(n),
        action=action,
        propensity=np.full(n, 0.5),
        reward=action.astype(float),
        target=target,
        propensities=logging,
        marginal_weight=ope.category_weight(target, logging, action, np.array([0, 0, 1])),
    )
    found = ope.evaluate(log, [ope.IPS, ope.MIPS])
    assert found["ips"].status == "undefined"
    assert found["mips"].value == 1.0


def test_a_logger_whose_rewards_never_vary_has_no_variance_to_weigh_by() -> None:
    log = replace(full_log(12), reward=np.zeros(80))
    found = ope.evaluate(log, [ope.weighted_ips(2)])["weighted_ips(2)"]
    assert (found.status, found.value) == ("undefined", None)


def test_one_array_may_serve_as_two_columns() -> None:
    """What estimators share is a matter of their terms, not of who passes which array."""
    log = full_log(13)
    both = replace(log, balanced_weight=log.marginal_weight)
    apart = replace(log, balanced_weight=np.array(log.marginal_weight))
    estimators = (ope.SNMIPS, ope.BIPW)
    assert ope.evaluate(both, estimators) == ope.evaluate(apart, estimators)


def test_gifts_of_full_size_and_large_weights_can_be_summed() -> None:
    """The largest published gift, weights of thousands, 100,000 rows: no sum leaves its bounds."""
    log = full_log(14)
    assert log.propensity is not None
    large = replace(log, reward=np.full(80, 56_246.0), propensity=log.propensity / 500.0)
    repeated = rows_of(large, np.tile(np.arange(80), 100_000 // 80))
    found = ope.evaluate(repeated, [ope.weighted_ips(2), ope.IPS])
    assert found["weighted_ips(2)"].value is not None
    with pytest.raises(InputError, match="cluster sums"):
        ope.evaluate(replace(large, reward=-large.reward), [ope.log_sum_exp(1.0)])
