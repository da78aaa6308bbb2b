"""What every off-policy estimator promises (the contract is ``ope.estimators.Estimator``)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields, replace
from functools import reduce
from typing import Any, Protocol

import numpy as np

from giftlive.errors import MissingCapabilityError
from giftlive.ope.log import Interactions, of_action
from giftlive.rng import stream
from giftlive.stats.intervals import Interval
from giftlive.testing.promise import identical, require
from giftlive.types import Ints


class Estimator(Protocol):
    """A target policy's value from a log, chunk by chunk."""

    def init(self) -> Any:
        """Return the state that has seen nothing."""

    def update(self, state: Any, chunk: Interactions, /) -> Any:
        """Return the state after a chunk of the log."""

    def merge(self, a: Any, b: Any, /) -> Any:
        """Return the state of both logs together."""

    def estimate(self, state: Any, /) -> Interval:
        """Return the value per decision with its interval."""


EstimatorCheck = Callable[[Estimator], None]

SEEDS = range(8)


def check_estimator(estimator: Estimator) -> None:
    """Raise AssertionError at the first promise that ``estimator`` breaks.

    Examples
    --------
    >>> from giftlive.ope import SNIPS
    >>> check_estimator(SNIPS)
    """
    for check in ESTIMATOR_CHECKS:
        check(estimator)


def make_log(seed: int, decisions: int = 90, users: int = 15, candidates: int = 4) -> Interactions:
    """Draw a log with full overlap, amounts as rewards and a reward model that is wrong."""
    draw = stream(seed, "conformance log")
    propensities = 0.8 * draw.dirichlet(np.ones(candidates), decisions) + 0.2 / candidates
    below = propensities.cumsum(axis=1) < draw.random((decisions, 1))
    action = below.sum(axis=1).clip(0, candidates - 1)
    return Interactions(
        user=draw.integers(0, users, decisions),
        action=action,
        propensity=of_action(propensities, action),
        reward=np.floor(draw.lognormal(2.0, 1.0, decisions)) * (draw.random(decisions) < 0.5),
        target=draw.dirichlet(np.ones(candidates), decisions),
        q=draw.normal(5.0, 3.0, (decisions, candidates)),
        propensities=propensities,
    )


def chunks_merge_to_the_whole(estimator: Estimator) -> None:
    """Require that chunks, however cut and merged, give the estimate of the whole log exactly."""
    for seed in SEEDS:
        log = make_log(seed)
        whole = _of(estimator, log)
        draw = stream(seed, "cuts")
        cuts = np.sort(draw.integers(1, len(log), 3))
        parts = [rows for rows in np.split(draw.permutation(len(log)), cuts) if len(rows)]
        states = [estimator.update(estimator.init(), _rows(log, rows)) for rows in parts]
        left = reduce(estimator.merge, states)
        right = reduce(lambda a, b: estimator.merge(b, a), states, estimator.init())
        for merged in (left, right):
            _require_same(whole, estimator.estimate(merged), f"{len(parts)} merged chunks")
        following = estimator.init()
        for rows in parts:
            following = estimator.update(following, _rows(log, rows))
        _require_same(whole, estimator.estimate(following), f"{len(parts)} chunks in a row")


def rows_have_no_order(estimator: Estimator) -> None:
    """Require that permuting the rows of a log changes no bit of the estimate."""
    for seed in SEEDS:
        log = make_log(seed)
        order = stream(seed, "rows").permutation(len(log))
        _require_same(_of(estimator, log), _of(estimator, _rows(log, order)), "permuted rows")


def names_do_not_matter(estimator: Estimator) -> None:
    """Require that renaming users and reordering candidates changes nothing but rounding."""
    for seed in SEEDS:
        log = make_log(seed)
        columns = stream(seed, "columns").permutation(log.target.shape[1])
        renamed = replace(
            log,
            user=1_001 - 3 * log.user,
            action=np.argsort(columns)[log.action],
            target=log.target[:, columns],
            q=None if log.q is None else log.q[:, columns],
            propensities=None if log.propensities is None else log.propensities[:, columns],
        )
        _require_close(_of(estimator, renamed), _of(estimator, log), 1.0, "renamed")


def the_unit_of_money_only_scales(estimator: Estimator) -> None:
    """Require that rewards (and their model) in another unit give the estimate in that unit."""
    for seed, factor in zip(SEEDS, (100.0, 0.01, 7.3, 1e4) * 2, strict=True):
        log = make_log(seed)
        assert log.q is not None
        other = replace(log, reward=factor * log.reward, q=factor * log.q)
        _require_close(_of(estimator, other), _of(estimator, log), factor, "rescaled rewards")


def the_logging_policy_earns_the_plain_mean(estimator: Estimator) -> None:
    """Require that a target equal to the logging policy is worth the mean reward.

    The log's model, where an estimator uses one, is right about every row.
    """
    for seed in SEEDS:
        log = make_log(seed)
        assert log.propensities is not None
        right = np.repeat(log.reward[:, None], log.target.shape[1], axis=1)
        found = _of(estimator, replace(log, target=log.propensities, q=right)).value
        mean = float(log.reward.mean())
        require(
            found is not None and abs(found - mean) <= 1e-9 * mean,
            f"the logging policy is worth {found}, but the mean reward of its log is {mean}",
        )


def missing_propensities_are_refused(estimator: Estimator) -> None:
    """Require that a log without propensities, or with a gap in them, is refused by name."""
    log = make_log(0)
    gap = np.where(np.arange(len(log)) == 7, np.nan, log.logged)
    for propensity, what in ((None, "without propensities"), (gap, "with a missing propensity")):
        try:
            _of(estimator, replace(log, propensity=propensity))
        except MissingCapabilityError:
            continue
        raise AssertionError(f"a log {what} was not refused with a MissingCapabilityError")


def one_user_is_not_enough(estimator: Estimator) -> None:
    """Require that one user, or none, gives a status and a reason instead of a number."""
    log = make_log(0, users=1)
    for few, what in ((_of(estimator, log), "one user"), (_nothing(estimator), "no log")):
        require(
            few.status != "ok" and few.value is None and few.reason,
            f"{what} gave value {few.value} with status {few.status!r} and reason {few.reason!r}",
        )


def states_are_left_alone(estimator: Estimator) -> None:
    """Require that ``update`` and ``merge`` change no state and no chunk in place."""
    log, other = make_log(0), make_log(1)
    a, b = estimator.update(estimator.init(), log), estimator.update(estimator.init(), other)
    before = deepcopy((a, b, log))
    estimator.update(a, log)
    require(identical(before[0], a), "update changed the old state in place")
    require(identical(before[2], log), "update changed the chunk in place")
    estimator.merge(a, b)
    require(identical(before[:2], (a, b)), "merge changed a state in place")


ESTIMATOR_CHECKS: tuple[EstimatorCheck, ...] = (
    chunks_merge_to_the_whole,
    rows_have_no_order,
    names_do_not_matter,
    the_unit_of_money_only_scales,
    the_logging_policy_earns_the_plain_mean,
    missing_propensities_are_refused,
    one_user_is_not_enough,
    states_are_left_alone,
)
"""What every estimator promises."""


def _of(estimator: Estimator, log: Interactions) -> Interval:
    return estimator.estimate(estimator.update(estimator.init(), log))


def _nothing(estimator: Estimator) -> Interval:
    return estimator.estimate(estimator.init())


def _rows(log: Interactions, rows: Ints) -> Interactions:
    columns = {f.name: getattr(log, f.name) for f in fields(log)}
    chosen: dict[str, Any] = {k: None if v is None else v[rows] for k, v in columns.items()}
    return Interactions(**chosen)


def _require_same(whole: Interval, found: Interval, what: str) -> None:
    require(identical(whole, found), f"{what} gave {_show(found)}, the whole log {_show(whole)}")


def _require_close(found: Interval, base: Interval, factor: float, what: str) -> None:
    require(
        found.status == base.status == "ok",
        f"{what}: status {found.status!r}, was {base.status!r}, on a log with full overlap",
    )
    pairs = ((found.value, base.value), (found.low, base.low), (found.high, base.high))
    size = max(abs(b) for _, b in pairs if b is not None) * factor
    require(
        all(
            a is not None and b is not None and abs(a - factor * b) <= 1e-7 * size for a, b in pairs
        ),
        f"{what} gave {_show(found)}, expected {factor:g} times {_show(base)}",
    )


def _show(interval: Interval) -> str:
    return f"{interval.value!r} [{interval.low!r}, {interval.high!r}]"
