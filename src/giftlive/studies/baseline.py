"""0.2 · How far do trivial rankers get, and does any model beat them on later days?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from giftlive import metrics
from giftlive.evaluation import checks, leaderboard
from giftlive.evaluation.folds import folds_of
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.history import tail_of
from giftlive.evaluation.leaderboard import Predictions, Scored, TestSet
from giftlive.evaluation.results import Check, Estimate, Figure, Gate, Series, StudyResult, Table
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import Interval
from giftlive.stats.print_rule import method_of, need, printed
from giftlive.studies.context import Context, Kind, estimate, say
from giftlive.tables.matrix import Matrix, load_matrix
from giftlive.tables.splits import Fold
from giftlive.types import Floats, Ints, Message

FRACTIONS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.10)
_METRICS = {
    "revenue_capture_1pct": ("capture@1 %", "share", "total amount"),
    "revenue_capture_10pct": ("capture@10 %", "share", "total amount"),
    "pr_auc": ("PR-AUC", "ratio", "area of the unit square"),
    "ece": ("ECE", "ratio", "1"),
    "spearman": ("Spearman", "ratio", "1"),
    "ndcg_100": ("NDCG@100", "ratio", "ideal order"),
    "normalised_gini": ("norm. Gini", "ratio", "ideal order"),
    "calibration_ratio": ("Σ pred / Σ actual", "ratio", "actual amount"),
}
"""Metric -> printed name, unit, denominator."""

_OF_OCCURRENCE = frozenset({"pr_auc", "ece"})
"""Metrics that see only whether there was a gift; in every other one amounts enter."""


@dataclass(frozen=True)
class Board:
    """The leaderboard with what the study derives from it."""

    test: TestSet
    predictions: tuple[Predictions, ...]
    scored: tuple[Scored, ...]
    learned: Predictions
    trivial: Predictions
    gain: Interval
    tie: Interval
    moved: Interval
    tail: str

    def kind(self, metric: str) -> Kind:
        """Return what the print rule must know about a metric's interval."""
        tail = "count" if metric in _OF_OCCURRENCE else self.tail
        if metric == "spearman" and tail != "gift":
            tail = "full"  # ranks forget how large an amount is
        users = len(np.unique(self.test.user))
        return Kind(metric, tail, len(self.test.y) / max(users, 1))

    @property
    def printed_gain(self) -> Interval:
        """Return the gain as it may be printed."""
        kind = self.kind("capture_difference")
        return printed(self.gain, kind.statistic, kind.tail, kind.rows_per_cluster)


@dataclass(frozen=True)
class Baseline:
    """Trivial rankers, Ridge, boosted trees and a two-part model on identical rolling folds."""

    name: str = "baseline"
    id: str = "0.2"
    needs: tuple[str, ...] = ("gift",)
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Fit on past days, choose on validation days, score once on test days."""
        matrix = load_matrix(context.tables)
        folds = folds_of(context.store, matrix, context.config.tables.folds)
        board = _board(context, matrix, folds)
        context.keep("predictions", _rows(board))
        rule = load_rules()["baseline"]
        made, chosen = _checks(board, rule), _estimates(board, matrix.unit)
        gate = judge(rule, chosen, made)
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.baseline.question", {}),
            seed=context.config.seed,
            config=context.config.models.model_dump() | {"folds": [_fold(f) for f in folds]},
            inputs=context.inputs(),
            code_version=context.code_version,
            checks=made,
            estimates=chosen,
            gates=(gate,),
            tables=(_leaderboard_table(board, matrix.unit), _fold_table(board, folds)),
            figures=_figures(board, matrix.unit),
            text=_text(board, matrix, gate, not context.store.source.series_of_events),
        )


def _board(context: Context, matrix: Matrix, folds: tuple[Fold, ...]) -> Board:
    names = [name for name in context.config.models.names if _possible(name, matrix)]
    test = leaderboard.test_set(matrix, folds)
    total = 2 * len(names)
    predictions = leaderboard.predict_all(
        matrix, folds, names, lambda done, _: context.progress(done, total)
    )
    scored = leaderboard.score(
        test, predictions, lambda done, _: context.progress(len(names) + done, total)
    )
    learned, trivial = leaderboard.choose(predictions)
    metric = "revenue_capture_1pct"
    gain = leaderboard.gain(test, learned, trivial, metric)
    tie = leaderboard.gain(test, learned, learned, metric)
    tail = tail_of(context.store.source, matrix, folds[0])
    moved = leaderboard.moved(matrix, folds, predictions)
    return Board(test, predictions, scored, learned, trivial, gain, tie, moved, tail)


def _rows(board: Board) -> dict[str, Floats | Ints]:
    """Return the pooled test rows with every model's predictions."""
    found: dict[str, Floats | Ints] = {
        "user_id": board.test.user,
        "fold": board.test.fold,
        "amount": board.test.y,
    }
    for p in board.predictions:
        found |= {f"{p.name}_amount": p.amount, f"{p.name}_probability": p.probability}
    return found


def _possible(name: str, matrix: Matrix) -> bool:
    """Return whether the matrix has the past sum that a trivial ranker ranks by."""
    needed = {
        "user_past_spend": "user_gift_sum",
        "pair_past_spend": "pair_gift_sum",
        "streamer_past_income": "streamer_gift_sum",
    }
    return needed.get(name, matrix.names[0]) in matrix.names


def _fold(fold: Fold) -> dict[str, object]:
    return {
        "name": fold.name,
        "train": list(fold.train),
        "validation": list(fold.validation),
        "test": list(fold.test),
    }


def _checks(board: Board, rule: Rule) -> tuple[Check, ...]:
    exact = board.tie.value == 0.0 and board.tie.width == 0.0
    return (
        checks.a_a([exact], "a model against itself"),
        checks.movable(
            board.moved,
            "best against worst ranker on the validation days, capture at 1 %",
            **rule.asked("movable"),
        ),
        checks.power(len(np.unique(board.test.user)), "users", **rule.asked("power")),
    )


def _estimates(board: Board, unit: str) -> tuple[Estimate, ...]:
    population = f"{unit}s of the pooled test days"
    best = next(s for s in board.scored if s.name == board.learned.name)
    base = next(s for s in board.scored if s.name == board.trivial.name)
    first = estimate(
        "revenue_capture_1pct_gain",
        board.gain,
        board.kind("capture_difference"),
        unit="share difference",
        denominator="total amount on the test days",
        population=population,
    )
    rest = [
        replace(_metric(board, scored, name, unit), name=f"{name}_{label}")
        for label, scored in (("model", best), ("trivial", base))
        for name in ("revenue_capture_1pct", "pr_auc", "ece", "calibration_ratio")
        if name in scored.metrics
    ]
    return (first, *rest)


def _metric(board: Board, scored: Scored, name: str, unit: str) -> Estimate:
    _, printed_unit, denominator = _METRICS[name]
    return estimate(
        name,
        scored.metrics[name],
        board.kind(name),
        unit=printed_unit,
        denominator=denominator,
        population=f"{unit}s of the pooled test days",
    )


def _leaderboard_table(board: Board, unit: str) -> Table:
    ordered = sorted(board.scored, key=lambda s: -s.validation)
    shown = [m for m in _METRICS if m in ordered[0].metrics]
    return Table(
        name="leaderboard",
        columns=("model", "validation capture@1 %", *(_METRICS[m][0] for m in shown)),
        units=("", "chooses", *("95 %" for _ in shown)),
        rows=(
            *(
                (s.name, round(s.validation, 4), *(_metric(board, s, m, unit) for m in shown))
                for s in ordered
            ),
            ("users for an interval", "", *(_needed(board, m) for m in shown)),
        ),
        caption=Message(f"study.baseline.table.{_caption(board)}", {}),
    )


def _needed(board: Board, metric: str) -> str:
    """Return how many users the interval of a metric needs, in words."""
    if metric == leaderboard.BARE:
        return "never"
    kind, interval = board.kind(metric), board.scored[0].metrics[metric]
    needed = need(kind.statistic, method_of(interval), kind.tail, kind.rows_per_cluster)
    return needed.words if needed.clusters else "unknown tail"


def _caption(board: Board) -> str:
    return "leaderboard" if board.printed_gain.low is not None else "leaderboard_small"


def _fold_table(board: Board, folds: tuple[Fold, ...]) -> Table:
    return Table(
        name="stability",
        columns=("model", *(fold.name for fold in folds)),
        units=("", *("capture@1 %" for _ in folds)),
        rows=tuple((p.name, *(round(value, 4) for value in p.by_fold)) for p in board.predictions),
        caption=Message("study.baseline.table.stability", {}),
    )


def _figures(board: Board, unit: str) -> tuple[Figure, ...]:
    n = len(board.test.y)
    subtitle = f"{n:,} {unit}s of {len(np.unique(board.test.user)):,} users, pooled test days"
    return (
        _capture_figure(board, subtitle, unit),
        _curve_figure(board, subtitle),
        _decile_figure(board, subtitle),
    )


def _capture_figure(board: Board, subtitle: str, unit: str) -> Figure:
    ordered = sorted(board.scored, key=lambda s: s.validation)
    metric = "revenue_capture_1pct"
    intervals = [_metric(board, s, metric, unit) for s in ordered]
    drawn = all(i.low is not None and i.high is not None for i in intervals)
    values = [i.value or 0.0 for i in intervals]
    chosen = next(v for v, s in zip(values, ordered, strict=True) if s.name == board.learned.name)
    return Figure(
        name="leaderboard",
        title=f"{board.learned.name} puts {chosen:.0%} of the money into its top 1 %",
        subtitle=f"revenue capture at 1 %; {subtitle}",
        x_label="model, by validation",
        y_label="share of the total amount held by the top 1 % by score",
        series=(
            Series(
                name="capture at 1 %",
                x=tuple(s.name for s in ordered),
                y=tuple(values),
                style="dots",
                low=tuple(i.low or 0.0 for i in intervals) if drawn else None,
                high=tuple(i.high or 0.0 for i in intervals) if drawn else None,
                n=tuple(i.n for i in intervals),
            ),
        ),
        shows=Message("study.baseline.figure.leaderboard.shows", {}),
        follows=Message("study.baseline.figure.leaderboard.follows", _gain_params(board)),
        x_scale="category",
        horizontal=True,
    )


def _curve_figure(board: Board, subtitle: str) -> Figure:
    y = board.test.y
    shown = (board.learned, board.trivial)
    series = tuple(
        Series(
            name=p.name,
            x=tuple(100 * f for f in FRACTIONS),
            y=tuple(metrics.revenue_capture(y, p.amount, f) for f in FRACTIONS),
        )
        for p in shown
    )
    oracle = Series(
        name="realised amounts (unreachable)",
        x=tuple(100 * f for f in FRACTIONS),
        y=tuple(metrics.revenue_capture(y, y, f) for f in FRACTIONS),
        style="reference",
    )
    top = series[0].y[-1]
    return Figure(
        name="capture_curve",
        title=f"The top 10 % by {board.learned.name} hold {top:.0%} of the amount",
        subtitle=f"revenue capture; {subtitle}",
        x_label="top share by score (%)",
        y_label="share of the total amount",
        series=(*series, oracle),
        shows=Message("study.baseline.figure.curve.shows", {}),
        follows=Message("study.baseline.figure.curve.follows", {}),
        x_scale="log",
    )


def _decile_figure(board: Board, subtitle: str) -> Figure:
    names = [board.learned.name, "boosted_log1p"]
    series = tuple(
        Series(
            name=p.name,
            x=tuple(float(d) for d, _ in _deciles(board.test.y, p.amount)),
            y=tuple(ratio for _, ratio in _deciles(board.test.y, p.amount)),
            style="dots",
        )
        for p in board.predictions
        if p.name in names
    )
    whole = metrics.calibration_ratio(board.test.y, board.learned.amount)
    even = Series(name="even", x=(1.0, 10.0), y=(1.0, 1.0), style="reference")
    return Figure(
        name="deciles",
        title=f"{board.learned.name} predicts {whole:.2f} times the amount that came",
        subtitle=f"predicted / actual by decile of prediction; {subtitle}",
        x_label="decile of the prediction (10 = highest)",
        y_label="predicted / actual amount",
        series=(*series, even),
        shows=Message("study.baseline.figure.deciles.shows", {}),
        follows=Message("study.baseline.figure.deciles.follows", {"ratio": whole}),
        y_scale="log",
    )


def _deciles(y: Floats, predicted: Floats) -> list[tuple[int, float]]:
    """Return (decile, predicted / actual) of the deciles in which there was a gift."""
    bins = metrics.calibration_by_decile(y, predicted)
    pairs = zip(bins.predicted, bins.actual, strict=True)
    return [(d + 1, float(p / a)) for d, (p, a) in enumerate(pairs) if a > 0 and p > 0]


def _gain_params(board: Board) -> dict[str, object]:
    shown = board.printed_gain
    bounds = "no interval at this many users"
    if shown.low is not None and shown.high is not None:
        bounds = f"95 % interval {100 * shown.low:+.1f} to {100 * shown.high:+.1f}"
    return {
        "model": board.learned.name,
        "trivial": board.trivial.name,
        "gain": 100 * (shown.value or 0.0),
        "bounds": bounds,
    }


def _pipeline(unit: str, daily: bool) -> tuple[str, ...]:
    """Return the steps as they were for sessions or gifts, on days or on whole events."""
    if unit == "gift":
        return ("gift", "2", "3" if daily else "events", "4", "5")
    return ("1", "2", "3", "4", "5")


def _text(board: Board, matrix: Matrix, gate: Gate, daily: bool) -> dict[str, tuple[Message, ...]]:
    name = "baseline"
    params = _gain_params(board) | {"verdict": gate.verdict, "unit": matrix.unit}
    rows = {"value": f"{len(matrix.y):,} {matrix.unit}s"}
    columns = {"value": ", ".join(matrix.names[:6]) + f" … ({len(matrix.names)} in all)"}
    return {
        "finding": say(name, "finding", **params),
        "headline": say(
            name, "headline", estimate="revenue_capture_1pct_model", label=board.learned.name
        ),
        "consensus": say(
            name, "consensus", evidence=gate.reason, decision=gate.consequence, **params
        ),
        "cannot_tell": say(name, "cannot_tell", "alone" if matrix.unit == "gift" else "shown"),
        "mechanism": say(name, "mechanism"),
        "inputs": say(name, "inputs.rows", **rows) + say(name, "inputs.features", **columns),
        "outputs": say(name, "outputs", value=board.learned.name),
        "pipeline": say(name, "pipeline", *_pipeline(matrix.unit, daily)),
        "outcomes": say(name, "outcomes", "passed", "rejected", "anomaly"),
        "design": say(name, "design", "days" if daily else "events"),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "mechanism", "diagnostics", "design"),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "stationary", "clusters"),
        "scope": say(name, "scope"),
        "limits": say(name, "limits", "coverage", "tuning"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.fit", where="evaluation.leaderboard:predict_all"),
            *say(name, "modules.score", where="evaluation.leaderboard:score"),
            *say(name, "modules.model", where="models.two_part:TwoPart"),
        ),
    }
