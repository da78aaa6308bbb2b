"""Write every page that is made from the code. Usage: python -m scripts.reference"""

from __future__ import annotations

from pathlib import Path

from scripts.reference.pages import PAGES

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Write the pages that are not current, and say which."""
    for path, render in PAGES.items():
        text, target = render(), ROOT / path
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            print(f"written: {path}")


if __name__ == "__main__":
    main()
