"""Study 5.4 again, from the readings of every seed."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.run.verify.asked import gain_of, mean_of
from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_BELIEFS = ("by_user", "pooled")
_OTHERS = ("lcb 0.5", "lcb 1", "cvar 0.05", "ucb 0.5")


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values, judged = values_of(kept), result["config"]["judged"]

    def gain(belief: str, who: str, what: str) -> Recomputed:
        return gain_of(values, f"{belief} / {who} / {what}", f"{belief} / greedy / {what}")

    found: dict[str, Recomputed] = {}
    for belief in _BELIEFS:
        for who in _OTHERS:
            found[f"{belief} / {who} / CVaR"] = gain(belief, who, "cvar")
            found[f"{belief} / {who} / expected revenue"] = gain(belief, who, "expected")
            shown = f"{belief} / {who} / to badly known"
            found[shown] = mean_of(values, shown)
        found[f"{belief}_cvar"] = gain(belief, judged, "cvar")
        found[f"{belief}_revenue"] = gain(belief, judged, "expected")
        found[f"{belief}_covered"] = mean_of(values, f"{belief} / uncertainty / covered")
        greedy = f"{belief} / greedy / to badly known"
        found[f"{belief}_to_badly_known"] = mean_of(values, greedy)
    for name, what in (("oracle_cvar", "cvar"), ("oracle_revenue", "expected")):
        pair = [f"truth / oracle_greedy / {what}", f"by_user / greedy / {what}"]
        found[name] = gain_of(values, *pair)
    return found


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    keys = {belief: [f"{belief} / {who} / CVaR" for who in _OTHERS] for belief in _BELIEFS}
    return {("cvar", belief): Drawn(_OTHERS, estimates=keys[belief]) for belief in _BELIEFS}


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the check that the kept readings decide."""
    return {"a_a": ties(values_of(kept))}
