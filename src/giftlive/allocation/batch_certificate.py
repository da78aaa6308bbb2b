"""The certificate of a batch: the lowest bound found, and a fluid that shows how close it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from giftlive import rng
from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_descent import BatchDescent
from giftlive.allocation.batch_dual import BatchPrices, bound_and_response
from giftlive.allocation.batch_kernels import FLOOR, SEAT
from giftlive.allocation.fluid import Fluid, cut_to_limits, fits
from giftlive.allocation.problem import Label

Status = Literal["uncongested", "tight", "loose", "infeasible"]

_FIRST_CHECK, _CHECK_GROWTH = 10, 1.5  # passes until the gap is looked at, and then by this factor


@dataclass(frozen=True)
class BatchCertificate:
    """An upper bound on the worth of any allocation, with its proof and its tightness.

    Attributes
    ----------
    bound : D at ``prices``, evaluated exactly. prices : one per limit, and the worth of value.
    fluid : the best fluid found that meets the limits; its ``worth`` is a lower bound on the
        optimum of the fluid, unless hard minima are missed.
    gap : (bound - worth of the fluid) / bound; 1 where no feasible fluid was found; 0 at bound 0.
    greedy_value : Σ_u of the b_u largest values, what there would be without limits.
    overflow_share : Σ_s max(0, load - C) / Σ_s load for the load of that unconstrained greedy.
    price_share : Σ of the prices paid / Σ p v over what is taken at ``prices``: the part of the
        worth that is rent; guaranteed exposure counts against it.
    passes : made. label : as the batch's.
    status : ``uncongested`` (greedy meets every limit under linear returns: bound exact),
        ``tight`` (gap within the tolerance), ``loose`` (the bound holds, more passes would
        sharpen it) or ``infeasible`` (D < 0 proves that the minima cannot be met together).
    """

    bound: float
    prices: BatchPrices
    fluid: Fluid
    gap: float
    greedy_value: float
    overflow_share: float
    price_share: float
    passes: int
    status: Status
    label: Label


def batch_certificate(
    batch: Batch,
    *,
    passes: int = 200,
    tolerance: float = 3e-4,
    seed: int = 0,
    start: BatchPrices | None = None,
) -> BatchCertificate:
    """Price the limits of a batch by minimising D.

    Parameters
    ----------
    batch : the instance. passes : upper limit of passes over the users.
    tolerance : relative gap at which to stop. seed : of the shuffles.
    start : prices to start from (yesterday's).

    Examples
    --------
    >>> batch = Batch(np.array([[5.0], [3.0]]), np.zeros((2, 1), np.int64), np.ones(1))
    >>> priced = batch_certificate(batch)
    >>> round(priced.bound, 1), priced.overflow_share
    (5.0, 0.5)
    """
    zero = BatchPrices.zero(batch)
    marks = np.zeros(batch.rooms.shape)
    _, greedy = bound_and_response(batch, zero, marks)
    load = greedy.use[SEAT]
    overflow = float(np.maximum(load - batch.capacity, 0.0).sum()) / max(float(load.sum()), 1.0)
    status: Status = "uncongested"
    if batch.returns.kind == "linear" and fits(batch, marks):
        fluid, prices, made = cut_to_limits(batch, marks, zero), zero, 0
        bound, gap, rent = greedy.reduced, 0.0, 0.0
    else:
        opening = zero if start is None else start.checked(batch)
        descent = BatchDescent(batch, rng.stream(seed, "batch"), opening)
        fluid, gap, status = _run(descent, passes, tolerance)
        bound, prices, made = descent.bound, descent.best, descent.passes
        rent = _price_share(batch, prices)
    return BatchCertificate(
        bound=bound,
        prices=prices,
        fluid=fluid,
        gap=gap,
        greedy_value=greedy.reduced,
        overflow_share=overflow,
        price_share=rent,
        passes=made,
        status=status,
        label=batch.label,
    )


def _run(descent: BatchDescent, passes: int, tolerance: float) -> tuple[Fluid, float, Status]:
    """Descend until gap, passes or a proof of infeasibility end it."""
    batch, check = descent.batch, _FIRST_CHECK
    best = cut_to_limits(batch, descent.fluid, descent.best)
    gap = _gap(descent.bound, best)
    while descent.passes < passes and gap > tolerance and descent.bound >= 0.0:
        descent.advance()
        if descent.passes < min(check, passes):
            continue
        check = int(_CHECK_GROWTH * descent.passes)
        descent.look()
        fluid = cut_to_limits(batch, descent.fluid, descent.best)
        if (fluid.feasible, fluid.worth) > (best.feasible, best.worth):
            best = fluid
        gap = _gap(descent.bound, best)
    if descent.bound < 0.0 and not np.isfinite(batch.shortfall_price):
        return best, gap, "infeasible"
    return best, gap, "tight" if gap <= tolerance else "loose"


def _gap(bound: float, fluid: Fluid) -> float:
    if not fluid.feasible:
        return 1.0
    return max(0.0, 1.0 - fluid.worth / bound) if bound > 0.0 else 0.0


def _price_share(batch: Batch, prices: BatchPrices) -> float:
    """Return Σ paid / Σ p v over what is taken at ``prices``; 0 where nothing is."""
    _, taken = bound_and_response(batch, prices)
    worth = float((prices.worth * taken.money).sum())
    paid = worth + float((prices.floor * taken.use[FLOOR]).sum()) - taken.reduced
    return paid / worth if worth > 0.0 else 0.0
