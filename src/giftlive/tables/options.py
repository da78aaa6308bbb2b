"""The choices that decide what the tables contain, and on which machine they are made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from giftlive.errors import UsageError
from giftlive.logs.source import Source

UNITS = ("auto", "session", "click", "gift")
ENGINES = ("duckdb", "spark")
FORMS = ("native", "portable")
AS_OF = ("event", "day")
DWELL_SECONDS = (0, 3, 5, 10, 30)
PLANTED = ("", "label", "future_noise", "whole_period", "train_only")

_MACHINE = ("engine", "master", "form", "memory_limit", "threads")


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
    as_of : histories as known at the decision ("event") or when its local day began ("day").
    dwell_seconds : the decision is taken this long after the entry; above 0 the rows get what
        was seen in between, and labels lose what was given in between.
    strict : leave out profile columns that are a snapshot of the last day.
    planted_leak : add a feature that knows the future in one of the ways of
        :data:`giftlive.tables.features.planted.FORESIGHT`, to prove that the audit finds it.
    engine, master : "duckdb", or "spark" with the URL of a master; None = this machine.
    form : "native", the compiled sweep, or "portable", SQL alone; Spark is always portable.
    memory_limit, threads : of the engine. None of the last five changes a result.
    """

    unit: str = "auto"
    attribution_window_ms: int | None = 60_000
    session_gap_ms: int | None = None
    as_of: str = "event"
    dwell_seconds: int = 0
    strict: bool = True
    planted_leak: str = ""
    engine: str = "duckdb"
    master: str | None = None
    form: str = "native"
    memory_limit: str = "2GB"
    threads: int = 2

    def __post_init__(self) -> None:
        """Refuse what no table could be built from."""
        choices = {
            "unit": UNITS,
            "as_of": AS_OF,
            "dwell_seconds": DWELL_SECONDS,
            "engine": ENGINES,
            "form": FORMS,
            "planted_leak": PLANTED,
        }
        for name, valid in choices.items():
            if getattr(self, name) not in valid:
                found = f"unknown {name} {getattr(self, name)!r}"
                raise UsageError(found, "TableOptions", f"one of {valid}")
        for name in ("attribution_window_ms", "session_gap_ms"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise UsageError(f"{name} is {value}", "TableOptions", "0 ms or more")
        self._require_sense()

    def _require_sense(self) -> None:
        if self.dwell_seconds and self.as_of == "day":
            raise UsageError(
                f"a decision {self.dwell_seconds} s after the entry, known as of the day's start",
                "TableOptions",
                "as_of='event' with dwell_seconds above 0",
            )
        if self.master is not None and self.engine != "spark":
            raise UsageError(
                f"master {self.master!r} with engine {self.engine!r}",
                "TableOptions",
                "a master only for engine 'spark'",
                "add `--engine spark`, or leave out `--master`",
            )

    @property
    def dwell_ms(self) -> int:
        """Return how long after the entry the decision is taken, in ms."""
        return 1_000 * self.dwell_seconds

    @property
    def by_sweep(self) -> bool:
        """Return whether features come from the compiled sweep."""
        return self.form == "native" and self.engine == "duckdb"

    def decisive(self) -> dict[str, Any]:
        """Return the options that can change a result: the machine's cannot.

        The route is among them: another one gives doubles that differ in their last digits.
        """
        plain = {name: value for name, value in asdict(self).items() if name not in _MACHINE}
        return {**plain, "route": "sweep" if self.by_sweep else f"sql on {self.engine}"}

    def unit_of(self, source: Source) -> str:
        """Return the unit of the rows built from ``source``.

        Raises
        ------
        MissingCapabilityError
            Where the source lacks the table that the unit is made of.
        UsageError
            A dwell is asked of gifts, which have none.
        """
        auto = "session" if "click" in source.capabilities else "gift"
        unit = auto if self.unit == "auto" else self.unit
        source.require("gift" if unit == "gift" else "click", step=f"a table of {unit}s")
        if unit == "gift" and self.dwell_seconds:
            raise UsageError(
                f"dwell_seconds is {self.dwell_seconds} in a table of gifts",
                "TableOptions",
                "0: a gift is not an entry that lasts",
            )
        return unit
