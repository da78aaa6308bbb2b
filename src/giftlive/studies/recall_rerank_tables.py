"""Tables and the figure of study 5.1: every length of the list, and how much order was left."""

from __future__ import annotations

from dataclasses import dataclass, replace

from giftlive.evaluation.reranking import (
    CAPTURE,
    DIRECT,
    FIRST,
    METRICS,
    NDCG,
    REALISED_CAPTURE,
    REALISED_NDCG,
    SLATE,
    STAGED_ALONE,
    by_staged,
    by_truth,
)
from giftlive.evaluation.results import Estimate, Figure, Table
from giftlive.studies.over_worlds import OverWorlds, dots
from giftlive.types import Floats, Message

_KEY = "study.recall_rerank"
_AMOUNTS = (FIRST, SLATE)
UNITS = {
    NDCG: "share",
    CAPTURE: "share",
    FIRST: "amount",
    SLATE: "amount",
    REALISED_NDCG: "share",
    REALISED_CAPTURE: "share",
}


@dataclass(frozen=True)
class Lists:
    """Every number over worlds, and what they are about.

    Attributes
    ----------
    scale : of each world, 1 = full size. direct, staged : the models. length : of the list that
    the gate asks about. lengths : all that were tried, ascending.
    """

    over: OverWorlds
    scale: float
    direct: str
    staged: str
    length: int
    lengths: tuple[int, ...]

    def order(self, row: str, metric: str) -> Floats | None:
        """Return [seeds] a metric of one order."""
        return self.over.column("list", row, metric)

    def change(self, row: str, metric: str) -> Estimate:
        """Return what an order changes against the direct model's, paired by world."""
        unit = UNITS[metric] if metric in _AMOUNTS else "share difference"
        one, other = (self.order(name, metric) for name in (row, DIRECT))
        return self.over.change(f"{row}, {metric}", one, other, unit)

    def reached(self, length: int) -> Estimate:
        """Return Σ what stage 2 adds to NDCG over Σ what the true order of the list would add."""
        own, one, best = (
            self.order(row, NDCG) for row in (DIRECT, by_staged(length), by_truth(length))
        )
        if own is None or one is None or best is None:
            return self.over.ratio(f"reached {length}", None, None, "share of the gap")
        return self.over.ratio(f"reached {length}", one - own, best - own, "share of the gap")

    def reordered(self, length: int) -> Floats | None:
        """Return [seeds] the share of decisions whose list comes out in another order."""
        return self.over.column("lists", by_staged(length), "reordered")


def listed(found: Lists) -> tuple[Estimate, ...]:
    """Return the estimates that the gate and the page name."""
    row = by_staged(found.length)
    named = {
        "ndcg_10_change": found.change(row, NDCG),
        "capture_1pct_change": found.change(row, CAPTURE),
        "ndcg_10_direct": found.over.mean("", found.order(DIRECT, NDCG), "share"),
        "ndcg_10_reranked": found.over.mean("", found.order(row, NDCG), "share"),
        "first_room_change": found.change(row, FIRST),
        "slate_change": found.change(row, SLATE),
        "share_of_the_order_reached": found.reached(found.length),
    }
    return tuple(replace(e, name=name) for name, e in named.items())


def tables(found: Lists) -> tuple[Table, ...]:
    """Return the tables in the order of the page."""
    return (_sweep(found), _levels(found), _room(found), _sets(found))


def _params(found: Lists) -> dict[str, object]:
    return {
        "seeds": len(found.over.seeds),
        "scale": found.scale,
        "direct": found.direct,
        "staged": found.staged,
        "length": found.length,
    }


def _sweep(found: Lists) -> Table:
    rows = [
        (f"{length}", *(found.change(by_staged(length), m) for m in METRICS))
        for length in found.lengths
    ]
    rows.append((STAGED_ALONE, *(found.change(STAGED_ALONE, m) for m in METRICS)))
    units = ("per decision" if m in _AMOUNTS else "share difference" for m in METRICS)
    return Table(
        name="sweep",
        columns=("rooms recalled", *METRICS),
        units=("", *units),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.sweep", _params(found)),
    )


def _levels(found: Lists) -> Table:
    orders = (
        *(DIRECT, STAGED_ALONE),
        *(by_staged(n) for n in found.lengths),
        *(by_truth(n) for n in found.lengths),
    )
    rows = tuple(
        (row, *(found.over.mean(f"{row}, {m}", found.order(row, m), UNITS[m]) for m in METRICS))
        for row in orders
    )
    return Table(
        name="levels",
        columns=("order", *METRICS),
        units=("", *("per decision" if m in _AMOUNTS else UNITS[m] for m in METRICS)),
        rows=rows,
        caption=Message(f"{_KEY}.table.levels", _params(found)),
    )


def _room(found: Lists) -> Table:
    rows = tuple(
        (
            f"{length}",
            found.over.mean(f"reordered {length}", found.reordered(length), "share"),
            found.change(by_truth(length), NDCG),
            found.reached(length),
        )
        for length in found.lengths
    )
    return Table(
        name="room",
        columns=("rooms recalled", "reordered", "true order adds", "of which reached"),
        units=("", "share of decisions", "NDCG@10", "share of the gap"),
        rows=rows,
        caption=Message(f"{_KEY}.table.room", _params(found)),
    )


def _sets(found: Lists) -> Table:
    named = {
        "decisions": ("decisions", "count", "decisions per world"),
        "candidates": ("candidates", "mean", "rooms per decision"),
        "with a gift": ("decisions with a gift", "count", "decisions per world"),
    }
    rows = tuple(
        (name, found.over.mean(name, found.over.column("lists", row, column), unit))
        for name, (row, column, unit) in named.items()
    )
    return Table(
        name="sets",
        columns=("what", "mean of worlds"),
        units=("", "see the row"),
        rows=rows,
        caption=Message(f"{_KEY}.table.sets", _params(found)),
    )


def figures(found: Lists) -> tuple[Figure, ...]:
    """Return the figure of the page."""
    points = {
        name: {f"{n} rooms": found.change(order(n), NDCG) for n in found.lengths}
        for name, order in (("stage 2", by_staged), ("true order", by_truth))
    }
    asked = points["stage 2"][f"{found.length} rooms"].value or 0.0
    return (
        Figure(
            name="sweep",
            title=f"Ordering the first {found.length} rooms anew changes NDCG@10 by {asked:+.3f}",
            subtitle=f"{found.staged} on the recall of {found.direct}, expected amounts as gains; "
            f"{len(found.over.seeds)} calibrated worlds",
            x_label="rooms recalled",
            y_label="change of NDCG@10 against the direct order",
            series=tuple(dots(name, places) for name, places in points.items()),
            shows=Message(f"{_KEY}.figure.sweep.shows", {}),
            follows=Message(f"{_KEY}.figure.sweep.follows", {}),
            x_scale="category",
            horizontal=True,
        ),
    )
