"""The gate board as plain data: what the console shows of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from giftlive.reports.first_page import first_page
from giftlive.reports.load import load_run
from giftlive.reports.page import GateRow, speaker, study_page
from giftlive.reports.program import NOT_RUN


def board(run_folder: Path, lang: str = "en") -> dict[str, Any]:
    """Return what was analysed, the key numbers, every study's answer, and the gates.

    Parameters
    ----------
    run_folder : as ``giftlive run`` wrote it. lang : of the sentences.

    Raises
    ------
    InputError
        The folder is not a run.
    UsageError
        There is no such language.
    """
    run = load_run(run_folder)
    say = speaker(run, lang)
    pages = tuple(study_page(result, say, _Subtitles()) for result in run.results)
    first = first_page(run, pages, say)
    numbers = [
        {"label": n.label, "value": n.value, "interval": n.interval, "context": n.context}
        for n in first.numbers
    ]
    nodes = [node for name, column in first.board.items() if name != NOT_RUN for node in column]
    nodes.sort(key=lambda node: [int(part) for part in node.id.split(".") if part.isdigit()])
    return {
        "sentence": first.sentence,
        "code_version": run.manifest.get("code_version"),
        "numbers": numbers,
        "studies": [
            {
                "id": node.id,
                "study": node.study,
                "question": node.question,
                "answer": node.answer,
                "verdicts": list(node.verdicts),
                "gates": [_gate(row) for row in first.gates if row.study == node.study],
            }
            for node in nodes
        ],
        "cannot_tell": list(first.cannot_tell),
    }


class _Subtitles(dict[str, str]):
    """The board has no figures: no subtitle is asked for its text."""

    def __missing__(self, stem: str) -> str:
        return ""


def _gate(row: GateRow) -> dict[str, Any]:
    gate, estimate = row.gate, row.gate.estimate
    return {
        "id": gate.id,
        "verdict": gate.verdict,
        "rule": row.rule,
        "reason": row.reason,
        "consequence": row.consequence,
        "value": row.value,
        "interval": row.interval,
        "threshold": row.threshold,
        "estimate": estimate.value if estimate else None,
        "low": estimate.low if estimate else None,
        "high": estimate.high if estimate else None,
        "from": gate.threshold,
        "to": gate.threshold_high,
    }
