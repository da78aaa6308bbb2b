"""What a run left behind, read back into the objects that the studies wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from giftlive.errors import InputError
from giftlive.evaluation.results import Check, Estimate, Figure, Gate, Series, StudyResult, Table
from giftlive.reports.numbers import spaced
from giftlive.types import Message

CALIBRATED_WORLD = "calibrated world"
KUAILIVE_ROWS = {"click": 4_909_515, "gift": 72_646}
"""Row counts of the published KuaiLive tables: the only logs that may be called by that name."""

_PART = re.compile(r"(\d+)(\w*)")
_Record = TypeVar("_Record")


@dataclass(frozen=True)
class Run:
    """A run folder in memory: its manifest and its studies in the order of their ids.

    Attributes
    ----------
    added : by name, the manifests of studies that come from other run folders on the same source.
    """

    folder: Path
    manifest: dict[str, Any]
    results: tuple[StudyResult, ...]
    added: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def manifest_of(self, study: str) -> dict[str, Any]:
        """Return the manifest of the run that made ``study``."""
        return self.added.get(study, self.manifest)

    @property
    def source(self) -> dict[str, Any]:
        """Return the manifest's description of the logs; empty when there is none."""
        return dict(self.manifest.get("source") or {})

    @property
    def calibrated(self) -> bool:
        """Return whether the logs were generated, so that every page must say so."""
        return CALIBRATED_WORLD in (self.source.get("label"), self.manifest.get("label"))

    @property
    def is_kuailive(self) -> bool:
        """Return whether these are the published KuaiLive logs themselves."""
        rows = self.source.get("rows") or {}
        published = all(rows.get(table) == count for table, count in KUAILIVE_ROWS.items())
        return self.source.get("kind") == "kuailive" and not self.calibrated and published


def load_run(folder: Path, add: Sequence[Path] = ()) -> Run:
    """Return the manifest and the results of the run in ``folder``.

    Parameters
    ----------
    add : other run folders; their studies are shown as well where ``folder`` has none of the name.

    Raises
    ------
    InputError
        There is no manifest, a file is not what the result contract says, or a run to add
        analysed other data.
    """
    manifest = _read(folder / "manifest.json")
    results = {result.study: result for result in _results(folder)}
    added: dict[str, dict[str, Any]] = {}
    for other in add:
        found = _read(other / "manifest.json")
        _same_source(manifest, found, other)
        for result in _results(other):
            if result.study not in results:
                results[result.study] = result
                added[result.study] = found
    ordered = sorted(results.values(), key=lambda r: (natural(r.id), r.study))
    return Run(folder, manifest, tuple(ordered), added)


def _results(folder: Path) -> list[StudyResult]:
    return [_study(path) for path in sorted((folder / "results").glob("*.json"))]


def _same_source(one: Mapping[str, Any], other: Mapping[str, Any], folder: Path) -> None:
    prints = [(found.get("source") or {}).get("fingerprint") for found in (one, other)]
    if prints[0] != prints[1]:
        raise InputError(
            f"it analysed other data: fingerprint {prints[1]}, not {prints[0]}",
            str(folder),
            "a run on the same source",
            "a report speaks of one source; render that run on its own",
        )


def natural(identifier: str) -> tuple[tuple[int, str], ...]:
    """Return a sort key under which study 5.10 follows 5.9, and 0.2b stands between 0.2 and 0.3.

    Examples
    --------
    >>> sorted(["5.10", "0.3", "0.2b", "5.9", "0.2", "x"], key=natural)
    ['0.2', '0.2b', '0.3', '5.9', '5.10', 'x']
    """
    parts = [_PART.fullmatch(part) for part in identifier.split(".")]
    if None in parts:
        return ((1 << 30, identifier),)
    return tuple((int(part[1]), part[2]) for part in parts if part is not None)


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot be read as JSON ({type(error).__name__})", path.name, "a file written by a run"
        ) from error
    if not isinstance(raw, dict):
        raise InputError("is not a JSON object", path.name, "a file written by a run")
    return raw


def _study(path: Path) -> StudyResult:
    try:
        return study_from_dict(_read(path))
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"does not follow the result contract ({error})",
            f"results/{path.name}",
            "the fields of StudyResult",
        ) from error


def message_from_dict(raw: Mapping[str, Any]) -> Message:
    """Return the message written as ``{"key": …, "params": …}``."""
    return Message(str(raw["key"]), dict(raw.get("params") or {}))


def study_from_dict(raw: Mapping[str, Any]) -> StudyResult:
    """Return the study written by ``StudyResult.as_dict``; fields of a later version are ignored.

    Raises
    ------
    KeyError, TypeError
        A required field is absent or of another shape.
    """
    return _record(
        StudyResult,
        raw,
        question=message_from_dict(raw["question"]),
        checks=tuple(_record(Check, c) for c in raw.get("checks", ())),
        estimates=tuple(_record(Estimate, e) for e in raw.get("estimates", ())),
        gates=tuple(_gate(g) for g in raw.get("gates", ())),
        tables=tuple(_table(t) for t in raw.get("tables", ())),
        figures=tuple(_figure(f) for f in raw.get("figures", ())),
        text={
            role: tuple(message_from_dict(m) for m in messages)
            for role, messages in raw.get("text", {}).items()
        },
        skipped=message_from_dict(raw["skipped"]) if raw.get("skipped") else None,
    )


def _record(kind: type[_Record], raw: Mapping[str, Any], **built: Any) -> _Record:
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]  # every kind is a dataclass
    return kind(**{k: v for k, v in raw.items() if k in known and k not in built}, **built)


def _gate(raw: Mapping[str, Any]) -> Gate:
    estimate = raw.get("estimate")
    return _record(Gate, raw, estimate=_record(Estimate, estimate) if estimate else None)


def _table(raw: Mapping[str, Any]) -> Table:
    return _record(
        Table,
        raw,
        columns=tuple(raw["columns"]),
        units=tuple(raw["units"]),
        rows=tuple(tuple(_cell(value) for value in row) for row in raw["rows"]),
        caption=message_from_dict(raw["caption"]),
    )


def _cell(value: Any) -> Any:
    """Return a table cell; a number with its interval or a sentence by key becomes one again."""
    if isinstance(value, Mapping) and set(value) == {"key", "params"}:
        return message_from_dict(value)
    is_estimate = isinstance(value, Mapping) and {"value", "denominator", "status"} <= set(value)
    return _record(Estimate, value) if is_estimate else value


def _figure(raw: Mapping[str, Any]) -> Figure:
    return _record(
        Figure,
        raw,
        title=spaced(raw["title"]),
        subtitle=spaced(raw["subtitle"]),
        series=tuple(_series(s) for s in raw["series"]),
        shows=message_from_dict(raw["shows"]),
        follows=message_from_dict(raw["follows"]),
    )


def _series(raw: Mapping[str, Any]) -> Series:
    columns = {k: None if raw.get(k) is None else tuple(raw[k]) for k in ("low", "high", "n")}
    return _record(Series, raw, x=tuple(raw["x"]), y=tuple(raw["y"]), **columns)
