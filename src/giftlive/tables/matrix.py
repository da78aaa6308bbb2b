"""The sample table as arrays: the one place where a frame becomes a matrix."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.errors import InputError, UsageError, Where
from giftlive.tables.build import DICTIONARY
from giftlive.tables.parts import sample_files
from giftlive.types import Bools, Floats, Ints


@dataclass(frozen=True)
class Matrix:
    """Samples as arrays, ordered by sample id.

    Attributes
    ----------
    X : [n, p] features. y : [n] label amount in the source's unit. count : [n] gifts.
    user, streamer, live : [n] ids. ts : [n] ms UTC. day : [n] local day.
    names : [p] feature names. unit : what one row is.
    """

    X: Floats
    y: Floats
    count: Ints
    user: Ints
    streamer: Ints
    live: Ints
    ts: Ints
    day: Ints
    names: tuple[str, ...]
    unit: str

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, days: tuple[int, int]) -> Bools:
        """Return [n] True where the row's local day is in the half-open range ``days``."""
        return (self.day >= days[0]) & (self.day < days[1])

    def column(self, name: str) -> Floats:
        """Return the feature ``name`` [n]."""
        return self.X[:, self.names.index(name)]


def load_matrix(
    folder: Path,
    names: tuple[str, ...] | None = None,
    days: tuple[int, int] | None = None,
    *,
    matured_only: bool = True,
) -> Matrix:
    """Read the sample table column by column.

    Parameters
    ----------
    names : features wanted, in this order; None = all. days : half-open local days; None = all.
    matured_only : leave out rows whose label could still change (their number is in
        ``dictionary.json``).

    Raises
    ------
    InputError
        ``folder`` holds no tables.
    UsageError
        A name is not a feature of these tables.
    """
    folder = Path(folder)
    dictionary = read_dictionary(folder)
    names = _checked(names, [feature["name"] for feature in dictionary["features"]])
    day = _column(folder, "day")
    keep = np.ones(len(day), dtype=np.bool_) if days is None else (day >= days[0]) & (day < days[1])
    if matured_only:
        keep &= _column(folder, "matured").astype(np.bool_)
    X = np.empty((int(keep.sum()), len(names)), dtype=np.float64)
    for j, name in enumerate(names):
        X[:, j] = _column(folder, name)[keep]
    fixed = ("label_count", "user_id", "streamer_id", "live_id", "ts")
    count, user, streamer, live, ts = (_column(folder, name)[keep] for name in fixed)
    y = _column(folder, "label_amount")[keep].astype(np.float64)
    return Matrix(X, y, count, user, streamer, live, ts, day[keep], names, dictionary["unit"])


def read_dictionary(folder: Path) -> dict[str, Any]:
    """Return the data dictionary of a tables folder.

    Raises
    ------
    InputError
        The folder holds none.
    """
    file = Path(folder) / DICTIONARY
    try:
        plain: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            "no data dictionary", Where(str(file)), "a folder written by `giftlive tables`"
        ) from error
    return plain


def _checked(names: tuple[str, ...] | None, declared: list[str]) -> tuple[str, ...]:
    for name in names or ():
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1, cutoff=0.0)
            raise UsageError(
                f"no feature {name!r}", "names", "a declared feature", f"did you mean {near[0]}?"
            )
    return tuple(declared if names is None else names)


def _column(folder: Path, name: str) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(sample_files(folder), columns=[name])[name].to_numpy()
