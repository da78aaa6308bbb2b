"""Estimators for slates: several items shown at once, one row per place.

What the reward of a place depends on decides what its weight must cover::

    SIPS   the whole slate        Π over all places of π / p       no assumption, huge weights
    IIPS   the item at the place  π_k / p_k, marginal              places do not interact
    RIPS   the items up to it     Π_(j<=k) π_j / p_j               users read from the top
    cascade-DR                    RIPS with a model:
        Σ_k [ w_(k) (r_k - q_k(a_k)) + w_(k-1) Σ_a π_k(a) q_k(a) ],    w_(0) = 1

The value is per slate: the sum of its places' rewards. Self-normalised forms divide by the mean
weight of each place. The dependence the estimator assumes away is its bias: an independent
estimator of places that do interact stays wrong however long the log is.

References: Li, Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay, Wen (2018) for IIPS; McInerney,
Brost, Chandar, Mehrotra, Carterette (2020), eq. 7 for RIPS; Kiyohara, Saito, Matsuhiro, Narita,
Shimizu, Yamamoto (2022), eq. 5 for cascade-DR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from giftlive.errors import InputError, MissingCapabilityError, NotEnoughDataError
from giftlive.ope.forms import Ratios
from giftlive.ope.intervals import bootstrap, delta, named, skew_corrected
from giftlive.stats.cluster_sums import ClusterSums, cluster_sums, merge, no_sums
from giftlive.stats.intervals import Interval, no_interval
from giftlive.types import Bools, Floats, Ints

Scope = Literal["slate", "item", "prefix"]


@dataclass(frozen=True, eq=False)
class Slates:
    """n places of slates, whole slates only, in any order.

    Attributes
    ----------
    user, slate, position : [n]; positions of a slate are 0, 1, ..., each once.
    reward : [n] of the place, finite.
    slate_logging, slate_target : [n] probability of the whole slate, the same in its rows.
    item_logging, item_target : [n] marginal probability of the item at its place.
    prefix_logging, prefix_target : [n] probability of the items up to and including the place.
    q_of_action : [n] modelled reward from the place on, of the item shown, given those above.
    q_of_target : [n] Σ_a π_k(a) q_k(a), given the items above.

    Each pair may be absent (None); an estimator asks for the one it needs.

    Raises
    ------
    InputError
        A value is out of range, or a slate is not whole; the message names the row.
    """

    user: Ints
    slate: Ints
    position: Ints
    reward: Floats
    slate_logging: Floats | None = None
    slate_target: Floats | None = None
    item_logging: Floats | None = None
    item_target: Floats | None = None
    prefix_logging: Floats | None = None
    prefix_target: Floats | None = None
    q_of_action: Floats | None = None
    q_of_target: Floats | None = None

    def __post_init__(self) -> None:
        n = (len(self.reward),)
        for name, column in vars(self).items():
            if column is None:
                continue
            if np.shape(column) != n:
                raise InputError(f"shape {np.shape(column)}", f"column {name}", f"shape {n}")
            if name.endswith("_logging"):
                _check(name, (column > 0.0) & (column <= 1.0), column, "in (0, 1]")
            elif name.endswith("_target") and not name.startswith("q_"):
                _check(name, (column >= 0.0) & (column <= 1.0 + 1e-9), column, "in [0, 1]")
            else:
                _check(name, np.isfinite(column), column, "finite")
        _check_whole(self)

    def __len__(self) -> int:
        return len(self.reward)

    def weight(self, scope: Scope) -> Floats:
        """Return the weights [n] of whole slates, of items, or of the items up to each place."""
        logging = getattr(self, f"{scope}_logging")
        target = getattr(self, f"{scope}_target")
        if logging is None or target is None:
            raise MissingCapabilityError(
                f"no {scope} probabilities",
                f"columns {scope}_logging, {scope}_target",
                "the probability of both policies, logged at decision time",
            )
        weight: Floats = target / logging
        return weight

    def weight_above(self) -> Floats:
        """Return [n] the prefix weight of the place above; 1 at the first."""
        order = np.lexsort((self.position, self.slate))
        weight = self.weight("prefix")[order]
        above = np.ones(len(self))
        above[1:] = weight[:-1]
        above[self.position[order] == 0] = 1.0
        found = np.empty(len(self))
        found[order] = above
        return found


@dataclass(frozen=True)
class SlateEstimator:
    """An estimator of the value per slate.

    Attributes
    ----------
    name : as printed. scope : what the weight covers. places : for a self-normalised form, the
        number of places; 0 for a plain mean over slates. modelled : whether it uses a model.

    Examples
    --------
    >>> shown = Slates(
    ...     user=np.array([1, 1, 2, 2]), slate=np.array([1, 1, 2, 2]),
    ...     position=np.array([0, 1, 0, 1]), reward=np.array([1.0, 2.0, 0.0, 4.0]),
    ...     item_logging=np.full(4, 0.5), item_target=np.array([0.5, 0.25, 0.5, 0.75]))
    >>> IIPS.estimate(IIPS.update(IIPS.init(), shown)).value
    4.0
    """

    name: str
    scope: Scope
    places: int = 0
    modelled: bool = False

    @property
    def form(self) -> Ratios:
        """Return how the value is made: one ratio, or one per place."""
        return Ratios(max(self.places, 1))

    def init(self) -> ClusterSums:
        """Return the state that has seen nothing."""
        return no_sums(1 + 2 * self.form.count)

    def update(self, state: ClusterSums, chunk: Slates) -> ClusterSums:
        """Return the state after a chunk of whole slates; chunks may come in any order."""
        weight = chunk.weight(self.scope)
        if self.places:
            columns = self._by_place(chunk, weight)
        else:
            columns = [self._terms(chunk, weight), (chunk.position == 0).astype(np.float64)]
        return merge(state, cluster_sums(chunk.user, np.column_stack([weight, *columns])))

    def merge(self, a: ClusterSums, b: ClusterSums) -> ClusterSums:
        """Return the state of both logs together, to the bit."""
        return merge(a, b)

    def estimate(self, state: ClusterSums, level: float = 0.95) -> Interval:
        """Estimate the value per slate with an interval clustered by user (delta method)."""
        sums = state.values
        problem = self._problem(sums)
        return problem or named(delta(self.form, sums[:, 1:], level), self.name)

    def skew_corrected(self, state: ClusterSums, level: float = 0.95) -> Interval:
        """Estimate the value per slate with the skewness taken out of the interval."""
        sums = state.values
        problem = self._problem(sums)
        return problem or named(skew_corrected(self.form, sums[:, 1:], level), self.name)

    def bootstrap(
        self, state: ClusterSums, replicates: int = 1000, seed: int = 0, level: float = 0.95
    ) -> Interval:
        """Estimate the value per slate with a percentile interval over resampled users."""
        sums = state.values
        problem = self._problem(sums)
        if problem is not None:
            return problem
        own = sums[:, 1:]
        return named(bootstrap(self.form, state.keys, own, replicates, seed, level), self.name)

    def _problem(self, sums: Floats) -> Interval | None:
        users, carrying = len(sums), int((sums[:, 0] > 0.0).sum())
        if carrying < 2:
            reason = f"{carrying} of {users} users carry weight under the target: need at least 2"
            return no_interval("not_enough_data", reason, self.name, users, "users")
        if not np.all(sums[:, 2::2].sum(axis=0)):
            reason = "a place has no weight under the target"
            return no_interval("undefined", reason, self.name, users, "users")
        return None

    def _terms(self, chunk: Slates, weight: Floats) -> Floats:
        if not self.modelled:
            return weight * chunk.reward
        q, expected = chunk.q_of_action, chunk.q_of_target
        if q is None or expected is None:
            raise MissingCapabilityError(
                f"{self.name} without a reward model",
                "columns q_of_action, q_of_target",
                "the modelled reward from each place on, fitted on other users' slates",
            )
        return weight * (chunk.reward - q) + chunk.weight_above() * expected

    def _by_place(self, chunk: Slates, weight: Floats) -> list[Floats]:
        if len(chunk) and chunk.position.max() >= self.places:
            raise InputError(
                f"position {chunk.position.max()}", "column position", f"below {self.places}"
            )
        terms = self._terms(chunk, weight)
        here = [(chunk.position == k).astype(np.float64) for k in range(self.places)]
        return [column for k in here for column in (k * terms, k * weight)]


SIPS = SlateEstimator("sips", "slate")
IIPS = SlateEstimator("iips", "item")
RIPS = SlateEstimator("rips", "prefix")
CASCADE_DR = SlateEstimator("cascade_dr", "prefix", modelled=True)


def self_normalised(estimator: SlateEstimator, places: int) -> SlateEstimator:
    """Return the form that divides by the mean weight of each of the ``places``.

    With whole slates of that many places, the value is Σ_k Σ w_k r_k / Σ w_k.
    """
    if places < 1 or estimator.modelled:
        what = f"{places} places of {estimator.name}"
        raise InputError(what, "self_normalised", "at least 1 place, an estimator without model")
    return replace(estimator, name=f"sn{estimator.name}", places=places)


def estimate_slates(
    slates: Slates, estimators: Sequence[SlateEstimator] = (SIPS, IIPS, RIPS), level: float = 0.95
) -> dict[str, Interval]:
    """Estimate the value per slate with several estimators: name -> interval, in order."""
    if not len(slates):
        raise NotEnoughDataError("no slates", "estimate_slates", "at least one slate")
    return {e.name: e.estimate(e.update(e.init(), slates), level) for e in estimators}


def _check(column: str, valid: Bools, shown: Floats | Ints, expected: str) -> None:
    bad = np.flatnonzero(~valid)
    if len(bad):
        what = f"{shown[bad[0]]:g} ({len(bad):,} of {len(valid):,} rows are like it)"
        raise InputError(what, f"row {bad[0]}, column {column}", f"values {expected}")


def _check_whole(slates: Slates) -> None:
    """Require that the positions of every slate are 0, 1, 2, ..., each once, of one user."""
    order = np.lexsort((slates.position, slates.slate))
    slate, position, user = slates.slate[order], slates.position[order], slates.user[order]
    starts = np.ones(len(slates), dtype=bool)
    starts[1:] = slate[1:] != slate[:-1]
    expected = np.zeros(len(slates), dtype=np.int64)
    expected[1:] = np.where(starts[1:], 0, position[:-1] + 1)
    wrong = position != expected
    wrong[1:] |= ~starts[1:] & (user[1:] != user[:-1])
    bad = order[np.flatnonzero(wrong)]
    if len(bad):
        row = int(bad[0])
        raise InputError(
            f"slate {slates.slate[row]}, position {slates.position[row]}, user {slates.user[row]}",
            f"row {row}",
            "whole slates of one user each: positions 0, 1, 2, ..., each once",
        )
