"""Your own logs in the documented format, to a report: python examples/own_data.py [FOLDER]

A small platform is invented here; replace ``write_logs`` by an export of your own. Three tables are
enough: who entered which room, who gave what, and when rooms were open. The rest of the pipeline
asks for nothing else; what a table that is not there would have answered is skipped by name.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from giftlive.config import load_config
from giftlive.logs.template import write_template
from giftlive.run.pipeline import RunRequest, run_all

DAY_MS = 86_400_000
FIRST_MS = 1_746_403_200_000
"""Midnight UTC of 5 May 2025."""


def write_logs(folder: Path, days: int = 14, users: int = 300, rooms: int = 30) -> None:
    """Fill the template: every day each user enters some rooms, a few of them give."""
    write_template(folder)
    rng = np.random.default_rng(1)
    n = days * users * 3
    day, user = rng.integers(0, days, n), rng.integers(0, users, n)
    streamer = np.minimum(rng.geometric(0.15, n) - 1, rooms - 1)
    live = day * rooms + streamer
    ts = FIRST_MS + day * DAY_MS + rng.integers(0, DAY_MS // 2, n)
    watch = rng.lognormal(9.0, 1.5, n).astype(np.int64)
    wealth = rng.lognormal(0.0, 1.5, users)
    gives = rng.random(n) < 0.02 + 0.1 * (wealth[user] > 5.0)
    amount = np.ceil(wealth[user] * rng.lognormal(1.0, 1.0, n)).astype(np.int64)
    entry = {"user_id": user, "live_id": live, "streamer_id": streamer, "ts": ts}
    write(folder / "click.parquet", entry | {"watch_ms": watch})
    gift = {name: column[gives] for name, column in entry.items()} | {"amount": amount[gives]}
    gift["ts"] = gift["ts"] + rng.integers(0, 1 + watch[gives] // 2)
    write(folder / "gift.parquet", gift)
    every = np.arange(days * rooms)
    opened = FIRST_MS + (every // rooms) * DAY_MS
    room = {"live_id": every, "streamer_id": every % rooms, "start_ts": opened}
    write(folder / "room.parquet", room | {"end_ts": opened + DAY_MS - 1})


def write(path: Path, columns: dict[str, np.ndarray]) -> None:
    """Write 64-bit columns as Parquet."""
    pq.write_table(pa.table({k: np.asarray(v, dtype=np.int64) for k, v in columns.items()}), path)


def main(folder: Path) -> Path:
    """Write the logs, ask one study of them, and return the report."""
    write_logs(folder / "logs")
    request = RunRequest(
        source=folder / "logs",
        out=folder / "RUN",
        config=load_config(overrides={"jobs": 1}),
        overwrite=True,
        cache=folder / "cache",
        command="python examples/own_data.py",
        only=("exploration",),
    )
    run_all(request)
    return folder / "RUN" / "report.html"


if __name__ == "__main__":
    print(main(Path(sys.argv[1] if len(sys.argv) > 1 else "EXAMPLE")))
