"""The two short forms of a report: an executive summary of two pages, and slides for a talk.

Both are one self-contained HTML file without network requests, made from the same pages as the
report: they leave out, and add nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from giftlive.reports.answers import answer
from giftlive.reports.load import load_run
from giftlive.reports.page import Drawn, GateRow, Speaker, StudyPage
from giftlive.reports.render import Report, compose, context_of, whisker_of
from giftlive.reports.templating import fill_html

SUMMARY, SLIDES = "summary.html", "slides.html"

GATES_ON_SUMMARY = 8
ROWS_ON_SUMMARY = 6
"""What two pages of A4 hold in either language; the rest is counted and left to the report."""

GATES_ON_SLIDE = 5
ROWS_ON_SLIDE = 16
"""Names down a figure that can still be read from the back of a room."""


@dataclass(frozen=True)
class StudySlide:
    """One study on one slide: its finding, its decision and its first legible figure.

    ``heading`` is its answer in one line, with the question in small print; where a number of the
    answer may not be printed it is the question itself.
    """

    page: StudyPage
    heading: str
    question: str
    finding: str
    decision: str
    figure: Drawn | None


def write_summary(folder: Path, lang: str = "en", add: Sequence[Path] = ()) -> Path:
    """Write ``summary.html``, two pages of A4 when printed, into a run folder.

    Raises
    ------
    InputError, UsageError, IntegrityError
        As for the report.
    """
    report = compose(load_run(folder, add), lang)
    return _written(folder / SUMMARY, summary(report))


def write_slides(folder: Path, lang: str = "en", add: Sequence[Path] = ()) -> Path:
    """Write ``slides.html``, one slide a page when printed, into a run folder.

    Raises
    ------
    InputError, UsageError, IntegrityError
        As for the report.
    """
    report = compose(load_run(folder, add), lang)
    return _written(folder / SLIDES, slides(report))


def summary(report: Report) -> str:
    """Return the executive summary: what was analysed, found, decided, and what is not known."""
    undecided = report.first.board["open"]
    return fill_html(
        "summary.html.j2",
        {"css": "report.css", "sheet": "summary.css"},
        **context_of(report),
        whisker=whisker_of(report.say),
        most_gates=GATES_ON_SUMMARY,
        most_rows=ROWS_ON_SUMMARY,
        actions=(*undecided, *report.first.board["answered"]),
    )


def slides(report: Report) -> str:
    """Return the slides: the first page in four, one per study, and how to reproduce it."""
    return fill_html(
        "slides.html.j2",
        {"css": "report.css", "sheet": "slides.css", "script": "slides.js"},
        **context_of(report),
        whisker=whisker_of(report.say),
        boards=_in_groups(report.first.gates, GATES_ON_SLIDE),
        verdicts=verdicts_counted(report.first.gates, report.say),
        studies=tuple(_slide(page, report) for page in report.pages if not page.skipped),
        static=report.still,
    )


def verdicts_counted(gates: Sequence[GateRow], say: Speaker) -> str:
    """Return in words how many gates say what, in the order of the board."""
    counted = Counter(row.gate.verdict for row in gates)
    return say.chrome("comma").join(f"{n} {verdict}" for verdict, n in counted.items())


def _slide(page: StudyPage, report: Report) -> StudySlide:
    def told(role: str) -> str:
        section = page.sections.get(role)
        return " ".join(line for (line,) in section.rows) if section else ""

    legible = (drawn for drawn in page.figures if _rows(drawn, report) <= ROWS_ON_SLIDE)
    told_first = answer(page.result, report.say)
    return StudySlide(
        page=page,
        heading=told_first or page.question,
        question=page.question if told_first else "",
        finding=told("finding"),
        decision=told("decision"),
        figure=next(legible, None),
    )


def _rows(drawn: Drawn, report: Report) -> int:
    """Return how many names run down a figure; 0 where none do."""
    layout = report.layouts[drawn.stem]
    return len(layout.place.ticks) if layout.horizontal else 0


def _in_groups(rows: Sequence[GateRow], size: int) -> tuple[tuple[GateRow, ...], ...]:
    return tuple(tuple(rows[k : k + size]) for k in range(0, len(rows), size))


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
