"""Templates filled in: what every page, sheet and Markdown file of a run is written with."""

from __future__ import annotations

import json
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from giftlive.reports.prose import html_prose, markdown_cell, markdown_prose


def fill_html(template: str, assets: dict[str, str], /, **context: Any) -> str:
    """Return an HTML template filled in; every text of ``context`` is escaped.

    Parameters
    ----------
    assets : name in the template → style sheet or script of the package, inlined as it is.
    """
    environment = _environment(autoescape=True)
    environment.filters |= {"prose": html_prose}
    inlined = {name: Markup(_asset(environment, file)) for name, file in assets.items()}
    return environment.get_template(template).render(**inlined, **context)


def fill_markdown(template: str, /, **context: Any) -> str:
    """Return a Markdown template filled in, without the blank lines that its logic leaves."""
    environment = _environment(autoescape=False)
    environment.filters |= {"prose": markdown_prose, "cell": markdown_cell}
    text = environment.get_template(template).render(**context)
    lines = [line.rstrip() for line in text.splitlines()]
    kept = [a for a, b in zip(lines, ["", *lines], strict=False) if a or b]
    return "\n".join(kept).strip() + "\n"


def script_json(value: Any) -> Markup:
    """Return ``value`` as JSON that no content can end the surrounding script element with."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _environment(autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("giftlive.reports", "templates"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _asset(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]
