"""Study 0.2b again, from the readings of every world: means, differences and ratios over worlds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats

from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import change, level, ratio_of_sums, ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept
from giftlive.types import Floats

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_TRIVIAL = (
    *("user_past_spend", "user_mean_gift", "user_last_amount"),
    *("pair_past_spend", "streamer_past_income"),
)
_REALISED = ("capture@1 %", "capture@10 %", "Spearman", "PR-AUC", "log-loss", "ECE")
_TENTHS = [f"tenth {k}" for k in range(1, 11)]
_COLD = "pair without a gift"
_Values = Mapping[str, Floats]


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values, config = values_of(kept), result["config"]
    names, default = [str(n) for n in config["names"]], str(config["default"])
    learned = [n for n in names if n not in _TRIVIAL]
    found = _orders(values, names, learned) | _gains(values, learned) | _heads(values, names)
    for name in learned:
        for label in _TENTHS:
            found[f"levels / {name} / {label}"] = _tenth(values, name, label)
    for name in names:
        for metric in _REALISED:
            found[f"realised / {name} / {metric}"] = level(values[f"realised / {name} / {metric}"])
    found |= _covered(values) | _luck(values, learned)
    return found | _named(values, found, default)


def _orders(values: _Values, names: list[str], learned: list[str]) -> dict[str, Recomputed]:
    found = {
        f"order / {name} / {metric}": level(values[f"order / {name} / {metric}"])
        for name in names
        for metric in ("norm. Gini", "NDCG@100")
    }
    title = "Σ pred / Σ expected"
    return found | {
        f"order / {n} / {title}": level(values[f"level / {n} / {title}"]) for n in learned
    }


def _gains(values: _Values, learned: list[str]) -> dict[str, Recomputed]:
    found = {}
    for name in (n for n in learned if n != "ridge"):
        for table, metric, other in (
            ("order", "norm. Gini", "ridge"),
            ("realised", "capture@1 %", "ridge"),
            ("realised", "capture@1 %", "best trivial ranker"),
        ):
            one, base = (values[f"{table} / {who} / {metric}"] for who in (name, other))
            found[f"gains / {name} / {metric} - {other}"] = change(one, base)
    return found


def _ceiling(values: _Values, label: str) -> tuple[str, Floats]:
    bayes = values.get(f"head / Bayes ceiling / {label}")
    if bayes is None:
        return "latent ceiling", values[f"head / latent ceiling / {label}"]
    return "Bayes ceiling", bayes


def _heads(values: _Values, names: list[str]) -> dict[str, Recomputed]:
    which, best = _ceiling(values, "all rows")
    cold = _ceiling(values, _COLD)[1]
    ceilings = [c for c in ("latent ceiling", "Bayes ceiling") if f"head / {c} / {_COLD}" in values]
    found = {}
    for name in (*names, *ceilings):
        own, own_cold = (values[f"head / {name} / {label}"] for label in ("all rows", _COLD))
        found[f"heads / {name} / capture@1 %"] = level(own)
        found[f"heads / {name} / of the {which}"] = ratio_of_sums(own, best)
        found[f"heads / {name} / {_COLD}"] = level(own_cold)
        found[f"heads / {name} / cold, of the {which}"] = ratio_of_sums(own_cold, cold)
    base = values[f"head / ridge / {_COLD}"]
    for name in (n for n in names if n not in (*_TRIVIAL, "ridge")):
        gained = values[f"head / {name} / {_COLD}"] - base
        key = f"closed / {name} / gap from ridge to the {which} closed"
        found[key] = ratio_of_sums(gained, cold - base)
    return found


def _tenth(values: _Values, name: str, label: str) -> Recomputed:
    return ratio_of_sums(values[f"predicted, {label} / {name} / sum"], _due(values, name, label))


def _due(values: _Values, name: str, label: str) -> Floats:
    return values[f"expected, {label} / {name} / sum"]


def _covered(values: _Values) -> dict[str, Recomputed]:
    labels = [label for label in ("all gifts", *_TENTHS) if f"coverage / {label} / gifts" in values]
    return {
        f"coverage / {label} / inside the interval at 90%": ratio_of_sums(
            values[f"coverage / {label} / covered"], values[f"coverage / {label} / gifts"]
        )
        for label in labels
    }


def _luck(values: _Values, learned: list[str]) -> dict[str, Recomputed]:
    title = "Σ pred / Σ expected"
    rows = {key.split(" / ", 1)[1]: x for key, x in values.items() if key.startswith("luck / ")}
    found = {label.removesuffix(" / of a world"): level(x) for label, x in rows.items()}
    found |= {f"{title} of {n}": level(values[f"level / {n} / {title}"]) for n in learned}
    return {f"luck / {label} / mean of worlds": number for label, number in found.items()}


def _named(values: _Values, found: dict[str, Recomputed], default: str) -> dict[str, Recomputed]:
    """Return the estimates that the gates and the page name."""
    bayes, nothing = "of the Bayes ceiling", Recomputed(None)
    tenths = [found[f"levels / {default} / {label}"] for label in _TENTHS]
    off = [abs(float(np.log(t.value))) if t.value else np.inf for t in tenths]
    gains = f"gains / {default}"
    return {
        "gini_default": found[f"order / {default} / norm. Gini"],
        "gini_gain_over_ridge": found[f"{gains} / norm. Gini - ridge"],
        "level_of_default": found[f"order / {default} / Σ pred / Σ expected"],
        "level_of_farthest_tenth": tenths[int(np.argmax(off))],
        "capture_gain_over_ridge": found[f"{gains} / capture@1 % - ridge"],
        "capture_gain_over_trivial": found[f"{gains} / capture@1 % - best trivial ranker"],
        "share_of_ceiling": found.get(f"heads / {default} / {bayes}", nothing),
        "cold_gap_closed": found.get(
            f"closed / {default} / gap from ridge to the Bayes ceiling closed", nothing
        ),
        "coverage": found.get(
            "coverage / all gifts / inside the interval at 90%", Recomputed(None)
        ),
    }


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    values, config = values_of(kept), result["config"]
    names = [str(n) for n in config["names"]]
    names.sort(key=lambda n: -float(values[f"order / {n} / norm. Gini"].mean()))
    return {
        ("order", "expected amounts"): Drawn(
            names, estimates=[f"order / {n} / norm. Gini" for n in names]
        ),
        **{
            ("levels", n): Drawn(_TENTHS, estimates=[f"levels / {n} / {t}" for t in _TENTHS])
            for n in dict.fromkeys((str(config["default"]), "ridge"))
        },
    }


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the checks that the kept readings decide: fitting twice, and who beat the ceiling."""
    values = values_of(kept)
    best = values.get("head / Bayes ceiling / all rows")
    own = [
        x
        for key, x in values.items()
        if key.startswith("head / ") and key.endswith(" / all rows") and " ceiling " not in key
    ]
    bounded = best is not None and not any(_above(x, best) for x in own)
    return {"a_a": ties(values), "ceiling": bounded}


def _above(own: Floats, best: Floats) -> bool:
    """Return whether Σ own / Σ best is above 1 by more than Student's 95 % interval over worlds."""
    n, share = len(best), own.sum() / best.sum()
    error = (own - share * best) / best.mean()
    return bool(share + stats.t.ppf(0.025, n - 1) * error.std(ddof=1) / np.sqrt(n) > 1.0)
