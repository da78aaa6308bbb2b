"""Differences that say who is ahead: paired by seed, made from levels."""

from __future__ import annotations

from collections.abc import Mapping

COMPARED = (
    ("ridge", "user_past_spend"),
    ("user_past_spend", "pair_past_spend"),
    ("ridge_log1p", "ridge"),
    ("logistic_x_ridge", "ridge"),
)
"""Pairs of rankers; the first minus the second."""

Cell = tuple[str, str, str]


def differences(names: Mapping[str, object]) -> dict[Cell, tuple[Cell, Cell]]:
    """Return the cell of every difference, with the two cells it is made of.

    Parameters
    ----------
    names : rankers that there are.
    """
    found: dict[Cell, tuple[Cell, Cell]] = {}
    for one, other in COMPARED:
        if one in names and other in names:
            for top in ("capture@1 %", "capture@10 %"):
                cells = ("order", one, top), ("order", other, top)
                found["gains", f"{one} - {other}", top] = cells
    for name in names:
        found["periods", name, "late - early"] = (
            ("periods", name, "late"),
            ("periods", name, "early"),
        )
    return found
