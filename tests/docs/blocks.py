"""The code blocks of the documentation, by page and order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    *(ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its page, its number among those of its language, and its text."""

    page: str
    language: str
    number: int
    line: int
    text: str

    @property
    def id(self) -> str:
        """Name it in a test report."""
        return f"{self.page}-{self.language or 'plain'}-{self.number}"


def blocks(language: str) -> list[Block]:
    """Return every block of a language; plain ones have the language ""."""
    found = []
    for path in PAGES:
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        own = [m for m in _FENCE.finditer(text) if m[1] == language]
        name = str(path.relative_to(ROOT))
        for number, match in enumerate(own):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(name, language, number, line, match[2]))
    return found


def commands(block: Block) -> list[str]:
    """Return the lines of a plain block that call the program, without comments."""
    joined = re.sub(r"\\\n\s*", "", block.text)
    lines = [re.sub(r"\s+#.*", "", line).strip() for line in joined.splitlines()]
    return [line for line in lines if re.match(r"(\.venv/bin/)?giftlive\b", line)]
