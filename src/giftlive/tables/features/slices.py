"""Columns that come from several queries in one order, put side by side.

Each query returns ``sample_id`` and a few columns, ordered by ``sample_id``: those of every probe
meet by their place, those of some probes find theirs, and nothing is joined. No more than a batch
of each is in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.errors import IdentityError

KEY = "sample_id"


def side_by_side(
    whole: Iterable[Iterator[Any]],
    partial: Iterable[tuple[Iterator[Any], Mapping[str, int | float]]] = (),
) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the columns of all streams, some rows at a time.

    Parameters
    ----------
    whole : streams of Arrow record batches of any lengths, each with a column ``sample_id`` and
        a row for every probe; at least one.
    partial : further streams that have a row for some probes only, and by column the value of
        all other probes, whose type is the column's.

    Raises
    ------
    IdentityError
        Two whole streams do not hold the same sample ids in the same order, or a partial one has
        a row of no probe.

    Examples
    --------
    >>> import pyarrow as pa
    >>> left = pa.record_batch({"sample_id": [1, 2], "a": [10, 20]})
    >>> right = pa.record_batch({"sample_id": [2], "b": [0.25]})
    >>> rows = side_by_side([iter([left])], [(iter([right]), {"b": 0.0})])
    >>> [part["b"].tolist() for part in rows]
    [[0.0, 0.25]]
    """
    full = [_with_rows(stream) for stream in whole]
    some = [_Partial(_with_rows(stream), absent) for stream, absent in partial]
    waiting: list[Any] = [next(stream, None) for stream in full]
    while all(batch is not None for batch in waiting):
        n = min(batch.num_rows for batch in waiting)
        rows = _beside([batch.slice(0, n) for batch in waiting])
        for stream in some:
            rows |= stream.of(rows[KEY])
        yield rows
        waiting = [
            batch.slice(n) if batch.num_rows > n else next(stream, None)
            for batch, stream in zip(waiting, full, strict=True)
        ]
    if any(batch is not None for batch in waiting):
        raise IdentityError("a column ends before the others", KEY, "one row per probe in each")
    for stream in some:
        stream.require_end()


@dataclass
class _Partial:
    """A stream with rows of some probes, and the part of it that has not been asked for."""

    stream: Iterator[Any]
    absent: Mapping[str, int | float]
    waiting: Any = None

    def of(self, ids: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the columns of these probes, [n] ascending ids that follow the last ones."""
        columns = {name: np.full(len(ids), value) for name, value in self.absent.items()}
        while (batch := self._next()) is not None:
            found = _array(batch.column(KEY))
            n = int(np.searchsorted(found, ids[-1], side="right"))
            place = np.searchsorted(ids, found[:n])
            if not np.array_equal(ids[place], found[:n]):
                raise _stranger(found[:n][ids[place] != found[:n]][0])
            for name, column in columns.items():
                column[place] = _array(batch.column(name))[:n]
            self.waiting = batch.slice(n) if n < len(found) else None
            if n < len(found):
                break
        return columns

    def require_end(self) -> None:
        """Refuse rows that come after the last probe."""
        if (batch := self._next()) is not None:
            raise _stranger(batch.column(KEY)[0].as_py())

    def _next(self) -> Any:
        if self.waiting is None:
            self.waiting = next(self.stream, None)
        return self.waiting


def _stranger(sample: int) -> IdentityError:
    return IdentityError(f"a row of sample {sample}", KEY, "only samples that are probes")


def _with_rows(stream: Iterator[Any]) -> Iterator[Any]:
    return (batch for batch in stream if batch.num_rows)


def _beside(batches: list[Any]) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {}
    for batch in batches:
        arrays = {name: _array(batch.column(name)) for name in batch.schema.names}
        if not np.array_equal(columns.get(KEY, arrays[KEY]), arrays[KEY]):
            raise IdentityError(
                f"sample {int(arrays[KEY][0])} beside {int(columns[KEY][0])}",
                KEY,
                "the same probes in the same order",
            )
        columns |= arrays
    return columns


def _array(column: Any) -> NDArray[Any]:
    return np.asarray(column.to_numpy(zero_copy_only=False))
