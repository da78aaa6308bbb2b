"""Markdown that says the same in every reader: tables, anchors, and the note above a made page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any

MADE = "*Made from the code by `python -m scripts.reference`; a test fails when it is not current.*"


def page(title: str, *parts: str) -> str:
    """Return a page: its title, the note that nobody typed it, and its parts.

    Examples
    --------
    >>> page("Commands", "one").splitlines()[0]
    '# Commands'
    """
    return "\n\n".join([f"# {title}", MADE, *(part.strip() for part in parts if part)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    r"""Return a table; what a cell holds cannot end the cell.

    Examples
    --------
    >>> print(table(["a", "b"], [[1, "x|y"]]))
    | a | b |
    |---|---|
    | 1 | x\|y |
    """
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def first_line(thing: Any) -> str:
    """Return the first paragraph of a docstring on one line; of an object, that of its class."""
    owner = thing if inspect.isclass(thing) or inspect.isroutine(thing) else type(thing)
    text = inspect.getdoc(owner) or ""
    return " ".join(text.split("\n\n")[0].split())


def plain(text: str) -> str:
    """Return reStructuredText's double backquotes and roles as Markdown's single ones.

    Examples
    --------
    >>> plain("``x`` of :mod:`y`")
    '`x` of `y`'
    """
    return re.sub(r":\w+:`([^`<]+?)(?: <[^>]+>)?`", r"`\1`", text.replace("``", "`"))


def _cell(value: Any) -> str:
    return plain(str(value)).replace("|", "\\|").replace("\n", " ")
