"""How much users and streamers do: interactions, quadrants, and gifts by exposure."""

from __future__ import annotations

import numpy as np

from giftlive.facts.estimates import share_of_units
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section
from giftlive.facts.quadrants import quadrant_curve, quadrant_facts, watch_and_pay
from giftlive.types import Floats

_EXPOSURE = (1, 2, 5, 20, 100)
_KNOWN = {"user": "true", "streamer": "streamer_id >= 0"}
_INTERACTIONS = " UNION ALL ".join(
    f"SELECT {{id}} AS id, count(*) AS n FROM {view} WHERE {{known}} GROUP BY id"
    for view in ("click", "comment", "likes", "gift")
)


def activity_section(evidence: Evidence) -> Section:
    """Return facts whose independent unit is a whole user or a whole streamer."""
    users, streamers = (watch_and_pay(evidence, whose) for whose in ("user", "streamer"))
    user_facts = quadrant_facts(evidence, "user", users)
    streamer_facts = quadrant_facts(evidence, "streamer", streamers)
    facts = (
        *_interactions(evidence),
        _without_gift(evidence, streamers["pay"]),
        *user_facts,
        *streamer_facts,
    )
    curves = {
        "gifts_by_exposure": _by_exposure(streamers),
        "quadrant_user": quadrant_curve("user", user_facts),
        "quadrant_streamer": quadrant_curve("streamer", streamer_facts),
    }
    return Section(facts, curves)


def _interactions(evidence: Evidence) -> list[Fact]:
    facts = []
    for whose, text, column in (
        ("user", "below_50", "n < 50"),
        ("streamer", "below_5", "n < 5"),
        ("streamer", "above_40", "n > 40"),
    ):
        union = _INTERACTIONS.format(id=f"{whose}_id", known=_KNOWN[whose])
        hits, n = evidence.row(
            f"SELECT count(*) FILTER ({column}), count(*) "
            f"FROM (SELECT id, sum(n) AS n FROM ({union}) GROUP BY id)"
        )
        quantity = Quantity(
            f"{whose}s_{text}_interactions",
            f"{whose}s with {column.replace('n ', '')} clicks, comments, likes and gifts",
            f"{whose}s with >= 1 interaction",
            f"all {whose}s with an interaction",
            needs=("click",),
        )
        facts.append(share_of_units(evidence, quantity, hits, n, f"{whose}s"))
    return facts


def _without_gift(evidence: Evidence, pay: Floats) -> Fact:
    """Count all streamers of the profile table, or those with an event where there is none."""
    paid, known = int((pay > 0).sum()), evidence.streamers
    quantity = Quantity(
        "streamers_without_gift", "streamers without income", "streamers", "all streamers",
        needs=("gift",),
    )  # fmt: skip
    return share_of_units(evidence, quantity, known - paid, known, "streamers")


def _by_exposure(rows: dict[str, Floats]) -> Curve:
    """Group streamers by the clicks they had: how many there are, and how many received."""
    clicks, pay = rows["clicks"], rows["pay"]
    ends = (*_EXPOSURE[1:], None)
    names = [f"{a}-{b - 1}" if b else f">= {a}" for a, b in zip(_EXPOSURE, ends, strict=True)]
    index = np.searchsorted(_EXPOSURE, clicks, side="right") - 1
    groups = [index == i for i in range(len(_EXPOSURE))]
    return {
        "clicks_of_streamer": ["1" if name == "1-1" else name for name in names],
        "streamers": [int(group.sum()) for group in groups],
        "clicks": [int(clicks[group].sum()) for group in groups],
        "receiving": [int((pay[group] > 0).sum()) for group in groups],
        "amount": [int(pay[group].sum()) for group in groups],
    }
