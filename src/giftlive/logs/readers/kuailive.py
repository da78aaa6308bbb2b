"""KuaiLive and everything written in its file format, as CSV or as Parquet.

Quirks that are handled here: ``author`` is an older word for ``streamer`` in file and column
names; live ids repeat in the table of rooms; gifts may carry the time of the entry instead of
their own; the unit of ``gift_price`` is undocumented, so amounts are "platform units"; profiles
are a snapshot taken after the last day. The columns may also have the names GiftLive stores
them under, so that a store can be read again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from giftlive.clock import midnight_ms, zone
from giftlive.errors import InputError, Where
from giftlive.logs.fields import Field, Kind
from giftlive.logs.inputs import Inputs
from giftlive.logs.intake import ENDS_FIRST, UNKNOWN_STREAMER, Intake, Stored, require_rows
from giftlive.logs.readers.about_toml import ABOUT_FILE
from giftlive.logs.readers.reader import About
from giftlive.logs.readers.viewing import known, known_as_given, refuse_seconds
from giftlive.logs.scan import Scan
from giftlive.logs.schema import TABLES, Column
from giftlive.types import Progress

_FILES = {
    "streamer": ("streamer", "author"),
    "user": ("user",),
    "room": ("room", "mapped_room"),
    "click": ("click",),
    "gift": ("gift",),
    "comment": ("comment",),
    "like": ("like",),
    "negative": ("negative",),
}
"""Table -> accepted file stems, in reading order: gifts are dated with the help of clicks."""

_REQUIRED = ("click", "gift", "room")
_TITLES = tuple(
    f"title_embeddings{size}.{suffix}" for size in ("", "_pca128") for suffix in ("npy", "npz")
)

_HEADERS = {
    "streamer_id": ("streamer_id", "author_id"),
    "ts": ("timestamp", "ts"),
    "watch_ms": ("watch_live_time", "watch_ms"),
    "amount": ("gift_price", "amount"),
    "start_ts": ("start_timestamp", "start_ts"),
    "end_ts": ("end_timestamp", "end_ts"),
    "category": ("live_content_category", "category"),
    "title_id": ("live_name_id", "title_id"),
    "is_live_streamer": ("is_live_streamer", "is_live_author"),
}
_DERIVED = ("row_id", "known_ts", "snapshot_ts")


def fields_of(table: str) -> list[Field]:
    """Return the input columns of ``table``: what is stored, less what is derived.

    Gifts may say when their records arrived (``known_ts``): KuaiLive's do not, a world's with an
    ``arrival_lag`` do.
    """
    columns = TABLES[table].columns
    given = [_field(column) for column in columns if column.name not in _DERIVED]
    if table != "gift":
        return given
    return given + [_field(replace(c, nullable=True)) for c in columns if c.name == "known_ts"]


def _field(column: Column) -> Field:
    kind: Kind = "text" if column.type == "VARCHAR" else "integer"
    return Field(column, _HEADERS.get(column.name, (column.name,)), kind)


@dataclass(frozen=True)
class KuaiLive:
    """Reader of the KuaiLive file format.

    Parameters
    ----------
    kind : "kuailive" (CSV files) or "parquet". suffix : ".csv" or ".parquet".
    """

    kind: str
    suffix: str
    tz: str = "Asia/Shanghai"
    unit: str = "platform unit"

    @property
    def needs(self) -> str:
        """One phrase: the files without which a folder is not of this kind."""
        must = ", ".join(f"{table}{self.suffix}" for table in _REQUIRED)
        may = ", ".join(f"{table}{self.suffix}" for table in _FILES if table not in _REQUIRED)
        return f"{must} (and, where there are any, {may})"

    def recognises(self, inputs: Inputs) -> bool:
        """Whether at least one file has the name of a KuaiLive table.

        Parquet tables beside a ``source.toml`` are those of the documented schema.
        """
        if self.suffix == ".parquet" and inputs.first([ABOUT_FILE]) is not None:
            return False
        return any(self._file(inputs, table) is not None for table in _FILES)

    def about(self, inputs: Inputs) -> About:
        """Return zone and unit, which are the same for every source of this kind."""
        return About(self.tz, self.unit)

    def files(self, inputs: Inputs) -> list[Path]:
        """Return the files that will be read, and the title embeddings if they are there."""
        found = {table: self._file(inputs, table) for table in _FILES}
        for table in _REQUIRED:
            if found[table] is None:
                raise InputError(
                    "this file is missing",
                    Where(f"{inputs.shown}/{table}{self.suffix}"),
                    f"the files {self.needs}",
                    "give the folder (or the zip) into which the data set was downloaded whole",
                )
        titles = inputs.first(_TITLES)
        return [file for file in (*found.values(), titles) if file is not None]

    def read(self, inputs: Inputs, intake: Intake, progress: Progress) -> Mapping[str, Stored]:
        """Store every table that is there."""
        stored: dict[str, Stored] = {}
        scans: dict[str, Scan] = {}
        for done, table in enumerate(_FILES):
            progress(done, len(_FILES))
            file = self._file(inputs, table)
            if file is not None:
                scans[table] = intake.scan(file, fields_of(table), table)
                stored[table] = _STORE[table](intake, table, scans)
                if table in _REQUIRED:
                    require_rows(stored[table], file, table)
        snapshot = {"snapshot_ts": f"CAST({end_of_day_ms(intake.window()[1], self.tz)} AS BIGINT)"}
        for table in ("streamer", "user"):
            if table in scans:
                intake.write(table, scans[table], snapshot)
        progress(len(_FILES), len(_FILES))
        return stored

    def _file(self, inputs: Inputs, table: str) -> Path | None:
        return inputs.first(f"{stem}{self.suffix}" for stem in _FILES[table])


def end_of_day_ms(ts: int, tz: str) -> int:
    """Return the UTC ms at which the local day of ``ts`` ends.

    Examples
    --------
    >>> end_of_day_ms(1746374400000, "Asia/Shanghai") - 1746374400000
    86400000
    """
    day = datetime.fromtimestamp(ts / 1000, tz=UTC).astimezone(zone(tz)).date()
    return midnight_ms(day + timedelta(days=1), zone(tz))


def _store_profiles(intake: Intake, table: str, scans: Mapping[str, Scan]) -> Stored:
    intake.fault_duplicates(scans[table], table, f"{table}_id")
    rejects = intake.set_aside(scans[table], table)
    # Written once the last event is known: profiles were taken at the end of its day.
    return Stored(intake.good_rows(scans[table]), rejects)


def _store_rooms(intake: Intake, table: str, scans: Mapping[str, Scan]) -> Stored:
    rooms = scans[table]
    if any(field.column.name == "end_ts" for field in rooms.fields.values()):
        intake.fault(rooms, "end_ts", ENDS_FIRST, "end_ts < start_ts")
    intake.fault_duplicates(rooms, table, "live_id")
    stored = Stored(rejects=intake.set_aside(rooms, table), rows=intake.write(table, rooms))
    intake.drop(rooms)
    return stored


def _store_events(intake: Intake, table: str, scans: Mapping[str, Scan]) -> Stored:
    events = scans[table]
    refuse_seconds(intake, events)
    if "streamer" in scans and intake.good_rows(scans["streamer"]):
        listed = f"SELECT streamer_id FROM {scans['streamer'].table} WHERE fault_reason IS NULL"
        intake.fault(events, "streamer_id", UNKNOWN_STREAMER, f"streamer_id NOT IN ({listed})")
    rule, relation = known(table, scans, entry_stamped=True)
    known_ts = known_as_given(intake, events, rule)
    rejects = intake.set_aside(events, table)
    rows = intake.write(table, events, {"known_ts": known_ts}, relation)
    if table != "click":
        intake.drop(events)
    return Stored(rows, rejects)


_STORE: Mapping[str, Callable[[Intake, str, Mapping[str, Scan]], Stored]] = {
    "streamer": _store_profiles,
    "user": _store_profiles,
    "room": _store_rooms,
    **dict.fromkeys(("click", "gift", "comment", "like", "negative"), _store_events),
}
