"""Fail when a Markdown file links to a file of this repository that is not there.

A page of the site (docs/) may link to pages of the site only: the site holds nothing else.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def broken(root: Path, page: Path) -> list[str]:
    """Return one line per local link of ``page`` that leads nowhere, or off its site."""
    site = root / "docs"
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    local = [t for t in targets if "://" not in t and not t.startswith("mailto:")]
    aims = {t: (page.parent / t).resolve() for t in local}
    name = page.relative_to(root)
    lost = [f"{name}: {t}" for t, aim in aims.items() if not aim.exists()]
    if page.is_relative_to(site):
        away = [t for t, aim in aims.items() if not aim.is_relative_to(site.resolve())]
        lost += [f"{name}: {t} is not on the site" for t in away]
    return lost


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
