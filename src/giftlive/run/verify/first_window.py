"""Study 1.4 again, from the readings of every world: what groups add, and who leads whom."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import change, level, ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept
from giftlive.types import Floats

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_GROUPS = (
    *("pair history", "user history", "streamer history", "streamer heat", "supply efficiency"),
    *("same-day activity", "social", "profile", "first window"),
)
_LET_IN = ("snapshot", "noise")
_METRICS = ("PR-AUC", "capture@1 %", "log-loss")
_SHARES = ("share still watching", "share of the amount still to come")
_WHO = ("still watching", "all")


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values = values_of(kept)
    seconds = [int(s) for s in result["config"]["dwell_seconds"]]
    found = _learnt(values) | _ranked(values) | _again(values, seconds)
    for key, x in values.items():
        table, row, column = key.split(" / ")
        if table == "variant":
            found[f"levels / {row} / {column}"] = level(x)
        elif table == "rows":
            found[f"rows / {row} / {column}"] = level(x)
    first, last = f"{seconds[0]} s, all", "learning / {} / PR-AUC to the {}"
    return found | {
        "pr_auc_full": found["levels / full / PR-AUC"],
        "pr_auc_clock": found["levels / clock only / PR-AUC"],
        "noise_adds_to_clock": found[last.format("noise", "clock")],
        "first_window_adds_to_rest": found[last.format("first window", "rest")],
        "rescoring_gain": found[f"rescoring / {first} / re-scored / PR-AUC"],
        "staying_gain": found[f"rescoring / {first} / stayed / PR-AUC"],
        "rescoring_gain_capture": found[f"rescoring / {first} / re-scored / capture@1 %"],
    }


def _gap(values: Mapping[str, Floats], one: str, other: str) -> Recomputed:
    return change(values[one], values[other])


def _there(values: Mapping[str, Floats], group: str) -> bool:
    varying = values.get(f"group / {group} / varying")
    return varying is not None and len(varying) > 0 and bool((varying > 0).all())


def _learnt(values: Mapping[str, Floats]) -> dict[str, Recomputed]:
    found: dict[str, Recomputed] = {}
    for group in (*_GROUPS, "clock", *_LET_IN):
        if not _there(values, group):
            continue
        most, least = (
            (f"full + {group}", "full") if group in _LET_IN else ("full", f"without {group}")
        )
        for metric in _METRICS:
            key = f"learning / {group} / {metric} to the"
            found[f"{key} rest"] = _gap(
                values, f"variant / {most} / {metric}", f"variant / {least} / {metric}"
            )
            if group != "clock":
                found[f"{key} clock"] = _gap(
                    values,
                    f"variant / clock + {group} / {metric}",
                    f"variant / clock only / {metric}",
                )
    return found


def order_of(values: Mapping[str, Floats]) -> list[str]:
    """Return the groups and noise, the one that adds most to the clock first."""
    height = {g: values.get(f"variant / clock + {g} / PR-AUC") for g in (*_GROUPS, "noise")}
    known = {g: float(x.mean()) for g, x in height.items() if x is not None and len(x)}
    return sorted(known, key=lambda g: -known[g])


def _ranked(values: Mapping[str, Floats]) -> dict[str, Recomputed]:
    order = order_of(values)

    def lead(one: str, other: str) -> Recomputed:
        return _gap(values, *(f"variant / clock + {g} / PR-AUC" for g in (one, other)))

    found: dict[str, Recomputed] = {}
    for place, group in enumerate(order):
        key = f"ranking / {place + 1} / {group}"
        found[f"{key} / adds to the clock"] = _gap(
            values, f"variant / clock + {group} / PR-AUC", "variant / clock only / PR-AUC"
        )
        if place:
            found[f"{key} / the first is ahead by"] = lead(order[0], group)
        if place + 1 < len(order):
            found[f"{key} / ahead of the next"] = lead(group, order[place + 1])
    weakest = [group for group in order if group != "noise"][-1]
    return found | {
        "lead_of_first": lead(order[0], order[1]),
        "noise_over_weakest": lead("noise", weakest),
    }


def _again(values: Mapping[str, Floats], seconds: list[int]) -> dict[str, Recomputed]:
    found: dict[str, Recomputed] = {}
    for table in (f"{s} s, {who}" for s in seconds for who in _WHO):
        for metric in _METRICS:
            entry = f"{table} / at entry / {metric}"
            found[f"rescoring / {entry}"] = level(values[entry])
            for arm in ("stayed", "re-scored"):
                key = f"{table} / {arm} / {metric}"
                found[f"rescoring / {key}"] = _gap(values, key, entry)
    return found


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    order = order_of(values_of(kept))
    places = [f"{s} s, {who}" for s in result["config"]["dwell_seconds"] for who in _WHO]
    found = {
        ("learning", f"added to the {base}"): Drawn(
            order, estimates=[f"learning / {group} / PR-AUC to the {base}" for group in order]
        )
        for base in ("clock", "rest")
    }
    for arm in ("stayed", "re-scored"):
        found["rescoring", arm] = Drawn(
            places, estimates=[f"rescoring / {place} / {arm} / PR-AUC" for place in places]
        )
    return found


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the check that the kept readings decide: whether fitting twice ever differed."""
    return {"a_a": ties(values_of(kept))}
