"""Fail when a Markdown file links to a file of this repository that is not there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def broken(root: Path, page: Path) -> list[str]:
    """Return one line per local link of ``page`` whose target does not exist."""
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    local = [t for t in targets if "://" not in t and not t.startswith("mailto:")]
    return [
        f"{page.relative_to(root)}: {t}" for t in local if not (page.parent / t).resolve().exists()
    ]


def main() -> int:
    """Print every broken link; exit 1 if there is one."""
    root = Path(__file__).resolve().parents[1]
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    pages = [root / name for name in listed.stdout.split()]
    found = [line for page in pages for line in broken(root, page)]
    print("\n".join(found) or f"links: every local link of {len(pages)} pages resolves")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
