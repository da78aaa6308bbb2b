"""Study 0.3 again, from every world's readings and the targets as they are written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from scipy import stats

from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Curve, Drawn
from giftlive.run.verify.recomputed import Recomputed, mean
from giftlive.run.verify.rows import Kept
from giftlive.types import Floats

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_CALIBRATED, _IN_ROUNDS = "calibrated", ("v1", "v2")
_WORLDS = (_CALIBRATED, *_IN_ROUNDS)
_LOGS = "these logs"
_EMERGE = (
    *("user_gini", "streamer_gini", "gifting_pairs_repeat_share"),
    *("gift_rate_pair_with_history", "gift_rate_pair_without_history"),
    *("click_share_pair_with_history", "revenue_share_never_gifted_pairs"),
    "revenue_share_watch_lt5_5to30_30to300_gt300",
)
_EDGE = 8.0


@dataclass(frozen=True)
class _Number:
    """One number of a target in one world: its readings, one a seed, none where one is missing."""

    target: str
    fact: str
    published: float
    limit: float
    gated: bool
    values: Floats

    @property
    def known(self) -> bool:
        """Return whether every seed has the number."""
        return len(self.values) > 0

    @property
    def tolerances(self) -> float:
        """Return the error in tolerances, as it is drawn."""
        gap = float(self.values.mean()) - self.published
        if not np.isfinite(self.limit) or not gap:
            return 0.0
        far = gap / self.limit if self.limit else np.sign(gap) * _EDGE
        return float(np.clip(far, -_EDGE, _EDGE))

    @property
    def passes(self) -> bool:
        """Return whether the pass rule of the target file holds."""
        if not len(self.values):
            return False
        middle = float(self.values.mean())
        error = 2.0 * float(stats.sem(self.values)) if len(self.values) > 1 else 0.0
        size = max(abs(self.published), abs(middle))
        return abs(middle - self.published) <= self.limit + error + 1e-9 * size


_World = dict[str, _Number]


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    found: dict[str, Recomputed] = {}
    worlds = {world: _numbers(kept, result, world) for world in _WORLDS}
    seeds = int(result["config"]["seeds"])
    for world in _WORLDS:
        prefix = "" if world == _CALIBRATED else f"{world}_"
        share = _share(kept, worlds[world])
        exact = Recomputed(share, n=seeds)
        found[f"{prefix}targets_within_tolerance"] = exact
    for world, numbers in (worlds | {_LOGS: _numbers(kept, result, _LOGS)}).items():
        for number in numbers.values():
            table = "behaviours" if number.target in _EMERGE else "targets"
            found[f"{table} / {number.fact} / {world}"] = _mean(number)
    emerging = (n for n in worlds[_CALIBRATED].values() if n.target in _EMERGE)
    return found | {number.fact: _mean(number) for number in emerging}


def _mean(number: _Number) -> Recomputed:
    return mean(number.values) if number.known else Recomputed(None)


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    worlds = {world: _known(_numbers(kept, result, world)) for world in _WORLDS}
    found: dict[tuple[str, str], Drawn] = {}
    shared = {fact for world in _IN_ROUNDS for fact in worlds[world]}
    for name, both in (("errors", True), ("errors_clocked", False)):
        gated = [f for f, n in worlds[_CALIBRATED].items() if n.gated and (f in shared) is both]
        for world in _WORLDS if both else _WORLDS[:1]:
            there = [f for f in gated if f in worlds[world]]
            heights = [worlds[world][f].tolerances for f in there]
            found[name, world] = Drawn([_words(f) for f in there], Curve.of(heights))
        band = Curve.of([0.0] * len(gated))
        found[name, "within tolerance"] = Drawn([_words(f) for f in gated], band)
    for name, (places, relative) in _beside(worlds[_CALIBRATED]).items():
        for series in ("published", *_WORLDS):
            numbers = worlds[_CALIBRATED if series == "published" else series]
            there = [fact for fact in places if fact in numbers]
            heights = [_height(numbers[fact], series, relative) for fact in there]
            found[name, series] = Drawn([places[fact] for fact in there], Curve.of(heights))
    return found


def _known(numbers: _World) -> _World:
    return {fact: number for fact, number in numbers.items() if number.known}


def _height(number: _Number, series: str, relative: bool) -> float:
    value = number.published if series == "published" else float(number.values.mean())
    return value / number.published if relative else value


def _beside(here: _World) -> dict[str, tuple[dict[str, str], bool]]:
    """Return figure -> fact -> place, and whether heights are multiples of what is published."""
    buckets = {"lt5": "< 5 s", "5to30": "5-30 s", "30to300": "30-300 s", "gt300": "> 300 s"}
    parts = {"top1_share": "top 1 %", "top5_share": "top 5 %", "top10_share": "top 10 %"}
    both = {"click": "clicks", "revenue": "amount"}
    return {
        "amount_quantiles": ({f"amount_p{p}": f"{p} %" for p in (50, 75, 90, 95, 99)}, False),
        "concentration": (
            {
                f"{whose}_{part}": f"{whose}s, {text}"
                for whose in ("user", "streamer")
                for part, text in (parts | {"gini": "Gini"}).items()
            },
            False,
        ),
        "watch_buckets": (
            {
                f"{kind}_share_watch_{b}": f"{what}, {text}"
                for kind, what in both.items()
                for b, text in buckets.items()
            },
            False,
        ),
        "behaviours": (
            {
                fact: _words(fact)
                for fact, number in here.items()
                if number.target in _EMERGE and "watch" not in fact and number.published
            },
            True,
        ),
    }


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the checks that can be made again."""
    scale = float(kept.columns("worlds")["scale"][0])
    numbers = {n.fact: n for n in _read(kept, "v1", scale)}
    return {
        "size": bool(scale >= rule["size"]["least_scale"]),
        "movable": bool(1.0 - _share(kept, numbers) > rule["movable"]["smallest"]),
    }


def _share(kept: Kept, numbers: _World) -> float:
    """Return the share of the gated targets all of whose numbers pass."""
    verdict: dict[str, bool] = {}
    for number in numbers.values():
        if number.gated:
            verdict[number.target] = verdict.get(number.target, True) and number.passes
    return float(np.mean(list(verdict.values()))) if verdict else 0.0


def _numbers(kept: Kept, result: Result, world: str) -> _World:
    return {n.fact: n for n in _read(kept, world, float(result["config"]["size"]))}


def _read(kept: Kept, world: str, scale: float) -> Iterator[_Number]:
    """Yield every number of ``world``, in the order of the table of targets."""
    columns = kept.columns("readings", f"* FROM readings WHERE world = '{world}'")
    text = (files("giftlive.world.calibration") / "targets.toml").read_text("utf-8")
    for target, row in tomllib.loads(text).items():
        rows = columns["target"] == target
        for part, published in enumerate(row["value"]):
            here = rows & (columns["part"] == part)
            if here.any():
                yield _Number(
                    target=target,
                    fact=str(columns["fact"][here][0]),
                    published=float(published),
                    limit=_limit(row, float(published)),
                    gated=row["kind"] != "info" and (row.get("scope") != "full" or scale >= 1.0),
                    values=columns["value"][here][: None if columns["known"][here].all() else 0],
                )


def _limit(row: Mapping[str, Any], published: float) -> float:
    if row["kind"] == "info":
        return float("inf")
    share = float(row["tolerance"])
    return share * abs(published) if row["kind"] == "rel" else share


def _words(fact: str) -> str:
    words = fact.split("_")
    return " ".join([*words[:-1], "(UTC days)"] if words[-1] == "utc" else words)
