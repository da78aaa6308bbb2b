"""The phase diagram of study 5.2 again, from the readings of every seed."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.run.verify.asked import gain_of, share_of
from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_POLICIES = (
    *("greedy", "greedy_with_cap", "greedy_with_rules"),
    *("one_price", "dual_price", "batch_optimal"),
)
_BEST = "offline optimum"


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values, config = values_of(kept), result["config"]
    found: dict[str, Recomputed] = {}
    for place in _places(result):
        for factor in config["factors"]:
            read = f"{place}, errors x{factor:g}"
            for policy in _POLICIES:
                pair = [f"{read} / {who} / expected" for who in (policy, _BEST)]
                found[f"shares_x{factor:g} / {place} / {policy}"] = share_of(values, *pair)
        for other in ("greedy_with_cap", "one_price"):
            pair = [f"{place}, errors x1 / {who} / expected" for who in ("dual_price", other)]
            found[f"added / {place} / over {other}"] = gain_of(values, *pair)
    judged = _place(config["judged_load"], config["judged_differentiation"])
    for prefix, factor in (("", "1"), ("oracle_", "0")):
        table, read = f"shares_x{factor} / {judged}", f"{judged}, errors x{factor}"
        found[f"{prefix}dual_price_share"] = found[f"{table} / dual_price"]
        found[f"{prefix}capped_share"] = found[f"{table} / greedy_with_cap"]
        found[f"{prefix}batch_share"] = found[f"{table} / batch_optimal"]
        for name, other in (("capped", "greedy_with_cap"), ("one_price", "one_price")):
            pair = [f"{read} / {who} / expected" for who in ("dual_price", other)]
            found[f"{prefix}dual_minus_{name}"] = gain_of(values, *pair)
    return found


def _place(load: float, differentiation: float) -> str:
    return f"load {load:g}, differentiation {differentiation:g}"


def _places(result: Result) -> list[str]:
    loads, steeps = result["config"]["loads"], result["config"]["differentiations"]
    return [_place(load, steep) for load in loads for steep in steeps]


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    config = result["config"]
    found = {}
    for steep in config["differentiations"]:
        row, loads = f"differentiation {steep:g}", config["loads"]
        x = [f"load {load:g}" for load in loads]
        places = [_place(load, steep) for load in loads]
        for factor in config["factors"]:
            keys = [f"shares_x{factor:g} / {place} / dual_price" for place in places]
            found[f"dual_x{factor:g}", row] = Drawn(x, estimates=keys)
        keys = [f"added / {place} / over greedy_with_cap" for place in places]
        found["added", row] = Drawn(x, estimates=keys)
    return found


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the check that the kept readings decide."""
    return {"a_a": ties(values_of(kept))}
