"""Every detector, declared once: what it needs, its limits, and the function that looks.

The words of a detector are sentences by key, ``audit.<name>.looks_for``, ``.rule``, ``.found``,
``.clean`` and ``.consequence``; the limits fill the holes of its rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from giftlive.facts.atom import ALPHA
from giftlive.facts.audit import (
    days,
    gift_times,
    gift_totals,
    keys,
    late,
    money,
    population,
    profiles,
    rooms,
    times,
    viewings,
)
from giftlive.facts.audit.inspection import GRID_LEAST, GRID_SHARE, Inspection
from giftlive.facts.audit.limits import MAJORITY, OVERWHELMING, ROW_LIMIT
from giftlive.facts.finding import Finding, not_applicable
from giftlive.facts.outages import LEAST_LOSS, SPREADS
from giftlive.types import Message


@dataclass(frozen=True)
class Detector:
    """One kind of defect and how it is looked for.

    Attributes
    ----------
    name : key of its sentences and first word of its findings. look : yields the findings.
    needs : tables it cannot do without. any_of : tables of which one is enough.
    limits : named thresholds, as its rule states them. marks : whether it touches single rows,
        which count towards ``anomalous_row_share``.
    """

    name: str
    look: Callable[[Inspection], Iterator[Finding]]
    needs: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    marks: bool = False

    @property
    def looks_for(self) -> Message:
        """What the detector looks for."""
        return Message(f"audit.{self.name}.looks_for", {})

    @property
    def rule(self) -> Message:
        """When a finding is a defect, with the limits."""
        return Message(f"audit.{self.name}.rule", dict(self.limits))

    def findings(self, inspection: Inspection) -> Iterator[Finding]:
        """Yield what it finds, or that it is not applicable and which table is missing."""
        missing = inspection.missing(self.needs)
        if self.any_of and len(inspection.missing(self.any_of)) == len(self.any_of):
            missing = (*missing, " or ".join(self.any_of))
        if missing:
            yield not_applicable(self.name, missing)
        else:
            yield from self.look(inspection)


_CHANCE = {"alpha": ALPHA}
_ROWS = {"limit": ROW_LIMIT}
_BOTH = ("click", "gift")

DETECTORS: tuple[Detector, ...] = (
    Detector("rejects", keys.rejects, limits=_ROWS, marks=True),
    Detector("duplicates", keys.duplicates, limits=_ROWS | _CHANCE, marks=True),
    Detector(
        "timestamp_grid_ms",
        times.timestamp_grid_ms,
        any_of=_BOTH,
        limits={"share": GRID_SHARE, "least": GRID_LEAST},
    ),
    Detector("entry_stamping", gift_times.entry_stamping, _BOTH, limits=_CHANCE, marks=True),
    Detector("lagged_gifts", gift_times.lagged_gifts, _BOTH, limits=_CHANCE, marks=True),
    Detector("orphan_gifts", gift_times.orphan_gifts, _BOTH, limits=_ROWS, marks=True),
    Detector("viewing_totals", gift_totals.viewing_totals, _BOTH, limits=_CHANCE),
    Detector("selected_users", population.selected_users, _BOTH, limits=_CHANCE),
    Detector(
        "selected_streamers",
        population.selected_streamers,
        ("click",),
        ("room", "streamer"),
        limits=_CHANCE,
    ),
    Detector(
        "snapshot_columns",
        profiles.snapshot_columns,
        ("click",),
        ("user", "streamer"),
        limits=_CHANCE,
    ),
    Detector(
        "whole_period_columns",
        profiles.whole_period_columns,
        any_of=("user", "streamer"),
        limits={"same": profiles.SAME, "share": profiles.SAME_SHARE},
    ),
    Detector(
        "outage_days",
        days.outage_days,
        _BOTH,
        limits={"spreads": SPREADS, "loss": LEAST_LOSS},
    ),
    Detector("missing_days", days.missing_days, any_of=_BOTH, limits=_CHANCE),
    Detector("late_records", late.late_records, _BOTH, limits=_CHANCE),
    Detector("censored_rooms", rooms.censored_rooms, ("room",), limits=_CHANCE, marks=True),
    Detector("broken_rooms", rooms.broken_rooms, ("room",), limits=_ROWS, marks=True),
    Detector("gifts_without_room", rooms.gifts_without_room, ("gift",), limits=_ROWS),
    Detector("impossible_watch", viewings.impossible_watch, ("click",), limits=_ROWS, marks=True),
    Detector("zero_watch", viewings.zero_watch, ("click",)),
    Detector(
        "bursts",
        viewings.bursts,
        any_of=_BOTH,
        limits=_CHANCE | {"least": viewings.LEAST_BURST},
        marks=True,
    ),
    Detector(
        "dominant_user",
        population.dominant_user,
        ("gift",),
        limits=_CHANCE | {"majority": MAJORITY, "overwhelming": OVERWHELMING},
    ),
    Detector("currency_mix", money.currency_mix, ("gift",)),
    Detector("anonymous_gifts", money.anonymous_gifts, any_of=("gift", "gift_anonymous")),
)
"""In the order in which findings are listed."""

UNDETECTABLE = ("short_lags", "single_presses", "mixed_units", "unseen_rows", "still_profiles")
"""What no row of a log can show, whatever is looked at; each has its reason (``.undetectable``)."""
