"""A study's answer in one line, for a heading: its finding's numbers, with their intervals.

Every study has a sentence ``study.<name>.answer`` in each language. Its holes are the parameters of
the study's finding and the names of its estimates; an estimate is written with its interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from giftlive.evaluation.checks import EXACT
from giftlive.evaluation.results import Estimate, StudyResult
from giftlive.reports.i18n import catalogue, holes
from giftlive.reports.page import Speaker
from giftlive.reports.program import OPEN, state_of
from giftlive.types import Message


def answer(result: StudyResult, say: Speaker) -> str:
    """Return what came out in one line, or "" where a number that it needs may not be printed.

    A value without an interval says so, and an answer that no gate has decided begins with that.
    """
    key = answer_key(result.study)
    sentence = catalogue(say.lang).get(key)
    if sentence is None or result.skipped is not None:
        return ""
    known = answer_params(result)
    needed = holes(sentence)
    if any(known.get(name) is None for name in needed):
        return ""
    told = say(Message(key, known))
    if any(_bare(e) for e in _named(result).values() if e.name in needed):
        told = say.chrome("answer.no_interval", answer=told)
    return say.chrome("answer.open", answer=told) if state_of(result) == OPEN else told


def answer_key(study: str) -> str:
    """Return the key of the sentence."""
    return f"study.{study}.answer"


def answer_params(result: StudyResult) -> dict[str, Any]:
    """Return what the sentence may name: an estimate goes before a parameter of the same name.

    An estimate that may not be printed is None, whatever the finding says.
    """
    said = result.text.get("finding", ())
    params = {name: value for message in said for name, value in message.params.items()}
    return params | {name: _printable(e) for name, e in _named(result).items()}


def _named(result: StudyResult) -> dict[str, Estimate]:
    """Return every estimate by its name, those that a gate alone holds as well."""
    return {e.name: e for e in (*_of_gates(result), *result.estimates)}


def _of_gates(result: StudyResult) -> Iterator[Estimate]:
    return (gate.estimate for gate in result.gates if gate.estimate is not None)


def _printable(estimate: Estimate) -> Mapping[str, Any] | None:
    if estimate.value is None or estimate.status != "ok":
        return None
    exact = {"low": None, "high": None} if estimate.method == EXACT else {}
    return asdict(estimate) | exact


def _bare(estimate: Estimate) -> bool:
    return estimate.method != EXACT and (estimate.low is None or estimate.high is None)
