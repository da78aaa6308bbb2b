from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from giftlive import metrics
from giftlive.errors import InputError, UsageError

OUTCOME = metrics.PolicyOutcome(2_000.0, 80.0, 0.6, 0.7, 0.2, 21)
WEIGHTS = metrics.ValueWeights(5.0, 300.0, 100.0, 50.0)


def test_components_are_signed_and_add_up() -> None:
    value = metrics.global_value(OUTCOME, WEIGHTS)
    assert astuple(value)[1:] == pytest.approx((2_000.0, 400.0, 180.0, -70.0, -10.0))
    assert value.total == pytest.approx(2_500.0)


def test_without_weights_it_is_the_revenue() -> None:
    assert metrics.global_value(OUTCOME, metrics.ValueWeights(0, 0, 0, 0)).total == 2_000.0


@pytest.mark.parametrize(
    ("component", "sign"),
    [
        ("expected_revenue", 1),
        ("retained_user_days", 1),
        ("satisfaction", 1),
        ("exposure_gini", -1),
        ("overload", -1),
    ],
)
def test_each_component_moves_the_value_its_own_way(component: str, sign: int) -> None:
    more = replace(OUTCOME, **{component: getattr(OUTCOME, component) + 0.1})
    change = (
        metrics.global_value(more, WEIGHTS).total - metrics.global_value(OUTCOME, WEIGHTS).total
    )
    assert np.sign(change) == sign


def test_default_weights_follow_the_unit_of_money() -> None:
    weights = metrics.ValueWeights.of(OUTCOME)
    assert weights.retained * OUTCOME.retained_user_days == pytest.approx(1_000.0)
    assert (weights.satisfaction, weights.gini, weights.overload) == (200.0, 200.0, 200.0)
    cents = replace(OUTCOME, expected_revenue=200_000.0)
    in_cents = metrics.global_value(cents, metrics.ValueWeights.of(cents))
    in_units = metrics.global_value(OUTCOME, weights)
    assert astuple(in_cents) == pytest.approx(tuple(100.0 * x for x in astuple(in_units)))
    nobody = metrics.ValueWeights.of(replace(OUTCOME, retained_user_days=0.0))
    assert nobody.retained == 0.0


def test_another_horizon_is_refused_not_stretched() -> None:
    week = replace(OUTCOME, days=7)
    with pytest.raises(UsageError, match="7 days"):
        metrics.global_value(week, WEIGHTS)
    assert metrics.global_value(week, WEIGHTS, horizon_days=7).revenue == 2_000.0


@pytest.mark.parametrize(
    ("component", "bad"),
    [
        ("satisfaction", 1.2),
        ("exposure_gini", np.nan),
        ("overload", -0.1),
        ("expected_revenue", np.inf),
        ("retained_user_days", np.nan),
    ],
)
def test_components_outside_their_range_are_refused_by_name(component: str, bad: float) -> None:
    with pytest.raises(InputError, match=component):
        metrics.global_value(replace(OUTCOME, **{component: bad}), WEIGHTS)  # type: ignore[arg-type]


def test_negative_weights_are_refused() -> None:
    with pytest.raises(UsageError, match="gini"):
        metrics.ValueWeights(1.0, 1.0, -1.0, 1.0)
