"""The sample table as parts: written once, kept on an append, found again after a kill.

``samples/part-0000.parquet`` ... hold the rows in the order of sample ids; a part ends where a
local day closes, or with the log, and is as long as all before it: each costs a whole state. Beside them stand ``state/`` (the sweep after the last part)
and ``parts.json``: what the parts are, with their digests, what they were made from, and a digest
of every event that the state has been told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from giftlive.errors import InputError
from giftlive.logs.store import literal_path
from giftlive.tables.features.array_folder import digest_of_file

SAMPLES, STATE, PARTS_FILE = "samples", "state", "parts.json"
ROWS_PER_PART = 3_000_000
_ROWS_PER_GROUP = 65_536


@dataclass(frozen=True)
class Part:
    """One file of rows: its name in ``samples/``, how many rows, and the digest of the file."""

    name: str
    rows: int
    digest: str


@dataclass(frozen=True)
class Parts:
    """What has been finished.

    Attributes
    ----------
    made_from : options, features and their formulas: parts of other ones are of no use.
    past : digest of every event that the state has been told ("" without a state).
    until_ts : the state knows all events known before it. parts : in the order of their rows.
    """

    made_from: Mapping[str, Any]
    past: str
    until_ts: int
    parts: tuple[Part, ...]

    def write(self, folder: Path) -> None:
        """Write ``parts.json``; the old one is replaced at once."""
        half = folder / f".{PARTS_FILE}"
        half.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        half.replace(folder / PARTS_FILE)

    @staticmethod
    def listed(folder: Path) -> Parts | None:
        """Return what ``parts.json`` says, None without one; raises as :meth:`read`."""
        try:
            plain = json.loads((folder / PARTS_FILE).read_text(encoding="utf-8"))
            parts = tuple(Part(**part) for part in plain["parts"])
            return Parts(plain["made_from"], plain["past"], plain["until_ts"], parts)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise harmed(folder, PARTS_FILE) from error

    @staticmethod
    def read(folder: Path) -> Parts | None:
        """Return what ``folder`` holds, None where no part was ever finished.

        Raises
        ------
        InputError
            A file is not as it was written; ``what`` names it.
        """
        found = Parts.listed(folder)
        if found is None or not found.parts:
            return None
        for part in found.parts:
            file = folder / SAMPLES / part.name
            if not file.is_file() or digest_of_file(file) != part.digest:
                raise harmed(folder, part.name)
        return found


@dataclass
class PartWriter:
    """Writes rows into the next part; ``cut`` ends it."""

    folder: Path
    parts: list[Part] = field(default_factory=list)
    rows: int = 0
    _writer: Any = None
    _waiting: list[Any] = field(default_factory=list)

    def add(self, table: Any) -> None:
        """Append an Arrow table to the current part."""
        self._waiting.append(table)
        self.rows += len(table)
        if sum(map(len, self._waiting)) >= _ROWS_PER_GROUP:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self._waiting:
            return
        group = pa.concat_tables(self._waiting)
        self._waiting.clear()
        if self._writer is None:
            # without dictionaries: a twelfth more bytes for half of the processor time
            how = {"compression": "lz4", "use_dictionary": False}
            self._writer = pq.ParquetWriter(self._file(), group.schema, **how)
        self._writer.write_table(group)

    def cut(self) -> None:
        """End the current part, if it has been begun."""
        self._write()
        if self._writer is None:
            return
        self._writer.close()
        self.take(self._file(), self.rows)
        self._writer, self.rows = None, 0

    def take(self, file: Path, rows: int) -> None:
        """Count a file that is in place as the next part."""
        self.parts.append(Part(file.name, rows, digest_of_file(file)))

    def close(self) -> None:
        """Close the file of a part that was not cut: an interrupted one, of no use."""
        if self._writer is not None:
            self._writer.close()

    def _file(self) -> Path:
        return self.folder / part_name(len(self.parts))


def harmed(folder: Path, name: str) -> InputError:
    """Return the error of a file that is missing or has other content than was written."""
    return InputError(f"{name} is not as it was written", str(folder), "the file that was written")


def part_name(number: int) -> str:
    """Return the file name of a part."""
    return f"part-{number:04}.parquet"


def sample_files(folder: Path) -> list[Path]:
    """Return the parts of the sample table in a tables folder, in the order of their rows."""
    return sorted((Path(folder) / SAMPLES).glob("part-*.parquet"))


def samples_relation(folder: Path) -> str:
    """Return the sample table of a tables folder as SQL for DuckDB.

    Examples
    --------
    >>> samples_relation(Path("nowhere"))
    "read_parquet('nowhere/samples/part-*.parquet')"
    """
    place = literal_path(Path(folder) / SAMPLES)
    return f"read_parquet({place[:-1]}/part-*.parquet')"
