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
        source = (_brought_in(path) or {}).get(name)
        if source is not None and source != where:
            return module_file(source)
    return None


@lru_cache(maxsize=256)
def _defined(path: str) -> frozenset[str] | None:
    tree = _parsed(path)
    if tree is None:
        return None
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, _DEFINITIONS))


@lru_cache(maxsize=256)
def _brought_in(path: str) -> dict[str, str] | None:
    """Return where a package has the names from that it hands on."""
    tree = _parsed(path) if path.endswith("__init__.py") else None
    if tree is None:
        return None
    return {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("giftlive.")
        for alias in node.names
    }


def _parsed(path: str) -> ast.Module | None:
    source = files("giftlive").joinpath(path)
    if ".." in path or not source.is_file():
        return None
    return ast.parse(source.read_text(encoding="utf-8"))
