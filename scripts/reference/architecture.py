"""The picture of the layers, drawn from the imports as they are.

Each box is a folder of ``src/giftlive``; a line is an import, wide where many modules have it. A
line is left out where a longer way says the same (transitive reduction). The modules that
everybody uses are one bar at the bottom; their imports are not drawn.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from html import escape
from pathlib import Path

PATH = "docs/images/architecture.svg"
ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "giftlive"
GROUND = ("config", "config_rollouts", "config_studies", "stats", "clock", "rng", "types", "errors")
"""What every layer may use."""

_WIDTH, _ROW, _TOP, _HIGH, _WIDE = 780, 84, 56, 36, 128
_SOME, _MANY = 3, 15
_INK, _SOFT, _LINE, _FILL = "#222222", "#555555", "#0072B2", "#f4f6f8"
Edges = dict[tuple[str, str], int]


def render() -> str:
    """Return the picture as SVG."""
    edges = reduced(imports())
    places = _places(_rows(edges), edges)
    bottom = max(y for _, y in places.values()) + _ROW
    height = bottom + _HIGH + 20
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
            'font-family="system-ui, sans-serif" font-size="15">',
            "<title>The layers of GiftLive: who imports whom</title>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="20" y="28" fill="{_SOFT}" font-size="13">A line: the upper folder imports '
            "the lower one; the wider, the more of its modules do. Nothing imports upwards.</text>",
            *(_line(pair, n, places) for pair, n in sorted(edges.items())),
            *(_box(name, x, y) for name, (x, y) in places.items()),
            _bar(bottom),
            "</svg>\n",
        ]
    )


def layers() -> list[str]:
    """Return the folders of the import contract, top first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = contracts["tool"]["importlinter"]["contracts"]
    rows = next(c for c in found if c["type"] == "layers")["layers"]
    return [name.strip() for row in rows for name in row.split("|")]


def imports() -> Edges:
    """Return how many modules of a folder import from another one, anywhere in the module."""
    found: Counter[tuple[str, str]] = Counter()
    known = [name for name in layers() if name not in GROUND]
    for own in known:
        for path in sorted((SOURCE / own).rglob("*.py")):
            found.update((own, other) for other in _imported(path) if other in known)
    return {pair: n for pair, n in sorted(found.items()) if pair[0] != pair[1]}


def reduced(edges: Edges) -> Edges:
    """Return the edges without those that a longer way implies.

    Examples
    --------
    >>> reduced({("a", "b"): 1, ("b", "c"): 1, ("a", "c"): 5})
    {('a', 'b'): 1, ('b', 'c'): 1}
    """
    below: dict[str, set[str]] = {}

    def reached(name: str) -> set[str]:
        if name not in below:
            direct = {lower for upper, lower in edges if upper == name}
            below[name] = direct.union(*(reached(lower) for lower in direct))
        return below[name]

    return {
        (upper, lower): n
        for (upper, lower), n in edges.items()
        if not any(lower in reached(other) for a, other in edges if a == upper)
    }


def _imported(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    found = set(re.findall(r"^\s*(?:from|import) giftlive\.(\w+)", text, re.MULTILINE))
    for names in re.findall(r"^\s*from giftlive import \(?([\w\s,]+)", text, re.MULTILINE):
        found |= {name.split()[0] for name in names.split(",") if name.split()}
    return found


def _rows(edges: Edges) -> list[list[str]]:
    """Return the folders by the longest way down to them; within a row, as in the contract."""
    depth: dict[str, int] = {}
    for name in layers():
        if name not in GROUND:
            above = [depth[upper] for upper, lower in edges if lower == name]
            depth[name] = 1 + max(above, default=-1)
    rows: list[list[str]] = [[] for _ in range(1 + max(depth.values()))]
    for name, row in depth.items():
        rows[row].append(name)
    return rows


def _places(rows: list[list[str]], edges: Edges) -> dict[str, tuple[float, int]]:
    """Return the middle and the top of every box; in a row, nearest below who imports it."""
    places: dict[str, tuple[float, int]] = {}
    for k, row in enumerate(rows):
        above = rows[k - 1] if k else []

        def pulled(name: str, above: list[str] = above) -> float:
            users = [places[upper][0] for upper in above if (upper, name) in edges]
            return sum(users) / len(users) if users else _WIDTH / 2

        step = min(_WIDTH / len(row), _WIDE + 60)
        for j, name in enumerate(sorted(row, key=pulled)):
            places[name] = (_WIDTH / 2 + (j - (len(row) - 1) / 2) * step, _TOP + k * _ROW)
    return places


def _line(pair: tuple[str, str], n: int, places: dict[str, tuple[float, int]]) -> str:
    (x1, top), (x2, y2) = places[pair[0]], places[pair[1]]
    y1 = top + _HIGH
    width = 1.2 if n < _SOME else 3 if n < _MANY else 6
    way = f"M{x1:.0f},{y1} C{x1:.0f},{y1 + 34} {x2:.0f},{y2 - 34} {x2:.0f},{y2}"
    return (
        f'<path d="{way}" fill="none" stroke="{_LINE}" stroke-opacity="0.55" '
        f'stroke-width="{width}"><title>{pair[0]} imports {pair[1]}</title></path>'
    )


def _box(name: str, x: float, y: int) -> str:
    return (
        f'<g><rect x="{x - _WIDE / 2:.0f}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="6" '
        f'fill="{_FILL}" stroke="{_INK}"/>'
        f'<text x="{x:.0f}" y="{y + 23}" text-anchor="middle" fill="{_INK}" font-weight="600">'
        f"{escape(name)}</text></g>"
    )


def _bar(y: int) -> str:
    names = " · ".join(name for name in reversed(GROUND) if "_" not in name)
    return (
        f'<g><rect x="40" y="{y}" width="{_WIDTH - 80}" height="{_HIGH}" rx="6" fill="none" '
        f'stroke="{_SOFT}" stroke-dasharray="4 3"/><text x="{_WIDTH / 2:.0f}" y="{y + 23}" '
        f'text-anchor="middle" fill="{_SOFT}">{names}: used by all</text></g>'
    )
