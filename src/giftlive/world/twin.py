"""Write a world's history as a data set in KuaiLive's file format, all of it or nothing.

The history is simulated once and spilled, chunk by chunk, to a folder of its own; a survey of it
finds who is kept; a last reading writes every table in order of time. Memory holds the world and
a few chunks, however long the history.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from giftlive.config import dump_toml
from giftlive.errors import InputError
from giftlive.rng import stream
from giftlive.types import Progress, silent
from giftlive.world.entities import World
from giftlive.world.history import History, Spill
from giftlive.world.recorder import Chunks, Piece, recorded, survey
from giftlive.world.state import Log
from giftlive.world.table_files import FileFormat, TableFiles
from giftlive.world.whole_folder import clear_leftovers, whole_folder

_PARTS = 1_000
_SIMULATED, _WRITTEN = 750, 920
"""Of 1,000 parts of the work, how many are done when all is simulated, and all events written."""

_TITLE_SPREAD = 0.1


@dataclass(frozen=True)
class TwinSummary:
    """What was written.

    ``rows`` by table. ``decisions`` taken in the history; ``users_simulated``,
    ``users_qualified`` (at least one of every behaviour) and ``users_kept``; money of everybody
    and of the rows written, in platform units; ``bytes`` of all files.
    """

    folder: Path
    rows: dict[str, int]
    decisions: int
    users_simulated: int
    users_qualified: int
    users_kept: int
    amount_simulated: int
    amount_written: int
    bytes: int

    @property
    def acceptance(self) -> float:
        """Share of simulated users that qualified."""
        return self.users_qualified / self.users_simulated


def write_twin(
    world: World,
    folder: Path,
    *,
    progress: Progress = silent,
    truth: bool = True,
    format: FileFormat = "csv",  # noqa: A002
    overwrite: bool = False,
) -> TwinSummary:
    """Simulate the history under the platform's ranking and write what its log would show.

    Writes KuaiLive's files, ``title_embeddings.npy``, the marker ``world.json``, every coefficient
    as ``scenario.toml`` (a preset that makes the same world again) and, with ``truth``, latent
    quantities under ``truth/``, which no reader of logs opens. Equal worlds
    give equal bytes. The folder appears whole or not at all; leftovers of killed writers to the
    same folder are removed, which is said as a warning of the log ``giftlive``.

    Raises
    ------
    InputError
        The folder exists and is not empty (unless ``overwrite``).
    UsageError
        The world is in rounds mode, which has no history.
    """
    folder = Path(folder)
    target = folder.resolve()
    clear_leftovers(target)
    if target.exists() and not overwrite and (target.is_file() or any(target.iterdir())):
        raise InputError("already holds something", str(folder), "a new folder", "use --overwrite")
    history = History(world)
    with whole_folder(target) as partial:
        spill = Spill(partial / "spill")
        spill.folder.mkdir()
        spill.fill(history.chunks(_first_part(progress)))
        opened = history.opened
        del history  # its state is as large as the world
        found = survey(world, spill.chunks)
        chunks = _last_part(spill.chunks, found.decisions, progress)
        pieces = recorded(world, found, chunks, opened, truth=truth)
        rows, money = _write(pieces, partial, format)
        np.save(partial / "title_embeddings.npy", title_embeddings(world))
        (partial / "world.json").write_text(_marker(world), encoding="utf-8")
        (partial / "scenario.toml").write_text(_recipe(world), encoding="utf-8")
        shutil.rmtree(spill.folder)
        size = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
    progress(_PARTS, _PARTS)
    return TwinSummary(
        folder=folder,
        rows={name: count for name, count in rows.items() if not name.startswith("truth/")},
        decisions=found.decisions,
        users_simulated=len(world.user_ids),
        users_qualified=found.qualified,
        users_kept=len(found.users),
        amount_simulated=found.amount,
        amount_written=money,
        bytes=size,
    )


def title_embeddings(world: World) -> NDArray[np.float32]:
    """Return the vectors of the distinct titles, [titles, dim]."""
    count = int(world.scene.rooms.title.max()) + 1
    rng = stream(world.seed, "title embeddings")
    shape = count, world.scenario.recorder.title_dim
    return (_TITLE_SPREAD * rng.standard_normal(shape)).astype(np.float32)


def _write(
    pieces: Iterable[Piece], folder: Path, file_format: FileFormat
) -> tuple[dict[str, int], int]:
    """Return (rows by table, money in the gift table)."""
    money = 0
    with TableFiles(folder, file_format) as files:
        for name, table in pieces:
            files.append(name, table)
            if name == "gift":
                money += int(table["gift_price"].sum())
    return files.rows, money


def _first_part(progress: Progress) -> Progress:
    """Return the listener of the simulation, which is most of the work."""

    def hear(done: int, total: int, /) -> None:
        progress(_SIMULATED * done // total, _PARTS)

    return hear


def _last_part(chunks: Chunks, decisions: int, progress: Progress) -> Chunks:
    """Return the same chunks, telling ``progress`` how much of them has been written."""

    def read() -> Iterator[Log]:
        done = 0
        for log in chunks():
            yield log
            done += len(log.ts)
            progress(_SIMULATED + (_WRITTEN - _SIMULATED) * done // max(decisions, 1), _PARTS)

    return read


def _recipe(world: World) -> str:
    """Return the scenario as a file from which the same world can be made again."""
    again = f"giftlive world generate --preset scenario.toml --seed {world.seed} --out DIR"
    return f"# Every coefficient of this world; again: {again}\n{dump_toml(world.scenario)}"


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
