"""The page at ``/``."""

from __future__ import annotations

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GiftLive</title>
<h1>GiftLive decision service</h1>
<p>Description of the API: <a href="/openapi.json">/openapi.json</a>.
Metrics: <a href="/metrics">/metrics</a>.</p>
</html>
"""


def page() -> str:
    """Return the page as HTML."""
    return _PAGE
