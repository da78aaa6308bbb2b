"""Study 5.3 again, from the readings of every seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from giftlive.run.verify.asked import change_of, gain_of, mean_of, share_of
from giftlive.run.verify.claims import Result, claims_of
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept
from giftlive.types import Floats

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values, config = values_of(kept), result["config"]
    caps = [f"k = {k}" for k in config["null_caps"]]
    found = _table(values, "null", "null", ("greedy", *caps))
    for i, point in enumerate(config["points"]):
        names = _lineup(config)
        if point == config["judged"]:
            names = (*names, *(f"oracle_{name}" for name in names))
        found |= _table(values, f"point_{i}", _name(point), names)
    return found | _named(values, config)


def _name(point: list[float]) -> str:
    share, gamma, crowding = point
    return f"whales {share:g}, gamma {gamma:g}, seats x{crowding:g}"


def _lineup(config: Mapping[str, Any]) -> tuple[str, ...]:
    first = config["caps"][0]
    tiers = (f"k = {k}" for k in config["caps"])
    return ("greedy", f"first come {first}", *tiers, "by value")


def _table(
    values: Mapping[str, Floats], table: str, read: str, names: tuple[str, ...]
) -> dict[str, Recomputed]:
    found = {}
    for who in names:
        greedy = "oracle_greedy" if who.startswith("oracle_") else "greedy"
        key, cell = f"{table} / {who}", f"{read} / {who}"
        found[f"{key} / expected revenue"] = mean_of(values, f"{cell} / expected")
        for measure in ("income Gini", "overload"):
            found[f"{key} / {measure}"] = mean_of(values, f"{cell} / {measure}")
        if who != greedy:
            pair = [f"{cell} / expected", f"{read} / {greedy} / expected"]
            found[f"{key} / against greedy"] = gain_of(values, *pair)
            found[f"{key} / whales displaced"] = mean_of(values, f"{cell} / whales displaced")
    return found


def _named(values: Mapping[str, Floats], config: Mapping[str, Any]) -> dict[str, Recomputed]:
    least, most = (f"null / k = {config['null_caps'][at]}" for at in (0, -1))
    first = config["caps"][0]
    tier = f"k = {first}"
    found = {
        "null_displaced": mean_of(values, f"{most} / whales displaced"),
        "null_displaced_k1": mean_of(values, f"{least} / whales displaced"),
        "null_gain": gain_of(values, f"{most} / expected", "null / greedy / expected"),
        "null_whales": mean_of(values, "null / whales / per round"),
        "null_together": mean_of(values, "null / whales / in the favourite"),
    }
    for prefix, point in (("", config["judged"]), ("congested_", config["congested"])):
        read = _name(point)
        one, greedy = f"{read} / {tier}", f"{read} / greedy"
        found[f"{prefix}tier_overload"] = mean_of(values, f"{one} / overload")
        ginis = [f"{who} / income Gini" for who in (one, greedy)]
        found[f"{prefix}tier_gini"] = change_of(values, *ginis)
        money = [f"{who} / expected" for who in (one, greedy)]
        found[f"{prefix}tier_revenue"] = gain_of(values, *money)
        money[1] = f"{read} / first come {first} / expected"
        found[f"{prefix}tier_over_first_come"] = gain_of(values, *money)
    judged = _name(config["judged"])
    oracles = [f"{judged} / {who} / expected" for who in (f"oracle_{tier}", "oracle_greedy")]
    found["oracle_tier_revenue"] = gain_of(values, *oracles)
    found["together"] = mean_of(values, f"{judged} / whales / in the favourite")
    bounds = [f"{judged} / {tier} / {which}" for which in ("bound", "bound without")]
    found["cap_costs"] = share_of(values, *bounds)
    alone = [config["judged"][0], 0.0, config["judged"][2]]
    if alone in config["points"]:
        pair = [f"{_name(alone)} / {who} / expected" for who in (tier, "greedy")]
        found["tier_revenue_alone"] = gain_of(values, *pair)
    return found


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    config = result["config"]
    printed = {claim.key: claim.printed for claim in claims_of(result)}
    names, places = _lineup(config), [_name(point) for point in config["points"]]
    found = {
        ("pays", who): Drawn(
            places, estimates=[f"point_{i} / {who} / against greedy" for i in range(len(places))]
        )
        for who in names[1:]
    }
    judged = config["points"].index(config["judged"])
    for who in names:
        row = f"point_{judged} / {who}"
        place = printed[f"{row} / income Gini"]["value"] or 0.0
        found["even", who] = Drawn([place], estimates=[f"{row} / expected revenue"])
    return found


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the check that the kept readings decide."""
    return {"a_a": ties(values_of(kept))}
