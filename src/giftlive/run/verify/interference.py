"""Study 6.2 again, from the readings of every seed."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.run.verify.asked import change_of, gain_of, mean_of, share_of
from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_SPLITS = ("user", "budget", "switchback")
_DESIGNS = ("truth", *_SPLITS)


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values, config = values_of(kept), result["config"]

    def lift(read: str, design: str) -> Recomputed:
        return gain_of(values, *_pair(read, design))

    found: dict[str, Recomputed] = {}
    for load in config["loads"]:
        read = f"load {load:g}"
        for design in _DESIGNS:
            key = f"load_{load:g} / {design}"
            for arm in ("control", "treatment"):
                found[f"{key} / {arm}"] = mean_of(values, f"{read} / {design} / {arm}")
            found[f"{key} / lift"] = lift(read, design)
    none = "pool / none / expected"
    for action in ("none", "nudge", "routing", "head stock"):
        earned = f"pool / {action} / expected"
        found[f"pool / {action} / expected revenue"] = mean_of(values, earned)
        if action != "none":
            gain = gain_of(values, earned, none)
            found[f"pool / {action} / against none"] = gain
            found[f"{action.replace(' ', '_')}_gain"] = gain
        for measure in ("acts", "to pool streamers", "income Gini"):
            found[f"pool / {action} / {measure}"] = mean_of(values, f"pool / {action} / {measure}")
    judged = f"load {config['judged_load']:g}"
    found["true_lift"] = lift(judged, "truth")
    for split in _SPLITS:
        once = f"{split}, once"
        found[f"once / {split} / lift"] = lift(judged, once)
        found[f"once / {split} / treatment - control"] = change_of(values, *_pair(judged, once))
        found[f"{split}_split_lift"] = lift(judged, split)
        pair = [f"{judged} / {which} effect / effect" for which in (split, "truth")]
        found[f"{split}_of_truth"] = share_of(values, *pair)
    return found


def _pair(read: str, design: str) -> tuple[str, str]:
    return f"{read} / {design} / treatment", f"{read} / {design} / control"


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    loads = result["config"]["loads"]
    x = [f"load {load:g}" for load in loads]
    return {
        ("lifts", design): Drawn(
            x, estimates=[f"load_{load:g} / {design} / lift" for load in loads]
        )
        for design in _DESIGNS
    }


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the check that the kept readings decide."""
    return {"a_a": ties(values_of(kept))}
