"""What the report says, in one language and before any mark-up: HTML and Markdown share it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from giftlive.errors import IntegrityError
from giftlive.evaluation.checks import EXACT
from giftlive.evaluation.results import Estimate, Figure, Gate, StudyResult, Table
from giftlive.reports import numbers
from giftlive.reports.i18n import catalogue, part, phrases, translate
from giftlive.reports.load import Run
from giftlive.reports.modules import module_file
from giftlive.reports.roles import ROLES
from giftlive.types import Message

_KUAILIVE_CLAIM = re.compile(r"\bon\s+kuailive\b|在\s*kuailive", re.IGNORECASE)


@dataclass(frozen=True)
class Speaker:
    """Turns messages into sentences of one language and keeps the promise about KuaiLive."""

    lang: str
    is_kuailive: bool

    def __call__(self, message: Message) -> str:
        """Return the sentence.

        Raises
        ------
        IntegrityError
            It says "on KuaiLive" about a source that is not KuaiLive.
        """
        return self._guarded(translate(message, self.lang), message)

    def part(self, message: Message, name: str) -> str:
        """Return one cell of a table role, under the same promise."""
        return self._guarded(part(message, name, self.lang), message)

    def label(self, message: Message) -> str:
        """Return what a headline or a value row is called."""
        known = message.key in catalogue(self.lang) or "text" in message.params
        return self(message) if known else self.part(message, "label")

    def chrome(self, key: str, /, **params: Any) -> str:
        """Return a sentence of the report's own frame."""
        return translate(Message(f"chrome.{key}", params), self.lang, strict=True)

    def word(self, text: str) -> str:
        """Return English text of a result in this language; without a translation as it is."""
        return numbers.spaced(phrases(self.lang)(text))

    def in_unit(self, shown: str, unit: str) -> str:
        """Return a number that was written with its unit, the unit in this language."""
        return phrases(self.lang).with_unit(shown, unit)

    def estimate(self, estimate: Estimate) -> tuple[str, str]:
        """Return value and interval, or in words why there is none."""
        shown = numbers.estimate_parts(estimate)
        if shown is not None:
            return self.in_unit(shown[0], estimate.unit), shown[1]
        status = "undefined" if estimate.status == "undefined" else "not_enough_data"
        reason = self.word(estimate.reason) or self.chrome("number.no_reason")
        return self.chrome(f"number.{status}", reason=reason), ""

    def unbounded(self, estimate: Estimate) -> str:
        """Return in words why a value stands without its interval."""
        reason = self.word(estimate.reason)
        if not reason:
            return self.chrome("number.no_interval")
        return self.chrome("number.no_interval_because", reason=reason)

    def quantity(self, estimate: Estimate) -> str:
        """Return what an estimate of a gate is, to be read after its number, and its n."""
        key = f"quantity.{estimate.name}"
        named = self(Message(key, {})) if key in catalogue(self.lang) else estimate.name
        n = f"{numbers.fixed(estimate.n, 0)} {self.word(estimate.n_unit)}"
        return self.chrome("quantity_of", what=named, n=n)

    def _guarded(self, sentence: str, message: Message) -> str:
        if not self.is_kuailive and _KUAILIVE_CLAIM.search(sentence):
            raise IntegrityError(
                "a sentence claims a result on KuaiLive, but the source is not KuaiLive",
                message.key,
                "a sentence that names the source at hand",
            )
        return sentence


@dataclass(frozen=True)
class KeyNumber:
    """One of the large numbers: ``interval`` holds the bounds, or in words why there are none."""

    study: str
    label: str
    value: str
    interval: str
    context: str
    missing: bool
    told: bool


@dataclass(frozen=True)
class GateRow:
    """One line of the gate board; ``bare`` says that a value stands without its interval."""

    study: str
    question: str
    gate: Gate
    quantity: str
    value: str
    interval: str
    bare: str
    threshold: str
    rule: str
    published: str
    reason: str
    consequence: str


@dataclass(frozen=True)
class Section:
    """One role laid out: ``rows`` are cells of a table, or single sentences."""

    role: str
    kind: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Drawn:
    """A figure with its sentences and the file name of its frame and twins."""

    figure: Figure
    stem: str
    subtitle: str
    shows: str
    follows: str


@dataclass(frozen=True)
class Printed:
    """A table with its caption in words and its cells as text."""

    table: Table
    caption: str
    cells: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


@dataclass(frozen=True)
class StudyPage:
    """Everything the page of one study shows."""

    result: StudyResult
    question: str
    skipped: str
    verdicts: tuple[str, ...]
    numbers: tuple[KeyNumber, ...]
    gates: tuple[GateRow, ...]
    sections: dict[str, Section]
    tables: tuple[Printed, ...]
    figures: tuple[Drawn, ...]
    estimates: tuple[tuple[Estimate, str, str], ...] = field(default=())


def verdicts(result: StudyResult) -> tuple[str, ...]:
    """Return the verdicts of a study's gates; SKIPPED when it did not run."""
    if result.skipped is not None:
        return ("SKIPPED",)
    return tuple(dict.fromkeys(gate.verdict for gate in result.gates))


def study_page(result: StudyResult, say: Speaker, subtitles: dict[str, str]) -> StudyPage:
    """Return the page of one study; ``subtitles`` are the laid-out ones by figure stem."""
    return StudyPage(
        result=result,
        question=say(result.question),
        skipped=say(result.skipped) if result.skipped else "",
        verdicts=verdicts(result),
        numbers=_key_numbers(result, say),
        gates=tuple(gate_row(result, gate, say) for gate in result.gates),
        sections=_sections(result, say),
        tables=tuple(_printed(table, say) for table in result.tables),
        figures=tuple(_drawn(result, f, say, subtitles) for f in result.figures),
        estimates=tuple((e, *say.estimate(e)) for e in result.estimates),
    )


def gate_row(result: StudyResult, gate: Gate, say: Speaker) -> GateRow:
    """Return the gate board's line for ``gate``."""
    value, interval = say.estimate(gate.estimate) if gate.estimate else ("", "")
    unit = gate.estimate.unit if gate.estimate else ""
    borders = [b for b in (gate.threshold, threshold_high(gate)) if b is not None]
    shown = f" {numbers.DASH} ".join(numbers.threshold(b, unit) for b in borders)
    return GateRow(
        study=result.study,
        question=say(result.question),
        gate=gate,
        quantity=say.quantity(gate.estimate) if gate.estimate else "",
        value=value,
        interval=interval,
        bare=_bare(gate.estimate, say),
        threshold=shown,
        rule=say.word(gate.rule),
        published=say.word(gate.rule_as_published),
        reason=say.word(gate.reason),
        consequence=say.word(gate.consequence),
    )


def _bare(estimate: Estimate | None, say: Speaker) -> str:
    """Return in words that a printed value has no interval; "" where it has, or needs none."""
    if estimate is None or numbers.estimate_parts(estimate) is None:
        return ""
    whole = estimate.low is not None and estimate.high is not None
    return "" if whole or estimate.method == EXACT else say.chrome("number.bare")


def threshold_high(gate: Gate) -> float | None:
    """Return the upper border of a two-sided rule where the result records one."""
    return getattr(gate, "threshold_high", None)


def figure_stem(study: str, figure: str) -> str:
    """Return the file name, without ending, of a figure's twins and frame."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{study}__{figure}")


def _drawn(result: StudyResult, figure: Figure, say: Speaker, subtitles: dict[str, str]) -> Drawn:
    stem = figure_stem(result.study, figure.name)
    return Drawn(figure, stem, subtitles[stem], say(figure.shows), say(figure.follows))


def _printed(table: Table, say: Speaker) -> Printed:
    columns = range(len(table.columns))
    number = [all(isinstance(row[k], int | float | None) for row in table.rows) for k in columns]
    units = table.units

    def told(value: Any, unit: str) -> str:
        if isinstance(value, Message):
            return say(value)
        if isinstance(value, Estimate):
            withheld = numbers.estimate_parts(value) is None
            return say.word(value.reason) if withheld else " ".join(say.estimate(value)).strip()
        return numbers.cell(say.word(value) if isinstance(value, str) else value, unit)

    cells = tuple(tuple(map(told, row, units)) for row in table.rows)
    return Printed(table, say(table.caption), cells, tuple(number))


def _key_numbers(result: StudyResult, say: Speaker) -> tuple[KeyNumber, ...]:
    by_name = {e.name: e for e in result.estimates}
    by_name |= {g.estimate.name: g.estimate for g in result.gates if g.estimate}
    found = []
    for message in result.text.get("headline", ()):
        estimate = by_name.get(str(message.params.get("estimate")))
        if estimate is not None:
            value, interval = say.estimate(estimate)
            label = say.label(message) or estimate.name
            n = f"n = {numbers.fixed(estimate.n, 0)} {say.word(estimate.n_unit)}"
            context = f"{say.word(estimate.population)}{say.chrome('aside')}{n}"
            missing = numbers.estimate_parts(estimate) is None
            told = bool(interval) or (estimate.method == EXACT and not missing)
            if not (told or missing):
                interval = say.unbounded(estimate)
            found.append(KeyNumber(result.study, label, value, interval, context, missing, told))
    return tuple(found)


def _sections(result: StudyResult, say: Speaker) -> dict[str, Section]:
    sections = {}
    for name, role in ROLES.items():
        sentences = result.text.get(name, ()) or _standing(result, name)
        if not sentences or role.kind == "number":
            continue
        if role.kind == "table":
            rows = [tuple(say.part(m, c) for c in role.columns) for m in sentences]
        elif name == "modules":
            rows = [_module(m, say) for m in sentences]
        elif role.kind == "values":
            rows = [(say.label(m), say.part(m, "value")) for m in sentences]
        else:
            rows = [(say(m),) for m in sentences]
        sections[name] = Section(name, role.kind, role.columns, tuple(rows))
    return sections


def _standing(result: StudyResult, role: str) -> tuple[Message, ...]:
    """Return what the report itself can say where a study says nothing.

    Symbols are the same in every run: they stand in the catalogue beside the formula. Issues are
    what the result shows: checks that failed, and estimates that could not be printed.
    """
    if result.skipped is not None:
        return ()
    if role == "symbols":
        stem = f"study.{result.study}.symbols."
        return tuple(Message(key, {}) for key in catalogue("en") if key.startswith(stem))
    return _issues(result) if role == "issues" else ()


def _issues(result: StudyResult) -> tuple[Message, ...]:
    found = [
        Message("chrome.issue_check", {"name": check.name, "detail": check.detail})
        for check in result.checks
        if not check.passed
    ]
    withheld = sum(e.status != "ok" or (e.low is None and e.value is not None) for e in
                   result.estimates)  # fmt: skip
    if withheld:
        total = len(result.estimates)
        found.append(Message("chrome.issue_withheld", {"count": withheld, "total": total}))
    return tuple(found) or (Message("chrome.issues_none", {}),)


def _module(message: Message, say: Speaker) -> tuple[str, str]:
    where = str(message.params.get("where", ""))
    file = module_file(where)
    return say.label(message), file or f"{where} {say.chrome('module_missing')}"


def in_turn(groups: Iterable[Sequence[Any]], most: int) -> list[Any]:
    """Return up to ``most`` items: the first of every group, then the second, and so on.

    Examples
    --------
    >>> in_turn([["a", "b"], ["c"], []], 3)
    ['a', 'c', 'b']
    """
    columns = [list(group) for group in groups]
    depth = max(map(len, columns), default=0)
    return [c[k] for k in range(depth) for c in columns if k < len(c)][:most]


def speaker(run: Run, lang: str) -> Speaker:
    """Return the speaker for ``run`` in ``lang``."""
    return Speaker(lang, run.is_kuailive)
