"""Donations to the Games Done Quick marathons, read as gifts in live rooms.

A run is a room, the game played is the streamer, a donor is a user and a donation is a gift in
US cents. There is one channel and no log of who watched, so there are no clicks. A donation
belongs to the run of its event that was on air; before, between and after runs, and where the
times of runs are unknown, its room and streamer are -1. Donor 0 stands for everybody who stayed
anonymous: those gifts are kept apart, since they belong to no one user.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from giftlive.errors import InputError, Where
from giftlive.logs.fields import Field
from giftlive.logs.inputs import Inputs
from giftlive.logs.intake import ENDS_FIRST, NO_LENGTH, Intake, Stored, require_rows
from giftlive.logs.readers.reader import About
from giftlive.logs.scan import Scan
from giftlive.logs.schema import MAX_AMOUNT, MAX_TS, Column
from giftlive.logs.store import literal_path, one_row, quoted
from giftlive.types import Progress

_DONATIONS = ("donations.csv.gz", "donations.csv")
_RUNS = ("runs.csv", "runs.csv.gz")
_ANONYMOUS = 0
_OFF_AIR = -1
_END_AS_TEXT = "strftime(make_timestamp_ms(end_ts), '%Y-%m-%dT%H:%M:%SZ')"


def _instant(name: str, header: str) -> Field:
    return Field(Column(name, "BIGINT", "UTC", False, 0, MAX_TS), (header,), "instant")


_EVENT = Field(Column("category", "VARCHAR", "name of the marathon"), ("event",), "text")
_RUN_FIELDS = (
    _EVENT,
    Field(Column("game", "VARCHAR", "name of the game"), ("game",), "text"),
    _instant("start_ts", "start_utc"),
    _instant("end_ts", "end_utc"),
)
_DONATION_FIELDS = (
    _EVENT,
    _instant("ts", "ts_utc"),
    Field(Column("user_id", "BIGINT", "donor, 0 = anonymous", minimum=0), ("donor_id",)),
    Field(Column("amount", "BIGINT", "USD", False, 0, MAX_AMOUNT), ("amount_usd",), "cents"),
)


@dataclass(frozen=True)
class Gdq:
    """Reader of ``donations.csv.gz`` and ``runs.csv``."""

    kind: str = "gdq"
    tz: str = "America/New_York"
    unit: str = "US cent"
    needs: str = "donations.csv.gz, runs.csv"

    def recognises(self, inputs: Inputs) -> bool:
        """Whether one of the two files is there."""
        return inputs.first((*_DONATIONS, *_RUNS)) is not None

    def about(self, inputs: Inputs) -> About:
        """Return zone and unit, which are the same for every source of this kind."""
        return About(self.tz, self.unit)

    def files(self, inputs: Inputs) -> list[Path]:
        """Return the two files."""
        return [_required(inputs, _DONATIONS), _required(inputs, _RUNS)]

    def read(self, inputs: Inputs, intake: Intake, progress: Progress) -> Mapping[str, Stored]:
        """Store rooms, streamers, gifts and anonymous gifts."""
        donations, runs = self.files(inputs)
        progress(0, 2)
        scanned = intake.scan(runs, _RUN_FIELDS, "room")
        stored = _store_runs(intake, scanned)
        progress(1, 2)
        gifts = intake.scan(donations, _DONATION_FIELDS, "gift")
        stored |= _store_donations(intake, gifts)
        require_rows(stored["gift"], donations, "gift")
        progress(2, 2)
        return stored


def _required(inputs: Inputs, names: tuple[str, ...]) -> Path:
    file = inputs.first(names)
    if file is None:
        raise InputError(
            "this file is missing",
            Where(f"{inputs.shown}/{names[0]}"),
            f"the files {Gdq().needs}",
            "give the folder that holds both",
        )
    return file


def _store_runs(intake: Intake, runs: Scan) -> dict[str, Stored]:
    """Keep numbered games and runs in temporary tables ``games`` and ``aired``."""
    intake.fault(runs, "end_ts", NO_LENGTH, "end_ts = start_ts", _END_AS_TEXT)
    intake.fault(runs, "end_ts", ENDS_FIRST, "end_ts < start_ts", _END_AS_TEXT)
    rejects = intake.set_aside(runs, "room")
    notes = _without_length(intake, runs)
    intake.con.execute(
        f"CREATE TEMP TABLE games AS SELECT game, row_number() OVER (ORDER BY game) - 1 AS "
        f"streamer_id, NULL AS fault_reason FROM {runs.table} "
        f"WHERE fault_reason IS NULL GROUP BY game"
    )
    intake.con.execute(
        f"CREATE TEMP TABLE aired AS SELECT row_number() OVER "
        f"(ORDER BY start_ts, end_ts, category, game) - 1 AS live_id, streamer_id, start_ts, "
        f"end_ts, category, NULL AS fault_reason FROM {runs.table} AS run "
        f"JOIN games USING (game) WHERE run.fault_reason IS NULL"
    )
    numbers = {"live_id": "live_id", "streamer_id": "streamer_id"}
    rooms = intake.write("room", runs, numbers, "aired")
    # The name of a game goes where KuaiLive says what kind of streamer this is.
    named = {"streamer_id": "streamer_id", "live_operation_tag": "game"}
    streamers = intake.write("streamer", runs, named, "games")
    return {"room": Stored(rooms, rejects, notes), "streamer": Stored(streamers, {})}


def _without_length(intake: Intake, runs: Scan) -> tuple[str, ...]:
    """Return which marathons have runs that start and end at the same instant, in words."""
    broken = intake.con.execute(
        f"SELECT category, count(*) FILTER (fault_reason = {quoted(NO_LENGTH)}) AS broken, "
        f"count(*) FROM {runs.table} WHERE category IS NOT NULL "
        f"GROUP BY category HAVING broken > 0 ORDER BY broken DESC, category"
    ).fetchall()
    if not broken:
        return ()
    total = sum(count for _, count, _ in broken)
    where = ", ".join(f"{event} {count:,} of {of:,}" for event, count, of in broken)
    return (f"{total:,} runs have no length and are no rooms ({where})",)


def _store_donations(intake: Intake, gifts: Scan) -> dict[str, Stored]:
    rejects = intake.set_aside(gifts, "gift")
    # Runs of one event may overlap by a little: the one that began last is on air.
    relation = (
        f"(SELECT gift.*, coalesce(room.live_id, {_OFF_AIR}) AS on_air, "
        f"coalesce(room.streamer_id, {_OFF_AIR}) AS playing FROM {gifts.table} AS gift "
        f"LEFT JOIN (SELECT ordinal, max(live_id) AS live_id FROM {gifts.table} AS g JOIN aired "
        f"ON g.category = aired.category AND g.ts >= start_ts AND g.ts < end_ts "
        f"GROUP BY ordinal) AS run USING (ordinal) LEFT JOIN aired AS room USING (live_id) "
        f"WHERE user_id {{donors}} {_ANONYMOUS})"
    )
    derived = {"live_id": "on_air", "streamer_id": "playing", "known_ts": "ts"}
    named = intake.write("gift", gifts, derived, relation.format(donors="<>"))
    anonymous = intake.write("gift_anonymous", gifts, derived, relation.format(donors="="))
    notes = _unknown(intake, named, anonymous)
    return {"gift": Stored(named, rejects), "gift_anonymous": Stored(anonymous, {}, notes)}


def _unknown(intake: Intake, named: int, anonymous: int) -> tuple[str, ...]:
    """Return how many donations have no known donor and how many no run, in words."""
    if not anonymous + named:
        return ()
    files = ", ".join(
        literal_path(intake.folder / f"{table}.parquet") for table in ("gift", "gift_anonymous")
    )
    (off_air,) = one_row(
        intake.con, f"SELECT count(*) FROM read_parquet([{files}]) WHERE live_id = {_OFF_AIR}"
    )
    total = named + anonymous
    return (
        f"{anonymous:,} of {total:,} donations ({anonymous / total:.1%}) are anonymous: "
        f"they belong to no known user, and not to one user",
        f"{off_air:,} of {total:,} donations ({off_air / total:.1%}) were made while no run of "
        f"their marathon was on air; their room and streamer are {_OFF_AIR}",
    )
