"""Sentences that come out of results as English text: rules, reasons, units, populations.

A language holds them under ``word.<the English text>``, and where numbers stand in them under
``phrase.<English pattern>``; ``{name}`` in a pattern takes any text, which is itself a phrase, and
``{NAME}`` a number. A text without a translation stays as it is: English is better than wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from giftlive.reports.numbers import THIN, unit_rule

_HOLE = re.compile(r"\{(\w+)\}")
_PARTS = re.compile(r"; (?=\w+ (?:\(|(?:PASS|FAIL|INCONCLUSIVE|NOT ANSWERABLE): ))")
"""Where a reason passes on to the next condition of its rule, or to the next failed check."""
_NUMBER = r"[-+\u2212]?[\d.,e\u202f]+(?:[-+]\d+)?\u202f?%?"


@dataclass(frozen=True)
class Phrasebook:
    """The words and patterns of one language, patterns in the order in which they are tried.

    Examples
    --------
    >>> book = phrasebook({"phrase.above {x}": "über {x}", "word.the bound": "der Schranke"})
    >>> book("above the bound"), book("below it")
    ('über der Schranke', 'below it')
    """

    words: Mapping[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...]

    def __call__(self, text: str) -> str:
        """Return ``text`` in this language, or as it is."""
        if text in self.words:
            return self.words[text]
        parts = _PARTS.split(text)
        if len(parts) > 1:
            return "; ".join(map(self, parts))
        for pattern, sentence in self.patterns:
            match = pattern.fullmatch(text)
            if match:
                return self._filled(sentence, match.groupdict())
        return text

    def with_unit(self, shown: str, unit: str) -> str:
        """Return a number that was written with its unit, the unit in this language.

        A language may hold ``unit: <unit>`` where the word means something else elsewhere, and
        ``many: <unit>`` for its plural.

        Examples
        --------
        >>> book = phrasebook({"word.many: coin": "coins"})
        >>> [book.with_unit(f"{n}\u202fcoin", "coin")[2:] for n in (1, 2)]
        ['coin', 'coins']
        """
        written = unit_rule(unit).suffix.removeprefix(THIN)
        many = None if shown.startswith(f"1{THIN}") else self.words.get(f"many: {unit}")
        told = many or self.words.get(f"unit: {unit}") or self(written)
        return shown.replace(f"{THIN}{written}", f"{THIN}{told}", 1) if written else shown

    def _filled(self, sentence: str, holes: Mapping[str, str]) -> str:
        return _HOLE.sub(lambda hole: self(holes[hole.group(1)]), sentence)


def phrasebook(sentences: Mapping[str, str]) -> Phrasebook:
    """Return the book of a catalogue: its keys ``word.…`` and ``phrase.…``."""
    words = {k.removeprefix("word."): v for k, v in sentences.items() if k.startswith("word.")}
    patterns = tuple(
        (_compiled(key.removeprefix("phrase.")), sentence)
        for key, sentence in sentences.items()
        if key.startswith("phrase.")
    )
    return Phrasebook(words, patterns)


def _compiled(pattern: str) -> re.Pattern[str]:
    pieces, end = [], 0
    for hole in _HOLE.finditer(pattern):
        name = hole.group(1)
        taken = _NUMBER if name.isupper() else ".+?"
        pieces += [re.escape(pattern[end : hole.start()]), f"(?P<{name}>{taken})"]
        end = hole.end()
    return re.compile("".join(pieces) + re.escape(pattern[end:]), re.DOTALL)
