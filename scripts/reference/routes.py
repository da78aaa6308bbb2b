"""Every call of the service, from the application itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.reference.markdown import first_line, page, table

from giftlive.service.api.app import Service, make_app
from giftlive.service.engine import Origin, open_engine
from giftlive.service.settings import ServiceSettings
from giftlive.service.store import open_store

PATH = "docs/reference/routes.md"


def render() -> str:
    """Return the page."""
    intro = (
        "What each call takes and answers, with examples, is at `/openapi.json` of a running "
        "service. "
        "How it behaves: [the decision service](../service.md)."
    )
    rows = [(f"`{method}`", f"`{path}`", what) for method, path, what in routes()]
    return page("Service calls", intro, table(["method", "path", "does"], rows))


def routes() -> Iterator[tuple[str, str, str]]:
    """Yield method, path and first sentence of every call, those of the console too."""
    settings = ServiceSettings()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'log.db'}")
        engine = open_engine(store, Origin(settings.decisive), 0)
        app = make_app(Service(settings, store, engine, open_to_all=True))._app
        store.close()
    for route in _of(app):
        for method in sorted(route.methods - {"HEAD"}):
            yield method, route.path, first_line(route.endpoint)


def _of(routed: Any) -> Iterator[Any]:
    """Yield the routes of an application or router, those of included routers too."""
    for route in routed.routes:
        if hasattr(route, "original_router"):
            yield from _of(route.original_router)
        elif route.path != "/openapi.json":
            yield route
