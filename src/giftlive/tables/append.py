"""Rows that need not be computed again: of a build that was interrupted, or of shorter logs.

A feature of a row is a function of what was known before it. So the rows of an earlier build
stand as they are, if everything they were made from still is: the events told so far (compared
by a digest), and the rows' own columns (compared one by one). Only labels may have changed, as a
viewing ended or a gift matured; where they did, a part is written again with the new labels and
the old features. Anything else, a late event, a code that moved or a harmed file, means a full
build that says so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from giftlive.errors import InputError
from giftlive.tables.engine.protocol import Engine
from giftlive.tables.features.sweep import require_same_past
from giftlive.tables.features.sweep_state import SweepState
from giftlive.tables.parts import SAMPLES, STATE, Part, Parts, PartWriter, harmed, part_name
from giftlive.tables.samples import LABEL_COLUMNS

_ROWS = 65_536

_TOLD = {
    "click": ("ts", "row_id, user_id, live_id, streamer_id, ts"),
    "click as viewing": ("known_ts", "row_id, known_ts, watch_ms"),
    "gift": ("known_ts", "row_id, user_id, live_id, streamer_id, known_ts, amount"),
    "gift_anonymous": ("known_ts", "row_id, live_id, streamer_id, known_ts, amount"),
    "comment": ("known_ts", "row_id, user_id, live_id, streamer_id, known_ts"),
    "likes": ("known_ts", "row_id, user_id, live_id, streamer_id, known_ts"),
    "negative": ("known_ts", "row_id, user_id, streamer_id, known_ts"),
}


@dataclass(frozen=True)
class Kept:
    """What could be kept: the parts are in place, the sweep goes on from ``state``."""

    state: SweepState
    rows: int
    because: str = ""
    past: Past | None = None


@dataclass(frozen=True)
class Past:
    """Every event known before ``until_ts``, whatever the order of rows: counts and hashes.

    DuckDB's own hash: another version of it means a full build, never a wrong one.
    """

    until_ts: int
    counts: tuple[int, ...]
    hashes: tuple[int, ...]

    @property
    def digest(self) -> str:
        """Return it as one text."""
        pairs = zip(self.counts, self.hashes, strict=True)
        return " ".join(f"{count}:{hashed}" for count, hashed in pairs)


def past_before(engine: Engine, until_ts: int, earlier: Past | None = None) -> Past:
    """Return the past before ``until_ts``; only what ``earlier`` does not know is read."""
    counts, hashes = [], []
    new = "" if earlier is None else "{} >= " + f"{earlier.until_ts} and "
    for view, (time, columns) in _TOLD.items():
        sql = (
            f"select count(*), cast(coalesce(bit_xor(hash({columns})), 0) as varchar)"
            f" from {view.split()[0]} where {new.format(time)}{time} < {until_ts}"
        )
        count, hashed = engine.rows(sql)[0]
        counts.append(int(count))
        hashes.append(int(hashed))
    if earlier is not None:
        counts = [a + b for a, b in zip(counts, earlier.counts, strict=True)]
        hashes = [a ^ b for a, b in zip(hashes, earlier.hashes, strict=True)]
    return Past(until_ts, tuple(counts), tuple(hashes))


def keep(engine: Engine, earlier: Path | None, writer: PartWriter, made_from: Any) -> Kept:
    """Put the parts of ``earlier`` that still stand into the writer's folder.

    Parameters
    ----------
    earlier : folder of another build, finished or not; None: there is none.
    made_from : what parts must have been made from to be of use.
    """
    try:
        progress = Parts.read(earlier) if earlier is not None else None
        if earlier is None or progress is None:
            return Kept(SweepState(), 0)
        past = _same_past(engine, progress, made_from)
        state = _state_of(engine, earlier, progress)
        for part in progress.parts:
            _keep_part(engine, earlier / SAMPLES / part.name, part, writer)
    except InputError as error:
        for file in writer.folder.iterdir():
            file.unlink()
        writer.parts.clear()
        return Kept(SweepState(), 0, error.what)
    return Kept(state, sum(part.rows for part in progress.parts), past=past)


def _same_past(engine: Engine, progress: Parts, made_from: Any) -> Past:
    if progress.made_from != made_from:
        raise InputError("made with other options or features")
    past = past_before(engine, progress.until_ts)
    if progress.past != past.digest:
        raise InputError("an event before the last row came late, left or changed")
    # rows frozen at midnight that come later in the same day, for example
    asked = f"select count(*) from described where as_of_ts < {progress.until_ts}"
    if engine.rows(asked)[0][0] != sum(part.rows for part in progress.parts):
        raise InputError("new rows are decided before the last old one")
    return past


def _state_of(engine: Engine, earlier: Path, progress: Parts) -> SweepState:
    """Return the state after the last part, having seen that it can be gone on with."""
    try:
        state = SweepState.load(earlier / STATE)
    except InputError as error:
        raise harmed(earlier, f"{STATE}/{Path(str(error.where)).name}") from error
    if state.until_ts != progress.until_ts:
        raise InputError("the state is not the one after the last part")
    require_same_past(engine, state)
    return state


def _keep_part(engine: Engine, file: Path, part: Part, writer: PartWriter) -> None:
    """Link a part whose labels are as they were; write it again where they changed."""
    target = writer.folder / part_name(len(writer.parts))
    if not any(changed for _, _, changed in _compared(engine, file)):
        _link(file, target)
        writer.take(target, part.rows)
        return
    for old, fresh, _ in _compared(engine, file, whole=True):
        for name in LABEL_COLUMNS:
            column = old.schema.get_field_index(name)
            old = old.set_column(column, name, fresh[name])
        writer.add(old)
    writer.cut()


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(file, target)


def _compared(engine: Engine, file: Path, whole: bool = False) -> Iterator[tuple[Any, Any, bool]]:
    """Yield old rows, the same rows as the engine now has them, and whether a label changed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = pq.ParquetFile(file)
    asked = engine.columns("select * from described limit 0")
    names = [name for name in source.schema_arrow.names if name in asked]
    done = 0
    for batch in source.iter_batches(_ROWS, columns=None if whole else names):
        old = pa.Table.from_batches([batch])
        first, last = (old["sample_id"][i].as_py() for i in (0, len(old) - 1))
        fresh = pa.table(
            engine.columns(
                f"select {', '.join(names)} from described where sample_id >= {first}"
                f" and sample_id <= {last} order by sample_id"
            )
        )
        fixed = [name for name in names if name not in LABEL_COLUMNS]
        if not fresh.select(fixed).equals(old.select(fixed)):
            raise InputError(f"rows {done} to {done + len(old)} are not what they were")
        done += len(old)
        yield old, fresh, not fresh.equals(old.select(names))
