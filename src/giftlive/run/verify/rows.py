"""The rows that a run kept, read with SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from giftlive.errors import InputError, Where
from giftlive.types import Floats


@dataclass(frozen=True)
class Kept:
    """The tables that one study kept in a run folder.

    Attributes
    ----------
    folder : of the run. study : whose tables. con : a database in which they are views.
    """

    folder: Path
    study: str
    con: duckdb.DuckDBPyConnection

    def path(self, name: str) -> Path:
        """Return where the table ``name`` lies, or should lie."""
        return self.folder / "tables" / f"{self.study}__{name}.parquet"

    def columns(self, name: str, sql: str = "*") -> dict[str, Any]:
        """Return what ``SELECT sql FROM name`` gives, as arrays by column.

        Parameters
        ----------
        name : of a kept table, the view of the same name in ``sql``.
        sql : the select list, with whatever follows the table's name after ``FROM``.

        Raises
        ------
        InputError
            The table is not there, is no Parquet file, or lacks a column that is asked for.
        """
        path = self.path(name)
        if not path.is_file():
            raise InputError(
                "the kept table is missing", f"tables/{path.name}", "the rows behind the numbers"
            )
        what, _, rest = sql.partition(" FROM ")
        try:
            select = f"SELECT {what} FROM read_parquet(?) {rest}"
            found = self.con.execute(select, [str(path)]).fetchnumpy()
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            raise InputError(
                f"cannot be read ({first})", f"tables/{path.name}", "the table as a run wrote it"
            ) from None
        return {key: np.ma.getdata(column) for key, column in found.items()}

    def floats(self, name: str, sql: str) -> tuple[Floats, ...]:
        """Return the selected columns as arrays of floats, in the order of ``sql``."""
        return tuple(np.asarray(c, dtype=np.float64) for c in self.columns(name, sql).values())


def read_json(path: Path) -> Any:
    """Return the JSON of ``path``.

    Raises
    ------
    InputError
        It is not there or is not JSON; NaN and Infinity are not JSON.
    """

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is no number")

    where = Where("/".join(path.parts[-2:]))
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        problem = f"cannot be read as JSON ({what})"
        raise InputError(problem, where, "a file that a run wrote") from None
