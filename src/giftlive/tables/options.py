"""The choices that decide what the tables contain."""

from __future__ import annotations

from dataclasses import dataclass

from giftlive.errors import UsageError
from giftlive.logs.source import Source

UNITS = ("auto", "session", "click", "gift")


@dataclass(frozen=True)
class TableOptions:
    """Choices of :func:`giftlive.tables.build_tables`.

    Attributes
    ----------
    unit : one row per "session" (one user's clicks on one room), "click" or "gift"; "auto" is
        the session where there are clicks and the gift where there are none.
    attribution_window_ms : a gift counts for the last click at most this long before it;
        None = until that click's viewing ends (for sources with real gift times).
    session_gap_ms : a new session starts when two entries are further apart; None = never.
    strict : leave out profile columns that are a snapshot of the last day.
    planted_leak : add a feature that is the label, to prove that the audit finds it.
    memory_limit, threads : of DuckDB; neither changes a result.
    """

    unit: str = "auto"
    attribution_window_ms: int | None = 60_000
    session_gap_ms: int | None = None
    strict: bool = True
    planted_leak: bool = False
    memory_limit: str = "2GB"
    threads: int = 2

    def __post_init__(self) -> None:
        """Refuse what no table could be built from."""
        if self.unit not in UNITS:
            raise UsageError(f"unknown unit {self.unit!r}", "TableOptions", f"one of {UNITS}")
        for name in ("attribution_window_ms", "session_gap_ms"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise UsageError(f"{name} is {value}", "TableOptions", "0 ms or more")

    def unit_of(self, source: Source) -> str:
        """Return the unit of the rows built from ``source``.

        Raises
        ------
        MissingCapabilityError
            Where the source lacks the table that the unit is made of.
        """
        auto = "session" if "click" in source.capabilities else "gift"
        unit = auto if self.unit == "auto" else self.unit
        source.require("gift" if unit == "gift" else "click", step=f"a table of {unit}s")
        return unit
