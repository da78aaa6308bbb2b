"""Study 0.3b again, from the readings of every world: means and differences over seeds."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Curve, Drawn
from giftlive.run.verify.over_worlds import change, level, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_FIRST, _TENTH = "capture@1 %", "capture@10 %"
_AHEAD = (
    *(("ridge", "user_past_spend"), ("user_past_spend", "pair_past_spend")),
    *(("ridge_log1p", "ridge"), ("logistic_x_ridge", "ridge")),
)
_NAMED = {
    "capture_1pct_ridge": f"order / ridge / {_FIRST}",
    "capture_1pct_user_past_spend": f"order / user_past_spend / {_FIRST}",
    "capture_10pct_ridge": f"order / ridge / {_TENTH}",
    "capture_10pct_user_past_spend": f"order / user_past_spend / {_TENTH}",
    "gain_1pct_ridge_over_user_past_spend": f"gains / ridge - user_past_spend / {_FIRST}",
    "amount_share_of_pairs_without_a_gift": "rows / pair without a gift / share of the amount",
}
_PUBLISHED = {
    "user_past_spend, 1 %": 0.37,
    "ridge, 1 %": 0.514,
    "user_past_spend, 10 %": 0.66,
    "ridge, 10 %": 0.686,
}


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values = values_of(kept)
    found = {key: level(x) for key, x in values.items()}
    for one, other in _AHEAD:
        for top in (_FIRST, _TENTH):
            a, b = (values[f"order / {name} / {top}"] for name in (one, other))
            found[f"gains / {one} - {other} / {top}"] = change(a, b)
    rankers = dict.fromkeys(k.split(" / ")[1] for k in values if k.startswith("periods / "))
    for name in rankers:
        late, early = (values[f"periods / {name} / {when}"] for when in ("late", "early"))
        found[f"periods / {name} / late - early"] = change(late, early)
    return found | {name: found[key] for name, key in _NAMED.items()}


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    places = {
        f"{key.split(' / ')[1]}, {top.removeprefix('capture@')}": key
        for top in (_FIRST, _TENTH)
        for key, x in values_of(kept).items()
        if key.startswith("order / ") and key.endswith(f" / {top}") and len(x)
    }
    heights = Curve.of(list(_PUBLISHED.values()))
    return {
        ("order", "calibrated"): Drawn(list(places), estimates=list(places.values())),
        ("order", "published"): Drawn(list(_PUBLISHED), heights),
    }


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return nothing: the study has no gate and makes no check."""
    return {}
