"""The first page: what was analysed, what came out, what is undecided and what cannot be known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from giftlive.clock import zone
from giftlive.evaluation.results import StudyResult
from giftlive.reports import numbers
from giftlive.reports.load import CALIBRATED_WORLD, Run, natural
from giftlive.reports.page import GateRow, KeyNumber, Node, Speaker, StudyPage, in_turn

KEY_NUMBERS = 4
CANNOT_TELL = 3
_UNBROKEN_HYPHEN = "\u2011"
_DECIDED = frozenset({"PASS", "FAIL"})


@dataclass(frozen=True)
class FirstPage:
    """The contents of page one, in reading order."""

    sentence: str
    numbers: tuple[KeyNumber, ...]
    gates: tuple[GateRow, ...]
    cannot_tell: tuple[str, ...]
    tree: tuple[tuple[str, tuple[Node, ...]], ...]
    consensus: tuple[tuple[str, tuple[str, ...]], ...]
    board: dict[str, tuple[Node, ...]]


def first_page(run: Run, pages: tuple[StudyPage, ...], say: Speaker) -> FirstPage:
    """Return page one from the pages of the studies."""
    nodes = tuple(_node(page) for page in pages)
    cannot = [[s for (s,) in _rows(page, "cannot_tell")] for page in pages]
    return FirstPage(
        sentence=_sentence(run, say),
        numbers=tuple(in_turn([page.numbers for page in pages], KEY_NUMBERS)),
        gates=tuple(row for page in pages for row in page.gates),
        cannot_tell=tuple(dict.fromkeys(in_turn(cannot, 99)))[:CANNOT_TELL],
        tree=_tree(nodes, say),
        consensus=tuple(
            (page.result.study, row) for page in pages for row in _rows(page, "consensus")
        ),
        board={
            column: tuple(n for n in nodes if _column(n) == column)
            for column in ("answered", "open", "skipped")
        },
    )


def _rows(page: StudyPage, role: str) -> tuple[tuple[str, ...], ...]:
    section = page.sections.get(role)
    return section.rows if section else ()


def _node(page: StudyPage) -> Node:
    finding = _rows(page, "finding")
    answer = page.skipped or (finding[0][0] if finding else "")
    result: StudyResult = page.result
    return Node(result.study, result.id, page.question, page.verdicts, answer)


def _column(node: Node) -> str:
    if "SKIPPED" in node.verdicts:
        return "skipped"
    return "answered" if set(node.verdicts) <= _DECIDED else "open"


def _tree(nodes: tuple[Node, ...], say: Speaker) -> tuple[tuple[str, tuple[Node, ...]], ...]:
    stages = sorted({node.id.split(".")[0] for node in nodes}, key=natural)
    return tuple(
        (_stage(stage, say), tuple(n for n in nodes if n.id.split(".")[0] == stage))
        for stage in stages
    )


def _stage(stage: str, say: Speaker) -> str:
    known = stage if stage in {"0", "1", "2", "3", "4", "5", "6"} else "other"
    return say.chrome(f"stage.{known}", stage=stage)


def _sentence(run: Run, say: Speaker) -> str:
    source = run.source
    rows: dict[str, Any] = source.get("rows") or {}
    counts = [
        f"{numbers.fixed(count, 0)} {say.chrome(f'rows.{table}')}"
        for table, count in rows.items()
        if count and table in ("click", "gift", "room", "user", "streamer")
    ]
    return say.chrome(
        "analysed",
        what=_what(source, say),
        rows=", ".join(counts) or say.chrome("no_rows"),
        window=_window(source, say),
    )


def _what(source: dict[str, Any], say: Speaker) -> str:
    label, kind = source.get("label"), source.get("kind")
    if not label:
        return say.chrome("unknown_source")
    what = say.chrome("calibrated_source") if label == CALIBRATED_WORLD else str(label)
    return say.chrome("source", what=what, kind=str(kind)) if kind else what


def _window(source: dict[str, Any], say: Speaker) -> str:
    """Return the first and last local day of the source, in its own time zone."""
    window, tz = source.get("window"), str(source.get("tz") or "UTC")
    if not window:
        return say.chrome("no_window")
    if all(isinstance(end, int | float) for end in window):
        first, last = (datetime.fromtimestamp(end / 1000, zone(tz)).date() for end in window)
    else:
        first, last = window
    days = (str(day).replace("-", _UNBROKEN_HYPHEN) for day in (first, last))
    return say.chrome("window", tz=tz, **dict(zip(("first", "last"), days, strict=True)))
