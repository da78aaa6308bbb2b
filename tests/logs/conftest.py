"""Small KuaiLive folders, written by hand so that every stored value is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

T0 = 1_746_374_400_000  # 2025-05-05 00:00 in Shanghai

FILES: dict[str, list[str]] = {
    "click.csv": [
        "user_id,live_id,streamer_id,timestamp,watch_live_time",
        f"1,10,100,{T0 + 5_000},4000",
        f"2,10,100,{T0 + 1_000},60000",
        f"1,11,101,{T0 + 9_000},0",
    ],
    "gift.csv": [
        "user_id,live_id,streamer_id,timestamp,gift_price",
        f"2,10,100,{T0 + 1_000},52",
        f"1,10,100,{T0 + 6_000},1",
    ],
    "room.csv": [
        "p_date,live_id,streamer_id,live_type,start_timestamp,end_timestamp,"
        "live_content_category,live_name_id",
        f'20250505,10,100,1,{T0},{T0 + 3_600_000},"Talk, show",7',
        f"20250505,11,101,2,{T0},,Game,",
    ],
    "comment.csv": ["user_id,live_id,streamer_id,timestamp", f"2,10,100,{T0 + 2_000}"],
    "like.csv": ["user_id,live_id,streamer_id,timestamp"],
    "negative.csv": ["user_id,live_id,streamer_id,timestamp", f"3,11,101,{T0 + 86_400_000}"],
    "user.csv": ["user_id,age,fans_num,is_live_streamer,onehot_feat0", "1,18-23,10-100,0,1"],
    "streamer.csv": ["streamer_id,gender,fans_user_num", "100,M,10000-100000", "101,F,0-10"],
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes the files above, with some replaced or left out (None)."""

    def writer(name: str = "logs", /, **changed: list[str] | bytes | None) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for file, lines in FILES.items():
            content = changed.get(file.removesuffix(".csv"), lines)
            if isinstance(content, bytes):
                (folder / file).write_bytes(content)
            elif content is not None:
                (folder / file).write_text("\n".join(content) + "\n", encoding="utf-8")
        return folder

    return writer


@pytest.fixture
def files() -> dict[str, list[str]]:
    """Return a fresh copy of the lines of each file, by stem."""
    return {name.removesuffix(".csv"): list(lines) for name, lines in FILES.items()}
