"""How exact the times are."""

from __future__ import annotations

from collections.abc import Iterator

from giftlive.facts.audit.inspection import Inspection
from giftlive.facts.finding import Counted, Finding, measured


def timestamp_grid_ms(inspection: Inspection) -> Iterator[Finding]:
    """Find the coarsest step on which 99 % of the first time stamps lie, at 30 instants or more."""
    grid = inspection.grid
    counted = Counted(grid.on if grid.step > 1 else 0, grid.n, grid.table)
    yield measured(
        "timestamp_grid_ms", grid.step > 1, counted, value=float(grid.step), step=grid.step
    )
