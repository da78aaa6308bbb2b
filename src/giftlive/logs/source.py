"""What is known about a data source besides its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from giftlive.errors import InputError, MissingCapabilityError, Where

REAL_LOGS = "real logs"
CALIBRATED_WORLD = "calibrated world"


@dataclass(frozen=True)
class Source:
    """Where rows came from, in which zone and unit, and which tables they fill.

    Attributes
    ----------
    kind : name of its reader, such as "kuailive". path : name of the folder or file read.
    tz : IANA zone in which days, hours and weekdays of this source are taken.
    unit : what one unit of ``amount`` is. capabilities : tables with at least one row.
    fingerprint : 32 hex digits over the content of the input files.
    label : "real logs", or "calibrated world" where a generated world says so itself.
    rows : stored rows by table. rejects : rows set aside, by table and reason.
    window : first and last event time, ms UTC.
    notes : sentences about what the rows cannot say, such as rooms without times; "table: …".
    """

    kind: str
    path: str
    tz: str
    unit: str
    capabilities: frozenset[str]
    fingerprint: str
    label: str
    rows: Mapping[str, int]
    rejects: Mapping[str, Mapping[str, int]]
    window: tuple[int, int]
    notes: tuple[str, ...] = ()

    @property
    def live_platform(self) -> bool:
        """Whether these are logs of a live platform, in the format of KuaiLive."""
        return self.kind in {"kuailive", "parquet"}

    @property
    def series_of_events(self) -> bool:
        """Whether gifts come in a few separate marathons instead of day by day."""
        return self.kind == "gdq"

    def require(self, *tables: str, step: str) -> None:
        """Raise unless every one of ``tables`` has rows.

        Raises
        ------
        MissingCapabilityError
            Naming the step, what it lacks and what the source has.
        """
        missing = [table for table in tables if table not in self.capabilities]
        if missing:
            raise MissingCapabilityError(
                f"{step} needs {', '.join(missing)}, which this {self.kind} source does not have",
                expected=f"tables {', '.join(tables)}",
                hint=f"it has {', '.join(sorted(self.capabilities))}",
            )

    def as_json(self) -> str:
        """Return the text of ``source.json``: sorted keys, one trailing newline."""
        plain = asdict(self) | {
            "capabilities": sorted(self.capabilities),
            "rows": dict(self.rows),
            "rejects": {table: dict(reasons) for table, reasons in self.rejects.items()},
        }
        return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @staticmethod
    def read(file: Path) -> Source:
        """Read a ``source.json`` written by :meth:`as_json`.

        Raises
        ------
        InputError
            Where the file is absent or is not what :meth:`as_json` writes.
        """
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            plain["capabilities"] = frozenset(plain["capabilities"])
            first, last = plain["window"]
            notes = tuple(map(str, plain.get("notes", ())))
            return Source(**plain | {"window": (int(first), int(last)), "notes": notes})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(
                "this is not a store of GiftLive",
                Where(str(file)),
                "a source.json written by `giftlive ingest`",
                "give the folder that `giftlive ingest` wrote, or ingest the logs again",
            ) from error
