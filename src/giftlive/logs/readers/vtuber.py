"""VTuber 1B: superchats, chats and moderation of live streams, as a Parquet file per month.

A video is a room, its channel the streamer, the author of a message the user. A superchat is a
gift, a chat a comment; who watched in silence was not logged, so there are no clicks. Times are
those of the messages, so every row was known at its own time.

Amounts come in the currency of the giver. They are converted with a table of rates that the user
gives (:mod:`giftlive.logs.readers.rates`): amount · rate is computed exactly in decimals and
rounded to thousandths of the unit, halves away from zero. What was published stays in the table
``gift_original``. Keys are SHA-1 texts and become integers by a dictionary
(:mod:`giftlive.logs.keys`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from giftlive.errors import InputError, Where
from giftlive.logs.fields import TOO_LARGE
from giftlive.logs.inputs import Inputs
from giftlive.logs.intake import NO_RATE, NO_RATE_YET, Intake, Stored, require_rows
from giftlive.logs.keys import UNKNOWN, number_keys
from giftlive.logs.readers.rates import RATES_FILE, Rates
from giftlive.logs.readers.reader import About
from giftlive.logs.readers.vtuber_fields import CHATS, SUPERCHATS
from giftlive.logs.readers.vtuber_moderation import MODERATION, scan_moderation, store_moderation
from giftlive.logs.scan import Scan
from giftlive.logs.schema import MAX_AMOUNT, TABLES
from giftlive.logs.store import quoted
from giftlive.types import Progress

_SUPERCHATS = "superchats_*.parquet"
_CHATS = "chats_*.parquet"
_WHEN = "strftime(make_timestamp_ms(ts), '%Y-%m-%dT%H:%M:%SZ')"
_NUMBERS = {"user_id": "user_number", "live_id": "live_number", "streamer_id": "streamer_number"}
BAD_SIGNIFICANCE = "significance outside 1..7"


@dataclass(frozen=True)
class VTuber:
    """Reader of the files of VTuber 1B and a table of rates beside them."""

    kind: str = "vtuber"
    tz: str = "Asia/Tokyo"
    needs: str = (
        f"{_SUPERCHATS}, {RATES_FILE} (and, where there are any, {_CHATS}, {', '.join(MODERATION)})"
    )

    def recognises(self, inputs: Inputs) -> bool:
        """Whether at least one file has the name of a file of VTuber 1B."""
        named = [*_months(inputs, _SUPERCHATS), *_months(inputs, _CHATS)]
        return bool(named) or inputs.first(MODERATION) is not None

    def about(self, inputs: Inputs) -> About:
        """Return Japan's zone, and thousandths of the unit of the rates."""
        return About(self.tz, f"thousandth of {self._rates(inputs).unit}")

    def files(self, inputs: Inputs) -> list[Path]:
        """Return superchats, chats, moderation and rates."""
        superchats = _months(inputs, _SUPERCHATS)
        if not superchats:
            raise self._missing(inputs, _SUPERCHATS)
        moderation = (inputs.first([name]) for name in MODERATION)
        found = [*superchats, *_months(inputs, _CHATS), *moderation, self._rates_file(inputs)]
        return [file for file in found if file is not None]

    def read(self, inputs: Inputs, intake: Intake, progress: Progress) -> Mapping[str, Stored]:
        """Store gifts, what they were in their own currency, comments and moderation."""
        progress(0, 5)
        superchats = _months(inputs, _SUPERCHATS)
        gifts = intake.scan_parts([(file, SUPERCHATS) for file in superchats], "gift")
        progress(1, 5)
        chats = [(file, CHATS) for file in _months(inputs, _CHATS)]
        comments = intake.scan_parts(chats, "comment") if chats else None
        moderation = scan_moderation(intake, inputs)
        progress(2, 5)
        rejects = _set_gifts_aside(intake, gifts, self._rates(inputs))
        commented = {} if comments is None else intake.set_aside(comments, "comment")
        scans = [scan for scan in (gifts, comments, moderation) if scan is not None]
        for name, column in (("user", "author"), ("live", "video"), ("streamer", "channel")):
            number_keys(intake, name, column, scans)
        progress(3, 5)
        stored = _store_gifts(intake, gifts, rejects)
        require_rows(stored["gift"], superchats[0], "gift")
        progress(4, 5)
        if comments is not None:
            derived = {**_NUMBERS, "known_ts": "ts"}
            rows = intake.write("comment", comments, derived, _numbered(comments))
            stored["comment"] = Stored(rows, commented)
        if moderation is not None:
            talk = [scan for scan in (gifts, comments) if scan is not None]
            stored["moderation"] = store_moderation(intake, moderation, talk)
        progress(5, 5)
        return stored

    def _rates(self, inputs: Inputs) -> Rates:
        return Rates.read(self._rates_file(inputs), self.tz)

    def _rates_file(self, inputs: Inputs) -> Path:
        file = inputs.first([RATES_FILE])
        if file is None:
            raise InputError(
                "this file is missing: superchats come in many currencies, and no rate is built in",
                Where(f"{inputs.shown}/{RATES_FILE}"),
                "a CSV file with the columns currency, valid_from, rate, unit",
                "write it beside the superchats; docs/sources.md shows one",
            )
        return file

    def _missing(self, inputs: Inputs, name: str) -> InputError:
        return InputError(
            "this file is missing",
            Where(f"{inputs.shown}/{name}"),
            f"the files {self.needs}",
            "give the folder into which the months were downloaded",
        )


def _months(inputs: Inputs, pattern: str) -> list[Path]:
    return [file for name, file in sorted(inputs.files.items()) if fnmatch(name, pattern)]


def _set_gifts_aside(intake: Intake, gifts: Scan, rates: Rates) -> dict[str, int]:
    """Price every superchat in the temporary table ``priced``; set aside those without a price."""
    if any(field.column.name == "chat_id" for field in gifts.fields.values()):
        intake.fault_duplicates(gifts, "gift", "chat_id")
    if any(field.column.name == "significance" for field in gifts.fields.values()):
        outside = "significance NOT BETWEEN 1 AND 7"
        intake.fault(gifts, "significance", BAD_SIGNIFICANCE, outside)
    rates.put(intake.con, "rates")
    intake.fault(gifts, "currency", NO_RATE, "currency NOT IN (SELECT currency FROM rates)")
    early = (
        f"SELECT ordinal FROM {gifts.table} JOIN (SELECT currency, min(from_ts) AS from_ts "
        f"FROM rates GROUP BY currency) USING (currency) WHERE ts < from_ts"
    )
    intake.fault(gifts, "ts", NO_RATE_YET, f"ordinal IN ({early})", _WHEN)
    # Wide enough for 12 digits times 9 + 3 digits, with 4 + 9 decimals: nothing is lost before
    # the one rounding. DuckDB rounds halves of a decimal away from zero.
    exact = "CAST(original_amount AS DECIMAL(38, 4)) * (rate * 1000)"
    intake.con.execute(
        f"CREATE TEMP TABLE priced AS SELECT ordinal, rate, "
        f"TRY_CAST(round({exact}, 0) AS BIGINT) AS amount FROM {gifts.table} AS gift "
        f"ASOF JOIN rates ON gift.currency = rates.currency AND gift.ts >= rates.from_ts "
        f"WHERE fault_reason IS NULL"
    )
    beyond = f"SELECT ordinal FROM priced WHERE amount IS NULL OR amount > {MAX_AMOUNT}"
    intake.fault(gifts, "original_amount", TOO_LARGE, f"ordinal IN ({beyond})")
    return intake.set_aside(gifts, "gift")


def _numbered(scan: Scan, extra: str = "", joins: str = "") -> str:
    """Return SQL for the rows of a scan with the numbers of their keys."""
    return (
        f"(SELECT row.*, author_key.number AS user_number, "
        f"coalesce(video_key.number, {UNKNOWN}) AS live_number, "
        f"channel_key.number AS streamer_number{extra} FROM {scan.table} AS row "
        f"JOIN user_keys AS author_key ON row.author = author_key.key "
        f"JOIN streamer_keys AS channel_key ON row.channel = channel_key.key "
        f"LEFT JOIN live_keys AS video_key ON row.video = video_key.key{joins})"
    )


def _store_gifts(intake: Intake, gifts: Scan, rejects: dict[str, int]) -> dict[str, Stored]:
    relation = _numbered(gifts, ", priced.amount, priced.rate", " JOIN priced USING (ordinal)")
    rows = intake.write("gift", gifts, {**_NUMBERS, "amount": "amount", "known_ts": "ts"}, relation)
    columns = TABLES["gift_original"].column_names[1:]
    # A finer order than that of gifts: the two files agree on the row numbers, and rows that are
    # equal in every column of a gift still come in one order.
    order = ", ".join((*_GIFT_ORDER, *(f"{name} NULLS LAST" for name in columns)))
    intake.con.execute(
        f"COPY (SELECT row_number() OVER (ORDER BY {order}) - 1 AS row_id, {', '.join(columns)} "
        f"FROM {relation} WHERE fault_reason IS NULL ORDER BY {order}) "
        f"TO {quoted(intake.folder / 'gift_original.parquet')} (FORMAT parquet, COMPRESSION zstd)"
    )
    notes = _currencies(intake, gifts, rows)
    return {"gift": Stored(rows, rejects, notes), "gift_original": Stored(rows, {})}


_GIFT_ORDER = ("ts", "user_number", "live_number", "streamer_number", "amount")


def _currencies(intake: Intake, gifts: Scan, rows: int) -> tuple[str, ...]:
    """Return what was converted and which superchats have no video, in words."""
    good = f"FROM {gifts.table} WHERE fault_reason IS NULL"
    currencies = intake.number(f"SELECT count(DISTINCT currency) {good}")
    nowhere = intake.number(f"SELECT count(*) {good} AND video IS NULL")
    said = [f"amounts of {rows:,} superchats in {currencies:,} currencies were converted"]
    if nowhere:
        said.append(f"{nowhere:,} of {rows:,} superchats name no video; their room is {UNKNOWN}")
    return tuple(said)
