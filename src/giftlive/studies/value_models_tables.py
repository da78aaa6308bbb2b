"""Tables and figures of study 0.2b: order, level, head, what happened, coverage."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from giftlive.evaluation.leaderboard import TRIVIAL
from giftlive.evaluation.results import Estimate, Figure, Table
from giftlive.evaluation.value_models import (
    BAYES,
    CEILINGS,
    COLD,
    LATENT,
    LEVEL,
    LUCK,
    REFERENCE,
    TENTHS,
)
from giftlive.evaluation.value_models.measure import ALL
from giftlive.studies.over_worlds import OverWorlds, dots
from giftlive.types import Floats, Message

_KEY = "study.value_models"
TRIVIAL_BEST = "best trivial ranker"
REALISED = ("capture@1 %", "capture@10 %", "Spearman", "PR-AUC", "log-loss", "ECE")
_GROUPS = ("all gifts", *TENTHS)


@dataclass(frozen=True)
class ValueNumbers(OverWorlds):
    """Every number over worlds.

    Attributes
    ----------
    scale : of each world, 1 = full size. names : the models. default : the one that is judged.
    """

    scale: float
    names: tuple[str, ...]
    default: str

    @property
    def learned(self) -> tuple[str, ...]:
        """Return the models that are no past sum."""
        return tuple(name for name in self.names if name not in TRIVIAL)

    @property
    def ranked(self) -> list[str]:
        """Return the models, the largest mean normalised Gini against expected amounts first."""
        return sorted(self.names, key=lambda name: -self.level("order", name, "norm. Gini"))

    def level(self, *cell: str) -> float:
        """Return the mean of a cell, 0 where a world has none."""
        x = self.column(*cell)
        return 0.0 if x is None else float(x.mean())

    def ceiling(self, label: str = ALL) -> tuple[str, Floats | None]:
        """Return the better-founded ceiling of a slice: the Bayes one where there is one."""
        bayes = self.column("head", BAYES, label)
        return (LATENT, self.column("head", LATENT, label)) if bayes is None else (BAYES, bayes)


def tables(found: ValueNumbers) -> tuple[Table, ...]:
    """Return the tables in the order of the page; those without rows are left out."""
    made = (
        _order(found),
        _gains(found),
        _levels(found),
        _heads(found),
        _closed(found),
        _realised(found),
        _coverage(found),
        _luck(found),
    )
    return tuple(table for table in made if table.rows)


def _params(found: ValueNumbers) -> dict[str, object]:
    return {"seeds": len(found.seeds), "scale": found.scale, "default": found.default}


def _order(found: ValueNumbers) -> Table:
    metrics = ("norm. Gini", "NDCG@100")
    rows = [
        (
            name,
            *(found.mean(f"{name}_{m}", found.column("order", name, m), _unit(m)) for m in metrics),
            found.mean(f"{name}_level", found.column("level", name, "Σ pred / Σ expected"), "ratio")
            if name in found.learned
            else "an order only",
        )
        for name in found.ranked
    ]
    return Table(
        name="order",
        columns=("model", *metrics, "Σ pred / Σ expected"),
        units=("", *("of expected amounts" for _ in metrics), "mean of worlds"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.order", _params(found)),
    )


def _unit(metric: str) -> str:
    return "ratio" if metric in ("norm. Gini", "Spearman", "log-loss") else "share"


def _gains(found: ValueNumbers) -> Table:
    """Return every model minus ridge, and minus the trivial ranker chosen on validation."""
    rows = [
        (
            name,
            gain(found, name, REFERENCE, "order", "norm. Gini"),
            gain(found, name, REFERENCE, "realised", "capture@1 %"),
            gain(found, name, TRIVIAL_BEST, "realised", "capture@1 %"),
        )
        for name in found.learned
        if name != REFERENCE
    ]
    return Table(
        name="gains",
        columns=(
            "model",
            f"norm. Gini - {REFERENCE}",
            f"capture@1 % - {REFERENCE}",
            f"capture@1 % - {TRIVIAL_BEST}",
        ),
        units=("", "expected amounts", "realised amounts", "realised amounts"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.gains", _params(found)),
    )


def gain(found: ValueNumbers, one: str, other: str, table: str, metric: str) -> Estimate:
    """Return a metric of one model minus that of another, paired by world."""
    a, b = (found.column(table, name, metric) for name in (one, other))
    return found.change(f"{one}_over_{other}_{metric}", a, b, "difference")


def tenth(found: ValueNumbers, name: str, label: str) -> Estimate:
    """Return Σ predicted / Σ expected over worlds in one tenth of a model's predictions."""
    predicted = found.column(f"predicted, {label}", name, "sum")
    expected = found.column(f"expected, {label}", name, "sum")
    return found.ratio(f"{name}_{label}", predicted, expected, "ratio")


def _levels(found: ValueNumbers) -> Table:
    return Table(
        name="levels",
        columns=("model", *TENTHS),
        units=("", *("Σ pred / Σ expected" for _ in TENTHS)),
        rows=tuple((n, *(tenth(found, n, label) for label in TENTHS)) for n in found.learned),
        caption=Message(f"{_KEY}.table.levels", _params(found)),
    )


def _heads(found: ValueNumbers) -> Table:
    ceilings = [c for c in CEILINGS if found.column("head", c, ALL) is not None]
    rows = []
    for name in (*found.names, *ceilings):
        cells = []
        for label in (ALL, COLD):
            own, best = found.column("head", name, label), found.ceiling(label)[1]
            cells += [
                found.mean(f"{name}_{label}", own, "share"),
                found.ratio(f"{name}_{label}_of_ceiling", own, best, "share of the ceiling"),
            ]
        rows.append((name, *cells))
    which = found.ceiling()[0]
    return Table(
        name="heads",
        columns=("model", "capture@1 %", f"of the {which}", f"{COLD}", f"cold, of the {which}"),
        units=("", "expected amount", "share", "expected amount", "share"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.heads", _params(found)),
    )


def closed(found: ValueNumbers, name: str, ceiling: str) -> Estimate:
    """Return how much of ridge's gap to a ceiling a model closes for cold pairs."""
    own, base, best = (found.column("head", who, COLD) for who in (name, REFERENCE, ceiling))
    if own is None or base is None or best is None:
        return found.ratio(f"closed_{name}", None, None, "share of the gap")
    return found.ratio(f"closed_{name}", own - base, best - base, "share of the gap")


def _closed(found: ValueNumbers) -> Table:
    which = found.ceiling(COLD)[0]
    return Table(
        name="closed",
        columns=("model", f"gap from {REFERENCE} to the {which} closed"),
        units=("", f"{COLD}, capture@1 %"),
        rows=tuple((n, closed(found, n, which)) for n in found.learned if n != REFERENCE),
        caption=Message(f"{_KEY}.table.closed", _params(found)),
    )


def _realised(found: ValueNumbers) -> Table:
    rows = []
    for name in found.names:
        cells = [
            found.mean(f"{name}_{m}", found.column("realised", name, m), _unit(m)) for m in REALISED
        ]
        rows.append((name, *cells))
    return Table(
        name="realised",
        columns=("model", *REALISED),
        units=("", *("mean of worlds" for _ in REALISED)),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.realised", _params(found)),
    )


def coverage(found: ValueNumbers, label: str) -> Estimate:
    """Return the share of the gifts whose amount lies in its nominal interval."""
    gifts, hits = (found.column("coverage", label, c) for c in ("gifts", "covered"))
    return found.ratio(f"coverage_{label}", hits, gifts, "share of the gifts")


def _coverage(found: ValueNumbers) -> Table:
    known = found.column("coverage", "all gifts", "gifts") is not None
    rows = [(label, coverage(found, label)) for label in _GROUPS] if known else []
    return Table(
        name="coverage",
        columns=("gifts", f"inside the interval at {LEVEL:.0%}"),
        units=("", "Σ over worlds"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.coverage", _params(found)),
    )


def _luck(found: ValueNumbers) -> Table:
    """Return what nobody can know of the level, beside the levels of the models."""
    level = "Σ pred / Σ expected"
    columns = {
        **{label: found.column("luck", label, "of a world") for label in LUCK},
        **{f"{level} of {name}": found.column("level", name, level) for name in found.learned},
    }
    return Table(
        name="luck",
        columns=("", "mean of worlds"),
        units=("", "number"),
        rows=tuple(
            (label, found.mean(f"luck_{label}", x, "number"))
            for label, x in columns.items()
            if x is not None
        ),
        caption=Message(f"{_KEY}.table.luck", _params(found)),
    )


def farthest(found: ValueNumbers) -> Estimate:
    """Return the tenth of the default model whose level is farthest from 1."""
    made = [tenth(found, found.default, label) for label in TENTHS]
    return max(made, key=lambda e: abs(np.log(e.value)) if e.value else np.inf)


def listed(found: ValueNumbers) -> tuple[Estimate, ...]:
    """Return the estimates that the gates and the page name."""
    who = found.default
    own, bayes = found.column("head", who, ALL), found.column("head", BAYES, ALL)
    named = {
        "gini_default": found.mean("", found.column("order", who, "norm. Gini"), "ratio"),
        "gini_gain_over_ridge": gain(found, who, REFERENCE, "order", "norm. Gini"),
        "level_of_default": found.mean(
            "", found.column("level", who, "Σ pred / Σ expected"), "ratio"
        ),
        "level_of_farthest_tenth": farthest(found),
        "capture_gain_over_ridge": gain(found, who, REFERENCE, "realised", "capture@1 %"),
        "capture_gain_over_trivial": gain(found, who, TRIVIAL_BEST, "realised", "capture@1 %"),
        "share_of_ceiling": found.ratio("", own, bayes, "share of the ceiling"),
        "cold_gap_closed": closed(found, who, BAYES),
        "coverage": coverage(found, "all gifts"),
    }
    return tuple(replace(e, name=name) for name, e in named.items())


def figures(found: ValueNumbers) -> tuple[Figure, ...]:
    """Return the figures in the order of the page."""
    return (_order_figure(found), _level_figure(found))


def _order_figure(found: ValueNumbers) -> Figure:
    points = {
        name: found.mean(name, found.column("order", name, "norm. Gini"), "ratio")
        for name in found.ranked
    }
    best, own = next(iter(points)), points[REFERENCE].value or 0.0
    return Figure(
        name="order",
        title=f"{best} orders expected amounts best: {points[best].value or 0.0:.3f}, "
        f"{REFERENCE} {own:.3f}",
        subtitle=f"1 is the order by the true values; mean of {len(found.seeds)} calibrated worlds",
        x_label="model",
        y_label="normalised Gini against expected amounts",
        series=(dots("expected amounts", points),),
        shows=Message(f"{_KEY}.figure.order.shows", {}),
        follows=Message(f"{_KEY}.figure.order.follows", {}),
        x_scale="category",
        horizontal=True,
    )


def _level_figure(found: ValueNumbers) -> Figure:
    shown = dict.fromkeys((found.default, REFERENCE))
    farthest_off = farthest(found)
    return Figure(
        name="levels",
        title=f"Of {found.default}'s tenths the one farthest off promises "
        f"{farthest_off.value or 0.0:.2f} of what is due",
        subtitle=f"Σ predicted / Σ expected; {len(found.seeds)} calibrated worlds",
        x_label="tenth of the rows by predicted amount",
        y_label="Σ predicted / Σ expected",
        series=tuple(dots(n, {t: tenth(found, n, t) for t in TENTHS}) for n in shown),
        shows=Message(f"{_KEY}.figure.levels.shows", {}),
        follows=Message(f"{_KEY}.figure.levels.follows", {}),
        x_scale="category",
    )
