"""What a finished run says in a few lines, read back from its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from giftlive.errors import InputError, Where
from giftlive.evaluation.gates import load_rules
from giftlive.reports.i18n import translate
from giftlive.reports.load import message_from_dict


@dataclass(frozen=True)
class Summary:
    """The gate board, the skipped steps and where the report is.

    Attributes
    ----------
    gates : every gate of the run as in its results file. skipped : step name and reason.
    report : path of ``report.html``. not_run : gates whose study is not in this run.
    """

    gates: tuple[dict[str, Any], ...]
    skipped: tuple[tuple[str, str], ...]
    not_run: tuple[str, ...]
    report: Path

    @property
    def failed(self) -> bool:
        """Return whether any gate says FAIL."""
        return any(gate["verdict"] == "FAIL" for gate in self.gates)

    def gate_rows(self) -> list[dict[str, str]]:
        """Return one row of words per gate, run or not."""
        rows = [_row(gate) for gate in self.gates]
        absent = {"verdict": "SKIPPED", "estimate": "", "reason": "its study was not run"}
        return rows + [{"gate": name, **absent} for name in self.not_run]

    def skipped_lines(self) -> list[str]:
        """Return one sentence per step this source could not support."""
        return [f"skipped {name}: {reason}" for name, reason in self.skipped]

    def as_dict(self) -> dict[str, Any]:
        """Return plain containers for ``--json``."""
        return {
            "gates": self.gate_rows(),
            "skipped": [{"step": name, "reason": reason} for name, reason in self.skipped],
            "report": str(self.report),
        }


def read_summary(folder: Path) -> Summary:
    """Return the summary of the run in ``folder``.

    Raises
    ------
    InputError
        ``folder`` is not a run folder.
    """
    if not (folder / "manifest.json").is_file():
        raise InputError(
            "not a run folder", Where(str(folder)), "a folder with manifest.json and results/",
            "make one with `giftlive run`",
        )  # fmt: skip
    results = [read_json(path) for path in sorted((folder / "results").glob("*.json"))]
    gates = tuple(gate for result in results for gate in result["gates"])
    skipped = tuple(
        (r["study"], translate(message_from_dict(r["skipped"]))) for r in results if r["skipped"]
    )
    made = {gate["id"] for gate in gates}
    not_run = tuple(name for name in load_rules() if name not in made)
    return Summary(gates, skipped, not_run, folder / "report.html")


def read_json(path: Path) -> Any:
    """Return the JSON value in ``path``.

    Raises
    ------
    InputError
        The file is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(
            f"not valid JSON: {error}", Where(str(path)), "a results file", "run again"
        ) from None


def _row(gate: dict[str, Any]) -> dict[str, str]:
    estimate = gate["estimate"]
    text = "none"
    if estimate and estimate["value"] is not None:
        low, high = estimate["low"], estimate["high"]
        interval = "" if low is None else f" [{low:.4g}, {high:.4g}]"
        text = f"{estimate['value']:.4g}{interval}"
    return {
        "gate": gate["id"],
        "verdict": gate["verdict"],
        "estimate": text,
        "reason": gate["reason"],
    }
