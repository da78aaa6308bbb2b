"""The result contract: what a study says, and nothing that depends on when it ran."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from giftlive.types import Message

Status = Literal["ok", "not_enough_data", "undefined"]
Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE", "NOT ANSWERABLE", "SKIPPED"]
Style = Literal["line", "dots", "bars", "reference", "cells"]
Scale = Literal["linear", "log", "category"]


@dataclass(frozen=True)
class Estimate:
    """One printed number with its denominator, population, unit and interval.

    ``value`` and the 95 % interval are ``None`` exactly when ``status`` is not ``ok`` or the
    print rule forbids them; ``reason`` then says why in words.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    method: str
    n: int
    n_unit: str
    unit: str
    denominator: str
    population: str
    status: Status = "ok"
    reason: str = ""


@dataclass(frozen=True)
class Check:
    """A condition fixed before outcomes are read: ``binding``, ``movable``, ``a_a``, ``power``."""

    name: str
    passed: bool
    value: float | None
    threshold: str
    detail: str


@dataclass(frozen=True)
class Gate:
    """A pre-registered rule and what the evidence says about it.

    ``threshold`` is the lower border of the passing region, ``threshold_high`` the upper one
    where there is one.
    """

    id: str
    rule: str
    rule_as_published: str
    verdict: Verdict
    reason: str
    consequence: str
    estimate: Estimate | None
    threshold: float | None
    threshold_high: float | None = None


@dataclass(frozen=True)
class Series:
    """One mark type of a figure: equal-length columns, an interval where there is one.

    ``style="reference"`` is the grey bound or baseline; ``n`` is the count behind each point.
    ``style="cells"`` is one row of a heat map, named like the row; all series of its figure are.
    """

    name: str
    x: tuple[float | str, ...]
    y: tuple[float, ...]
    style: Style = "line"
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    n: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Figure:
    """A figure whose title states the finding; ``subtitle`` names quantity, population and n.

    ``name`` is a file name without ending; ``horizontal`` draws categories down the page.
    """

    name: str
    title: str
    subtitle: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    shows: Message
    follows: Message
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    horizontal: bool = False


@dataclass(frozen=True)
class Table:
    """A small printed table: column names, units and rows of plain values."""

    name: str
    columns: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    caption: Message


@dataclass(frozen=True)
class StudyResult:
    """Everything one study has to say; written as ``results/<study>.json``.

    ``text`` holds the report's sentences by role: ``finding``, ``mechanism``, ``inputs``,
    ``pipeline``, ``decision``, ``assumptions``, ``insight``, ``tradeoffs``, ``scope``,
    ``limits``, ``next``, ``modules``. ``skipped`` is the reason when the study could not run.
    """

    study: str
    id: str
    question: Message
    seed: int
    config: dict[str, Any]
    inputs: dict[str, Any]
    code_version: str
    checks: tuple[Check, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    gates: tuple[Gate, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    text: dict[str, tuple[Message, ...]] = field(default_factory=dict)
    skipped: Message | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain containers, ready for canonical JSON."""
        return asdict(self)
