"""The list of decisions that shaped the code, from the files themselves."""

from __future__ import annotations

from pathlib import Path

from scripts.reference.markdown import page, table

PATH = "docs/decisions/index.md"
ROOT = Path(__file__).resolve().parents[2]


def render() -> str:
    """Return the page."""
    intro = (
        "Each says what was decided, why, what else was considered, and which test fails when it "
        "is no longer so. A new one takes the next free number."
    )
    rows = []
    for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        number, _, title = _title(path).partition(" · ")
        rows.append((number, f"[{title}]({path.name})"))
    return page("Decisions", intro, table(["number", "decision"], rows))


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
