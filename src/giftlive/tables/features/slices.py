"""Columns that come from several queries in one order, put side by side.

Each query returns ``sample_id`` and a few columns of every probe, ordered by ``sample_id``: the
rows meet by their place, and nothing is joined. No more than a batch of each is in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.errors import IdentityError

KEY = "sample_id"


def side_by_side(streams: Iterable[Iterator[Any]]) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the columns of all streams, some rows at a time.

    Parameters
    ----------
    streams : of Arrow record batches of any lengths, each with a column ``sample_id``.

    Raises
    ------
    IdentityError
        Two streams do not hold the same sample ids in the same order.

    Examples
    --------
    >>> import pyarrow as pa
    >>> left = pa.record_batch({"sample_id": [1, 2], "a": [10, 20]})
    >>> right = pa.record_batch({"sample_id": [1, 2], "b": [0.5, 0.25]})
    >>> [rows["b"].tolist() for rows in side_by_side([iter([left]), iter([right])])]
    [[0.5, 0.25]]
    """
    full = [_with_rows(stream) for stream in streams]
    waiting: list[Any] = [next(stream, None) for stream in full]
    while all(batch is not None for batch in waiting):
        n = min(batch.num_rows for batch in waiting)
        yield _beside([batch.slice(0, n) for batch in waiting])
        waiting = [
            batch.slice(n) if batch.num_rows > n else next(stream, None)
            for batch, stream in zip(waiting, full, strict=True)
        ]
    if any(batch is not None for batch in waiting):
        raise IdentityError("a column ends before the others", KEY, "one row per probe in each")


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
