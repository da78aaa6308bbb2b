"""Every local link of the repository's pages resolves, and a page of the site stays on it."""

from __future__ import annotations

from pathlib import Path

from scripts.links import broken

ROOT = Path(__file__).resolve().parents[2]


def test_every_local_link_resolves() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]
    assert len(pages) > 50
    assert [line for page in pages for line in broken(ROOT, page)] == []


def test_a_lost_target_and_one_off_the_site_are_named(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (tmp_path / "README.md").write_text("[docs](docs/a.md)", encoding="utf-8")
    page = docs / "a.md"
    page.write_text("[up](../README.md) [no](b.md) [web](https://example.org/)", encoding="utf-8")
    assert broken(tmp_path, tmp_path / "README.md") == []
    assert broken(tmp_path, page) == [
        "docs/a.md: b.md",
        "docs/a.md: ../README.md is not on the site",
    ]
