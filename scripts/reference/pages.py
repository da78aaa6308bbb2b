"""Which pages there are, and what makes each."""

from __future__ import annotations

from collections.abc import Callable

from scripts.reference import (
    api,
    architecture,
    catalogue,
    columns,
    commands,
    decisions,
    routes,
    settings,
)

PAGES: dict[str, Callable[[], str]] = {
    commands.PATH: commands.render,
    settings.PATH: settings.render,
    columns.PATH: columns.render,
    catalogue.PATH: catalogue.render,
    routes.PATH: routes.render,
    api.PATH: api.render,
    decisions.PATH: decisions.render,
    architecture.PATH: architecture.render,
}
"""Path from the root of the repository -> the function that returns its text."""
