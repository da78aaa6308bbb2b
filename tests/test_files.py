"""A file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from giftlive.files import whole


def test_what_was_there_stays_until_all_is_written(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("old")
    with whole(file) as partial:
        partial.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_it_is_renamed_and_never_written_over(tmp_path: Path) -> None:
    """Who reads the old file while a new one comes reads the old one to its end."""
    file = tmp_path / "a.json"
    file.write_text("old")
    with file.open() as reading:
        with whole(file) as partial:
            partial.write_text("new")
        assert reading.read() == "old"


def test_an_error_leaves_what_was_there_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("old")

    def stopped() -> None:
        with whole(file) as partial:
            partial.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
