"""The page of ``giftlive ope``: estimates, weights, how often such intervals hold, the audit.

One HTML file without scripts or network requests; its two figures are inlined and stand beside it
as SVG, PNG and CSV.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from giftlive.evaluation.off_policy_log import LogEvaluation
from giftlive.evaluation.results import Figure, Series
from giftlive.ope.printing import MEASURED, WEIGHED
from giftlive.reports.figures.frame import frame_csv
from giftlive.reports.figures.layout import lay_out
from giftlive.reports.figures.palette import assign_slots
from giftlive.reports.figures.static import draw_static
from giftlive.stats.coverage_table import CoverageRow, table
from giftlive.stats.heavy_tails import exceedance_curve
from giftlive.stats.print_rule import method_of
from giftlive.types import Message

PAGE = "ope.html"
_TAILS = {"count": "count", "amount": "full", "capped": "capped"}
_SMALLEST_WEIGHT = 1e-3


def write_page(found: LogEvaluation, folder: Path, advice: Sequence[str] = ()) -> Path:
    """Write the page and its figures into ``folder``; return the page's path.

    Parameters
    ----------
    advice : lines about which estimator to believe, printed as they are.
    """
    figures = (forest(found), weights(found))
    slots = assign_slots(figures)
    place = folder / "figures"
    place.mkdir(parents=True, exist_ok=True)
    drawn = []
    for figure in figures:
        (place / f"{figure.name}.csv").write_text(frame_csv(figure), encoding="utf-8")
        svg = place / f"{figure.name}.svg"
        draw_static(lay_out(figure, slots), svg, svg.with_suffix(".png"))
        drawn.append(Markup(_inline(svg.read_text(encoding="utf-8"), figure)))
    path = folder / PAGE
    environment = Environment(
        loader=PackageLoader("giftlive.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("ope.html.j2").render(
        found=found, figures=drawn, coverage=coverage_rows(found), advice=advice, shown=_shown
    )
    path.write_text(text, encoding="utf-8")
    return path


def forest(found: LogEvaluation) -> Figure:
    """Return every estimate with its interval where one may be printed."""
    some = [e for e in found.estimates if e.interval.value is not None]
    series = []
    for name, bounded in (("with its 95 % interval", True), ("interval withheld", False)):
        here = [e.interval for e in some if (e.interval.low is not None) == bounded]
        names = [e.estimator for e in some if (e.interval.low is not None) == bounded]
        if here:
            series.append(
                Series(
                    name=name,
                    x=tuple(names),
                    y=tuple(i.value or 0.0 for i in here),
                    style="dots",
                    low=tuple(i.low or 0.0 for i in here) if bounded else None,
                    high=tuple(i.high or 0.0 for i in here) if bounded else None,
                )
            )
    refused = len(found.estimates) - len(some)
    no = f"; {refused} without an answer" if refused else ""
    return Figure(
        name="forest",
        title=f"What {found.target} would have earned, by {len(some)} estimators",
        subtitle=f"{found.decisions:,} decisions for {found.users:,} users{no}",
        x_label="estimator",
        y_label=f"{found.reward.name} per decision",
        series=tuple(series),
        shows=Message("text", {}),
        follows=Message("text", {}),
        x_scale="category",
        horizontal=True,
    )


def weights(found: LogEvaluation) -> Figure:
    """Return the tail of the importance weights: the share of decisions at or beyond each."""
    d, largest = found.diagnostics, found.largest_weights
    seen = largest[largest >= _SMALLEST_WEIGHT]
    x, y = exceedance_curve(seen)
    share = len(seen) / max(d.n, 1)
    k = "none: the tail is light" if d.pareto_k is None else f"{d.pareto_k:.2f}, limit 0.7"
    return Figure(
        name="weights",
        title=f"To the target, {d.n:,} decisions are worth {d.effective_n:,.0f}",
        subtitle=f"importance weights; mean {d.mean_weight:.3f}, Pareto k {k}",
        x_label="weight",
        y_label="share of decisions with this weight or more",
        series=(Series("weights", tuple(x.tolist()), tuple((share * y).tolist())),),
        shows=Message("text", {}),
        follows=Message("text", {}),
        x_scale="log",
        y_scale="log",
    )


def coverage_rows(found: LogEvaluation) -> tuple[CoverageRow, ...]:
    """Return how often intervals like these hold, by distance of the target and users."""
    methods = {method_of(e.computed) for e in found.estimates}.intersection(WEIGHED)
    names = {"ratio", *(f"off_policy_{name}" for name in MEASURED)}
    mean = found.decisions / max(found.users, 1)
    rows = [
        r for r in table()
        if r.statistic in names and r.method in methods and r.tail == _TAILS[found.reward.name]
    ]  # fmt: skip
    sizes = sorted({r.rows_per_cluster for r in rows if r.statistic != "ratio"})
    nearest = min(sizes, key=lambda size: abs(size - mean), default=0)
    return tuple(r for r in rows if r.rows_per_cluster == nearest)


def _inline(svg: str, figure: Figure) -> str:
    start = svg.index("<svg")
    return f'<figure role="img" aria-label="{figure.name}">{svg[start:]}</figure>'


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
