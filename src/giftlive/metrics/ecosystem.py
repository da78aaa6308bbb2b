"""How a quantity (exposure, income) is spread over a population (all, live, receiving rooms).

The caller names quantity and population; the numbers are meaningless without both.
:func:`ecosystem_name` writes the name, :func:`members` selects the population it promises.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import UsageError
from giftlive.metrics.order import (
    UNDEFINED,
    Ranking,
    checked_fraction,
    flags,
    mean,
    not_negative,
    row_weights,
    share,
)
from giftlive.stats import heavy_tails
from giftlive.types import Bools, Floats

Quantity = Literal["exposure", "expected_income", "realised_income"]
Population = Literal["all", "live", "receiving"]

_DUST = 1e-12
"""A part of a row below this is rounding of the border, not membership of the tail."""


def ecosystem_name(metric: str, quantity: Quantity, population: Population) -> str:
    """Return the full name of an ecosystem number, ``metric(quantity, population)``.

    Raises
    ------
    UsageError
        The quantity or the population is not one of the design.

    Examples
    --------
    >>> ecosystem_name("gini", "exposure", "live")
    'gini(exposure, live)'
    """
    _one_of(quantity, get_args(Quantity), "quantity")
    _one_of(population, get_args(Population), "population")
    return f"{metric}({quantity}, {population})"


def members(population: Population, x: ArrayLike, live: ArrayLike) -> Bools:
    """Return [n] who belongs to the population: all, those live, or those with ``x`` above 0.

    Examples
    --------
    >>> members("receiving", [0.0, 2.0], [True, True]).tolist()
    [False, True]
    """
    _one_of(population, get_args(Population), "population")
    values = _spread(x)
    on_air = flags(live, "live", len(values))
    chosen = {"all": np.ones(len(values), dtype=np.bool_), "live": on_air, "receiving": values > 0}
    return chosen[population]


def _one_of(name: str, known: tuple[str, ...], argument: str) -> None:
    if name not in known:
        raise UsageError(f"{argument} {name!r}", f"argument {argument}", " | ".join(known))


def _spread(x: ArrayLike) -> Floats:
    return not_negative(x, "x")


def gini(x: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the Gini coefficient of ``x`` >= 0: 0 for equal shares, (n − 1)/n for one holder.

    Twice the area between the Lorenz curve and the diagonal. Undefined (nan) if all are 0.

    Examples
    --------
    >>> gini([0.0, 0.0, 0.0, 4.0])
    0.75
    """
    values = _spread(x)
    return heavy_tails.gini(values, row_weights(weights, len(values))) if len(values) else UNDEFINED


def hhi(x: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the Herfindahl-Hirschman index Σ share², in (0, 1]: 1 / (effective holders).

    Examples
    --------
    >>> hhi([1.0, 1.0, 1.0, 1.0])
    0.25
    """
    values = _spread(x)
    w = row_weights(weights, len(values))
    total = float(np.sum(w * values))
    return share(float(np.sum(w * values**2)), total**2)


def top_share(x: ArrayLike, fraction: float, weights: ArrayLike | None = None) -> float:
    """Estimate the share of Σx held by the largest ``fraction`` of holders.

    Examples
    --------
    >>> top_share([1.0, 1.0, 1.0, 7.0], 0.25)
    0.7
    """
    values = _spread(x)
    w = row_weights(weights, len(values))
    return heavy_tails.top_share(values, fraction, w) if len(values) else UNDEFINED


def coverage(x: ArrayLike, minimum: float = 0.0, weights: ArrayLike | None = None) -> float:
    """Estimate the share of holders with more than ``minimum``; nan without holders.

    Examples
    --------
    >>> coverage([0.0, 1.0, 2.0, 0.0])
    0.5
    """
    values = _spread(x)
    return mean(values > minimum, row_weights(weights, len(values)))


def long_tail_coverage(
    x: ArrayLike,
    past: ArrayLike,
    head: float = 0.2,
    minimum: float = 0.0,
    weights: ArrayLike | None = None,
) -> float:
    """Estimate the share of the long tail that has more than ``minimum``.

    The long tail is everybody outside the top ``head`` of the population by ``past``, a quantity
    known before the window; were it the quantity that is judged, a room would leave the tail by
    being shown. A tie at the border of the head belongs to the tail in part.

    Parameters
    ----------
    x : [n] the quantity >= 0 (exposure, income). past : [n] >= 0, fixed before the window.
    head : in (0, 1]; the default is the customary 20 %. weights : [n] >= 0.

    Returns
    -------
    float in [0, 1]; nan without anybody in the tail.

    Examples
    --------
    >>> long_tail_coverage([9.0, 1.0, 0.0], past=[8.0, 3.0, 2.0], head=1 / 3)
    0.5
    """
    values = _spread(x)
    w = row_weights(weights, len(values))
    ranking = Ranking.by(not_negative(past, "past", len(values)))
    tail = w * (1.0 - ranking.share_within(checked_fraction(head) * float(w.sum()), w))
    return mean(values > minimum, np.where(tail > _DUST * w, tail, 0.0))


def newcomer_coverage(
    x: ArrayLike, newcomer: ArrayLike, minimum: float = 0.0, weights: ArrayLike | None = None
) -> float:
    """Estimate the share of newcomers that have more than ``minimum``; nan without newcomers.

    Parameters
    ----------
    x : [n] the quantity >= 0. newcomer : [n] True for those who debut in the window.

    Examples
    --------
    >>> newcomer_coverage([9.0, 1.0, 0.0], newcomer=[False, True, True])
    0.5
    """
    values = _spread(x)
    w = row_weights(weights, len(values))
    return mean(values > minimum, w * flags(newcomer, "newcomer", len(values)))
