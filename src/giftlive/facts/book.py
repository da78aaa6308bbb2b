"""The book of facts of one store: everything measured once, in a fixed order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from giftlive.errors import UsageError
from giftlive.facts.activity import activity_section
from giftlive.facts.atoms import atom_section
from giftlive.facts.audit import audit
from giftlive.facts.categories import category_section
from giftlive.facts.cold_start import cold_start_section
from giftlive.facts.concentration import concentration_section
from giftlive.facts.delay import DelayVerdict, delay_section, delay_verdict
from giftlive.facts.delay_law import delay_law_section
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Section
from giftlive.facts.finding import Finding
from giftlive.facts.funnel import funnel_section
from giftlive.facts.gifts import gift_section
from giftlive.facts.loyalty import loyalty_section
from giftlive.facts.pairs import pair_section
from giftlive.facts.repeats import repeat_section
from giftlive.facts.retention import retention_section
from giftlive.facts.sizes import size_section
from giftlive.facts.tails import tail_section
from giftlive.facts.time_of_day import time_section
from giftlive.facts.watch import BUCKETS, watch_section
from giftlive.logs.store import Store
from giftlive.types import Progress, silent

Topic = Callable[[Evidence], Section]

SECTIONS: tuple[Topic, ...] = (
    size_section,
    gift_section,
    atom_section,
    tail_section,
    concentration_section,
    funnel_section,
    watch_section,
    pair_section,
    repeat_section,
    cold_start_section,
    activity_section,
    loyalty_section,
    time_section,
    retention_section,
    category_section,
    delay_section,
    delay_law_section,
)

PUBLISHED_LISTS: dict[str, tuple[str, ...]] = {
    "click_share_watch_lt5_5to30_30to300_gt300": tuple(f"click_share_watch_{b}" for b in BUCKETS),
    "revenue_share_watch_lt5_5to30_30to300_gt300": tuple(
        f"revenue_share_watch_{b}" for b in BUCKETS
    ),
    "user_watch_total_p50_p90_p99_s": tuple(f"user_watch_total_p{p}_s" for p in (50, 90, 99)),
    "streamer_watch_total_p50_p90_p99_s": tuple(
        f"streamer_watch_total_p{p}_s" for p in (50, 90, 99)
    ),
    "watch_loyalty_p50_p90": ("watch_loyalty_p50", "watch_loyalty_p90"),
    "gift_loyalty_p50_p90": ("gift_loyalty_p50", "gift_loyalty_p90"),
    "users": ("size_users",),
    "streamers": ("size_streamers",),
    "rooms": ("size_rooms",),
    "interactions": ("size_interactions",),
    "clicks": ("size_clicks",),
    "comments": ("size_comments",),
    "likes": ("size_likes",),
    "gifts": ("size_gifts",),
    "negatives_rows_A": ("size_negatives",),
    "user_live_pairs_G": ("size_sessions",),
    "gift_streamers_G": ("size_gift_streamers",),
}
"""Published names that stand for several numbers or are named otherwise, and their facts."""


@dataclass(frozen=True)
class FactBook:
    """All facts of a store.

    Attributes
    ----------
    facts : in a fixed order, undefined ones included. curves : columns of figures by name.
    findings : of the data audit. delay : whether the gift delay is identifiable.
    """

    facts: tuple[Fact, ...]
    curves: dict[str, Curve]
    findings: tuple[Finding, ...]
    delay: DelayVerdict

    def fact(self, name: str) -> Fact:
        """Return the fact called ``name``.

        Raises
        ------
        UsageError
            Where there is no such fact.
        """
        for fact in self.facts:
            if fact.name == name:
                return fact
        raise UsageError(
            f"there is no fact {name!r}", "name", "the name of a fact", "see FactBook.facts"
        )

    def published(self, target: str, day_basis: str = "") -> tuple[Fact, ...]:
        """Return the facts behind a published quantity: one, or one per number of a list.

        Parameters
        ----------
        target : name in the table of published KuaiLive values. day_basis : ``utc`` where the
            published value counted UTC days; the fact of UTC days is returned if there is one.
        """
        names = {fact.name for fact in self.facts}
        wanted = PUBLISHED_LISTS.get(target, (target,))
        ending = f"_{day_basis}" if day_basis else ""
        return tuple(self.fact(n + ending if n + ending in names else n) for n in wanted)

    def finding(self, name: str) -> Finding | None:
        """Return the finding called ``name``, or ``None``."""
        return next((finding for finding in self.findings if finding.name == name), None)

    @property
    def defects(self) -> tuple[Finding, ...]:
        """Findings that make numbers computed from the rows they touch wrong."""
        return tuple(finding for finding in self.findings if finding.severity == "defect")

    def as_dict(self) -> dict[str, Any]:
        """Return plain containers, ready for canonical JSON."""
        return asdict(self)


def compute_facts(
    store: Store,
    progress: Progress = silent,
    sections: Sequence[Topic] | None = None,
) -> FactBook:
    """Measure every fact of ``store``, or those of a few topics.

    Rows are aggregated in the database under its memory limit; what leaves it is one row per
    user, streamer, day or distinct amount.

    Parameters
    ----------
    store : opened logs. progress : told after each section. sections : the only ones to measure,
        without an audit; None: all of :data:`SECTIONS`.

    Returns
    -------
    FactBook
        Every fact is present whatever the source holds: one it cannot support has the status
        ``undefined`` and a reason that names the missing table.
    """
    evidence = Evidence.of(store)
    try:
        facts: list[Fact] = []
        curves: dict[str, Curve] = {}
        wanted = SECTIONS if sections is None else tuple(sections)
        for done, section_of in enumerate(wanted, start=1):
            section = section_of(evidence)
            facts += section.facts
            curves |= section.curves
            progress(done, len(wanted) + 1)
        findings = tuple(audit(evidence)) if sections is None else ()
        progress(len(wanted) + 1, len(wanted) + 1)
        return FactBook(tuple(facts), curves, findings, delay_verdict(evidence))
    finally:
        evidence.con.close()
