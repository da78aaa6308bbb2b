"""The tidy frame behind a figure: one row per point, exactly the numbers that are drawn."""

from __future__ import annotations

import csv
import io

from giftlive.evaluation.results import Figure

COLUMNS = ("series", "x", "y", "low", "high", "n")


def frame_rows(figure: Figure) -> list[tuple[object, ...]]:
    """Return the rows of ``figure``; an absent interval or count is an empty cell."""
    rows: list[tuple[object, ...]] = []
    for series in figure.series:
        blank = [""] * len(series.x)
        columns = (series.x, series.y, series.low or blank, series.high or blank, series.n or blank)
        rows += [(series.name, *row) for row in zip(*columns, strict=True)]
    return rows


def frame_csv(figure: Figure) -> str:
    """Return the frame as CSV; floats are written so that they read back to the same bits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(frame_rows(figure))
    return text.getvalue()
