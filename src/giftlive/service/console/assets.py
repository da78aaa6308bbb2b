"""What the browser loads: files of this package, all of them, and nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from pydantic_core import to_json

LANGUAGES = ("en", "zh")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of every answer: nothing from outside, nothing inline."""

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    body: bytes
    media_type: str


@lru_cache(maxsize=1)
def assets() -> Mapping[str, Asset]:
    """Return every file by its name; ``texts.json`` holds the sentences of all languages."""
    found = {}
    for path in files(__package__).joinpath("static").iterdir():
        kind = path.name.rpartition(".")[2]
        if kind in _TYPES:
            found[path.name] = Asset(path.read_bytes(), _TYPES[kind])
    sentences = {lang: texts(lang) for lang in LANGUAGES}
    found["texts.json"] = Asset(to_json(sentences), "application/json")
    return found


@lru_cache(maxsize=len(LANGUAGES))
def texts(lang: str) -> Mapping[str, str]:
    """Return every sentence of a language by its dotted key.

    Examples
    --------
    >>> texts("en")["page.now"], texts("zh")["page.now"]
    ('Now', '现在')
    """
    path = files(__package__).joinpath("i18n", f"{lang}.toml")
    return dict(_flat(tomllib.loads(path.read_text(encoding="utf-8"))))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
