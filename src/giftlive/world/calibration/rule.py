"""The pass rule: is the mean over folders as near to the published value as it has to be?

|mean - value| <= tolerance + 2 Monte-Carlo standard errors, number by number; a target of several
numbers passes when all of them do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from giftlive.errors import UsageError
from giftlive.types import Bools, Floats
from giftlive.world.calibration.measured import SIZES, Measured, Reading
from giftlive.world.calibration.targets import Target, targets

Verdict = Literal["pass", "fail", "within", "outside", "info", "undefined"]
SEEDS = 8
"""The rule asks for so many seeds of a world."""
JUDGED_FROM = 0.2
"""Smaller worlds are printed, not judged: 0.2 is ``medium``, about 4,750 users."""
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Line:
    """One target beside what was measured.

    Attributes
    ----------
    value, measured : one entry per number of the target; the second is the mean over folders.
    error, tolerance, error_se : shares of the value where ``relative``, else in its unit; the
        last is the standard error of the mean. Empty where there is none: error and its standard
        error of what is undefined, tolerance of information.
    verdict : ``pass`` or ``fail`` where the target is ``gated``; ``within`` or ``outside`` where
        the folder is too small for that; ``info``, also of what only full size can have; or
        ``undefined``, and ``reason`` says why.
    days : calendar of the measured value. note : what a reader must know besides.
    """

    target: str
    value: tuple[float, ...]
    measured: tuple[float | None, ...]
    relative: bool
    error: tuple[float, ...]
    tolerance: tuple[float, ...]
    error_se: tuple[float, ...]
    verdict: Verdict
    gated: bool
    days: str
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class Check:
    """The table of one world or data set.

    Attributes
    ----------
    lines : one per target. folders : by name. scale : users of the smallest over KuaiLive's.
    """

    lines: tuple[Line, ...]
    folders: tuple[str, ...]
    scale: float

    @property
    def judged(self) -> bool:
        """Whether the folders are large enough to pass or fail."""
        return size(self.scale) >= JUDGED_FROM

    @property
    def counts(self) -> Counter[str]:
        """How many lines have each verdict."""
        return Counter(line.verdict for line in self.lines)

    @property
    def holds(self) -> bool:
        """Whether every gated target has a value and passes; True where none is gated."""
        return all(line.verdict == "pass" for line in self.lines if line.gated)

    def as_dict(self) -> dict[str, Any]:
        """Return plain containers, ready for canonical JSON."""
        return {
            "targets": [asdict(line) for line in self.lines],
            "folders": list(self.folders),
            "scale": self.scale,
            "judged": self.judged,
            "counts": dict(self.counts),
        }


def check(measured: Sequence[Measured]) -> Check:
    """Hold the mean over the folders of one world against every target.

    Raises
    ------
    UsageError
        The folders are not of one world, or one of them is there twice.
    """
    _of_one_world(measured)
    scale = min(found.scale for found in measured)
    shown = (*targets(), *(SIZES if size(scale) >= 1.0 else ()))
    lines = tuple(
        judge(target, [found.readings[target.name] for found in measured], size(scale))
        for target in shown
    )
    return Check(lines, tuple(found.name for found in measured), scale)


def within(mean: Floats, value: Floats, limit: Floats, se: Floats) -> Bools:
    """Return whether means are within tolerance plus two standard errors, number by number."""
    return np.abs(mean - value) <= limit + 2.0 * se + _ROUNDING * np.abs(value)


def size(scale: float) -> float:
    """Return a scale to one decimal: no source has exactly the users of a named size."""
    return round(scale, 1)


def judge(target: Target, readings: Sequence[Reading], scale: float) -> Line:
    """Return the line of one target; ``readings`` has one entry per folder."""
    gated = target.gated(scale) and scale >= JUDGED_FROM
    missing = [reading.reason for reading in readings if None in reading.values]
    if missing:
        of_all = f" ({len(missing)} of {len(readings)} folders)" if len(readings) > 1 else ""
        # Numbers that some folders have stay unprinted: their mean would be that of no world.
        return _line(target, readings, "undefined", gated, reason=missing[0] + of_all)
    values = np.array([reading.values for reading in readings], dtype=np.float64)
    mean, se = values.mean(axis=0), _standard_error(values)
    near = bool(within(mean, np.array(target.value), target.limits, se).all())
    verdict = _verdict(target, near, gated, scale)
    return _line(target, readings, verdict, gated, mean, se)


def _verdict(target: Target, near: bool, gated: bool, scale: float) -> Verdict:
    if target.kind == "info" or (target.scope == "full" and scale < 1.0):
        return "info"
    if gated:
        return "pass" if near else "fail"
    return "within" if near else "outside"


def _standard_error(values: Floats) -> Floats:
    """Return that of the mean over folders [k], of values [folders, k]; 0 with one folder."""
    n = len(values)
    return values.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.zeros(values.shape[1])


def _line(
    target: Target,
    readings: Sequence[Reading],
    verdict: Verdict,
    gated: bool,
    mean: Floats | None = None,
    se: Floats | None = None,
    reason: str = "",
) -> Line:
    value = np.array(target.value)
    unit = np.ones(len(value)) if target.kind == "abs" else np.abs(value)
    notes = dict.fromkeys(reading.note for reading in readings if reading.note)
    return Line(
        target=target.name,
        value=target.value,
        measured=tuple(mean.tolist()) if mean is not None else (None,) * len(value),
        relative=target.kind != "abs",
        error=tuple(((mean - value) / unit).tolist()) if mean is not None else (),
        tolerance=() if target.kind == "info" else tuple((target.limits / unit).tolist()),
        error_se=tuple((se / unit).tolist()) if se is not None else (),
        verdict=verdict,
        gated=gated,
        days=readings[0].days,
        reason=reason,
        note="; ".join(notes),
    )


def _of_one_world(measured: Sequence[Measured]) -> None:
    for what, unequal, expected in (
        (
            "the folders are not of one world",
            len({found.world for found in measured}) > 1,
            "seeds of one scenario, or logs that no world made",
        ),
        (
            "the same logs are there twice",
            len({found.fingerprint for found in measured}) < len(measured),
            "different seeds: equal ones say nothing about the spread",
        ),
    ):
        if unequal:
            names = ", ".join(found.name for found in measured)
            raise UsageError(what, names, expected, "check them one by one")
