"""The reference of the public surface: one section per package, filled from docstrings by the site.

A package is public when its ``__init__`` says what it offers (``__all__``).
"""

from __future__ import annotations

import importlib

from scripts.reference.markdown import first_line, page, table

PATH = "docs/reference/api.md"

PACKAGES = (
    *("logs", "tables", "facts", "world", "allocation", "ope", "metrics", "policies"),
    *("reports", "client", "testing"),
)
"""Packages with a list of what they offer, in the order of the data flow."""

MODULES = (
    *("errors", "types", "rng", "clock", "config", "models.base", "models.registry"),
    *("policies.base", "policies.registry", "studies.context", "evaluation.results"),
    *("evaluation.rules", "evaluation.checks", "evaluation.gates"),
)
"""Modules whose every public name is part of the surface: what extensions are written against."""


def render() -> str:
    """Return the page; on the site every ``:::`` line becomes the docstrings of what it names."""
    intro = (
        "What can be imported and relied on. On the site each name has its signature and "
        "docstring; in a "
        "plain reader of Markdown this page is the list of names."
    )
    return page("API reference", intro, *(_package(name) for name in PACKAGES), *_modules())


def offered(package: str) -> list[str]:
    """Return the names that a package offers."""
    return sorted(importlib.import_module(f"giftlive.{package}").__all__)


def _package(name: str) -> str:
    module = importlib.import_module(f"giftlive.{name}")
    rows = [(f"`{n}`", _says(getattr(module, n))) for n in offered(name)]
    directives = "\n\n".join(
        f"::: giftlive.{name}.{n}" for n in offered(name) if _documented(getattr(module, n))
    )
    return "\n\n".join(
        [f"## giftlive.{name}", first_line_of(module), table(["name", "says"], rows), directives]
    )


def _modules() -> list[str]:
    names = [f"::: giftlive.{name}" for name in MODULES]
    return ["## What extensions are written against", *names]


def first_line_of(module: object) -> str:
    """Return the first paragraph of a module's docstring."""
    return " ".join((getattr(module, "__doc__", None) or "").split("\n\n")[0].split())


def _documented(thing: object) -> bool:
    return callable(thing) and hasattr(thing, "__module__") and hasattr(thing, "__name__")


def _says(thing: object) -> str:
    return first_line(thing) if _documented(thing) else f"a {type(thing).__name__}"
