"""Study 2.1 again, from the readings of every seed."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.run.verify.asked import gain_of, mean_of, share_of
from giftlive.run.verify.claims import Result, claims_of
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_FAMILIES = ("log", "sqrt", "saturating", "exposure_cap", "head_cap")
_MEASURES = ("income Gini", "exposure Gini", "displaced")


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values, config = values_of(kept), result["config"]
    found: dict[str, Recomputed] = {}
    for level in config["levels"]:
        for who in (f"{p}{family}" for p in ("", "oracle_") for family in _FAMILIES):
            rule = "oracle_best rule" if who.startswith("oracle_") else "best rule"
            pair = [f"at Gini {level:g} / {name} / expected" for name in (who, rule)]
            found[f"equal_gini / {who} / Gini {level:g}"] = gain_of(values, *pair)
    for who in ("log", "oracle_log", "greedy"):
        found[f"own_bound / {who} / share of its bound"] = share_of(
            values, f"own / {who} / objective", "own / bound / objective"
        )
    for prefix in ("", "oracle_"):
        for plain in ("uniform", "greedy", *_settings(result)):
            who = f"{prefix}{plain}"
            key = f"settings / {who}"
            found[f"{key} / expected revenue"] = mean_of(values, f"world / {who} / expected")
            for measure in _MEASURES:
                found[f"{key} / {measure}"] = mean_of(values, f"world / {who} / {measure}")
            if plain != "greedy":
                pair = [f"world / {name} / expected" for name in (who, f"{prefix}greedy")]
                found[f"{key} / against greedy"] = gain_of(values, *pair)
    judged, scale = f"{config['judged']:g}", f"{config['scale_of_bound']:g}"
    for prefix in ("", "oracle_"):
        log = f"{prefix}log"
        found[f"{prefix}equal_gini_gain"] = found[f"equal_gini / {log} / Gini {judged}"]
        found[f"{prefix}own_bound_share"] = found[f"own_bound / {log} / share of its bound"]
        found[f"{prefix}log_minus_greedy"] = found[f"settings / {log} {scale} / against greedy"]
    found["greedy_own_bound_share"] = found["own_bound / greedy / share of its bound"]
    pair = [f"world / {who} / expected" for who in ("greedy", "oracle_greedy")]
    return found | {"greedy_of_oracle": share_of(values, *pair)}


def _settings(result: Result) -> list[str]:
    return [f"{family} {x:g}" for family in _FAMILIES for x in result["config"][family]]


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    printed = {claim.key: claim.printed for claim in claims_of(result)}
    found = {}
    for figure, prefix in (("frontier", ""), ("oracle_frontier", "oracle_")):
        for family in _FAMILIES:
            names = [f"{prefix}{family} {x:g}" for x in result["config"][family]]
            rows = [f"settings / {who}" for who in (*names, f"{prefix}greedy")]
            places = [printed[f"{row} / income Gini"]["value"] or 0.0 for row in rows]
            keys = [f"{row} / expected revenue" for row in rows]
            found[figure, family] = Drawn(places, estimates=keys)
    return found


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the check that the kept readings decide."""
    return {"a_a": ties(values_of(kept))}
