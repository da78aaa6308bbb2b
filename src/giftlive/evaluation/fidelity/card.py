"""The world model card: what is calibrated, what emerges, what is assumed, and how much it matters.

Every number in it is measured when it is written; nothing is typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from giftlive.errors import InputError, Where
from giftlive.evaluation.fidelity.score import BEHAVIOURS, Score
from giftlive.evaluation.fidelity.sensitivity import SHOWN, Moved
from giftlive.world import Scenario

_OFF = ("retention.weight", "churn.hazard", "supply.weight", "newcomers.share", "budget.per_wealth")
_OFF_TOO = ("fatigue.click", "fatigue.stay", "fatigue.visit", "seats.alpha", "seats.background")
_EXTERNAL = ("externality.whale_gamma", "gift.crowd", "click.crowd", "people.price_sigma")


@dataclass(frozen=True)
class Bands:
    """What moving assumed coefficients did (may be nothing), at which scale, on how many seeds."""

    moved: Sequence[Moved]
    scale: float
    seeds: int


@dataclass(frozen=True)
class Coefficient:
    """What a calibration says about one coefficient."""

    key: str
    value: float
    error: float | None
    identified: bool
    target: str | None


def coefficients_of(file: Path) -> tuple[Coefficient, ...]:
    """Return the identifiability of every coefficient that ``world calibrate`` reports in JSON.

    Raises
    ------
    InputError
        The file is absent, is no JSON, or holds no list ``identified.parameters``.
    """
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["identified"]["parameters"]
        return tuple(
            Coefficient(
                str(row["key"]),
                float(row["value"]),
                None if row["error"] is None else float(row["error"]),
                bool(row["identified"]),
                row.get("target"),
            )
            for row in rows
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"this is no report of a calibration ({error})",
            Where(str(file)),
            "JSON with identified.parameters",
            "give what `giftlive world calibrate --json` printed",
        ) from None


def card(
    scenario: Scenario,
    seeds: Sequence[int],
    scores: Sequence[Score],
    bands: Bands,
    coefficients: Sequence[Coefficient] | None,
    command: str,
) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    scores : of the scenario over ``seeds``. bands : of the sensitivity, perhaps of smaller worlds.
    coefficients : of a calibration; None where there is no report of one.
    command : that writes this card again.
    """
    fitted = [s for s in scores if s.target.name not in BEHAVIOURS]
    emerging = [s for s in scores if s.target.name in BEHAVIOURS]
    parts = (
        _head(scenario, seeds, command),
        ["## Calibrated: by construction, never a finding", "", *_targets(fitted, scenario.scale)],
        ["## Emerges: set by no single coefficient", "", *_targets(emerging, scenario.scale)],
        ["## Coefficients that the targets identify", "", *_identified(coefficients)],
        ["## Assumed", "", *_assumed(scenario)],
        ["## Sensitivity bands", "", *_bands(bands)],
    )
    return "\n".join(line for part in parts for line in (*part, "")).rstrip("\n") + "\n"


def _head(scenario: Scenario, seeds: Sequence[int], command: str) -> list[str]:
    return [
        f"# Model card of the world `{scenario.name}`",
        "",
        f"Written by `{command}`; every number is measured. Scale {scenario.scale:g}, "
        f"{len(seeds)} seeds from {min(seeds)} on, scenario `{scenario.fingerprint}`. "
        "A fit to published aggregates: no row of a platform went in, and no number here is a "
        "statement about one.",
        "",
        "Within: |mean of the seeds - published| <= tolerance + 2 standard errors. Worlds of less "
        "than 0.2 of the full size, or fewer than 8 seeds, are printed and not judged: some "
        "quantities are others in a small population, and 2 standard errors of few seeds are wide.",
    ]


def _targets(scores: Iterable[Score], scale: float) -> Iterator[str]:
    yield from _header(
        "quantity", "published", "tolerance", "days", "this world", "2 s.e.", "within"
    )
    for s in scores:
        free = s.target.kind == "info"
        yield _row(
            s.fact,
            _number(s.published),
            "" if free else _number(s.limit),
            s.target.days or "any",
            "not measured" if s.mean is None else _number(s.mean),
            "" if s.mean is None else _number(2 * s.se),
            _within(s, scale),
        )


def _within(score: Score, scale: float) -> str:
    if score.target.kind == "info":
        return "information"
    if not score.target.gated(scale):
        return "full size only"
    return "yes" if score.within else "**no**"


def _identified(coefficients: Sequence[Coefficient] | None) -> Iterator[str]:
    if coefficients is None:
        yield (
            "No report of a calibration was given (`--calibration FILE`): which coefficients the "
            "targets identify is not said here, and none may be read as an estimate."
        )
        return
    yield from _header("coefficient", "value", "Monte-Carlo s.e.", "identified", "moves most")
    for c in coefficients:
        error = "" if c.error is None else _number(c.error)
        known = "yes" if c.identified else "**no**: the starting value"
        yield _row(f"`{c.key}`", _number(c.value), error, known, c.target or "nothing")


def _assumed(scenario: Scenario) -> Iterator[str]:
    yield (
        "No published aggregate speaks about these mechanisms. Published logs are those of one "
        "policy: how people and streamers would answer another one is assumed."
    )
    yield ""
    yield from _header("coefficient", "value", "then")
    values = scenario.model_dump()
    for key in (*_OFF, *_OFF_TOO, *_EXTERNAL):
        section, name = key.split(".")
        value = float(values[section][name])
        yield _row(f"`{key}`", _number(value), "mechanism off" if value == 0 else "assumed")
    for key in ("gift.delay_seconds", "gift.delay_power", "platform.popularity"):
        section, name = key.split(".")
        yield _row(f"`{key}`", _number(float(values[section][name])), "assumed: see the bands")


def _bands(bands: Bands) -> Iterator[str]:
    if not bands.moved:
        yield "Not measured in this card (`--no-sensitivity`)."
        return
    yield (
        "Change of the main targets, in tolerances, when one assumed coefficient is moved and "
        f"nothing is fitted again; mean ± standard error of {bands.seeds} paired seeds at scale "
        f"{bands.scale:g}. A target that moves by more than 1 depends on the assumption."
    )
    yield ""
    facts = [f for f in bands.moved[0].by if f.removesuffix("_utc") in SHOWN]
    yield from _header("coefficient", "from", "to", *facts)
    for m in bands.moved:
        cells = (_moved(m.by, fact) for fact in facts)
        yield _row(f"`{m.key}`", _number(m.base), _number(m.value), *cells)


def _moved(by: Mapping[str, tuple[float, float]], fact: str) -> str:
    if fact not in by:
        return "not measured"
    mean, error = by[fact]
    shown = f"{mean:+.2f} ± {error:.2f}"
    return f"**{shown}**" if abs(mean) > 1.0 else shown


def _header(*names: str) -> tuple[str, str]:
    return _row(*names), "|" + "---|" * len(names)


def _row(*cells: Any) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _number(value: float) -> str:
    """Return a number with the digits that count.

    Examples
    --------
    >>> _number(0.0), _number(56246.0), _number(0.0147969)
    ('0', '56,246', '0.0148')
    """
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
