"""Write a world's history as a data set in KuaiLive's file format, all of it or nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from giftlive.errors import InputError, UsageError
from giftlive.types import Progress, silent
from giftlive.world.entities import World
from giftlive.world.kernel import begin, run_platform
from giftlive.world.recorder import Table, history_seed, record, title_embeddings, total_amount
from giftlive.world.state import (
    ROWS,
    Log,
    by_time,
    filled,
    history_span,
    joined,
    new_batch,
    new_log,
    new_state,
)

_CHUNK_ROWS = 1 << 18


@dataclass(frozen=True)
class TwinSummary:
    """What was written.

    ``rows`` by table. ``users_simulated``, ``users_qualified`` (at least one of every behaviour)
    and ``users_kept``; money of everybody and of those written, in platform units.
    """

    folder: Path
    rows: dict[str, int]
    users_simulated: int
    users_qualified: int
    users_kept: int
    amount_simulated: int
    amount_written: int

    @property
    def acceptance(self) -> float:
        """Share of simulated users that qualified."""
        return self.users_qualified / self.users_simulated


def simulate_history(world: World, progress: Progress = silent) -> Log:
    """Run the platform's own ranking over the history days; return every decision by time."""
    if world.scenario.mode != "clocked":
        raise UsageError("a rounds world has no history", "write_twin", "a clocked scenario")
    span = history_span(world, history_seed(world))
    users = len(world.user_ids)
    state = new_state(world, span)
    batch = new_batch(users, world.scene.choices.total)
    log = new_log(_CHUNK_ROWS + users)
    begin(world.scene, state, span)
    parts, over = [], False
    while not over:
        state.cursor[ROWS] = 0
        over = run_platform(world.scene, state, batch, span, log)
        parts.append(_packed(filled(log, int(state.cursor[ROWS]))))
        last = int(parts[-1].ts[-1]) if len(parts[-1].ts) else span.end_ms
        progress(span.end_ms if over else last, span.end_ms)
    return by_time(joined(parts))


def _packed(log: Log) -> Log:
    """Return the log with 32-bit columns where they suffice: a history can be long."""
    small = ("user", "visit", "slot", "room", "status", "watch_ms", "delay_ms")
    return log._replace(**{name: getattr(log, name).astype(np.int32) for name in small})


def write_twin(
    world: World,
    folder: Path,
    *,
    progress: Progress = silent,
    truth: bool = True,
    format: Literal["csv", "parquet"] = "csv",  # noqa: A002
    overwrite: bool = False,
) -> TwinSummary:
    """Simulate the history under the platform's ranking and write what its log would show.

    Writes KuaiLive's files, ``title_embeddings.npy``, the marker ``world.json`` and, with
    ``truth``, latent quantities under ``truth/``, which no reader of logs opens. Equal worlds
    give equal bytes. The folder appears whole or not at all.

    Raises
    ------
    InputError
        The folder exists and is not empty (unless ``overwrite``).
    """
    folder = Path(folder)
    if folder.exists() and not overwrite and (folder.is_file() or any(folder.iterdir())):
        raise InputError("already holds something", str(folder), "a new folder", "use --overwrite")
    log = simulate_history(world, progress)
    recording = record(world, log)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, table in recording.tables.items():
            _write(table, partial / f"{name}.{format}")
        if truth:
            (partial / "truth").mkdir()
            for name, table in recording.truth.items():
                _write(table, partial / "truth" / f"{name}.parquet")
        np.save(partial / "title_embeddings.npy", title_embeddings(world))
        (partial / "world.json").write_text(_marker(world), encoding="utf-8")
        _put_in_place(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return TwinSummary(
        folder=folder,
        rows={name: len(next(iter(table.values()))) for name, table in recording.tables.items()},
        users_simulated=len(world.user_ids),
        users_qualified=recording.qualified,
        users_kept=len(recording.kept_users),
        amount_simulated=total_amount(log.amount),
        amount_written=total_amount(recording.tables["gift"]["gift_price"]),
    )


def _marker(world: World) -> str:
    scenario = world.scenario
    marker = {
        "generated_by": "giftlive",
        "preset": scenario.name,
        "scale": scenario.scale,
        "seed": world.seed,
        "scenario_hash": scenario.fingerprint,
    }
    return json.dumps(marker, indent=2) + "\n"


def _write(table: Table, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    arrow = pa.table(table)
    if path.suffix == ".parquet":
        pa.parquet.write_table(arrow, path)
        return
    with path.open("wb") as file:
        file.write((",".join(table) + "\n").encode())
        plain = pa.csv.WriteOptions(include_header=False, quoting_style="none")
        pa.csv.write_csv(arrow, file, plain)


def _put_in_place(partial: Path, folder: Path) -> None:
    """Swap the finished folder in; what stood there before goes only then."""
    partial.chmod(0o755)
    if not folder.exists():
        partial.replace(folder)
        return
    before = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    folder.replace(before / "before")
    partial.replace(folder)
    shutil.rmtree(before)
