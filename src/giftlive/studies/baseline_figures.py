"""Figures of study 0.2: who is on top, at every cut, and whether the level is right."""

from __future__ import annotations

import numpy as np

from giftlive import metrics
from giftlive.evaluation.results import Figure, Series
from giftlive.studies.board import Board
from giftlive.types import Floats, Message

FRACTIONS = metrics.CAPTURE_FRACTIONS


def figures(board: Board, unit: str) -> tuple[Figure, ...]:
    """Return the figures in the order of the page."""
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
    intervals = [board.metric(s, metric, unit) for s in ordered]
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
        follows=Message("study.baseline.figure.leaderboard.follows", board.gain_params),
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
