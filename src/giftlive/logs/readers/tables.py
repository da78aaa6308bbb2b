"""The documented schema for any platform: one Parquet file per table, and ``source.toml``.

The columns are those of :mod:`giftlive.logs.schema` under their own names. Left out are the row
number, which is given here, and ``known_ts``, which a file may have and which is else derived as
``source.toml`` says. Every table may be absent or empty, but not all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from giftlive.errors import InputError, NotEnoughDataError, Where
from giftlive.logs.fields import Field, Kind
from giftlive.logs.inputs import Inputs
from giftlive.logs.intake import ENDS_FIRST, Intake, Stored
from giftlive.logs.readers.about_toml import ABOUT_FILE, TableNotes
from giftlive.logs.readers.reader import About
from giftlive.logs.readers.viewing import known, known_as_given, refuse_seconds
from giftlive.logs.scan import Scan
from giftlive.logs.schema import EVENTS, TABLES, Column
from giftlive.types import Progress

GIVEN = (
    *("click", "gift", "gift_anonymous", "comment", "like", "negative", "moderation"),
    *("room", "user", "streamer"),
)
"""The tables somebody may fill, clicks first: gifts may be dated with their help."""

_KEYS = {"room": "live_id", "user": "user_id", "streamer": "streamer_id"}


def given_columns(table: str) -> tuple[Column, ...]:
    """Return the columns of an input file; ``known_ts`` may be empty or absent there."""
    columns = (column for column in TABLES[table].columns if column.name != "row_id")
    return tuple(replace(c, nullable=True) if c.name == "known_ts" else c for c in columns)


def _field(column: Column) -> Field:
    kind: Kind = "text" if column.type == "VARCHAR" else "integer"
    return Field(column, (column.name,), kind)


@dataclass(frozen=True)
class Tables:
    """Reader of the documented Parquet schema."""

    kind: str = "tables"
    needs: str = f"{ABOUT_FILE} and any of {', '.join(f'{table}.parquet' for table in GIVEN)}"

    def recognises(self, inputs: Inputs) -> bool:
        """Whether ``source.toml`` is there."""
        return inputs.first([ABOUT_FILE]) is not None

    def about(self, inputs: Inputs) -> About:
        """Return what ``source.toml`` says."""
        return self._notes(inputs).about

    def files(self, inputs: Inputs) -> list[Path]:
        """Return ``source.toml`` and the tables that are there."""
        return [inputs.files[ABOUT_FILE], *_given(inputs).values()]

    def read(self, inputs: Inputs, intake: Intake, progress: Progress) -> Mapping[str, Stored]:
        """Store every table that is there."""
        notes, files = self._notes(inputs), _given(inputs)
        if not files:
            raise InputError(
                "there is no table beside this file",
                Where(f"{inputs.shown}/{ABOUT_FILE}"),
                f"the files {self.needs}",
                "`giftlive ingest --template DIR` writes all of them, empty",
            )
        stored: dict[str, Stored] = {}
        scans: dict[str, Scan] = {}
        for done, (table, file) in enumerate(files.items()):
            progress(done, len(files))
            fields = [_field(column) for column in given_columns(table)]
            scans[table] = intake.scan(file, fields, table)
            if table in EVENTS:
                stored[table] = _store_events(intake, table, scans, notes.entry_stamped)
            else:
                stored[table] = _store_entities(intake, table, scans[table])
            if table != "click":
                intake.drop(scans.pop(table))
        if not any(stored[table].rows for table in stored if table in EVENTS):
            raise _no_rows(inputs, stored)
        progress(len(files), len(files))
        return stored

    def _notes(self, inputs: Inputs) -> TableNotes:
        return TableNotes.read(inputs.files[ABOUT_FILE])


def _given(inputs: Inputs) -> dict[str, Path]:
    """Return table -> file, in reading order."""
    found = {table: inputs.first([f"{table}.parquet"]) for table in GIVEN}
    return {table: file for table, file in found.items() if file is not None}


def _store_events(
    intake: Intake, table: str, scans: Mapping[str, Scan], entry_stamped: bool
) -> Stored:
    events = scans[table]
    refuse_seconds(intake, events)
    rule, relation = known(table, scans, entry_stamped)
    rule = known_as_given(intake, events, rule)
    rejects = intake.set_aside(events, table)
    return Stored(intake.write(table, events, {"known_ts": rule}, relation), rejects)


def _store_entities(intake: Intake, table: str, entities: Scan) -> Stored:
    if table == "room":
        refuse_seconds(intake, entities, "start_ts")
        if any(field.column.name == "end_ts" for field in entities.fields.values()):
            intake.fault(entities, "end_ts", ENDS_FIRST, "end_ts < start_ts")
    intake.fault_duplicates(entities, table, _KEYS[table])
    rejects = intake.set_aside(entities, table)
    return Stored(intake.write(table, entities), rejects)


def _no_rows(inputs: Inputs, stored: Mapping[str, Stored]) -> NotEnoughDataError:
    seen = ", ".join(f"{table}.parquet" for table in stored)
    return NotEnoughDataError(
        f"there are no rows of events in it (read: {seen})",
        inputs.shown,
        f"at least one row in one of {', '.join(t for t in GIVEN if t in EVENTS)}",
        "fill the tables that you have and leave the others empty",
    )
