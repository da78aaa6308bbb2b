"""Tables and figures of study 1.1: the story, the gate's differences, true parts, the ceiling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from giftlive.evaluation.results import Estimate, Figure, Series, Table
from giftlive.evaluation.rules import RELATIVE
from giftlive.evaluation.stages import (
    BOTH,
    BOUND,
    GIFT_ONLY,
    PUBLISHED,
    PUBLISHED_ECE_RULE,
    TRUE_AMOUNT,
    TRUE_CHANCE,
)
from giftlive.studies.over_worlds import OverWorlds, dots
from giftlive.types import Floats, Message

_NOT_SHARES = frozenset({"MAE(log)", "RMSE(log)", "log-loss", "Spearman", "norm. Gini"})
_KEY = "study.two_stage"
SWAPPED = ("capture@1 %", "NDCG@100", "norm. Gini")


@dataclass(frozen=True)
class Stages:
    """Every number over worlds, and which models they are about.

    Attributes
    ----------
    scale : of each world, 1 = full size. direct, staged : the models.
    """

    over: OverWorlds
    scale: float
    direct: str
    staged: tuple[str, ...]

    def arm(self, arm: str, metric: str, version: str = "clean") -> Floats | None:
        """Return [seeds] a metric of the story."""
        return self.over.column("story", f"{arm}, {metric}", version)


def _unit(metric: str) -> str:
    return "ratio" if metric in _NOT_SHARES else "share"


def gate_estimates(found: Stages, staged: str) -> tuple[Estimate, ...]:
    """Return what the gate asks of one two-stage model."""
    one = {m: found.arm(staged, m) for m in ("PR-AUC", "log-loss", "ECE")}
    other = {m: found.arm(found.direct, m) for m in one}
    auc, base = one["PR-AUC"], other["PR-AUC"]
    gained = None if auc is None or base is None else auc - base
    return (
        found.over.ratio("pr_auc_relative_gain", gained, base, RELATIVE),
        found.over.change("log_loss_change", one["log-loss"], other["log-loss"], "nats"),
        found.over.change("ece_change", one["ECE"], other["ECE"], "share difference"),
    )


def tables(found: Stages) -> tuple[Table, ...]:
    """Return the tables in the order of the page; those without rows are left out."""
    made = (_story(found), _differences(found), _swap(found), _closed(found), _ceiling(found))
    return tuple(table for table in made if table.rows)


def _params(found: Stages) -> dict[str, object]:
    return {"seeds": len(found.over.seeds), "scale": found.scale}


def _story(found: Stages) -> Table:
    arms = (found.direct, *found.staged, GIFT_ONLY, BOUND)
    rows = []
    for arm in arms:
        metrics = [r.split(", ", 1)[1] for t, r, c in found.over.values if _of(t, r, c, arm)]
        for metric in metrics:
            cells = [
                found.over.mean(f"{arm}_{metric}_{v}", found.arm(arm, metric, v), _unit(metric))
                for v in ("leaky", "clean")
            ]
            rows.append((arm, metric, *cells, _published(found, arm, metric)))
    return Table(
        name="story",
        columns=("arm", "metric", "leaky", "clean", "published"),
        units=("", "", "mean of worlds", "mean of worlds", "the leak in it"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.story", _params(found)),
    )


def _of(table: str, row: str, column: str, arm: str) -> bool:
    return table == "story" and column == "clean" and row.startswith(f"{arm}, ")


def _published(found: Stages, arm: str, metric: str) -> float | str:
    side = {found.direct: "direct", found.staged[0]: "staged"}.get(arm, "")
    return PUBLISHED.get((side, metric), "")


def _differences(found: Stages) -> Table:
    rows = []
    for name in found.staged:
        made = gate_estimates(found, name)
        rate = "NOT ANSWERABLE: more than the share of positives"
        rows.append((name, *made, rate))
    return Table(
        name="differences",
        columns=("two stages", "PR-AUC", "log-loss", "ECE", f"ECE down by {PUBLISHED_ECE_RULE:g}"),
        units=("", "relative change", "nats", "difference", "as published"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.differences", {"direct": found.direct}),
    )


def _versions(found: Stages) -> Iterator[str]:
    yield found.direct
    for name in found.staged:
        yield from (name, f"{name}, {TRUE_CHANCE}", f"{name}, {TRUE_AMOUNT}")
    yield BOTH


def _swap(found: Stages) -> Table:
    rows = tuple(
        (
            row,
            *(
                found.over.mean(f"{row}_{m}", found.over.column("swap", row, m), _unit(m))
                for m in SWAPPED
            ),
        )
        for row in _versions(found)
        if found.over.column("swap", row, SWAPPED[0]) is not None
    )
    return Table(
        name="swap",
        columns=("order", *SWAPPED),
        units=("", *("of expected amounts" for _ in SWAPPED)),
        rows=rows,
        caption=Message(f"{_KEY}.table.swap", _params(found)),
    )


def _closed(found: Stages) -> Table:
    rows = [
        (name, part, *(closed(found, name, part, m) for m in SWAPPED))
        for name in found.staged
        for part in (TRUE_CHANCE, TRUE_AMOUNT)
    ]
    return Table(
        name="closed",
        columns=("two stages", "swapped in", *SWAPPED),
        units=("", "", *("share of the gap" for _ in SWAPPED)),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.closed", _params(found)),
    )


def closed(found: Stages, name: str, part: str, metric: str) -> Estimate:
    """Return how much of the gap from a model to both true parts one true part closes."""
    own, one, best = (
        found.over.column("swap", row, metric) for row in (name, f"{name}, {part}", BOTH)
    )
    label = f"closed_{part}_{metric}".replace(" ", "_")
    if own is None or one is None or best is None:
        return found.over.ratio(label, None, None, "share of the gap")
    return found.over.ratio(label, one - own, best - own, "share of the gap")


def _ceiling(found: Stages) -> Table:
    bayes = found.over.column("ceiling", "Bayes order", "capture@1 %")
    rows = []
    if bayes is not None:
        for row in (found.direct, *found.staged, BOTH):
            own = found.over.column("swap", row, "capture@1 %")
            rows.append((row, found.over.ratio(f"share_{row}", own, bayes, "share of the ceiling")))
    return Table(
        name="ceiling",
        columns=("order", "share of the Bayes ceiling"),
        units=("", "capture@1 % of expected amounts"),
        rows=tuple(rows),
        caption=Message(f"{_KEY}.table.ceiling", _params(found)),
    )


def figures(found: Stages) -> tuple[Figure, ...]:
    """Return the figures in the order of the page."""
    return (_story_figure(found), _swap_figure(found))


def _story_figure(found: Stages) -> Figure:
    metric = "overlap@1 %"
    arms = (found.direct, *found.staged, GIFT_ONLY, BOUND)
    made = {
        v: {a: found.over.mean(a, found.arm(a, metric, v), "share") for a in arms}
        for v in ("leaky", "clean")
    }
    beside = {a: p for a in arms if isinstance(p := _published(found, a, metric), float)}
    leaky, clean = (made[v][found.direct].value or 0.0 for v in ("leaky", "clean"))
    return Figure(
        name="story",
        title=f"With the leak {leaky:.0%} of the top 1 % is right, without {clean:.0%}",
        subtitle=f"overlap of the two tops; mean of {len(found.over.seeds)} calibrated worlds",
        x_label="arm",
        y_label="share of the top 1 % that is in the realised top 1 %",
        series=(
            *(dots(v, points) for v, points in made.items()),
            Series("published", tuple(beside), tuple(beside.values()), style="dots"),
        ),
        shows=Message(f"{_KEY}.figure.story.shows", {}),
        follows=Message(f"{_KEY}.figure.story.follows", {}),
        x_scale="category",
        horizontal=True,
    )


def _swap_figure(found: Stages) -> Figure:
    metric = "norm. Gini"
    points = {
        row: found.over.mean(row, x, "ratio")
        for row in _versions(found)
        if (x := found.over.column("swap", row, metric)) is not None and row != BOTH
    }
    own = points[found.staged[0]].value or 0.0
    return Figure(
        name="swap",
        title=f"{found.staged[0]} orders expected amounts with a normalised Gini of {own:.2f}",
        subtitle="1 is the order by the true values; "
        f"mean of {len(found.over.seeds)} calibrated worlds",
        x_label="order",
        y_label="normalised Gini against expected amounts",
        series=(dots("expected amounts", points),),
        shows=Message(f"{_KEY}.figure.swap.shows", {}),
        follows=Message(f"{_KEY}.figure.swap.follows", {}),
        x_scale="category",
        horizontal=True,
    )


def listed(found: Stages) -> tuple[Estimate, ...]:
    """Return the estimates that the gate and the page name."""
    first = found.staged[0]
    gini = (closed(found, first, part, "norm. Gini") for part in (TRUE_CHANCE, TRUE_AMOUNT))
    levels = {
        "pr_auc_staged": found.over.mean("pr_auc", found.arm(first, "PR-AUC"), "share"),
        "pr_auc_direct": found.over.mean("pr_auc", found.arm(found.direct, "PR-AUC"), "share"),
    }
    named = zip(("gap_closed_by_true_chance", "gap_closed_by_true_amount"), gini, strict=True)
    return (
        *gate_estimates(found, first),
        *(replace(e, name=name) for name, e in levels.items()),
        *(replace(e, name=name) for name, e in named),
    )
