"""Bans and deletions of VTuber 1B as one table.

A ban names its user. A deletion names only the message; its author is known where the messages
have ids (the complete edition, not the public one), and else the user is -1. Several moderators
may act on one message: every act is a row.
"""

from __future__ import annotations

from collections.abc import Sequence

from giftlive.logs.inputs import Inputs
from giftlive.logs.intake import UNDATED, Intake, Stored
from giftlive.logs.keys import UNKNOWN
from giftlive.logs.readers.vtuber_fields import BANS, DELETIONS
from giftlive.logs.scan import Scan

_FILES = {"ban_events.parquet": BANS, "deletion_events.parquet": DELETIONS}
MODERATION = tuple(_FILES)
"""The two files, by name."""


def scan_moderation(intake: Intake, inputs: Inputs) -> Scan | None:
    """Read the files that are there; rows without a time are marked as bad."""
    parts = [
        (file, fields)
        for name, fields in _FILES.items()
        if (file := inputs.first([name])) is not None
    ]
    if not parts:
        return None
    scanned = intake.scan_parts(parts, "moderation")
    intake.fault(scanned, "ts", UNDATED, "ts IS NULL")
    return scanned


def store_moderation(intake: Intake, acts: Scan, messages: Sequence[Scan]) -> Stored:
    """Store the acts, with the authors of deleted ``messages`` where their ids tell them."""
    rejects = intake.set_aside(acts, "moderation")
    columns = {field.column.name for field in acts.fields.values()}
    of_author, of_message, retracted = "NULL", "NULL", "NULL"
    joins = ""
    if "author" in columns:
        of_author = "author_key.number"
        joins += " LEFT JOIN user_keys AS author_key ON act.author = author_key.key"
    if "chat_id" in columns:
        of_message, retracted = "message_key.number", "act.retracted"
        joins += (
            f" LEFT JOIN ({_authors(acts, messages)}) AS message USING (chat_id)"
            f" LEFT JOIN user_keys AS message_key ON message.written_by = message_key.key"
        )
    relation = (
        f"(SELECT act.ts, act.fault_reason, coalesce({of_author}, {of_message}, {UNKNOWN}) AS "
        f"user_number, coalesce(video_key.number, {UNKNOWN}) AS live_number, CASE WHEN {retracted} "
        f"IS NULL THEN 'ban' WHEN {retracted} THEN 'retraction' ELSE 'deletion' END AS act_kind "
        f"FROM {acts.table} AS act LEFT JOIN live_keys AS video_key "
        f"ON act.video = video_key.key{joins})"
    )
    derived = {
        "user_id": "user_number",
        "live_id": "live_number",
        "kind": "act_kind",
        "known_ts": "ts",
    }
    rows = intake.write("moderation", acts, derived, relation)
    unknown = intake.number(
        f"SELECT count(*) FROM {relation} WHERE fault_reason IS NULL AND user_number = {UNKNOWN}"
    )
    notes = (f"the user of {unknown:,} of {rows:,} acts is not known ({UNKNOWN})",)
    return Stored(rows, rejects, notes if unknown else ())


def _authors(acts: Scan, messages: Sequence[Scan]) -> str:
    """Return SQL for (chat_id, written_by) of the messages that an act speaks of."""
    named = [s for s in messages if any(f.column.name == "chat_id" for f in s.fields.values())]
    if not named:
        return "SELECT CAST(NULL AS VARCHAR) AS chat_id, CAST(NULL AS VARCHAR) AS written_by"
    union = " UNION ALL ".join(
        f"SELECT chat_id, author FROM {scan.table} WHERE fault_reason IS NULL" for scan in named
    )
    return (
        f"SELECT chat_id, min(author) AS written_by FROM ({union}) "
        f"WHERE chat_id IN (SELECT chat_id FROM {acts.table}) GROUP BY chat_id"
    )
