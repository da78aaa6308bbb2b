"""Whether events pile up in one place more than the law of those beside them allows."""

from __future__ import annotations

from scipy.stats import binom

ALPHA = 1e-3
"""Chance at which a detector may accuse clean logs; with twenty detectors about one log in fifty.

Where one detector makes several tests, each gets an equal part of it.
"""
STEEPER = 2.0
"""How much denser than its neighbourhood a single step may be by the shape of a law alone."""


def atom(inside: int, beside: int, width: float, width_beside: float) -> float:
    """Return the chance of ``inside`` or more events in one place, given those beside it.

    Times that fall where they like are about as dense in one place as next to it: given the sum,
    the count inside is binomial. The density inside may be twice that beside, so that a law
    which rises or falls steeply is not taken for an atom.

    Parameters
    ----------
    inside, beside : counts. width, width_beside : of the two places, in the same unit.

    Examples
    --------
    >>> atom(90, 2, 1, 20) < 1e-9, atom(3, 20, 1, 20) > 0.05
    (True, True)
    """
    weight = STEEPER * width
    return float(binom.sf(inside - 1, inside + beside, weight / (weight + width_beside)))
