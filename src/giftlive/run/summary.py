"""What a finished run says in a few lines, read back from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from giftlive.errors import InputError, Where
from giftlive.evaluation.checks import EXACT
from giftlive.evaluation.gates import load_rules
from giftlive.evaluation.results import Gate
from giftlive.reports.i18n import translate
from giftlive.reports.load import load_run
from giftlive.run.verify.rows import read_json


@dataclass(frozen=True)
class Summary:
    """The gate board, the skipped steps and where the report is.

    Attributes
    ----------
    gates : every gate of the run. skipped : step name and reason.
    report : path of ``report.html``. not_run : gates whose study is not in this run.
    warnings : what a reader of the numbers should know first.
    """

    gates: tuple[Gate, ...]
    skipped: tuple[tuple[str, str], ...]
    not_run: tuple[str, ...]
    report: Path
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Return whether any gate says FAIL."""
        return any(gate.verdict == "FAIL" for gate in self.gates)

    def gate_rows(self) -> list[dict[str, str]]:
        """Return one row of words per gate, run or not."""
        rows = [_row(gate) for gate in self.gates]
        reasons = dict(self.skipped)
        return rows + [
            {
                "gate": name,
                "verdict": "SKIPPED",
                "estimate": "none",
                "reason": reasons.get(load_rules()[name].study, "its study was not run"),
            }
            for name in self.not_run
        ]

    def skipped_lines(self) -> list[str]:
        """Return one sentence per step this source could not support."""
        return [f"skipped {name}: {reason}" for name, reason in self.skipped]

    def as_dict(self) -> dict[str, Any]:
        """Return plain containers for ``--json``."""
        return {
            "gates": self.gate_rows(),
            "skipped": [{"step": name, "reason": reason} for name, reason in self.skipped],
            "warnings": list(self.warnings),
            "report": str(self.report),
        }


def read_summary(folder: Path) -> Summary:
    """Return the summary of the run in ``folder``.

    Raises
    ------
    InputError
        ``folder`` is not a run folder, holds no results, or a results file in it is not one.
    """
    if not (folder / "manifest.json").is_file():
        raise InputError(
            "not a run folder", Where(str(folder)), "a folder with manifest.json and results/",
            "make one with `giftlive run`",
        )  # fmt: skip
    results = load_run(folder).results
    if not results:
        raise InputError(
            "the run folder holds no results", Where(str(folder / "results")), "one JSON per study",
            "make the run again with `giftlive run`",
        )  # fmt: skip
    gates = tuple(gate for result in results for gate in result.gates)
    skipped = tuple((r.study, translate(r.skipped)) for r in results if r.skipped is not None)
    made = {gate.id for gate in gates}
    not_run = tuple(name for name in load_rules() if name not in made)
    return Summary(gates, skipped, not_run, folder / "report.html", _warnings(folder))


def _warnings(folder: Path) -> tuple[str, ...]:
    """Return what the balance of the labels warns of; a folder without one warns of nothing."""
    file = folder / "tables" / "attribution.json"
    if not file.is_file():
        return ()
    warning = read_json(file).get("warning")
    return () if warning is None else (str(warning),)


def _row(gate: Gate) -> dict[str, str]:
    estimate = gate.estimate
    text = "none"
    if estimate is not None and estimate.value is not None:
        low, high = estimate.low, estimate.high
        bare = low is None or estimate.method == EXACT
        interval = "" if bare else f" [{low:.4g}, {high:.4g}]"
        text = f"{estimate.value:.4g}{interval}"
    return {"gate": gate.id, "verdict": gate.verdict, "estimate": text, "reason": gate.reason}
