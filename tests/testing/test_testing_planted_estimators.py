"""Each estimator check fails on an estimator that breaks just this promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from giftlive.ope import IPS, Interactions, clipped_ips
from giftlive.stats.intervals import Interval
from giftlive.testing import ESTIMATOR_CHECKS, check_estimator, identical, require
from giftlive.testing import estimators as promise
from giftlive.types import Floats


@dataclass(frozen=True)
class Spoiled:
    """IPS with one of its functions replaced."""

    merges: Callable[[Any, Any], Any] = IPS.merge
    updates: Callable[[Any, Interactions], Any] = IPS.update
    estimates: Callable[[Any], Interval] = IPS.estimate

    def init(self) -> Any:
        return IPS.init()

    def update(self, state: Any, chunk: Interactions, /) -> Any:
        return self.updates(state, chunk)

    def merge(self, a: Any, b: Any, /) -> Any:
        return self.merges(a, b)

    def estimate(self, state: Any, /) -> Interval:
        return self.estimates(state)


class Naive:
    """IPS in two floating-point sums: right, but its last digits depend on the order of rows."""

    def init(self) -> tuple[float, int]:
        return 0.0, 0

    def update(self, state: tuple[float, int], chunk: Interactions, /) -> tuple[float, int]:
        total, n = state
        for term in chunk.weight * chunk.reward:
            total += float(term)
        return total, n + len(chunk)

    def merge(self, a: tuple[float, int], b: tuple[float, int], /) -> tuple[float, int]:
        return a[0] + b[0], a[1] + b[1]

    def estimate(self, state: tuple[float, int], /) -> Interval:
        value = state[0] / state[1]
        return Interval(value, value, value, "naive", state[1], "decisions")


def twice(a: Any, b: Any) -> Any:
    return IPS.merge(a, IPS.merge(a, b))


def odd_users_count_twice(log: Interactions) -> tuple[Floats, Floats]:
    twice_if_odd = (1 + log.user % 2).astype(np.float64)
    return twice_if_odd * log.weight * log.reward, np.ones(len(log))


def logarithm(log: Interactions) -> tuple[Floats, Floats]:
    return log.weight * np.log1p(log.reward), np.ones(len(log))


def in_place(state: Any, chunk: Interactions) -> Any:
    state.whole[:] += 1
    return IPS.update(state, chunk)


def made_up(state: Any) -> Interval:
    found = IPS.estimate(state)
    return found if found.status == "ok" else Interval(0.0, 0.0, 0.0, "made up", 0, "users")


def guessed(state: Any, chunk: Interactions) -> Any:
    uniform = np.full(len(chunk), 1.0 / chunk.target.shape[1])
    known = uniform if chunk.propensity is None else np.nan_to_num(chunk.propensity, nan=0.5)
    return IPS.update(state, replace(chunk, propensity=known))


PLANTED: tuple[tuple[promise.EstimatorCheck, promise.Estimator, str], ...] = (
    (promise.chunks_merge_to_the_whole, Spoiled(merges=twice), "merged chunks gave"),
    (promise.chunks_merge_to_the_whole, Naive(), "chunks"),
    (promise.rows_have_no_order, Naive(), "permuted rows"),
    (promise.names_do_not_matter, replace(IPS, terms=odd_users_count_twice), "renamed"),
    (promise.the_unit_of_money_only_scales, replace(IPS, terms=logarithm), "rescaled"),
    (promise.the_logging_policy_earns_the_plain_mean, clipped_ips(0.5), "the mean reward"),
    (promise.missing_propensities_are_refused, Spoiled(updates=guessed), "was not refused"),
    (promise.one_user_is_not_enough, Spoiled(estimates=made_up), "one user gave value 0.0"),
    (promise.states_are_left_alone, Spoiled(updates=in_place), "changed the old state"),
)


@pytest.fixture
def _open_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let logs without propensities in, as a log type without a check would."""
    monkeypatch.setattr("giftlive.ope.log._check_propensity", lambda propensity: None)


@pytest.mark.usefixtures("_open_door")
@pytest.mark.parametrize(("check", "estimator", "says"), PLANTED)
def test_a_broken_estimator_is_caught(
    check: promise.EstimatorCheck, estimator: promise.Estimator, says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        check(estimator)
    with pytest.raises(AssertionError):
        check_estimator(estimator)


def test_every_estimator_check_has_an_estimator_that_breaks_it() -> None:
    assert {check for check, _, _ in PLANTED} == set(ESTIMATOR_CHECKS)


def test_identical_looks_at_bits_and_inside_records() -> None:
    assert identical({"a": (1, [np.zeros(2)])}, {"a": (1, [np.zeros(2)])})
    assert identical(np.array([np.nan]), np.array([np.nan]))
    assert identical(np.random.default_rng(1), np.random.default_rng(1))
    moved = np.random.default_rng(1)
    moved.random()
    for a, b in (
        (np.zeros(2), np.zeros(3)),
        (np.zeros(2), np.zeros(2, dtype=np.int64)),
        (np.array([0.1 + 0.2]), np.array([0.3])),
        (np.array(["a"], dtype=object), np.array(["b"], dtype=object)),
        ((1,), [1]),
        ({"a": 1}, {"b": 1}),
        (replace(made_up(IPS.init()), n=1), made_up(IPS.init())),
        (moved, np.random.default_rng(1)),
    ):
        assert not identical(a, b)


def test_require_speaks_only_of_broken_promises() -> None:
    require(np.array([True]).all(), "not said")
    with pytest.raises(AssertionError, match="said"):
        require(False, "said")
