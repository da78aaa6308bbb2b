"""Study 1.1 again, from the readings of every world: means, differences and ratios over worlds."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Curve, Drawn
from giftlive.run.verify.over_worlds import change, level, ratio_of_sums, ties, values_of
from giftlive.run.verify.recomputed import Recomputed, ratio
from giftlive.run.verify.rows import Kept
from giftlive.types import Floats

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_TOPS = ("capture@1 %", "NDCG@100", "norm. Gini")
_PARTS = ("true chance", "true amount")
_GATE = {"PR-AUC": "pr_auc_relative_gain", "log-loss": "log_loss_change", "ECE": "ece_change"}
_SHOWN = (0.545, 0.358)


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values, config = values_of(kept), result["config"]
    direct, staged = str(config["direct"]), [str(name) for name in config["staged"]]
    found: dict[str, Recomputed] = {}
    for key, x in values.items():
        table, row, column = key.split(" / ")
        if table == "story":
            arm, metric = row.split(", ", 1)
            found[f"story / {arm} / {metric} / {column}"] = level(x)
        elif table == "swap":
            found[f"swap / {row} / {column}"] = level(x)
    for name in staged:
        for metric in _GATE:
            found[f"differences / {name} / {metric}"] = _change(values, name, direct, metric)
        for part in _PARTS:
            for top in _TOPS:
                found[f"closed / {name} / {part} / {top}"] = _closed(values, name, part, top)
    found |= _shares(values, [direct, *staged, "both true"])
    found |= {label: found[f"differences / {staged[0]} / {m}"] for m, label in _GATE.items()}
    for side, name in (("staged", staged[0]), ("direct", direct)):
        found[f"pr_auc_{side}"] = found[f"story / {name} / PR-AUC / clean"]
    for part in _PARTS:
        closed = found[f"closed / {staged[0]} / {part} / norm. Gini"]
        found[f"gap_closed_by_{part.replace(' ', '_')}"] = closed
    return found


def _change(values: Mapping[str, Floats], name: str, direct: str, metric: str) -> Recomputed:
    """Return the relative change of PR-AUC, the plain one of the losses."""
    a, b = (values[f"story / {arm}, {metric} / clean"] for arm in (name, direct))
    if metric == "PR-AUC" and len(a) and len(b):
        return ratio_of_sums(a - b, b)
    return change(a, b)


def _closed(values: Mapping[str, Floats], name: str, part: str, top: str) -> Recomputed:
    own, one, best = (
        values[f"swap / {row} / {top}"] for row in (name, f"{name}, {part}", "both true")
    )
    return ratio_of_sums(one - own, best - own)


def _shares(values: Mapping[str, Floats], orders: list[str]) -> dict[str, Recomputed]:
    bayes = values.get("ceiling / Bayes order / capture@1 %")
    if bayes is None:
        return {}
    return {
        f"ceiling / {row} / share of the Bayes ceiling": ratio(
            values[f"swap / {row} / capture@1 %"], bayes, len(bayes)
        )
        for row in orders
    }


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    config = result["config"]
    direct, staged = str(config["direct"]), [str(name) for name in config["staged"]]
    arms = [direct, *staged, "gift_only", "bound_y_above_0"]
    orders = [direct]
    for name in staged:
        orders += [name, *(f"{name}, {part}" for part in _PARTS)]
    return {
        **{
            ("story", version): Drawn(
                arms, estimates=[f"story / {arm} / overlap@1 % / {version}" for arm in arms]
            )
            for version in ("leaky", "clean")
        },
        ("story", "published"): Drawn([direct, staged[0]], Curve.of(list(_SHOWN))),
        ("swap", "expected amounts"): Drawn(
            orders, estimates=[f"swap / {row} / norm. Gini" for row in orders]
        ),
    }


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the check that the kept readings decide: whether fitting twice ever differed."""
    return {"a_a": ties(values_of(kept))}
