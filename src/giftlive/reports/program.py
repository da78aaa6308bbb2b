"""The programme: every study and every gate, run or not, and how to run what was not."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any

from giftlive.evaluation.results import Gate, StudyResult
from giftlive.evaluation.rules import load_rules
from giftlive.reports.load import Run, natural
from giftlive.reports.needed import more_of
from giftlive.reports.page import GateRow, Speaker, StudyPage
from giftlive.types import Message

ANSWERED, OPEN, SKIPPED, NOT_RUN = "answered", "open", "skipped", "not_run"
STATES = (ANSWERED, OPEN, SKIPPED, NOT_RUN)
_DECIDED = frozenset({"PASS", "FAIL"})
_FAILED = re.compile(r"(?:^checks failed: |\); )(\w+)(?= \()")
_GROWN = {"power", "size"}
"""Checks that more data alone makes pass."""


@dataclass(frozen=True)
class StudyState:
    """One study of the programme.

    Attributes
    ----------
    state : one of ``STATES``; answered: every gate says PASS or FAIL, or there is none.
    answer : the finding in one sentence, or why there is none.
    next : what the study itself says comes next, or how to run it.
    gates : ids of its gates. command : runs it on the source of this run.
    """

    id: str
    study: str
    question: str
    state: str
    verdicts: tuple[str, ...]
    answer: str
    next: str
    gates: tuple[str, ...]
    command: str


@dataclass(frozen=True)
class GateState:
    """One gate of the programme; ``row`` is None where its study was not run."""

    id: str
    study: str
    rule: str
    verdict: str
    value: str
    interval: str
    threshold: str
    reason: str
    consequence: str
    next: str
    row: GateRow | None


def study_states(run: Run, pages: tuple[StudyPage, ...], say: Speaker) -> tuple[StudyState, ...]:
    """Return every study, those of the run and those that were not run, by its number."""
    made = {page.result.study: page for page in pages}
    known = {study.name: study.id for study in _studies()}
    known |= {page.result.study: page.result.id for page in pages}
    found = [
        _played(run, made[name], say) if name in made else _unplayed(run, name, number, say)
        for name, number in known.items()
    ]
    return tuple(sorted(found, key=lambda state: (natural(state.id), state.study)))


def gate_states(run: Run, pages: tuple[StudyPage, ...], say: Speaker) -> tuple[GateState, ...]:
    """Return every gate: first those of the run, then those whose study was not run."""
    states = {state.study: state for state in study_states(run, pages, say)}
    judged = [_judged(row, page, states[row.study], say) for page in pages for row in page.gates]
    seen = {gate.id for gate in judged}
    rest = [_unjudged(name, run, states, say) for name in load_rules() if name not in seen]
    return (*judged, *rest)


def command_for(run: Run, study: str) -> str:
    """Return the command that runs ``study`` on the source of ``run``, with its settings.

    Examples
    --------
    >>> from pathlib import Path
    >>> run = Run(Path("R"), {"command": "giftlive run --source logs --seed 3"}, ())
    >>> command_for(run, "risk")
    'giftlive study risk --source logs --seed 3 --out RUN-risk'
    """
    spoken = run.manifest.get("command") or "giftlive run --demo"
    parts = list(map(str, spoken)) if isinstance(spoken, list) else shlex.split(str(spoken))
    options = parts[3:] if parts[1:2] == ["study"] else parts[2:]
    return shlex.join(["giftlive", "study", study, *options, "--out", f"RUN-{study}"])


def state_of(result: StudyResult) -> str:
    """Return how far a study is that is in the run."""
    if result.skipped is not None:
        return SKIPPED
    verdicts = {gate.verdict for gate in result.gates}
    return ANSWERED if verdicts <= _DECIDED else OPEN


def _studies() -> tuple[Any, ...]:
    from giftlive.studies.registry import ON_REQUEST, STUDIES  # models and worlds: seconds

    return (*STUDIES, *ON_REQUEST)


def _played(run: Run, page: StudyPage, say: Speaker) -> StudyState:
    result = page.result
    answer = page.skipped or _first(page, "finding")
    command = command_for(run, result.study)
    return StudyState(
        id=result.id,
        study=result.study,
        question=page.question,
        state=state_of(result),
        verdicts=page.verdicts,
        answer=answer,
        next=_study_next(page, command, say),
        gates=tuple(gate.id for gate in result.gates),
        command=command,
    )


def _unplayed(run: Run, name: str, number: str, say: Speaker) -> StudyState:
    command = command_for(run, name)
    return StudyState(
        id=number,
        study=name,
        question=say(Message(f"study.{name}.question", {})),
        state=NOT_RUN,
        verdicts=(),
        answer=say.chrome("not_run"),
        next=say.chrome("next.run", command=command),
        gates=tuple(rule.id for rule in load_rules().values() if rule.study == name),
        command=command,
    )


def _judged(row: GateRow, page: StudyPage, state: StudyState, say: Speaker) -> GateState:
    gate = row.gate
    return GateState(
        id=gate.id,
        study=row.study,
        rule=row.rule,
        verdict=gate.verdict,
        value=row.value,
        interval=row.interval,
        threshold=row.threshold,
        reason=row.reason,
        consequence=row.consequence,
        next=_next(gate, page.result, state.command, say) or state.next,
        row=row,
    )


def _unjudged(name: str, run: Run, states: dict[str, StudyState], say: Speaker) -> GateState:
    rule = load_rules()[name]
    state = states.get(rule.study)
    skipped = state is not None and state.state == SKIPPED
    reason = state.answer if state is not None and skipped else say.chrome("not_run")
    command = command_for(run, rule.study)
    return GateState(
        id=name,
        study=rule.study,
        rule=say.word(rule.rule),
        verdict="SKIPPED",
        value="",
        interval="",
        threshold="",
        reason=reason,
        consequence=say.word("no change until the question is decided"),
        next=say.chrome("next.source") if skipped else say.chrome("next.run", command=command),
        row=None,
    )


def _study_next(page: StudyPage, command: str, say: Speaker) -> str:
    """Return what its first undecided gate asks for, else what the study says comes next."""
    if page.skipped:
        return say.chrome("next.source")
    undecided = (_next(row.gate, page.result, command, say) for row in page.gates)
    return next(filter(None, undecided), "") or _first(page, "next")


def _next(gate: Gate, result: StudyResult, command: str, say: Speaker) -> str:
    """Return what an undecided gate asks for: more data, or a repair of what its checks name."""
    if gate.verdict == "NOT ANSWERABLE":
        failed = set(_FAILED.findall(gate.reason))
        asked = "next.grow" if failed and failed <= _GROWN else "next.repair"
        return say.chrome(asked, command=command)
    if gate.verdict != "INCONCLUSIVE":
        return ""
    return more_of(gate, result, say) or say.chrome("next.run", command=command)


def _first(page: StudyPage, role: str) -> str:
    section = page.sections.get(role)
    return section.rows[0][0] if section else ""
