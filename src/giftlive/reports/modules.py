"""Whether the functions that a report names exist: read from the source, never imported."""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib.resources import files

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def module_file(where: str) -> str | None:
    """Return ``folder/file.py:name`` for ``folder.file:name``; None when there is no such thing.

    Parameters
    ----------
    where : a module below ``giftlive`` (with or without that prefix), a colon, a function or class.

    Examples
    --------
    >>> module_file("giftlive.rng:stream"), module_file("rng:unheard_of")
    ('rng.py:stream', None)
    """
    module, _, name = where.removeprefix("giftlive.").partition(":")
    for path in (f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py"):
        defined = _defined(path)
        if defined is not None and (name in defined or not name):
            return f"{path}:{name}" if name else path
    return None


@lru_cache(maxsize=256)
def _defined(path: str) -> frozenset[str] | None:
    source = files("giftlive").joinpath(path)
    if ".." in path or not source.is_file():
        return None
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, _DEFINITIONS))
