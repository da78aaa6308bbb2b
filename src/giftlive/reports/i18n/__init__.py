"""Sentences by key, one folder per language, one TOML file per study and one for the frame.

Every ``i18n/<lang>/*.toml`` is read and merged; a nested table is a dotted key. A sentence may
hold ``{name}`` or ``{name:rule}`` where *rule* is one of :data:`RULES`, inline code between
backticks, a formula between ``$`` and a displayed formula between ``$$``; braces inside a
formula belong to the formula.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from giftlive.errors import ConfigError, UsageError
from giftlive.evaluation.results import StudyResult
from giftlive.reports import numbers
from giftlive.reports.i18n.phrases import Phrasebook, phrasebook
from giftlive.reports.load import message_from_dict, study_from_dict
from giftlive.reports.roles import ROLES
from giftlive.types import Message

MATH = re.compile(r"\$\$.+?\$\$|(?<![\w$])\$(?=[^\s\d$])[^$]*(?<=[^\s$])\$(?![\w$])", re.DOTALL)
_HOLE = re.compile(r"\{(\w+)(?::(\w+))?\}")
PARTS = ("claim", "evidence", "decision", "outcome", "when", "then", "assumption", "handling")
"""A message of a table role is a row; each part is looked up as ``<key>.<part>``."""

RULES: Mapping[str, Callable[[Any], str]] = {
    "percent": lambda value: numbers.percent(float(value)),
    "change": lambda value: numbers.percent(float(value), signed=True),
    "number": lambda value: numbers.number(float(value)),
    "signed": lambda value: numbers.number(float(value), signed=True),
    "count": lambda value: numbers.fixed(float(value), 0),
    "seconds": lambda value: numbers.seconds(float(value)),
    "text": str,
}
_UNITS = {"percent": "share", "change": "relative change", "number": ""}
"""In which unit a rule writes an estimate; without one it is written in its own."""


@lru_cache(maxsize=8)
def catalogue(lang: str) -> Mapping[str, str]:
    """Return every sentence of ``lang`` by its dotted key.

    Raises
    ------
    UsageError
        There is no such language.
    ConfigError
        Two files define the same key.
    """
    root = files(__package__)
    languages = sorted(p.name for p in root.iterdir() if p.is_dir() and p.name[:1].isalpha())
    if lang not in languages:
        raise UsageError(f"no language {lang!r}", "lang", f"one of {', '.join(languages)}")
    merged: dict[str, str] = {}
    for path in sorted(root.joinpath(lang).iterdir(), key=lambda p: p.name):
        if path.name.endswith(".toml"):
            for key, sentence in _flat(tomllib.loads(path.read_text(encoding="utf-8"))):
                if key in merged:
                    raise ConfigError(f"the key {key} is defined twice", f"{lang}/{path.name}")
                merged[key] = sentence
    return merged


@lru_cache(maxsize=8)
def phrases(lang: str) -> Phrasebook:
    """Return what turns the English text of results into ``lang``."""
    return phrasebook(catalogue(lang))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            text = str(value)  # a paragraph loses its line breaks, ", " keeps its space
            yield f"{prefix}{key}", text.strip() if "\n" in text else text


def translate(message: Message, lang: str = "en", *, strict: bool = False) -> str:
    """Return the sentence of ``message`` in ``lang`` with its parameters in place.

    Without the key, the parameter ``text`` is the sentence; without both, the key itself is
    shown in brackets, or, when ``strict``, the call fails.

    Raises
    ------
    ConfigError
        ``strict`` and there is no sentence, or a parameter that the sentence needs is absent.

    Examples
    --------
    >>> translate(Message("free", {"text": "Top {k:percent} pay most", "k": 0.01})).split()[-3:]
    ['%', 'pay', 'most']
    """
    sentence = catalogue(lang).get(message.key, message.params.get("text"))
    if sentence is None:
        if strict:
            raise ConfigError(f"no sentence for the key {message.key}", lang, "a key of i18n/")
        return f"[{message.key}]"
    return _fill(str(sentence), message, lang, strict)


def _fill(sentence: str, message: Message, lang: str, strict: bool) -> str:
    def hole(match: re.Match[str]) -> str:
        name, rule = match.groups()
        if name in message.params:
            return _value(message.params[name], rule, lang, strict)
        if strict:
            raise ConfigError(f"{message.key} needs the parameter {name}", lang)
        return match.group()

    pieces, end = [], 0
    for formula in MATH.finditer(sentence):
        pieces += [_HOLE.sub(hole, sentence[end : formula.start()]), formula.group()]
        end = formula.end()
    return "".join(pieces) + _HOLE.sub(hole, sentence[end:])


def _value(value: Any, rule: str | None, lang: str, strict: bool) -> str:
    if isinstance(value, Message):
        return translate(value, lang, strict=strict)
    if isinstance(value, Mapping) and "key" in value:
        return translate(message_from_dict(value), lang, strict=strict)
    if isinstance(value, Mapping) and "value" in value:
        low, high = value.get("low"), value.get("high")
        unit = _UNITS.get(rule or "", str(value.get("unit", "")))
        return phrases(lang).with_unit(numbers.interval(value["value"], low, high, unit), unit)
    if rule is not None and rule not in RULES:
        raise ConfigError(f"unknown rule {rule!r} of a sentence", lang, f"one of {sorted(RULES)}")
    if isinstance(value, str):
        return numbers.spaced(phrases(lang)(value))
    return numbers.cell(value) if rule is None or value is None else RULES[rule](value)


def holes(sentence: str) -> frozenset[str]:
    """Return the names of the parameters that a sentence needs.

    Examples
    --------
    >>> sorted(holes("{n:count} of {total} in $x_{i}$"))
    ['n', 'total']
    """
    return frozenset(hole.group(1) for hole in _HOLE.finditer(MATH.sub("", sentence)))


def part(message: Message, name: str, lang: str) -> str:
    """Return one cell of a table role: ``<key>.<name>``, else the parameter ``name`` itself."""
    key = f"{message.key}.{name}"
    if key in catalogue(lang):
        return translate(Message(key, message.params), lang)
    value = message.params.get(name)
    return "" if value is None else _value(value, None, lang, strict=False)


def messages(result: StudyResult) -> Iterator[Message]:
    """Yield every message that a study asks the report to print."""
    yield result.question
    if result.skipped is not None:
        yield result.skipped
    for role in result.text.values():
        yield from role
    for figure in result.figures:
        yield from (figure.shows, figure.follows)
    for table in result.tables:
        yield table.caption
        for row in table.rows:
            yield from (cell for cell in row if isinstance(cell, Message))


def missing_keys(results: Iterable[StudyResult | Mapping[str, Any]], lang: str) -> list[str]:
    """Return what keeps ``results`` from being told in ``lang``: for the tests of every study.

    Returns
    -------
    Sorted entries ``key`` (no sentence and nothing to fall back on), ``key.cell`` (a cell of a
    role's table that would be empty) and ``key {name}`` (the
    sentence needs a parameter that the message does not carry).
    """
    found: set[str] = set()
    for raw in results:
        result = raw if isinstance(raw, StudyResult) else study_from_dict(raw)
        for message in messages(result):
            found.update(_missing(message, catalogue(lang)))
        for role, said in result.text.items():
            found.update(_empty_cells(role, said, catalogue(lang)))
    return sorted(found)


def _empty_cells(role: str, said: Iterable[Message], sentences: Mapping[str, str]) -> Iterator[str]:
    """Yield the cells of a role's table that have neither a sentence nor a parameter."""
    for name in ROLES[role].columns if role in ROLES else ():
        for message in said:
            key = f"{message.key}.{name}"
            if key not in sentences and message.params.get(name) is None:
                yield key


def _missing(message: Message, sentences: Mapping[str, str]) -> Iterator[str]:
    keys = [message.key, *(f"{message.key}.{name}" for name in PARTS)]
    known = [sentences[key] for key in keys if key in sentences]
    if not known and not {"text", "label", "where", *PARTS} & set(message.params):
        yield message.key
    for sentence in [*known, str(message.params.get("text", ""))]:
        lacking = holes(sentence) - set(message.params)
        yield from (f"{message.key} {{{name}}}" for name in lacking)
    for value in message.params.values():
        if isinstance(value, Mapping) and "key" in value:
            value = message_from_dict(value)
        if isinstance(value, Message):
            yield from _missing(value, sentences)
