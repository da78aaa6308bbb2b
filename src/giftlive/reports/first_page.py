"""The first page: what was analysed, what came out, what is undecided and what cannot be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from giftlive.clock import zone
from giftlive.reports import numbers
from giftlive.reports.load import CALIBRATED_WORLD, Run, natural
from giftlive.reports.page import GateRow, KeyNumber, Speaker, StudyPage, in_turn
from giftlive.reports.program import ANSWERED, STATES, StudyState, study_states

KEY_NUMBERS = 4
CANNOT_TELL = 3
TO_DO = 6
KINDS = {"kuailive": "KuaiLive", "vtuber": "VTuber 1B", "gdq": "GDQ", "parquet": "Parquet"}
"""What the kinds of sources are called that have a name of their own."""
_UNBROKEN_HYPHEN = "\u2011"


@dataclass(frozen=True)
class ToDo:
    """What a study that is answered asks its reader to do."""

    state: StudyState
    decision: str


@dataclass(frozen=True)
class FirstPage:
    """The contents of page one, in reading order."""

    sentence: str
    to_do: tuple[ToDo, ...]
    more_to_do: int
    numbers: tuple[KeyNumber, ...]
    gates: tuple[GateRow, ...]
    cannot_tell: tuple[str, ...]
    tree: tuple[tuple[str, tuple[StudyState, ...]], ...]
    consensus: tuple[tuple[str, tuple[str, ...]], ...]
    board: dict[str, tuple[StudyState, ...]]


def first_page(run: Run, pages: tuple[StudyPage, ...], say: Speaker) -> FirstPage:
    """Return page one from the pages of the studies."""
    states = study_states(run, pages, say)
    cannot = [[s for (s,) in _rows(page, "cannot_tell")] for page in pages]
    to_do = _to_do(states, pages)
    return FirstPage(
        sentence=analysed(run, say),
        to_do=to_do[:TO_DO],
        more_to_do=max(0, len(to_do) - TO_DO),
        numbers=_chosen([page.numbers for page in pages]),
        gates=tuple(row for page in pages for row in page.gates),
        cannot_tell=tuple(dict.fromkeys(in_turn(cannot, 99)))[:CANNOT_TELL],
        tree=_tree(states, say),
        consensus=tuple(
            (page.result.study, row) for page in pages for row in _rows(page, "consensus")
        ),
        board={name: tuple(s for s in states if s.state == name) for name in STATES},
    )


def _to_do(states: tuple[StudyState, ...], pages: tuple[StudyPage, ...]) -> tuple[ToDo, ...]:
    """Return the decisions of answered studies: what a gate decided comes before advice."""
    by_study = {page.result.study: page for page in pages}
    answered = [
        s for s in states if s.state == ANSWERED and "decision" in by_study[s.study].sections
    ]
    answered.sort(key=lambda state: not state.verdicts)
    found = []
    for state in answered:
        decision = " ".join(line for (line,) in _rows(by_study[state.study], "decision"))
        found.append(ToDo(state, decision[:1].upper() + decision[1:]))
    return tuple(found)


def _chosen(groups: Sequence[Sequence[KeyNumber]]) -> tuple[KeyNumber, ...]:
    """Return the key numbers of page one, in the order of their studies.

    The first of every study comes before any second one, and among the first those that are
    certain or have an interval: a number without one tells a manager least.
    """
    firsts = sorted((group[0] for group in groups if group), key=lambda first: not first.told)
    rest = [n for n in in_turn(groups, 99) if n not in firsts]
    kept = [*firsts, *rest][:KEY_NUMBERS]
    return tuple(n for group in groups for n in group if n in kept)


def _rows(page: StudyPage, role: str) -> tuple[tuple[str, ...], ...]:
    section = page.sections.get(role)
    return section.rows if section else ()


def _tree(
    states: tuple[StudyState, ...], say: Speaker
) -> tuple[tuple[str, tuple[StudyState, ...]], ...]:
    stages = sorted({state.id.split(".")[0] for state in states}, key=natural)
    return tuple(
        (_stage(stage, say), tuple(s for s in states if s.id.split(".")[0] == stage))
        for stage in stages
    )


def _stage(stage: str, say: Speaker) -> str:
    known = stage if stage in {"0", "1", "2", "3", "4", "5", "6"} else "other"
    return say.chrome(f"stage.{known}", stage=stage)


def analysed(run: Run, say: Speaker) -> str:
    """Return the sentence that says what a run analysed."""
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
        rows=say.chrome("comma").join(counts) or say.chrome("no_rows"),
        window=_window(source, say),
    )


def _what(source: dict[str, Any], say: Speaker) -> str:
    label, kind = source.get("label"), source.get("kind")
    if not label:
        return say.chrome("unknown_source")
    what = say.chrome("calibrated_source") if label == CALIBRATED_WORLD else str(label)
    return say.chrome("source", what=what, kind=KINDS.get(kind, kind)) if kind else what


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
