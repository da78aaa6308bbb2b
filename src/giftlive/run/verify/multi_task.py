"""Study 1.3 again, from the kept test exposures with every arm's probability."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from giftlive.run.verify.baseline import Model
from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_METRICS = {"PR-AUC": "pr_auc", "log-loss": "log_loss", "ECE": "ece"}
_BOTH, _ALONE, _INSIDE = "multi_task", "single_task", "entered_only"
_COMPARED = (
    ("exposures", _BOTH, _ALONE),
    ("exposures", _BOTH, _INSIDE),
    ("entered rooms", _BOTH, _INSIDE),
)


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    models = _models(kept)
    tables = {"exposures": "arms", "entered rooms": "inside"}
    found = {
        f"{tables[where]} / {arm} / {title}": model.numbers[metric]
        for (where, arm), model in models.items()
        for title, metric in _METRICS.items()
    }
    for where, one, other in _COMPARED:
        for title in ("PR-AUC", "log-loss"):
            gap = models[where, one].minus(models[where, other], _METRICS[title])
            found[f"differences / {where} / {one} - {other} / {title}"] = gap
    first = f"differences / exposures / {_BOTH} - {_ALONE}"
    return found | {
        "pr_auc_gain": found[f"{first} / PR-AUC"],
        "log_loss_change": found[f"{first} / log-loss"],
        "pr_auc_gain_inside": found[f"differences / entered rooms / {_BOTH} - {_INSIDE} / PR-AUC"],
        **{f"pr_auc_{arm}": found[f"arms / {arm} / PR-AUC"] for arm in (_BOTH, _ALONE)},
    }


def _models(kept: Kept) -> dict[tuple[str, str], Model]:
    """Return every arm on the exposures, and on entered ones where it says P(gift | entered)."""
    rows = kept.columns("predictions")
    inside = rows["clicked"].astype(np.bool_)
    found = {}
    for column, chance in rows.items():
        where, _, arm = column.partition(" ")
        if where not in ("shown", "entered"):
            continue
        at = inside if where == "entered" else np.ones(len(inside), dtype=np.bool_)
        y, user = rows["y"][at].astype(np.float64), rows["user"][at].astype(np.int64)
        population = "entered rooms" if where == "entered" else "exposures"
        p = np.clip(chance[at].astype(np.float64), 0.0, 1.0)
        found[population, arm] = Model(y, user, p, p)
    return found


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    arms = [_BOTH, _ALONE, _INSIDE]
    return {("arms", "PR-AUC"): Drawn(arms, estimates=[f"arms / {arm} / PR-AUC" for arm in arms])}


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return nothing: the checks rest on validation days, whose predictions are not kept."""
    return {}
