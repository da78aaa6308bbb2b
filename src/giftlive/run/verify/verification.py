"""The whole verification of a run folder, subject by subject."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb

from giftlive.errors import InputError, UsageError
from giftlive.run.verify import (
    baseline,
    behavioural_fidelity,
    cold_start,
    concave_returns,
    concurrency,
    delay,
    estimate_vs_allocate,
    exploration,
    figures,
    first_window,
    folder,
    gates,
    interference,
    multi_task,
    off_policy,
    pareto,
    phase_diagram,
    recall_rerank,
    risk,
    shadow_price,
    two_stage,
    value_models,
    whale_matching,
    world_fidelity,
)
from giftlive.run.verify.claims import Claim, Result, claims_of
from giftlive.run.verify.intervals import EXACT, NoOtherFormError, bounds
from giftlive.run.verify.outcome import Difference, Tally, Verification
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept, read_json
from giftlive.types import Progress, silent

AUDITS: dict[str, ModuleType] = {
    "baseline": baseline,
    "behavioural_fidelity": behavioural_fidelity,
    "cold_start": cold_start,
    "concave_returns": concave_returns,
    "concurrency": concurrency,
    "delay": delay,
    "estimate_vs_allocate": estimate_vs_allocate,
    "exploration": exploration,
    "first_window": first_window,
    "interference": interference,
    "multi_task": multi_task,
    "off_policy": off_policy,
    "pareto": pareto,
    "phase_diagram": phase_diagram,
    "recall_rerank": recall_rerank,
    "risk": risk,
    "shadow_price": shadow_price,
    "two_stage": two_stage,
    "value_models": value_models,
    "whale_matching": whale_matching,
    "world_fidelity": world_fidelity,
}
"""Study -> the module that computes its numbers again."""

ROUNDING = 1e-12
"""Two numbers this near are equal, however small they are: sums run in another order."""


def verify(run: Path, progress: Progress = silent) -> Verification:
    """Compute every printed number of the run in ``run`` again, by another path.

    Returns
    -------
    Verification
        One tally per study (its estimates), then the figures, the gates, the folder and its files.

    Raises
    ------
    UsageError
        ``run`` is no run folder. InputError: a file in it cannot be read at all.
    """
    if not (run / "manifest.json").is_file() or not (run / "results").is_dir():
        raise UsageError(
            "not a run folder", str(run), "a folder with manifest.json and results/",
            "make one with `giftlive run`",
        )  # fmt: skip
    manifest = read_json(run / "manifest.json")
    results = [read_json(path) for path in sorted((run / "results").glob("*.json"))]
    if not results:
        raise InputError("the run folder holds no results", str(run / "results"), "one per study")
    rules, rules_hash = gates.rules_of()
    asked = [result for result in results if not result["skipped"] or _says_something(result)]
    studies, drawn, judged = [], [], []
    for done, result in enumerate(asked):
        progress(done, len(asked) + 1)
        study = _study(run, result, rules)
        studies.append(study.estimates)
        drawn.append(study.figures)
        judged.append(study.gates)
    whole = _counted("run folder", folder.differences(run, manifest, rules_hash))
    files = _counted("files", folder.edits(run))
    progress(len(asked) + 1, len(asked) + 1)
    figures_of_all, gates_of_all = _merged("figures", drawn), _merged("gates", judged)
    return Verification((*studies, figures_of_all, gates_of_all, whole, files))


def _says_something(result: Result) -> bool:
    """Return whether there is anything to verify in what may call itself skipped."""
    return any(result[part] for part in ("checks", "estimates", "figures", "gates", "tables"))


@dataclass(frozen=True)
class _Study:
    estimates: Tally
    figures: Tally
    gates: Tally


def _study(run: Path, result: Result, rules: gates.Rules) -> _Study:
    """Return the tallies of one study; rows that cannot be read leave all of it unverified."""
    name, claims = str(result["study"]), list(claims_of(result))
    series = [f"{f['name']} / {s['name']}" for f in result["figures"] for s in f["series"]]
    judged = [gate["id"] for gate in result["gates"]]
    audit = AUDITS.get(name)
    if audit is None:
        why = "this study has no second computation"
        return _none(name, why, [c.key for c in claims], series, judged)
    with duckdb.connect(":memory:") as con:
        kept = Kept(run, name, con)
        try:
            found = audit.recompute(kept, result)
            drawn = audit.draw(kept, result)
            again: dict[str, bool] = {}
            for rule in gates.rules_for(name, rules).values():
                again |= audit.checks(kept, rule["checks"])
        except InputError as error:
            why = f"{error.where}: {error.what}"
            return _none(name, why, [c.key for c in claims], series, judged)
        except KeyError as error:
            return _none(name, f"no column {error}", [c.key for c in claims], series, judged)
    printed = {claim.key: claim.printed for claim in claims}
    return _Study(
        _estimates(name, claims, found, audit.EXCUSED),
        _figures(result, series, drawn, printed, audit.UNDRAWN),
        _counted("gates", gates.differences(result, rules, again)),
    )


def _none(study: str, why: str, claims: list[str], series: list[str], judged: list[str]) -> _Study:
    def lost(subject: str, names: list[str]) -> Tally:
        return Tally(subject, len(names), 0, 0.0, (), tuple((name, why) for name in names))

    return _Study(lost(study, claims), lost("figures", series), lost("gates", judged))


def _estimates(
    study: str, claims: list[Claim], found: Mapping[str, Recomputed], excused: Mapping[str, str]
) -> Tally:
    differences = list(_absent(study, claims, found))
    count = len(claims) + len(differences)
    unverified: list[tuple[str, str]] = []
    spared: list[tuple[str, str]] = []
    largest = 0.0
    for claim in claims:
        why = next((w for pattern, w in excused.items() if re.fullmatch(pattern, claim.key)), "")
        again = found.get(claim.key)
        if again is None:
            kind = spared if why else unverified
            kind.append((claim.key, why or "no second computation of this number"))
            continue
        try:
            wrong, gap = _compared(study, claim, again)
        except NoOtherFormError as error:
            unverified.append((claim.key, str(error)))
            continue
        largest = max(largest, gap)
        differences += [wrong] if wrong else []
    agreed = count - len(differences) - len(unverified) - len(spared)
    return Tally(
        study, count, agreed, largest, tuple(differences), tuple(unverified), tuple(spared)
    )


def _absent(
    study: str, claims: list[Claim], found: Mapping[str, Recomputed]
) -> Iterator[Difference]:
    """Yield every number that the study must print and does not; gates only repeat numbers."""
    printed = {claim.key for claim in claims if not claim.repeated}
    for key in found:
        if key not in printed:
            again = f"{found[key].value}"
            yield Difference(study, key, "absent", again, f"results/{study}.json")


def _compared(study: str, claim: Claim, again: Recomputed) -> tuple[Difference | None, float]:
    """Return what is wrong with a claim, and the largest relative gap where it is exact."""

    def wrong(part: str, printed: object, found: object) -> Difference:
        name = f"{claim.key}{part and ', '}{part}"
        return Difference(study, name, str(printed), str(found), claim.where)

    printed, value = claim.printed, claim.printed["value"]
    if value is None or again.value is None:
        return (None if value is again.value else wrong("", value, again.value)), 0.0
    size = max(abs(value), abs(again.value), again.scale)
    gap = _gap(value, again.value, size)
    if abs(value - again.value) > EXACT * size + ROUNDING:
        return wrong("", value, again.value), gap
    if again.n is not None and printed["n"] != again.n:
        return wrong("n", printed["n"], again.n), gap
    if printed["low"] is None or printed["high"] is None:
        excusable = bool(printed["reason"]) and printed["low"] is printed["high"]
        return (None if excusable else wrong("interval", "absent", "a reason, or both bounds")), gap
    ranges, exact = bounds(printed, again)
    for part, (least, most) in zip(("low", "high"), ranges, strict=True):
        bound = printed[part]
        if not least <= bound <= most:
            middle = (least + most) / 2
            place = f"{middle:.17g}" if exact else f"within [{least:.6g}, {most:.6g}]"
            return wrong(part, bound, place), gap
        scale = max(size, abs(bound))
        single = most - least <= 4 * (EXACT * scale + ROUNDING)  # not two neighbouring amounts
        if exact and single and scale:
            gap = max(gap, _gap(bound, (least + most) / 2, scale))
    return None, gap


def _gap(one: float, other: float, size: float) -> float:
    """Return a difference relative to ``size``; 0 where only rounding around 0 is left."""
    difference = abs(one - other)
    return difference / size if difference > ROUNDING else 0.0


def _figures(
    result: Result,
    series: list[str],
    drawn: Mapping[tuple[str, str], figures.Drawn],
    printed: Mapping[str, Mapping[str, Any]],
    undrawn: Mapping[str, str],
) -> Tally:
    tally = _counted("figures", figures.differences(result, drawn, printed))
    known = {f"{figure} / {name}" for figure, name in drawn}
    excused: list[tuple[str, str]] = []
    unverified: list[tuple[str, str]] = []
    for name in (name for name in series if name not in known):
        why = undrawn.get(name.split(" / ")[0])
        kind = excused if why else unverified
        kind.append((name, why or "no second computation of this series"))
    return Tally(
        "figures",
        len(series),
        tally.agreed,
        0.0,
        tally.differences,
        tuple(unverified),
        tuple(excused),
    )


def _counted(subject: str, pairs: Iterable[tuple[str, Difference | None]]) -> Tally:
    found = list(pairs)
    wrong = tuple(difference for _, difference in found if difference is not None)
    return Tally(subject, len(found), len(found) - len(wrong), 0.0, wrong)


def _merged(subject: str, parts: list[Tally]) -> Tally:
    def joined(field: Callable[[Tally], tuple[Any, ...]]) -> tuple[Any, ...]:
        return tuple(item for part in parts for item in field(part))

    return Tally(
        subject,
        sum(part.claims for part in parts),
        sum(part.agreed for part in parts),
        max((part.largest for part in parts), default=0.0),
        joined(lambda tally: tally.differences),
        joined(lambda tally: tally.unverified),
        joined(lambda tally: tally.excused),
    )
