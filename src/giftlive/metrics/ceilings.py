"""How much of the revenue the top could hold at best: three orders that no model reaches.

``oracle_at`` orders by what was realised, luck included. The other two need a generated world,
where the expected amount of every row is known; their numerator is expected revenue, so that
they answer the same question as a capture of expected revenue and luck cannot enter::

    any model that sees the observables  <=  bayes_ceiling  <=  latent_ceiling

Both inequalities are about expectations over the rows, not about one draw of the ordering.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from giftlive.metrics.ranking import revenue_capture


def oracle_at(y: ArrayLike, fraction: float, weights: ArrayLike | None = None) -> float:
    """Estimate the revenue capture of the realised order itself.

    Σ of the largest amounts in ``fraction`` of the rows / Σ amount. Nobody can know the amounts
    beforehand: it bounds every capture of the same rows and is far above any reachable one.

    Examples
    --------
    >>> oracle_at([0.0, 5.0, 15.0, 0.0], 0.25)
    0.75
    """
    return revenue_capture(y, y, fraction, weights)


def latent_ceiling(expected: ArrayLike, fraction: float, weights: ArrayLike | None = None) -> float:
    """Estimate the capture of the order by the true expected amount, latents included.

    Σ expected amount in the top ``fraction`` by expected amount / Σ expected amount.

    Parameters
    ----------
    expected : [n] E[amount | everything the world knows before the decision] >= 0.
    fraction : in (0, 1]. weights : [n] >= 0.

    Returns
    -------
    float in [0, 1]; the largest expected-revenue capture of any order. nan without revenue.

    Examples
    --------
    >>> latent_ceiling([1.0, 1.0, 6.0, 2.0], 0.25)
    0.6
    """
    return revenue_capture(expected, expected, fraction, weights)


def bayes_ceiling(
    expected: ArrayLike,
    bayes_value: ArrayLike,
    fraction: float,
    weights: ArrayLike | None = None,
) -> float:
    """Estimate the capture of the best order an observer could have.

    Σ expected amount in the top ``fraction`` by E[amount | observables] / Σ expected amount.
    Assumption: ``bayes_value`` is close to the conditional mean. It is estimated on at least 20
    times the data a model gets; what error is left makes the ceiling too low on average.

    Parameters
    ----------
    expected : [n] E[amount | everything the world knows] >= 0, the numerator.
    bayes_value : [n] E[amount | observables], the order.
    fraction : in (0, 1]. weights : [n] >= 0.

    Examples
    --------
    >>> bayes_ceiling([1.0, 3.0, 6.0, 2.0], [2.0, 2.0, 4.0, 4.0], 0.5)
    0.6666666666666666
    """
    return revenue_capture(expected, bayes_value, fraction, weights)
