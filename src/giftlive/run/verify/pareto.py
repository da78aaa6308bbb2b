"""Study 5.5 again, from the readings of every seed."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.run.verify.asked import change_of, gain_of, mean_of
from giftlive.run.verify.claims import Result, claims_of
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_OTHERS = ("retention", "diversity", "evenness", "calm")
_ALONE = "revenue alone"


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values, names = values_of(kept), _names(result)

    def cell(who: str, what: str) -> str:
        return f"world / {who} / {what}"

    found: dict[str, Recomputed] = {}
    for table, prefix in (("aims", ""), ("oracle_aims", "oracle_")):
        alone = f"{prefix}{_ALONE}"
        for name in names:
            key, who = f"{table} / {name}", f"{prefix}{name}"
            found[f"{key} / on the frontier"] = mean_of(values, cell(who, "on the frontier"))
            if name == _ALONE:
                continue
            pair = (cell(who, "revenue"), cell(alone, "revenue"))
            found[f"{key} / revenue"] = gain_of(values, *pair)
            for aim in _OTHERS:
                found[f"{key} / {aim}"] = change_of(values, cell(who, aim), cell(alone, aim))
    for name in names:
        for aim in ("revenue", "evenness"):
            found[f"levels / {name} / {aim}"] = mean_of(values, cell(name, aim))
    middle, most = names[-2], names[-1]
    return found | {
        "frontier_points": mean_of(values, cell("frontier", "points")),
        "oracle_frontier_points": mean_of(values, cell("oracle_frontier", "points")),
        "all_revenue": found[f"aims / {middle} / revenue"],
        "all_evenness": found[f"aims / {middle} / evenness"],
        "all_diversity": found[f"aims / {middle} / diversity"],
        "strongest_revenue": found[f"aims / {most} / revenue"],
        "alone_on_frontier": found[f"aims / {_ALONE} / on the frontier"],
    }


def _names(result: Result) -> list[str]:
    strengths = result["config"]["strengths"]
    return [_ALONE, *(f"{aim} {x:g}" for aim in (*_OTHERS, "all") for x in strengths)]


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    printed = {claim.key: claim.printed for claim in claims_of(result)}
    found = {}
    for aim in (*_OTHERS, "all"):
        names = [_ALONE, *(f"{aim} {x:g}" for x in result["config"]["strengths"])]
        places = [printed[f"levels / {name} / evenness"]["value"] or 0.0 for name in names]
        keys = [f"levels / {name} / revenue" for name in names]
        found["plane", aim] = Drawn(places, estimates=keys)
    return found


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the check that the kept readings decide."""
    return {"a_a": ties(values_of(kept))}
