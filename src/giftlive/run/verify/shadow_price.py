"""Study 5.2 again, from one row per evening and policy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from giftlive.run.verify.claims import Result, claims_of
from giftlive.run.verify.concentration import gini
from giftlive.run.verify.figures import Curve, Drawn
from giftlive.run.verify.recomputed import Recomputed, mean, ratio
from giftlive.run.verify.rows import Kept
from giftlive.types import Floats

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_GINI = "Gini of expected income"


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    nights = _nights(kept)
    policies = list(nights["expected_revenue"])
    bound = nights["bound"][policies[0]]

    def gain(policy: str, other: str) -> Recomputed:
        base = nights["expected_revenue"][other]
        return ratio(nights["expected_revenue"][policy] - base, base, len(base))

    found = {
        name: mean(nights[name][policies[0]]) for name in ("bound", "overflow_share", "price_share")
    }
    for policy in policies:
        revenue = nights["expected_revenue"][policy]
        row = f"allocation / {policy} / "
        found |= {
            f"{policy}_share_of_bound": ratio(revenue, bound, len(bound)),
            f"{row}expected revenue": mean(revenue),
            f"{row}share of D": ratio(revenue, bound, len(bound)),
            f"{row}{_GINI}": mean(_unevenness(kept, policy)),
        }
        for other in ("greedy", "greedy_with_cap"):
            if policy == "dual_price":
                found[f"{policy}_minus_{other}"] = gain(policy, other)
            found[f"{row}gain over {other}"] = gain(policy, other)
    return found | {"allocation / certificate D / expected revenue": found["bound"]}


def _unevenness(kept: Kept, policy: str) -> Floats:
    """Return [evenings] the Gini of the streamers' expected incomes."""
    rows = kept.columns("incomes", f"seed, income FROM incomes WHERE policy = '{policy}'")
    return np.array(
        [gini(rows["income"][rows["seed"] == s]).value for s in np.unique(rows["seed"])],
        dtype=np.float64,
    )


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    policies = list(_nights(kept)["bound"])
    shares = [f"{policy}_share_of_bound" for policy in policies]
    cells = {c.key: c.printed for c in claims_of(result)}
    spread = {p: cells[f"allocation / {p} / {_GINI}"]["value"] or 0.0 for p in policies}
    fairness = {
        ("fairness", p): Drawn([spread[p]], estimates=[f"allocation / {p} / expected revenue"])
        for p in policies
    }
    return fairness | {
        ("share_of_bound", "share of D"): Drawn(policies, estimates=shares),
        ("share_of_bound", "bound"): Drawn(policies, Curve.of([1.0] * len(policies))),
    }


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the checks that can be made again."""
    nights = _nights(kept)
    displaced = nights["displaced"]["dual_price"].sum() / nights["decisions"]["dual_price"].sum()
    price = float(np.mean(nights["price_share"]["dual_price"]))
    asked = rule["binding"]
    binding = displaced >= asked["least_displaced"] and price >= asked["least_price_share"]
    return {"binding": bool(binding)}


def _nights(kept: Kept) -> dict[str, dict[str, Floats]]:
    """Return quantity -> policy -> [evenings], evenings in the order they were played."""
    rows = kept.columns("evenings")
    names = list(dict.fromkeys(rows["policy"].tolist()))
    numbers = [name for name in rows if name not in {"policy", "seed"}]
    return {
        quantity: {p: rows[quantity][rows["policy"] == p].astype(np.float64) for p in names}
        for quantity in numbers
    }
