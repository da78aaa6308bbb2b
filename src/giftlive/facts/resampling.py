"""One set of user weights for all facts: resample the users once, reweight every sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from giftlive.stats.bootstrap import poisson_weights
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class Resampler:
    """Poisson(1) weights of every user in every replicate.

    A fact that is a function of sums over users needs only the per-user sums A [G, k]: the
    replicated totals are weights [R, G] · A. The cost is that of the users, not of the rows,
    and all facts see the same resampled users.

    Attributes
    ----------
    users : [G] ids, ascending. weights : [R, G] whole numbers; R = 0 asks for no interval.
    seed : names the whole set of weights.
    """

    users: Ints
    weights: Floats
    seed: int = 0

    @staticmethod
    def of(users: Ints, replicates: int, seed: int) -> Resampler:
        """Draw the weights of ``users`` [G] (distinct ids); 0 replicates draws nothing."""
        users = np.unique(np.asarray(users, dtype=np.int64))
        if not replicates or not len(users):
            return Resampler(users, np.empty((0, len(users))), seed)
        return Resampler(users, poisson_weights(users, replicates, seed), seed)

    def totals(self, user: Ints, columns: Floats) -> Floats:
        """Return the replicated sums [R, k] of ``columns`` [n, k] by distinct ``user`` [n]."""
        dense = np.zeros((len(self.users), columns.shape[1]))
        dense[np.searchsorted(self.users, user)] = columns
        return self.weights @ dense

    def of_user(self, user: Ints) -> Floats:
        """Return the weights [R, n] of the users ``user`` [n]."""
        return self.weights[:, np.searchsorted(self.users, user)]


def resampled(x: Floats, weights: Floats, statistic: Callable[[Floats, Floats], float]) -> Floats:
    """Return ``statistic(x, w)`` for every row w of ``weights``: [R].

    Parameters
    ----------
    x : [n] one value per independent unit. weights : [R, n] whole numbers; a row whose units
        all have weight 0 has no value (nan).
    """
    return np.array([statistic(x, w) if w.any() else np.nan for w in weights])
