"""Decision-level sets as arrays [n, m], in the form ``metrics.decisions`` takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.errors import InputError, Where
from giftlive.tables.candidates.decisions import DECISION_COLUMNS
from giftlive.tables.candidates.listed_rows import SHOWN
from giftlive.tables.candidates.reasons import WORDS
from giftlive.types import Bools, Floats, Ints


@dataclass(frozen=True)
class DecisionSets:
    """Decisions in order of time; rows are decisions, columns candidates, padded at the end.

    Attributes
    ----------
    decision_id, sample_id, user_id, ts, live_count : [n] as in ``DECISION_COLUMNS``.
    live_id, streamer_id : [n, m] ids, -1 at the padding.
    available : [n, m] True for rooms live at the decision, what ``metrics.decisions`` asks for.
    value : [n, m] the gifts that followed, on the chosen room; 0 elsewhere.
    weight : [n, m] live rooms each stands for, 0 where not available.
    shown : [n, m] position in ``SHOWN``: 0 only live, 1 negative, 2 chosen.
    why : [n, m] bits of the reasons.
    """

    decision_id: Ints
    sample_id: Ints
    user_id: Ints
    ts: Ints
    live_count: Ints
    live_id: Ints
    streamer_id: Ints
    available: Bools
    value: Floats
    weight: Floats
    shown: Ints
    why: Ints

    def __len__(self) -> int:
        return len(self.ts)


def decision_batches(file: Path, *, trust_clicks: bool = True) -> Iterator[DecisionSets]:
    """Yield the sets of ``decisions.parquet``, one row group at a time.

    Parameters
    ----------
    trust_clicks : a click into a room proves that it was live, whatever its interval says;
        False makes such rooms unavailable, and their decisions have no choice.

    Raises
    ------
    InputError
        ``file`` was not written by :func:`build_decisions`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            "no decision-level sets", Where(str(file)), "a file written by build_decisions"
        ) from error
    with parquet:
        if parquet.schema_arrow.names != list(DECISION_COLUMNS):
            names = ", ".join(DECISION_COLUMNS)
            raise InputError("other columns", Where(str(file)), f"the columns {names}")
        for group in range(parquet.num_row_groups):
            rows = parquet.read_row_group(group)
            if len(rows):
                yield _sets(rows, trust_clicks)


def load_decisions(file: Path, *, trust_clicks: bool = True) -> DecisionSets:
    """Return all sets of a file at once; parameters as in :func:`decision_batches`."""
    batches = list(decision_batches(file, trust_clicks=trust_clicks))
    width = max((sets.live_id.shape[1] for sets in batches), default=0)
    parts = {f.name: [_widened(getattr(b, f.name), width, f.name) for b in batches] for f in _ALL}
    return DecisionSets(
        **{name: np.concatenate(p) if p else _none(name, width) for name, p in parts.items()}
    )


_ALL = fields(DecisionSets)
_BY_DECISION = ("decision_id", "sample_id", "user_id", "ts", "live_count")
_IDS = ("live_id", "streamer_id")
_WORDS = {"shown": SHOWN, "why": WORDS}
_TYPES = {"available": np.bool_, "value": np.float64, "weight": np.float64}


def _none(name: str, width: int) -> Any:
    shape = (0,) if name in _BY_DECISION else (0, width)
    return np.zeros(shape, dtype=_TYPES.get(name, np.int64))


def _widened(values: Any, width: int, name: str) -> Any:
    if name in _BY_DECISION or values.shape[1] == width:
        return values
    wide = np.full((len(values), width), -1 if name in _IDS else 0, dtype=values.dtype)
    wide[:, : values.shape[1]] = values
    return wide


def _sets(rows: Any, trust_clicks: bool) -> DecisionSets:
    column = {name: _array(rows[name], _WORDS.get(name, ())) for name in DECISION_COLUMNS}
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = np.diff(column["decision_id"]) != 0
    head = np.flatnonzero(new)
    row = np.cumsum(new) - 1
    place = np.arange(len(rows)) - head[row]
    shape = len(head), int(place.max()) + 1

    def spread(values: Any, padding: int) -> Any:
        table = np.full(shape, padding, dtype=values.dtype)
        table[row, place] = values
        return table

    live = column["live"] | trust_clicks
    return DecisionSets(
        **{name: column[name][head] for name in _BY_DECISION},
        **{name: spread(column[name], -1) for name in _IDS},
        available=spread(live, 0),
        value=spread(np.where(live, column["label_amount"], 0).astype(np.float64), 0),
        weight=spread(column["weight"] * live, 0),
        shown=spread(column["shown"], 0),
        why=spread(column["why"], 0),
    )


def _array(column: Any, words: tuple[str, ...]) -> Any:
    """Return a column as an array; words become their position in ``words``."""
    import pyarrow as pa

    if not words:
        return column.to_numpy()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    codes = [
        np.array([words.index(word) for word in chunk.dictionary.to_pylist()], dtype=np.int64)[
            chunk.indices.to_numpy()
        ]
        for chunk in column.chunks
    ]
    return np.concatenate(codes)
