"""Users drawn with replacement, and what the interval methods need of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from giftlive import metrics
from giftlive.evaluation.coverage.populations import Population
from giftlive.types import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Sample:
    """G users drawn from a population; a user drawn twice counts as two users.

    Attributes
    ----------
    population : where they come from. users : [G] the drawn users.
    """

    population: Population
    users: Ints

    def __len__(self) -> int:
        return len(self.users)

    @cached_property
    def _kept(self) -> dict[Any, Any]:
        return {}

    @cached_property
    def _rows(self) -> tuple[Ints, Ints]:
        return self.population.rows_of(self.users)

    @property
    def draw(self) -> Ints:
        """[n] which drawn user each row belongs to."""
        return self._rows[1]

    def column(self, name: str) -> Floats:
        """Return a column of the population for every row of the sample: [n]."""
        return self.population.columns[name][self._rows[0]]

    @cached_property
    def score(self) -> metrics.Ranked:
        """[n] the ranking being judged, sorted once."""
        return metrics.Ranked.of(self.column("score"))

    @cached_property
    def rival(self) -> metrics.Ranked:
        """[n] the ranking it is compared with."""
        return metrics.Ranked.of(self.column("rival"))

    @cached_property
    def probability(self) -> metrics.Ranked:
        """[n] the promised probability of a gift."""
        return metrics.Ranked.of(self.column("probability"))

    def total(self, name: str) -> Floats:
        """Return the sum of a column over the rows of every drawn user: [G]."""
        return self.population.totals(name)[self.users]

    def by_user(self, values: Floats | Bools) -> Floats:
        """Sum row ``values`` [n] over every drawn user: [G]."""
        return np.bincount(self.draw, values, len(self.users)).astype(np.float64)

    def once(self, key: Any, make: Any) -> Any:
        """Return ``make()``, computed once per sample and key."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]


def whole(population: Population) -> Sample:
    """Return the population as a sample of itself: its statistics are the truth."""
    return Sample(population, np.arange(population.users))


def draw(population: Population, clusters: int, rng: np.random.Generator) -> Sample:
    """Draw ``clusters`` users with replacement."""
    return Sample(population, rng.integers(0, population.users, clusters))
