"""What a summary repeats from the tables of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from giftlive.errors import InputError
from giftlive.run.summary import _warnings


def test_a_window_that_misses_money_is_repeated(tmp_path: Path) -> None:
    assert _warnings(tmp_path) == ()
    (tmp_path / "tables").mkdir()
    file = tmp_path / "tables" / "attribution.json"
    for warning, said in ((None, ()), ("the window reaches 80 %", ("the window reaches 80 %",))):
        file.write_text(json.dumps({"warning": warning}))
        assert _warnings(tmp_path) == said
    file.write_text("{")
    with pytest.raises(InputError, match=r"attribution\.json"):
        _warnings(tmp_path)
