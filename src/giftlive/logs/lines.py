"""Which line of a text file a record is on, so that a person can open it there.

A CSV record is not a line: blank lines are skipped and a quoted value may hold line breaks.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from giftlive.types import Ints

_CHUNK = 1 << 22


def open_bytes(file: Path) -> BinaryIO:
    """Open a plain or gzip-compressed file for reading."""
    return cast(BinaryIO, gzip.open(file, "rb")) if file.suffix == ".gz" else file.open("rb")


def line_count(file: Path) -> int:
    """Return the number of lines; a last line without a line break counts."""
    breaks, last = 0, b"\n"
    with open_bytes(file) as stream:
        while chunk := stream.read(_CHUNK):
            breaks += chunk.count(b"\n")
            last = chunk[-1:]
    return breaks + (last != b"\n")


def record_lengths(stream: BinaryIO) -> Iterator[tuple[int, bool]]:
    """Yield (number of lines, is blank) of each record, header first.

    A record goes on while the number of quotation marks seen in it is odd.
    """
    lines, quotes, blank = 0, 0, True
    for line in stream:
        lines += 1
        quotes += line.count(b'"')
        blank = blank and not line.strip(b"\r\n")
        if quotes % 2 == 0:
            yield lines, blank
            lines, quotes, blank = 0, 0, True
    if lines:
        yield lines, blank


def line_jumps(file: Path, broken: Ints, rows: int) -> tuple[Ints, Ints, Ints]:
    """Return where good rows are, as jumps, and where broken records begin.

    The good row number k (1-based) is on line ``k + 1 + shift`` with the shift of the last
    jump whose ``after`` is below k.

    Parameters
    ----------
    broken : [b] ascending record numbers (header = 1, blank lines counted) the parser refused.
    rows : number of good rows.

    Returns
    -------
    after, shift : [j] good rows before each jump, and lines to add from there on.
    lines : [b] first line of each broken record.
    """
    if line_count(file) == 1 + rows + len(broken):
        count = np.arange(1, len(broken) + 1, dtype=np.int64)
        return broken - 1 - count, count, broken
    return walk(file, set(broken.tolist()))


def walk(file: Path, broken: set[int]) -> tuple[Ints, Ints, Ints]:
    """Return what :func:`line_jumps` returns, by reading the file record by record."""
    jumps: dict[int, int] = {}
    starts: list[int] = []
    good, line, shift = 0, 1, 0
    with open_bytes(file) as stream:
        for record, (length, blank) in enumerate(record_lengths(stream), start=1):
            aside = blank or record in broken
            if record in broken:
                starts.append(line)
            good += record > 1 and not aside
            extra = length - (0 if aside else 1)
            if extra:
                shift += extra
                jumps[good] = shift
            line += length
    return (
        np.array(list(jumps), dtype=np.int64),
        np.array(list(jumps.values()), dtype=np.int64),
        np.array(starts, dtype=np.int64),
    )
