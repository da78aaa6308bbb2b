from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive import ope
from giftlive.errors import InputError, MissingCapabilityError, NotEnoughDataError
from giftlive.ope.slates import SlateEstimator, Slates
from giftlive.types import Floats, Ints

PLACES, ITEMS = 2, 3
FIRST = np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.25]])  # logging, target: the first place
NEXT = np.array(  # by the item above: an item is not shown twice
    [
        [[0.0, 0.6, 0.4], [0.5, 0.0, 0.5], [0.7, 0.3, 0.0]],
        [[0.0, 0.4, 0.6], [0.7, 0.0, 0.3], [0.5, 0.5, 0.0]],
    ]
)
PLAIN = (ope.SIPS, ope.IIPS, ope.RIPS, ope.CASCADE_DR)
NORMALISED = tuple(ope.self_normalised(e, PLACES) for e in PLAIN[:3])

INDEPENDENT = np.array([[1.0, 2.0, 4.0], [3.0, 1.0, 0.5]])  # mean reward by place and item
CASCADE = INDEPENDENT[1] + np.array([[0.0, 0.0, 1.0], [0.7, 0.0, 0.0], [0.0, 1.0, 0.0]])


def mean_reward(cascade: bool) -> tuple[Floats, Floats]:
    """Return the mean reward of the first place [3] and of the next by the item above [3, 3]."""
    return INDEPENDENT[0], CASCADE if cascade else np.tile(INDEPENDENT[1], (3, 1))


def true_value(cascade: bool) -> float:
    first, following = mean_reward(cascade)
    return sum(
        float(FIRST[1, a] * NEXT[1, a, b] * (first[a] + following[a, b]))
        for a, b in product(range(ITEMS), repeat=2)
    )


def draw(seed: int, n: int, users: int, cascade: bool = False) -> Slates:
    """Draw n slates of two places from the logging policy; rewards have noise."""
    rng = np.random.default_rng(seed)
    a = rng.choice(ITEMS, n, p=FIRST[0])
    b = (NEXT[0][a].cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    first, following = mean_reward(cascade)
    reward = np.stack([first[a], following[a, b]], axis=1) + rng.normal(0.0, 0.5, (n, PLACES))
    columns: dict[str, Any] = {}
    for p, policy in enumerate(("logging", "target")):
        below = FIRST[p] @ NEXT[p]
        prefix = np.stack([FIRST[p, a], FIRST[p, a] * NEXT[p, a, b]], axis=1)
        columns[f"prefix_{policy}"] = prefix.ravel()
        columns[f"slate_{policy}"] = np.repeat(prefix[:, 1], PLACES)
        columns[f"item_{policy}"] = np.stack([FIRST[p, a], below[b]], axis=1).ravel()
    q_first, q_next = np.array([5.0, 1.0, 2.0]), np.array([1.0, -2.0, 0.5])  # any model
    return Slates(
        user=np.repeat(np.arange(n) * users // n, PLACES),
        slate=np.repeat(np.arange(n), PLACES),
        position=np.tile(np.arange(PLACES), n),
        reward=reward.ravel(),
        q_of_action=np.stack([q_first[a], q_next[b]], axis=1).ravel(),
        q_of_target=np.stack([np.full(n, FIRST[1] @ q_first), NEXT[1][a] @ q_next], axis=1).ravel(),
        **columns,
    )


def rows_of(slates: Slates, rows: Ints) -> Slates:
    return Slates(**{name: column[rows] for name, column in vars(slates).items()})


def values_by_user(estimator: SlateEstimator, slates: Slates) -> Floats:
    """Return one estimate per user, as if each were a log of its own."""
    sums = estimator.update(estimator.init(), slates).values
    return estimator.form.value(sums[:, 1:])


def z_of(estimator: SlateEstimator, cascade: bool, seed: int = 5) -> float:
    logs = draw(seed, 2_000 * 40, 2_000, cascade)
    found = values_by_user(estimator, logs)
    error = found.mean() - true_value(cascade)
    return float(error / (found.std(ddof=1) / np.sqrt(len(found))))


def test_the_slates_are_light_tailed() -> None:
    logs = draw(4, 40_000, 40_000, cascade=True)
    terms = values_by_user(ope.SIPS, logs)
    assert terms.std() / terms.mean() < 1.0


@pytest.mark.parametrize("estimator", PLAIN, ids=lambda e: e.name)
def test_unbiased_where_places_do_not_interact(estimator: SlateEstimator) -> None:
    assert abs(z_of(estimator, cascade=False)) < 3.3


@pytest.mark.parametrize("estimator", [ope.SIPS, ope.RIPS, ope.CASCADE_DR], ids=lambda e: e.name)
def test_unbiased_where_users_read_from_the_top(estimator: SlateEstimator) -> None:
    assert abs(z_of(estimator, cascade=True)) < 3.3


def test_independent_weights_are_biased_where_places_interact() -> None:
    """The tests above can fail: what IIPS assumes away shows up."""
    assert abs(z_of(ope.IIPS, cascade=True)) > 10.0


def test_less_scope_means_less_variance() -> None:
    logs = draw(6, 40_000, 1_000)
    spread = [values_by_user(e, logs).std() for e in (ope.SIPS, ope.RIPS, ope.IIPS)]
    assert spread == sorted(spread, reverse=True)


def test_values_by_hand() -> None:
    slates = Slates(
        user=np.array([1, 1, 2, 2]),
        slate=np.array([7, 7, 8, 8]),
        position=np.array([1, 0, 0, 1]),  # any order
        reward=np.array([3.0, 1.0, 2.0, 0.0]),
        prefix_logging=np.array([0.1, 0.5, 0.25, 0.2]),
        prefix_target=np.array([0.2, 0.25, 0.5, 0.1]),
        q_of_action=np.array([1.0, 2.0, 1.0, 1.0]),
        q_of_target=np.array([0.5, 2.5, 1.5, 4.0]),
    )
    found = ope.estimate_slates(slates, (ope.RIPS, ope.CASCADE_DR, NORMALISED[2]))
    assert found["rips"].value == pytest.approx((6.0 + 0.5 + 4.0 + 0.0) / 2)
    first = 0.5 * (1 - 2) + 2.5 + 2.0 * (3 - 1) + 0.5 * 0.5
    second = 2.0 * (2 - 1) + 1.5 + 0.5 * (0 - 1) + 2.0 * 4.0
    assert found["cascade_dr"].value == pytest.approx((first + second) / 2)
    assert found["snrips"].value == pytest.approx((0.5 + 4.0) / 2.5 + 6.0 / 2.5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 59))
def test_chunks_of_whole_slates_merge_to_the_bit(seed: int, cut: int) -> None:
    slates = draw(seed, 60, 20)
    first = slates.slate < cut
    parts = [rows_of(slates, np.flatnonzero(first)), rows_of(slates, np.flatnonzero(~first))]
    for estimator in (*PLAIN, *NORMALISED):
        a, b = (estimator.update(estimator.init(), part) for part in parts)
        merged, whole = estimator.merge(b, a), estimator.update(estimator.init(), slates)
        assert estimator.estimate(merged) == estimator.estimate(whole)
        assert estimator.skew_corrected(merged) == estimator.skew_corrected(whole)
        assert estimator.bootstrap(merged, 20) == estimator.bootstrap(whole, 20)


def test_a_constant_reward_leaves_self_normalised_slates_no_width() -> None:
    slates = replace(draw(7, 80, 30), reward=np.full(160, 3.0))
    for estimator in NORMALISED:
        state = estimator.update(estimator.init(), slates)
        for found in (
            estimator.estimate(state),
            estimator.skew_corrected(state),
            estimator.bootstrap(state, 50),
        ):
            assert found.value == pytest.approx(6.0)
            assert found.width == 0.0


def test_what_is_no_whole_slate_is_refused() -> None:
    good = draw(8, 5, 5)
    for column, row, bad in (("position", 3, 2), ("position", 2, 1), ("user", 3, 99)):
        wrong = getattr(good, column).copy()
        wrong[row] = bad
        with pytest.raises(InputError, match="whole slates"):
            replace(good, **{column: wrong})
    with pytest.raises(InputError, match="whole slates"):
        rows_of(good, np.arange(1, 10))


@pytest.mark.parametrize(
    ("column", "bad"),
    [
        ("reward", np.nan),
        ("slate_logging", 0.0),
        ("item_logging", 1.1),
        ("prefix_target", -0.1),
        ("item_target", 1.5),
        ("q_of_action", np.inf),
    ],
)
def test_values_out_of_range_name_the_row(column: str, bad: float) -> None:
    good = draw(9, 5, 5)
    wrong = getattr(good, column).copy()
    wrong[4] = bad
    with pytest.raises(InputError, match=f"row 4, column {column}"):
        replace(good, **{column: wrong})
    if column != "reward":  # whose length is the number of rows
        with pytest.raises(InputError, match=f"column {column}"):
            replace(good, **{column: wrong[1:]})


def test_what_is_missing_is_asked_for() -> None:
    good = draw(10, 5, 5)
    with pytest.raises(MissingCapabilityError, match="slate_logging"):
        ope.estimate_slates(replace(good, slate_logging=None))
    with pytest.raises(MissingCapabilityError, match="q_of_action"):
        ope.estimate_slates(replace(good, q_of_target=None), (ope.CASCADE_DR,))
    with pytest.raises(NotEnoughDataError):
        ope.estimate_slates(rows_of(good, np.arange(0)))
    with pytest.raises(InputError, match="position 1"):
        ope.estimate_slates(good, (ope.self_normalised(ope.RIPS, 1),))
    for places, estimator in ((0, ope.RIPS), (2, ope.CASCADE_DR)):
        with pytest.raises(InputError, match="self_normalised"):
            ope.self_normalised(estimator, places)


def test_few_users_and_places_without_weight_have_a_status() -> None:
    alone = replace(draw(11, 5, 5), user=np.zeros(10, dtype=np.int64))
    assert ope.estimate_slates(alone)["sips"].status == "not_enough_data"
    assert ope.RIPS.estimate(ope.RIPS.init()).status == "not_enough_data"
    good = draw(12, 5, 5)
    assert good.prefix_target is not None
    blind = replace(good, prefix_target=np.where(good.position == 1, 0.0, good.prefix_target))
    assert ope.estimate_slates(blind, (NORMALISED[2],))["snrips"].status == "undefined"
