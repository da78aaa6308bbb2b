"""Study 3.1 again, from the estimate and the interval of every log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Curve, Drawn
from giftlive.run.verify.recomputed import Given, Recomputed, mean, ratio, share
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_REWARDS = ["count", "capped", "full"]
_ORDERED = ("snips", "dr")
_APART = 0.05
_WEIGHED = ("greedy", "concave", "dual_price", "cold_start", "uniform")
_LISTED = (
    "snips_count_coverage",
    "snips_capped_coverage",
    "snips_full_coverage",
    "dr_full_coverage",
    "snips_count_bias",
    *(f"ips_{e}_{r}_coverage" for e in ("bernstein", "betting") for r in ("count", "capped")),
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
    return found | _orders(kept) | _crowded(kept, result)


def _orders(kept: Kept) -> dict[str, Recomputed]:
    """Return the share of logs in the true order for every two targets, and the least of them."""
    logs, rows = kept.columns("logs"), _trials(kept)
    found: dict[str, Recomputed] = {}
    for name in _ORDERED:
        mine = [i for i, r in enumerate(rows) if (r["estimator"], r["reward"]) == (name, "count")]
        least: list[Recomputed] = []
        for one, other in combinations(mine, 2):
            up, down = sorted((one, other), key=lambda i: -rows[i]["truth"])
            if rows[one]["truth"] == rows[other]["truth"]:
                up, down = one, other
            a, b = (logs["value"][logs["trial"] == i] for i in (up, down))
            right = share(int(np.sum(a > b)), len(a))
            found[f"pairs / {rows[up]['target']} / {rows[down]['target']} / {name}"] = right
            if rows[up]["truth"] / rows[down]["truth"] - 1.0 >= _APART:
                least.append(right)
        if least:
            found[f"{name}_count_order"] = min(least, key=lambda each: each.value or 0.0)
    return found


def _crowded(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return the relative error of the logs of whole evenings, by rooms and target."""
    if not result["config"]["evenings"]:
        return {}
    rows = kept.columns("evenings")
    found = {}
    for rooms, target in dict.fromkeys(zip(rows["rooms"], rows["target"], strict=True)):
        here = (rows["rooms"] == rooms) & (rows["target"] == target)
        weighted, weight, gifts, n = (
            rows[name][here] for name in ("weighted", "weight", "gifts", "decisions")
        )
        truth = gifts / n
        found[f"interference / {rooms} / {target} / error"] = ratio(
            weighted / weight - truth, truth, len(truth)
        )
    return found


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    _, target, _ = result["config"]["gated"]
    found = {
        ("coverage", e): Drawn(
            _REWARDS, estimates=[f"trials / {r} / {target} / {e} / coverage" for r in _REWARDS]
        )
        for e in ("ips", "snips", "dr")
    }
    found["coverage", "nominal 95 %"] = Drawn(_REWARDS, Curve.of([0.95] * 3))
    return found | _forest(kept, result) | _weights(kept) | _order_points(kept)


def _forest(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return the estimates of one log by target: those with bounds, and those without."""
    truth = {r["target"]: r["truth"] for r in _trials(kept) if r["reward"] == "count"}
    bounded = {
        (row[1], row[2]): row[4]["low"] is not None
        for table in result["tables"]
        if table["name"] == "trials"
        for row in table["rows"]
        if row[0] == "count"
    }
    found = {("against_truth", "truth"): Drawn([*truth], Curve.of([*truth.values()]))}
    for e in _ORDERED:
        for name, kind in ((e.upper(), True), (f"{e.upper()}, no bar", False)):
            some = [t for t in truth if bounded[t, e] == kind]
            keys = [f"trials / count / {t} / {e} / one log" for t in some]
            found["against_truth", name] = Drawn(some, estimates=keys)
    return found


def _weights(kept: Kept) -> dict[tuple[str, str], Drawn]:
    """Return the share of decisions at or beyond each drawn weight, counted one by one."""
    rows = kept.columns("weights")
    found = {}
    for name in _WEIGHED:
        w = np.sort(rows["weight"][rows["target"] == name])
        positive = w[w >= 0.1]
        steps = np.linspace(np.log(positive[0]), np.log(positive[-1]), 60)
        x = np.unique(np.clip(np.exp(steps), positive[0], positive[-1]))
        y = [float(np.mean(w >= at * (1.0 - 1e-9))) for at in x]
        label = f"{name} ({w.sum() ** 2 / (w @ w):,.0f})"
        found["weights", label] = Drawn([float(f"{at:.6g}") for at in x], Curve.of(y))
    return found


def _order_points(kept: Kept) -> dict[tuple[str, str], Drawn]:
    rows, orders = _trials(kept), _orders(kept)
    truth = {r["target"]: r["truth"] for r in rows if r["reward"] == "count"}
    pairs = [key.split(" / ")[1:3] for key in orders if key.endswith(" / snips")]
    gaps = [truth[a] / truth[b] - 1.0 for a, b in pairs]
    inside = sorted(range(len(pairs)), key=lambda i: gaps[i])
    x = [min(max(gaps[i], 1e-3), 1e3) for i in inside]
    found = {
        ("order", e.upper()): Drawn(
            x, Curve.of([orders[f"pairs / {pairs[i][0]} / {pairs[i][1]} / {e}"].value or 0.0
                         for i in inside])
        )
        for e in _ORDERED
    }  # fmt: skip
    ends = [x[0], x[-1]]
    return found | {("order", "asked beyond 5 %"): Drawn(ends, Curve.of([0.95, 0.95]))}


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the checks that can be made again."""
    truths = [row["truth"] for row in _trials(kept) if row["reward"] == "count"]
    return {"movable": bool(max(truths) / min(truths) - 1.0 > rule["movable"]["smallest"])}


def _trials(kept: Kept) -> list[dict[str, Any]]:
    columns = kept.columns("trials")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
