"""Study 3.1 again, from the estimate and the interval of every log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Curve, Drawn
from giftlive.run.verify.recomputed import Given, Recomputed, mean, share
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_REWARDS = ["count", "capped", "full"]
_LISTED = (
    "snips_count_coverage",
    "snips_capped_coverage",
    "snips_full_coverage",
    "dr_full_coverage",
    "snips_count_bias",
)


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    found: dict[str, Recomputed] = {}
    _, target, _ = result["config"]["gated"]
    logs = kept.columns("logs")
    for i, row in enumerate(_trials(kept)):
        value, low, high = (logs[name][logs["trial"] == i] for name in ("value", "low", "high"))
        hits = int(np.sum((low <= row["truth"]) & (row["truth"] <= high)))
        covered = share(hits, len(value))
        off = replace(mean(value - row["truth"]), scale=float(np.abs(value).max()))
        first = Recomputed(float(value[0]), Given(float(low[0]), float(high[0])))
        key = f"trials / {row['reward']} / {row['target']} / {row['estimator']}"
        found |= {f"{key} / coverage": covered, f"{key} / bias": off, f"{key} / one log": first}
        if row["target"] == target:
            name = f"{row['estimator']}_{row['reward']}"
            both = {f"{name}_coverage": covered, f"{name}_bias": off}
            found |= {key: number for key, number in both.items() if key in _LISTED}
    return found


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    _, target, _ = result["config"]["gated"]
    rows = _trials(kept)
    shown = [r for r in rows if (r["estimator"], r["reward"]) == ("snips", "count")]
    names = [r["target"] for r in shown]
    found = {
        ("coverage", e): Drawn(
            _REWARDS, estimates=[f"trials / {r} / {target} / {e} / coverage" for r in _REWARDS]
        )
        for e in ("ips", "snips", "dr")
    }
    logs = [f"trials / count / {name} / snips / one log" for name in names]
    return found | {
        ("coverage", "nominal 95 %"): Drawn(_REWARDS, Curve.of([0.95] * 3)),
        ("against_truth", "SNIPS, one log"): Drawn(names, estimates=logs),
        ("against_truth", "truth"): Drawn(names, Curve.of([r["truth"] for r in shown])),
    }


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the checks that can be made again."""
    truths = [row["truth"] for row in _trials(kept) if row["reward"] == "count"]
    return {"movable": bool(max(truths) / min(truths) - 1.0 > rule["movable"]["smallest"])}


def _trials(kept: Kept) -> list[dict[str, Any]]:
    columns = kept.columns("trials")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
