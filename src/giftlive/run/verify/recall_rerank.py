"""Study 5.1 again, from the readings of every world: what an order changes against the direct."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import change, level, ratio_of_sums, ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept
from giftlive.types import Floats

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_TRUTH = "re-ranked by the truth"
_METRICS = (
    *("NDCG@10", "capture@1 %", "first room", "slate of 3"),
    *("realised NDCG@10", "realised capture@1 %"),
)
_SETS = {
    "decisions": "lists / decisions / count",
    "candidates": "lists / candidates / mean",
    "with a gift": "lists / decisions with a gift / count",
}


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values, config = values_of(kept), result["config"]
    asked, lengths = int(config["length"]), _lengths(config)
    found: dict[str, Recomputed] = {}
    for key, x in values.items():
        table, row, column = key.split(" / ")
        if table == "list":
            found[f"levels / {row} / {column}"] = level(x)
    for row, label in {**{f"re-ranked {n}": f"{n}" for n in lengths}, "stage 2 alone": ""}.items():
        for metric in _METRICS:
            found[f"sweep / {label or row} / {metric}"] = _gap(values, row, metric)
    for n in lengths:
        found[f"room / {n} / reordered"] = level(values[f"lists / re-ranked {n} / reordered"])
        found[f"room / {n} / true order adds"] = _gap(values, f"{_TRUTH} {n}", "NDCG@10")
        found[f"room / {n} / of which reached"] = _reached(values, n)
    found |= {f"sets / {name} / mean of worlds": level(values[key]) for name, key in _SETS.items()}
    return found | {
        "ndcg_10_change": found[f"sweep / {asked} / NDCG@10"],
        "capture_1pct_change": found[f"sweep / {asked} / capture@1 %"],
        "ndcg_10_direct": found["levels / direct / NDCG@10"],
        "ndcg_10_reranked": found[f"levels / re-ranked {asked} / NDCG@10"],
        "first_room_change": found[f"sweep / {asked} / first room"],
        "slate_change": found[f"sweep / {asked} / slate of 3"],
        "share_of_the_order_reached": found[f"room / {asked} / of which reached"],
    }


def _lengths(config: Mapping[str, object]) -> list[int]:
    lengths, asked = config["lengths"], config["length"]
    assert isinstance(lengths, list | tuple)
    assert isinstance(asked, int)
    return sorted({asked, *(int(n) for n in lengths)})


def _gap(values: Mapping[str, Floats], row: str, metric: str) -> Recomputed:
    return change(*(values[f"list / {name} / {metric}"] for name in (row, "direct")))


def _reached(values: Mapping[str, Floats], length: int) -> Recomputed:
    """Return Σ gained / Σ to be gained over all worlds."""
    rows = ("direct", f"re-ranked {length}", f"{_TRUTH} {length}")
    own, one, best = (values[f"list / {row} / NDCG@10"] for row in rows)
    return ratio_of_sums(one - own, best - own)


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    lengths = _lengths(result["config"])
    places = [f"{n} rooms" for n in lengths]
    return {
        ("sweep", "stage 2"): Drawn(places, estimates=[f"sweep / {n} / NDCG@10" for n in lengths]),
        ("sweep", "true order"): Drawn(
            places, estimates=[f"room / {n} / true order adds" for n in lengths]
        ),
    }


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the checks that the kept readings decide: exact ties, and orders that changed."""
    values = values_of(kept)
    changed = values["reordered / asked / share"]
    least = rule["reordered"]["least_changed"]
    return {
        "a_a": ties(values),
        "reordered": bool(len(changed)) and float(changed.mean()) >= least,
    }
