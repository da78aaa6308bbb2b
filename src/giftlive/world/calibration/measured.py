"""What one folder of logs shows of every target; all of it are facts of ``giftlive.facts``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from giftlive.errors import InputError, UsageError
from giftlive.facts import FactBook
from giftlive.logs.source import Source
from giftlive.world.calibration.expected import expected_weekly_ratio
from giftlive.world.calibration.targets import Target, targets

WEEKLY = "weekly_revenue_ratio_max_min"
SIZES = tuple(
    Target(name, (float(count),), "info", scope="full")
    for name, count in {
        "users": 23_772,
        "streamers": 452_621,
        "rooms": 11_613_708,
        "clicks": 4_909_515,
        "gifts": 72_646,
        "negatives_rows_A": 12_705_835,
    }.items()
)
"""Published sizes: information, beside a folder of full size only."""


@dataclass(frozen=True)
class Reading:
    """A target as one folder shows it.

    Attributes
    ----------
    values : one per number of the target; None where the logs cannot say, and ``reason`` why.
    days : on which calendar: ``utc``, ``local`` (of the source's zone), or empty where the value
        does not depend on days. note : what a reader must know besides.
    """

    values: tuple[float | None, ...]
    days: str = ""
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class Measured:
    """Every target and every size in one folder.

    Attributes
    ----------
    name : of the folder. fingerprint : of its rows. world : hash of the scenario that made it,
        empty for others. scale : users over those of KuaiLive.
    """

    name: str
    fingerprint: str
    world: str
    scale: float
    readings: dict[str, Reading] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain containers, ready for canonical JSON."""
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        """Return what :meth:`as_dict` gave."""
        rows = plain["readings"].items()
        readings = {name: Reading(**row | {"values": tuple(row["values"])}) for name, row in rows}
        return cls(**plain | {"readings": readings})


def measure(name: str, book: FactBook, source: Source, logs: Path | None) -> Measured:
    """Return what ``book`` says of every target.

    Parameters
    ----------
    name : how the folder is called in the table. book, source : of its logs.
    logs : the folder itself if it may hold the truth of a generated world, else None.

    Raises
    ------
    InputError
        The folder says that a world made it, and its ``world.json`` or its truth is broken.
    UsageError
        These are no logs of a live platform.
    """
    if not source.live_platform:
        raise UsageError(
            f"{source.kind} logs are none of a live platform",
            name,
            "logs in KuaiLive's format or in the Parquet schema",
            "giftlive facts prints the same quantities of any source",
        )
    world = _world(logs) if logs is not None else ""
    readings = {target.name: _reading(book, target) for target in (*targets(), *SIZES)}
    readings[WEEKLY] = _weekly(readings[WEEKLY], logs if world else None)
    users = book.fact("size_users").value or 0.0
    return Measured(
        name=name,
        fingerprint=source.fingerprint,
        world=world,
        scale=round(users / SIZES[0].value[0], 4),
        readings=readings,
    )


def _reading(book: FactBook, target: Target) -> Reading:
    facts = book.published(target.name, target.days)
    utc = all(fact.name.endswith(f"_{target.days}") for fact in facts)
    return Reading(
        values=tuple(fact.value for fact in facts),
        days=(target.days if utc else "local") if target.days else "",
        reason=next((fact.reason for fact in facts if fact.value is None), ""),
    )


def _weekly(realised: Reading, logs: Path | None) -> Reading:
    """Return the ratio of expected revenues where the truth is there, else what was given."""
    ratio = expected_weekly_ratio(logs) if logs is not None else None
    if ratio is not None:
        return Reading((ratio,), realised.days, note="expected revenue")
    if realised.values[0] is None:
        return realised
    return Reading(
        realised.values, realised.days, note="realised revenue: no truth beside the logs"
    )


def _world(logs: Path) -> str:
    """Return the hash of the scenario that made a folder; empty where no world did."""
    file = logs / "world.json"
    if not file.is_file():
        return ""
    try:
        marker = json.loads(file.read_text(encoding="utf-8"))
        return str(marker["scenario_hash"]) if marker.get("generated_by") == "giftlive" else ""
    except (ValueError, KeyError, AttributeError):
        raise InputError(
            "this is not what a world says of itself",
            str(file),
            "generated_by and scenario_hash as giftlive world generate writes them",
            "generate the world again, or remove the file to have the logs judged as they are",
        ) from None
