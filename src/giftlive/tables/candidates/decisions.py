"""Decision-level evaluation sets: every decision with the rooms it was a choice among."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from giftlive.errors import UsageError
from giftlive.logs.store import Store, one_row
from giftlive.rng import derive, uniform
from giftlive.tables.candidates.exposures import EXPOSURE, stage_exposures, stage_points
from giftlive.tables.candidates.listed_rows import (
    CHOSEN,
    NEGATIVE,
    SHOWN,
    ListedRows,
    listed_rows,
)
from giftlive.tables.candidates.options import CandidateOptions
from giftlive.tables.candidates.reasons import WORDS
from giftlive.tables.candidates.recall import Recall, recall_of
from giftlive.tables.candidates.rooms import Contradictions, RoomCounts, RoomIndex
from giftlive.tables.candidates.shown import Skips
from giftlive.tables.candidates.stream import (
    POINTS,
    Retrieved,
    click_contradictions,
    columns,
    load_rooms,
    retrieved,
)
from giftlive.tables.matrix import read_dictionary
from giftlive.types import Progress, silent

DECISIONS = "decisions.parquet"

DECISION_COLUMNS: dict[str, tuple[str, str]] = {
    "decision_id": ("0, 1, … in order of (ts, sample_id)", "id"),
    "sample_id": ("the row of the sample table", "id"),
    "user_id": ("who decided", "id"),
    "ts": ("when", "ms UTC"),
    "live_id": ("the room; rows of a decision are in this order", "id"),
    "streamer_id": ("whose room", "id"),
    "shown": ("chosen, negative, or live (not known to have been shown)", "word"),
    "label_amount": ("gifts credited to the decision, on the chosen room; else 0", "amount"),
    "why": ("reasons of the retrieval, joined by +; empty: only because it was shown", "words"),
    "weight": ("number of live rooms the row stands for", "rooms"),
    "live": ("false: a chosen room outside its own interval", "boolean"),
    "live_count": ("rooms live at the decision", "rooms"),
}
"""Columns of ``decisions.parquet``: definition and unit."""


@dataclass(frozen=True)
class DecisionFacts:
    """What :func:`build_decisions` wrote and met.

    Attributes
    ----------
    decisions, rows : written. decisions_of : decisions there were before ``share``.
    rooms : what was found in the rows of the rooms. clicks : every click against its room.
    chosen_not_live : decisions whose room was not live, by its own interval.
    negatives : rows joined and live at the decision. negatives_not_live : joined, but not live
        then: left out. negatives_over : beyond the limit of a decision: only live. These three
        are about the decisions that ``share`` keeps.
    negatives_unjoined : too far from any decision, repeated, or the chosen room itself.
    recall : choices and gifts whose room was among the candidates.
    """

    decisions: int
    decisions_of: int
    rows: int
    rooms: RoomCounts
    clicks: Contradictions
    chosen_not_live: int
    negatives: int
    negatives_not_live: int
    negatives_over: int
    negatives_unjoined: int
    recall: Recall


def build_decisions(
    store: Store,
    tables_folder: Path,
    out_file: Path,
    options: CandidateOptions = CandidateOptions(),  # noqa: B008  (frozen)
    progress: Progress = silent,
) -> DecisionFacts:
    """Write one row per decision and candidate, streamed in order of time.

    A decision is a row of the sample table. Its rows are the candidates known strictly before
    it, the room that was chosen, and the negatives joined to it. Memory is that of the room index
    and of one day of logs; the file appears when it is complete, and equal inputs and options
    give equal bytes. A decision never lies in two row groups.

    Raises
    ------
    MissingCapabilityError
        No clicks, no rooms, or negatives wanted and none there.
    UsageError
        The samples are gifts: a gift is not a choice among rooms.
    """
    wanted = ("click", "room", *(("negative",) if options.negatives else ()))
    store.source.require(*wanted, step="building decision-level sets")
    if read_dictionary(tables_folder)["unit"] == "gift":
        raise UsageError("samples that are gifts", str(tables_folder), "sessions or clicks")
    out_file = Path(out_file)
    partial = out_file.with_name(f".partial-{uuid.uuid4().hex}-{out_file.name}")
    con = store.connect(options.memory_limit, options.threads)
    try:
        stage_points(con, tables_folder)
        unjoined = _stage_negatives(con, options)
        decisions_of = _keep(con, options)
        index = load_rooms(con, store.source.window[1])
        written = _write(con, index, options, partial, progress)
        facts = DecisionFacts(
            decisions_of=decisions_of,
            rooms=index.counts,
            clicks=click_contradictions(con, index),
            negatives_unjoined=unjoined,
            **written,
        )
        partial.replace(out_file)
    finally:
        con.close()
        partial.unlink(missing_ok=True)
    return facts


def _stage_negatives(con: Any, options: CandidateOptions) -> int:
    """Stage the exposures where negatives are wanted; return how many were not joined."""
    if not options.negatives:
        return 0
    stage_exposures(con, options.negative_gap_ms)
    joined = one_row(con, f"select count(*) from {EXPOSURE} where label = 0")[0]
    return int(one_row(con, "select count(*) from negative")[0]) - int(joined)


def _keep(con: Any, options: CandidateOptions) -> int:
    """Leave the decisions that the keyed draw keeps; return how many there were."""
    import pyarrow as pa

    total = int(one_row(con, f"select count(*) from {POINTS}")[0])
    if options.share < 1.0:
        sample_id = columns(con, f"select sample_id from {POINTS}")["sample_id"]
        kept = _drawn(derive(options.seed, "decisions"), sample_id, options.share)
        con.register("kept_rows", pa.table({"sample_id": sample_id[kept]}))
        con.execute("create or replace table kept as select * from kept_rows")
        con.unregister("kept_rows")
        con.execute(
            f"create or replace table {POINTS} as"
            f" select p.* from {POINTS} p join kept on kept.sample_id = p.sample_id"
        )
    return total


@njit(cache=True)
def _drawn(seed, sample_id, share):  # type: ignore[no-untyped-def]
    kept = np.empty(sample_id.size, dtype=np.bool_)
    for i in range(sample_id.size):
        kept[i] = uniform(seed, 0, sample_id[i], 0, 0) < share
    return kept


def _write(
    con: Any, index: RoomIndex, options: CandidateOptions, file: Path, progress: Progress
) -> dict[str, Any]:
    """Stream the rows into ``file``; return what was written and met."""
    import pyarrow.parquet as pq

    total = int(one_row(con, f"select count(*) from {POINTS}")[0])
    skips, recall = Skips(con, index, options.negatives), Recall()
    done = {"decisions": 0, "rows": 0, "chosen_not_live": 0, "negatives": 0}
    with pq.ParquetWriter(file, _schema(options), compression="zstd") as writer:
        for part in retrieved(con, index, options):
            shown = skips.beside(part)
            names = index.live_id, index.streamer, index.streamer_id
            rows = ListedRows(*listed_rows(part.rows, shown, *names))
            table = _table(part, rows, done["decisions"], options)
            writer.write_table(table, row_group_size=max(1, len(rows.why)))
            chosen = rows.shown == CHOSEN
            recall += recall_of(rows.why[chosen], part.label_amount)
            done["decisions"] += len(part)
            done["rows"] += len(rows.why)
            done["chosen_not_live"] += int((~rows.live).sum())
            done["negatives"] += int((rows.shown == NEGATIVE).sum())
            progress(done["decisions"], total)
    left = {"negatives_not_live": skips.not_live, "negatives_over": skips.over}
    return {**done, **left, "recall": recall}


def _schema(options: CandidateOptions) -> Any:
    import pyarrow as pa

    word = pa.dictionary(pa.int8(), pa.string())
    types = {"shown": word, "why": word, "weight": pa.float64(), "live": pa.bool_()}
    fields = [pa.field(name, types.get(name, pa.int64()), False) for name in DECISION_COLUMNS]
    choices = {k: v for k, v in asdict(options).items() if k not in ("memory_limit", "threads")}
    return pa.schema(fields, {"giftlive.candidates": json.dumps(choices)})


def _table(part: Retrieved, rows: ListedRows, first: int, options: CandidateOptions) -> Any:
    """Return the rows of a chunk whose first decision has the number ``first``."""
    import pyarrow as pa

    def words(codes: Any, texts: tuple[str, ...]) -> Any:
        return pa.DictionaryArray.from_arrays(codes.astype(np.int8), list(texts))

    of = rows.decision
    schema = _schema(options)
    values = {
        "decision_id": first + of,
        "sample_id": part.sample_id[of],
        "user_id": part.user_id[of],
        "ts": part.ts[of],
        "live_id": rows.live_id,
        "streamer_id": rows.streamer_id,
        "shown": words(rows.shown, SHOWN),
        "label_amount": np.where(rows.shown == CHOSEN, part.label_amount[of], 0),
        "why": words(rows.why, WORDS),
        "weight": rows.weight,
        "live": rows.live,
        "live_count": part.rows.live[of],
    }
    return pa.table([values[name] for name in schema.names], schema=schema)
