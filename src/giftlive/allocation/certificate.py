"""The certificate: an upper bound on what any policy could collect under hard seats.

For any prices λ >= 0 (money per seat-second), weak duality gives

    D(λ) = Σ_i max(0, max_s v_is - Σ_t e_ist λ_st) + Σ_st C_st λ_st  >=  optimum.

No policy that respects the seats can beat D in expectation, online or in hindsight of the
arrivals, because every unit of v it collects is either paid to the seats or left as reduced
value. What it assumes: values and seat-seconds are the truth (label ``true``), potential arrivals
do not depend on the policy, no externality between viewers and no effect on later days. Where one
fails, D is a number about another world, and rollouts have to compare the policies instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from giftlive import rng
from giftlive.allocation.descent import Descent, evaluate, price_scale
from giftlive.allocation.problem import Label, Problem
from giftlive.errors import InputError
from giftlive.types import Floats

Status = Literal["uncongested", "tight", "loose"]

_CHECK_EVERY = 10  # passes between two looks at the gap


@dataclass(frozen=True)
class Certificate:
    """An upper bound, the prices that prove it, and how far the truth can be below it.

    Attributes
    ----------
    bound : D at ``duals``, evaluated exactly: no policy collects more in expectation.
    duals : [S, T] price of a seat-second of each room in each bucket.
    feasible : value of the best feasible fluid found; the fluid optimum lies in
        [feasible, bound].
    gap : (bound - feasible) / bound, 0 where the bound is 0.
    use : [S, T] seat-seconds of that fluid, never above capacity.
    greedy_value : Σ_i max(0, max_s v_is), what there would be without any limit on seats.
    overflow_share : Σ_st max(0, load - C) / Σ_st load for the load of that unconstrained greedy.
    price_share : value-weighted mean of (dual cost / v) over the rooms chosen at ``duals``,
        = Σ_i Σ_t e_it λ_t / Σ_i v_i, in [0, 1]: the part of the value that is rent for seats.
    iterations : passes over the decisions.
    status : ``uncongested`` (greedy fits everywhere: duals 0, bound exact), ``tight`` (gap within
        the tolerance) or ``loose`` (the bound holds; more passes would sharpen it).
    label : as the problem's: a bound on true or on estimated value.
    """

    bound: float
    duals: Floats
    feasible: float
    gap: float
    use: Floats
    greedy_value: float
    overflow_share: float
    price_share: float
    iterations: int
    status: Status
    label: Label

    @property
    def congested(self) -> bool:
        """Whether prices matter at all: without congestion no allocator can beat greedy."""
        return self.status != "uncongested"


def dual_bound(problem: Problem, duals: Floats) -> float:
    """Return D(λ), a valid upper bound for any ``duals`` [S, T] >= 0.

    Examples
    --------
    >>> two_users_one_seat = Problem(
    ...     np.array([[5.0], [3.0]]), np.zeros((2, 1), np.int64), np.ones((2, 1)),
    ...     np.zeros(2, np.int64), np.ones((1, 1)))
    >>> dual_bound(two_users_one_seat, np.array([[3.0]]))
    5.0
    """
    if duals.shape != problem.capacity.shape:
        raise InputError(f"shape {duals.shape}", "duals", f"{problem.capacity.shape}, as capacity")
    if not (duals >= 0.0).all():
        raise InputError("a price is negative or not a number", "duals", ">= 0")
    return evaluate(problem, duals)[0]


def certificate(
    problem: Problem,
    *,
    passes: int = 120,
    tolerance: float = 0.003,
    seed: int = 0,
    duals: Floats | None = None,
) -> Certificate:
    """Price the seats by minimising D and return the best bound seen.

    A multi-pass stochastic dual: projected AdaGrad over shuffled blocks of decisions, with steps
    scaled to each room's likely price and averaged with growing weight on late passes; D is
    evaluated exactly after every pass. It stops when a feasible fluid built from the same passes
    comes within ``tolerance`` of the bound.

    Parameters
    ----------
    problem : the day. passes : upper limit of passes over the decisions.
    tolerance : relative gap at which to stop. seed : of the shuffles.
    duals : [S, T] prices to start from (yesterday's) instead of 0, used if their D is lower.

    Returns
    -------
    Certificate
        Its ``bound`` is valid whatever the status.
    """
    zero = np.zeros(problem.capacity.shape)
    greedy_value, choice, load = evaluate(problem, zero)
    overflow = float(np.maximum(load - problem.capacity, 0.0).sum())
    if overflow <= 0.0:
        return _uncongested(problem, greedy_value, load)
    warm = duals is not None and dual_bound(problem, duals) < greedy_value
    start = duals if warm and duals is not None else zero
    scale = price_scale(problem, choice, load)
    descent = Descent(problem, start, scale, rng.stream(seed, "certificate"))
    feasible, use, gap = _run(descent, passes, tolerance)
    return Certificate(
        bound=descent.bound,
        duals=descent.best,
        feasible=feasible,
        gap=gap,
        use=use,
        greedy_value=greedy_value,
        overflow_share=overflow / float(load.sum()),
        price_share=_price_share(problem, descent.best),
        iterations=descent.passes,
        status="tight" if gap <= tolerance else "loose",
        label=problem.label,
    )


def _uncongested(problem: Problem, value: float, load: Floats) -> Certificate:
    return Certificate(
        bound=value,
        duals=np.zeros_like(problem.capacity),
        feasible=value,
        gap=0.0,
        use=load,
        greedy_value=value,
        overflow_share=0.0,
        price_share=0.0,
        iterations=0,
        status="uncongested",
        label=problem.label,
    )


def _run(descent: Descent, passes: int, tolerance: float) -> tuple[float, Floats, float]:
    """Descend until the gap or the passes end it; return the best fluid, its use and the gap."""
    feasible, use, gap = 0.0, np.zeros_like(descent.duals), 1.0
    while descent.passes < passes and gap > tolerance:
        descent.advance()
        if descent.passes % _CHECK_EVERY and descent.passes < passes:
            continue
        value, candidate = descent.feasible_fluid()
        if value > feasible:
            feasible, use = value, candidate
        gap = max(0.0, 1.0 - feasible / descent.bound) if descent.bound > 0.0 else 0.0
    return feasible, use, gap


def _price_share(problem: Problem, duals: Floats) -> float:
    """Return Σ dual cost / Σ v over the rooms chosen at ``duals``; 0 where nothing is chosen."""
    reduced, choice, _ = evaluate(problem, duals)
    reduced -= float((problem.capacity * duals).sum())
    rows = np.flatnonzero(choice >= 0)
    value = float(problem.values[rows, choice[rows]].sum())
    return max(0.0, 1.0 - reduced / value) if value > 0.0 else 0.0
