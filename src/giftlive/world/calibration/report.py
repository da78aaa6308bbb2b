"""What a calibration says: the targets before and after, the coefficients, and a preset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.config import dump_toml
from giftlive.files import whole
from giftlive.types import Floats
from giftlive.world.calibration.fit import Fitted, Problem
from giftlive.world.calibration.identify import Identified, identify
from giftlive.world.calibration.ledger import code_version
from giftlive.world.calibration.loss import loss
from giftlive.world.calibration.moments import Moments, alone, stacked, standard_errors
from giftlive.world.calibration.parameters import applied, settings
from giftlive.world.calibration.targets import Target
from giftlive.world.load import load_scenario, presets
from giftlive.world.scenario import Scenario

_EPS = 1e-12


@dataclass(frozen=True)
class Row:
    """One number of a target: published, simulated before and after, and whether it passes.

    ``tolerance`` and ``error`` (Monte-Carlo standard error of ``after``, None where fewer than two
    worlds have the number) are in the number's own unit. A number passes within its tolerance
    plus two standard errors of its own evaluation.
    """

    target: str
    value: float
    before: float | None
    after: float | None
    tolerance: float
    error: float | None
    passed_before: bool
    passed: bool


@dataclass(frozen=True)
class Calibration:
    """A fit with all that is said about it."""

    rows: tuple[Row, ...]
    identified: Identified
    changed: dict[str, float]
    start: dict[str, float]
    loss_before: float
    loss_after: float
    rounds: int
    settled: bool
    evaluations_made: int
    users: int
    users_wanted: int
    seeds: tuple[int, ...]
    scale: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain containers, ready for JSON."""
        return asdict(self) | {"code_version": code_version()}


def calibration_of(problem: Problem, fitted: Fitted) -> Calibration:
    """Measure both ends of a fit with their errors, and say what the targets identify."""
    before, after = problem.evaluate(fitted.start), problem.evaluate(fitted.x)
    errors = [standard_errors(alone(found, problem.chosen)) for found in (before, after)]
    x, parameters = fitted.x, problem.parameters
    start = settings(parameters, fitted.start)
    now = settings(parameters, x)
    return Calibration(
        rows=tuple(_rows(problem.chosen, (before, after), errors)),
        identified=identify(fitted.slopes, x, after, parameters, problem.chosen),
        changed={key: value for key, value in now.items() if value != start[key]},
        start=start,
        loss_before=loss(fitted.before),
        loss_after=loss(fitted.after),
        rounds=fitted.rounds,
        settled=fitted.settled,
        evaluations_made=problem.ledger.made,
        users=after.users,
        users_wanted=problem.scenario.kept_users * len(problem.seeds),
        seeds=problem.seeds,
        scale=problem.scenario.scale,
    )


def _rows(
    chosen: Sequence[Target], ends: tuple[Moments, Moments], errors: Sequence[Floats]
) -> list[Row]:
    old, new = (stacked(found.values, chosen) for found in ends)
    slack = [np.where(np.isfinite(error), 2.0 * error, 0.0) for error in errors]
    rows, k = [], 0
    for target in chosen:
        for i, (value, limit) in enumerate(zip(target.value, target.limits, strict=True)):
            rows.append(
                Row(
                    target=target.name if len(target.value) == 1 else f"{target.name}[{i + 1}]",
                    value=value,
                    before=_known(old[k]),
                    after=_known(new[k]),
                    tolerance=float(limit),
                    error=_known(errors[1][k]),
                    passed_before=bool(abs(old[k] - value) <= limit + slack[0][k] + _EPS),
                    passed=bool(abs(new[k] - value) <= limit + slack[1][k] + _EPS),
                )
            )
            k += 1
    return rows


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def preset_text(base: str, overrides: dict[str, str], changed: dict[str, float], head: str) -> str:
    """Return the fitted scenario as TOML: what differs from a shipped preset, or all of a file's.

    Parameters
    ----------
    base : preset or file that the fit began with. overrides : set by hand. changed : fitted.
    head : lines that say where the numbers come from.
    """
    scenario = applied(load_scenario(base, overrides=overrides), changed)
    body = _difference(base, scenario) if base in presets() else dump_toml(scenario)
    return "".join(f"# {line}\n" for line in head.splitlines()) + body


def _difference(base: str, scenario: Scenario) -> str:
    """Return ``base = …`` and, table by table, the lines in which the scenario differs."""
    preset = load_scenario(base)
    if preset.scales != scenario.scales:
        return dump_toml(scenario)  # a file's scales stand for all of them
    old, new = (_by_table(dump_toml(s)) for s in (preset, scenario))
    lines = [f'base = "{base}"']
    for table, texts in new.items():
        differ = [text for text in texts if text not in old[table]]
        if differ:
            lines += ["", f"[{table}]", *differ] if table else differ
    return "\n".join(lines) + "\n"


def _by_table(text: str) -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {"": []}
    name = ""
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            name = line.strip("[]")
            tables[name] = []
        else:
            tables[name].append(line)
    return tables


def write_atomically(file: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    with whole(file) as partial:
        partial.write_text(text, encoding="utf-8")
