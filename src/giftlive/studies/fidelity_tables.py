"""The target table of every world, calibrated quantities and emerging behaviours apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from giftlive.evaluation.fidelity import BEHAVIOURS, CALIBRATED, LOGS, ROUNDS, Comparison, Score
from giftlive.evaluation.results import Estimate, Table
from giftlive.stats.intervals import Interval, no_interval, student_t, withheld
from giftlive.studies.context import Kind, estimate
from giftlive.types import Message

SEEDS = Kind("mean", "light")
"""The mean over worlds of a statistic of a whole world."""

HEAVY = frozenset({"amount_mean", "amount_sd", "amount_max", "amount_p99"})
"""Statistics of the largest gifts: from seed to seed more skewed than any mean measured here."""

_COLUMNS = ("quantity", "published", "tolerance", "days", "verdict")
_UNITS = ("", "", "± in its unit", "", f"{CALIBRATED}, by the pass rule")


def mean_of_seeds(score: Score, world: str, unit: str = "") -> Estimate:
    """Return the mean over seeds of one number of a world, with its interval where one holds."""
    population = {CALIBRATED: f"the {CALIBRATED} world", LOGS: "the logs of this run"}
    return estimate(
        score.fact,
        _interval(score, "logs" if world == LOGS else "seeds"),
        SEEDS,
        unit=unit,
        denominator="as the fact of this name says",
        population=population.get(world, f"the world {world} in rounds"),
    )


def _interval(score: Score, n_unit: str) -> Interval:
    if score.mean is None:
        return no_interval("undefined", "there is no such number here", "student_t", 0, n_unit)
    if len(score.values) == 1:  # the value is known, its spread is not
        return Interval(score.mean, None, None, "none", 1, n_unit, "ok", f"one of the {n_unit}")
    found = student_t(score.values, n_unit=n_unit)
    if score.fact in HEAVY:
        return withheld(found, "the largest gifts make it more skewed than any mean measured here")
    if found.low == found.high:
        return withheld(found, "equal on every seed")
    return found


def fidelity_tables(found: Comparison) -> tuple[Table, ...]:
    """Return one table of what was calibrated and one of what emerges."""
    scores = found.scores(CALIBRATED)
    parts = {
        "targets": [s for s in scores if s.target.name not in BEHAVIOURS],
        "behaviours": [s for s in scores if s.target.name in BEHAVIOURS],
    }
    return tuple(_table(found, name, rows) for name, rows in parts.items())


def _table(found: Comparison, name: str, scores: Iterable[Score]) -> Table:
    others = {
        world: {s.fact: s for s in found.scores(world)} for world in (CALIBRATED, *ROUNDS, LOGS)
    }
    n = len(found.seeds)
    return Table(
        name=name,
        columns=(*_COLUMNS, CALIBRATED, *ROUNDS, LOGS),
        units=(*_UNITS, *([f"mean of {n} seeds"] * (1 + len(ROUNDS))), "as they are"),
        rows=tuple(_row(score, others, found.scale) for score in scores),
        caption=Message(f"study.world_fidelity.table.{name}", {"seeds": n, "scale": found.scale}),
    )


def _row(score: Score, others: dict[str, dict[str, Score]], scale: float) -> tuple[Any, ...]:
    gated = score.target.gated(scale)
    free = score.target.kind == "info"
    return (
        score.fact,
        score.published,
        "" if free else _round(score.limit),
        score.target.days or "any",
        ("within" if score.within else "outside") if gated else "not judged",
        *(
            mean_of_seeds(others[world][score.fact], world) if score.fact in others[world] else ""
            for world in (CALIBRATED, *ROUNDS, LOGS)
        ),
    )


def _round(limit: float) -> float:
    """Return a tolerance with the digits that count."""
    return float(f"{limit:.3g}")
