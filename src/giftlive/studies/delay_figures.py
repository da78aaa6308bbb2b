"""Figures of study 1.2: gap closed, bias by age, maturity of labels."""

from __future__ import annotations

from giftlive.evaluation.delay import VANILLA
from giftlive.evaluation.delay.regimes import SLOW
from giftlive.evaluation.results import Estimate, Figure
from giftlive.studies.delay_tables import (
    BANDS,
    KEY,
    MATURITY,
    TIMES,
    DelayNumbers,
    bias,
    closed,
    mature,
)
from giftlive.studies.over_worlds import dots
from giftlive.types import Message

Points = dict[str, dict[str, Estimate]]
"""Series -> place -> number."""


def figures(found: DelayNumbers) -> tuple[Figure, ...]:
    """Return the figures in the order of the page."""
    return (_closed(found), _ages(found), _maturity(found))


def _figure(
    name: str, title: str, found: DelayNumbers, axes: tuple[str, str], rows: Points
) -> Figure:
    return Figure(
        name=name,
        title=title,
        subtitle=f"slow delays; {len(found.seeds)} planted logs of {found.rows:,} exposures",
        x_label=axes[0],
        y_label=axes[1],
        series=tuple(dots(label, points) for label, points in rows.items()),
        shows=Message(f"{KEY}.figure.{name}.shows", {}),
        follows=Message(f"{KEY}.figure.{name}.follows", {}),
        x_scale="category",
        horizontal=name == "closed",
    )


def _closed(found: DelayNumbers) -> Figure:
    who = found.recommended
    points = {name: closed(found, SLOW, name) for name in found.ranked}
    title = f"{who} closes {_share(points[who], found)}"
    axes = ("treatment", "share of the gap from naive to the oracle")
    return _figure("closed", title, found, axes, {"slow": points})


def _share(of: Estimate, found: DelayNumbers) -> str:
    """Return a share of the gap in words: with its interval, or that there is none."""
    if of.value is None or of.low is None or of.high is None:
        logs = len(found.seeds)
        return f"{of.value or 0.0:.0%} of the gap on {logs} logs, too few for an interval"
    best, own = found.ranked[0], found.recommended
    most = "the most of all" if best == own else f"{best} most"
    return f"{of.value:.0%} ({of.low:.0%} to {of.high:.0%}) of the gap, {most}"


def _ages(found: DelayNumbers) -> Figure:
    rows = {who: {band: bias(found, band, who) for band in BANDS} for who in found.shown}
    newest, who = BANDS[0], found.recommended
    young = {name: rows[name][newest].value or 0.0 for name in (VANILLA, who)}
    title = f"Of the newest rows naive is off by {young[VANILLA]:+.0%}, {who} by {young[who]:+.0%}"
    return _figure("ages", title, found, ("age at the cut", "bias as a share of the rate"), rows)


def _maturity(found: DelayNumbers) -> Figure:
    rows = {which: {t: mature(found, t, which) for t in TIMES} for which in MATURITY}
    day = "24 h"
    there = {which: rows[which][day].value or 0.0 for which in MATURITY}
    title = (
        f"After {day} {there['true']:.0%} of the labels are there; "
        f"of the gifts seen {there['of the gifts seen']:.0%} were"
    )
    return _figure("maturity", title, found, ("time since the exposure", "share there"), rows)
