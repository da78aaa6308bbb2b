"""Shipped policies, estimators, value models and scenarios through every public check.

The policies here choose by value and price; all others go through it in tests/policies.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from tests.models.few_trees import each, with_trees

from giftlive import testing
from giftlive.allocation import Prices
from giftlive.models.base import ValueModel
from giftlive.models.intervals import Intervals
from giftlive.models.registry import MODELS
from giftlive.models.ridge import Ridge
from giftlive.models.trees import TreeSettings
from giftlive.models.uncertainty import BootstrapEnsemble
from giftlive.ope import (
    DM,
    DR,
    IPS,
    SNDR,
    SNIPS,
    Estimator,
    clipped_dr,
    clipped_ips,
    dros,
    sub_gaussian_ips,
    switch_dr,
)
from giftlive.policies import POLICIES, DualPrice, Policy, Softmax, Uniform
from giftlive.rng import stream
from giftlive.testing import (
    ANONYMOUS_CHECKS,
    ESTIMATOR_CHECKS,
    MODEL_CHECKS,
    POLICY_CHECKS,
    ROOMS,
    SCENARIO_CHECKS,
    SEAT_CHECKS,
    Sample,
    check_estimator,
    check_policy,
    check_scenario,
    check_value_model,
    make_sample,
    seats_of_rooms,
)
from giftlive.world import Scenario, load_scenario, presets

PRICES = Prices(
    stream(5, "prices").exponential(0.01, (ROOMS, 30)), 0, 5_000, np.array([0.7, 0.3]), "estimated"
)
VARIANTS: dict[str, Callable[[], Policy[Any]]] = {
    **{name: POLICIES[name] for name in ("uniform", "greedy", "greedy_with_cap", "softmax")},
    "dual_price": DualPrice,
    "uniform within seats": lambda: Uniform(respect_seats=True),
    "softmax within seats": lambda: Softmax(respect_seats=True, temperature=0.1),
    "dual_price with prices": lambda: DualPrice(PRICES),
    "dual_price that never declines": lambda: DualPrice(PRICES, decline_below=None),
}
UNGUARDED = {"uniform", "greedy", "softmax"}
PRICED = {name for name in VARIANTS if name.startswith("dual_price ")}
FEW_TREES = TreeSettings(rounds=15, leaves=6, rows_per_leaf=20, threads=1)
CHEAP_MODELS: dict[str, Callable[[], ValueModel]] = {
    **{name: partial(with_trees, name, FEW_TREES) for name in MODELS},
    "intervals": lambda: Intervals(Ridge()),
    "bootstrap": lambda: BootstrapEnsemble(Ridge(), replicates=3),
}
TAMED = (clipped_ips(1.5), clipped_dr(1.5), switch_dr(2.0), dros(3.0), sub_gaussian_ips(0.3))
ESTIMATORS = {e.name: e for e in (*(IPS, SNIPS, DM, DR, SNDR), *TAMED)}

Check = Callable[..., None]


def checks(*which: Check) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("check", which, ids=lambda check: check.__name__)


@checks(*POLICY_CHECKS)
@pytest.mark.parametrize("name", VARIANTS)
def test_policies(name: str, check: Check) -> None:
    check(VARIANTS[name])


@checks(*ANONYMOUS_CHECKS)
@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in PRICED])
def test_anonymous_policies(name: str, check: Check) -> None:
    check(VARIANTS[name])


@checks(*SEAT_CHECKS)
@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in UNGUARDED])
def test_guarded_policies(name: str, check: Check) -> None:
    check(VARIANTS[name])


@checks(*ESTIMATOR_CHECKS)
@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_estimators(estimator: Estimator, check: Check) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample()


@checks(*MODEL_CHECKS)
@pytest.mark.parametrize("name", each(CHEAP_MODELS))
def test_models(name: str, sample: Sample, check: Check) -> None:
    check(CHEAP_MODELS[name], sample)


def _by_cost(preset: str) -> object:
    """Return the preset as a parameter; each of the three takes most of a minute."""
    slow = preset in ("kuailive", "cold_start", "scarce")
    return pytest.param(preset, marks=pytest.mark.slow) if slow else preset


@pytest.fixture(scope="module", params=[_by_cost(preset) for preset in presets()])
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return load_scenario(request.param, "tiny")


@checks(*SCENARIO_CHECKS)
def test_scenarios(scenario: Scenario, check: Check) -> None:
    check(scenario)


def test_one_call_makes_every_check() -> None:
    check_policy(VARIANTS["dual_price with prices"], guarded=True, anonymous=False)
    check_estimator(SNIPS)
    check_value_model(MODELS["ridge"])
    check_scenario(load_scenario("v1", "tiny"))


LISTS: dict[str, tuple[str, Callable[[], None]]] = {
    "POLICY_CHECKS": ("policies", lambda: check_policy(Uniform)),
    "ANONYMOUS_CHECKS": ("policies", lambda: check_policy(Uniform)),
    "SEAT_CHECKS": ("policies", lambda: check_policy(Uniform, guarded=True)),
    "ESTIMATOR_CHECKS": ("estimators", lambda: check_estimator(SNIPS)),
    "MODEL_CHECKS": ("models", lambda: check_value_model(Ridge)),
    "SCENARIO_CHECKS": ("scenarios", lambda: check_scenario(load_scenario("v1", "tiny"))),
}


@pytest.mark.parametrize("name", LISTS)
def test_one_call_goes_through_its_whole_list(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    for other, (module, _) in LISTS.items():
        named = tuple(partial(heard.append, k) for k in range(3)) if other == name else ()
        recording = tuple(lambda *_, say=say: say() for say in named)
        monkeypatch.setattr(f"giftlive.testing.{module}.{other}", recording)
    LISTS[name][1]()
    assert heard == [0, 1, 2]


def test_the_suite_is_public() -> None:
    assert all(getattr(testing, name) is not None for name in testing.__all__)


def test_batches_hold_what_a_policy_may_stumble_over() -> None:
    batch = testing.make_batch(1, rows=200)
    seen = batch.observation
    assert not batch.available[0].any()
    assert 0 < np.count_nonzero(~batch.available[1:]) < batch.available[1:].sum()
    left = seen.seats_left[batch.available]
    assert left.min() == 0
    assert np.all(left <= seats_of_rooms()[seen.rooms[batch.available]])
    assert len(set(batch.values[batch.available])) == batch.available.sum()
    decisions = POLICIES["greedy"]().decide(None, batch, stream(0, "rng"))
    feedback = testing.feedback_to(batch, decisions)
    assert np.all(feedback.occupancy <= feedback.seats)
    assert 0 < feedback.admitted.sum() < (decisions.choice >= 0).sum()
