"""Study 2.2 again, from the readings of every seed."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.run.verify.asked import change_of, gain_of, mean_of, share_of
from giftlive.run.verify.claims import Result, claims_of
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_POLICIES = (
    *("greedy", "bonus", "quota", "priced floor"),
    *("ucb", "lin_ucb", "thompson", "thompson + floor", "oracle_greedy"),
)
_DRAWN = tuple(who for who in _POLICIES if who not in ("bonus", "thompson"))
_MEASURES = (
    *("success", "good success", "rounds to discovery"),
    *("to newcomers", "good stay", "income Gini"),
)


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values = values_of(kept)

    def cell(who: str, measure: str) -> str:
        return f"world / {who} / {measure}"

    def against(who: str) -> Recomputed:
        return gain_of(values, cell(who, "expected"), cell("greedy", "expected"))

    def more(who: str, measure: str) -> Recomputed:
        return change_of(values, cell(who, measure), cell("greedy", measure))

    found: dict[str, Recomputed] = {}
    for who in _POLICIES:
        key = f"policies / {who}"
        found[f"{key} / expected revenue"] = mean_of(values, cell(who, "expected"))
        if who != "greedy":
            found[f"{key} / against greedy"] = against(who)
        for measure in _MEASURES:
            found[f"{key} / {measure}"] = mean_of(values, cell(who, measure))
    for prefix, who in (
        ("floor", "priced floor"),
        ("learning", "thompson + floor"),
        ("quota", "quota"),
    ):
        found[f"{prefix}_revenue"] = against(who)
        found[f"{prefix}_success"] = more(who, "success")
        found[f"{prefix}_good_success"] = more(who, "good success")
        found[f"{prefix}_sooner"] = more(who, "rounds to discovery")
    for arm in ("ucb", "lin_ucb"):
        found[f"{arm}_revenue"] = against(arm)
        found[f"{arm}_good_success"] = more(arm, "good success")
    return found | {
        "thompson_revenue": against("thompson"),
        "oracle_revenue": against("oracle_greedy"),
        "oracle_to_newcomers": mean_of(values, cell("oracle_greedy", "to newcomers")),
        "floor_good_stay": more("priced floor", "good stay"),
        "price_of_exposure": mean_of(values, cell("floor", "price")),
        "paid_for_exposure": share_of(values, cell("floor", "lost"), cell("floor", "bought")),
    }


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    printed = {claim.key: claim.printed for claim in claims_of(result)}
    found = {}
    for who in _DRAWN:
        row = f"policies / {who}"
        place = printed[f"{row} / success"]["value"] or 0.0
        found["price", who] = Drawn([place], estimates=[f"{row} / expected revenue"])
    keys = [f"policies / {who} / rounds to discovery" for who in _POLICIES]
    return found | {("time", "good newcomers"): Drawn(_POLICIES, estimates=keys)}


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the check that the kept readings decide."""
    return {"a_a": ties(values_of(kept))}
