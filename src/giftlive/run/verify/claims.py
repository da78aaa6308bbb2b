"""Every number that a results file prints, under one key each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Result = Mapping[str, Any]
"""A results file as it was written."""


@dataclass(frozen=True)
class Claim:
    """One printed number with its interval.

    Attributes
    ----------
    key : its name; in a table ``table / leading words of the row / column``.
    printed : the estimate as written. where : place in the results file.
    repeated : whether it is a gate's evidence, printed in the list of estimates as well.
    """

    key: str
    printed: Mapping[str, Any]
    where: str
    repeated: bool = False


def claims_of(result: Result) -> Iterator[Claim]:
    """Yield every estimate of a study: its list, the cells of its tables, its gates' evidence."""
    file = f"results/{result['study']}.json"
    for i, estimate in enumerate(result["estimates"]):
        yield Claim(str(estimate["name"]), estimate, f"{file}, estimates[{i}]")
    for t, table in enumerate(result["tables"]):
        for r, row in enumerate(table["rows"]):
            for c, cell in enumerate(row):
                if is_estimate(cell):
                    key = cell_key(table, row, c)
                    yield Claim(key, cell, f"{file}, tables[{t}].rows[{r}][{c}]")
    for i, gate in enumerate(result["gates"]):
        if gate["estimate"] is not None:
            where = f"{file}, gates[{i}].estimate"
            yield Claim(str(gate["estimate"]["name"]), gate["estimate"], where, repeated=True)


def is_estimate(cell: object) -> bool:
    """Return whether a table cell is a number with its denominator, rather than a plain value."""
    return isinstance(cell, Mapping) and {"value", "denominator", "method"} <= set(cell)


def cell_key(table: Mapping[str, Any], row: list[Any], column: int) -> str:
    """Return the key of a cell: the table, the words that name the row, and the column.

    Examples
    --------
    >>> cell_key({"name": "t", "columns": ["model", "fold", "x"]}, ["ridge", "1", {}], 2)
    't / ridge / 1 / x'
    """
    words = []
    for cell in row:
        if not isinstance(cell, str):
            break
        words.append(cell)
    return " / ".join([table["name"], *words, table["columns"][column]])
