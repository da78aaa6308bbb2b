"""An empty source in the documented schema, for somebody to fill with the logs of any platform."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from giftlive.errors import UsageError
from giftlive.logs.readers.about_toml import ABOUT_FILE
from giftlive.logs.readers.tables import GIVEN, given_columns
from giftlive.logs.schema import TABLES, Column

README_FILE = "README.md"
_ARROW = {"BIGINT": pa.int64(), "VARCHAR": pa.string()}

_ABOUT = """\
# What the rows do not say themselves. All four keys are needed.

# IANA time zone in which the platform's days begin: Asia/Shanghai, America/New_York, UTC, ...
# Hours, weekdays and splits by day are taken in it.
tz = "UTC"

# What one unit of `amount` is. Amounts are whole numbers: give cents, not euros with decimals.
unit = "platform unit"

# "real logs", or "calibrated world" where a generator made the rows; reports carry the label.
label = "real logs"

# When a gift was known, where gift.parquet has no known_ts:
#   "own"    its ts is the time of the gift itself, and it was known then;
#   "entry"  its ts is the time at which the viewer entered the room, as on KuaiLive. A gift dated
#            at an entry in click.parquet is then known when that viewing ended.
# Wrong here means a leak: features would see a gift before anybody could.
gift_times = "own"
"""

_HEAD = """\
# A source for GiftLive

Fill the Parquet files in this folder, write in `source.toml` what they mean, and run
`giftlive ingest --source THIS_FOLDER --out STORE`, or at once
`giftlive run --source THIS_FOLDER --out RUN`.

- Only tables that you have need rows. Leave the others empty or delete them: every step that needs
  a missing table is skipped by name. At least one table of events needs a row.
- Keep names and types of the columns. A column that may be empty may also be left out; a column
  that is not listed is ignored. Ids and times are 64-bit integers: a column of floats is refused,
  because large ids lose digits in it.
- Times are Unix time in **milliseconds**, UTC. Amounts are whole numbers of the unit in
  `source.toml`, never negative.
- The order of the rows does not matter. Rows are stored in the order of their content.
- A bad row is set aside in `rejects/` with file, row, column, value and reason. More than 1 % bad
  rows in a table (`--max-reject-share`) stop the ingest.
- `known_ts` is when a platform could have known the row as it is written, at or after `ts`. Empty:
  a click is known at ts + watch_ms, a gift as `gift_times` says, everything else at ts.
- `user_id` is one person. Gifts of givers whom nobody can tell apart belong in
  `gift_anonymous.parquet`, where they count for the streamer and for no user.
- `live_id` and `streamer_id` -1 mean that the room or the streamer is not known.
"""

_MEANING = {
    "click": "A user entered a room and stayed for a while.",
    "gift": "A known user gave something that was paid for.",
    "gift_anonymous": "Somebody unknown gave something. `user_id` is not used: write 0.",
    "comment": "A user wrote in the chat of a room.",
    "like": "A user liked what was shown.",
    "negative": "A room was shown and the user did not enter: with clicks, what was exposed.",
    "moderation": "A user was banned, a message was deleted, or the like; `kind` names it.",
    "room": "One broadcast. Of rows with one live_id only the first in content order is kept.",
    "user": "What is known of a user, as it was at `snapshot_ts`.",
    "streamer": "What is known of a streamer, as it was at `snapshot_ts`.",
}


def write_template(folder: Path) -> list[str]:
    """Write empty tables, ``source.toml`` and a README; return the names of the files.

    Parameters
    ----------
    folder : new or empty; a template that may have been filled is never overwritten.

    Raises
    ------
    UsageError
        Something is in ``folder`` already.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise UsageError(
            "something is already there, and it could be a filled template",
            str(folder),
            "a new or empty folder",
            "name another folder",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for table in GIVEN:
        pq.write_table(arrow_schema(table).empty_table(), folder / f"{table}.parquet")
    (folder / ABOUT_FILE).write_text(_ABOUT, encoding="utf-8")
    (folder / README_FILE).write_text(readme(), encoding="utf-8")
    return sorted(file.name for file in folder.iterdir())


def arrow_schema(table: str) -> pa.Schema:
    """Return the columns of an input file as Arrow types."""
    columns = given_columns(table)
    return pa.schema([pa.field(c.name, _ARROW[c.type], nullable=c.nullable) for c in columns])


def readme() -> str:
    """Return the description of every table, column and unit, as Markdown."""
    return "\n".join([_HEAD, *(_section(table) for table in GIVEN)])


def _section(table: str) -> str:
    event = "events" if TABLES[table].event else "entities"
    lines = [
        f"## {table}.parquet ({event})",
        "",
        _MEANING[table],
        "",
        "| column | type | unit or meaning | may be empty | smallest | largest |",
        "|---|---|---|---|---|---|",
        *(_row(column) for column in given_columns(table)),
        "",
    ]
    return "\n".join(lines)


def _row(column: Column) -> str:
    kind = "int64" if column.type == "BIGINT" else "text"
    least = "" if column.minimum is None else f"{column.minimum:,}"
    most = "" if column.maximum is None else f"{column.maximum:,}"
    empty = "yes" if column.nullable else "no"
    return f"| `{column.name}` | {kind} | {column.unit} | {empty} | {least} | {most} |"
