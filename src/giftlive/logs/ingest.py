"""The one way in: files of a known kind become a store, whole or not at all."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from giftlive.errors import UsageError
from giftlive.logs.inputs import Inputs, fingerprint, open_inputs
from giftlive.logs.intake import Intake, Stored
from giftlive.logs.readers.reader import Reader
from giftlive.logs.readers.registry import reader_for
from giftlive.logs.source import CALIBRATED_WORLD, Source
from giftlive.logs.store import SOURCE_FILE, Store, connection
from giftlive.types import Progress, silent


def ingest(
    path: Path,
    folder: Path,
    *,
    max_reject_share: float = 0.01,
    progress: Progress = silent,
    memory_limit: str = "2GB",
    threads: int = 2,
) -> Store:
    """Read the logs at ``path`` into the store ``folder``, and open it.

    The kind of source is told by the names of its files. Bad rows are set aside in
    ``rejects/`` with file, line, column, value and reason. The store appears in one step, at
    the end; after an error ``folder`` is as it was.

    Parameters
    ----------
    path : folder of log files, or a zip of one. folder : where the store goes; an older store
        there is replaced.
    max_reject_share : largest share of bad rows of one table, 0..1. It counts every defect of
        event tables and unreadable cells of entity tables; the known quirks of published room
        and profile tables (:data:`giftlive.logs.intake.QUARANTINES`) never count.
    memory_limit, threads : what DuckDB may use; it spills to disk beyond the limit.

    Raises
    ------
    InputError
        Where files, columns or values are not what they should be.
    RejectLimitError
        Where more than ``max_reject_share`` of a table is bad, naming the first bad cell.
    UsageError
        Where ``folder`` holds something that is not a store.
    """
    path, folder = Path(path), Path(folder)
    _check_target(path, folder)
    with _half_written(folder) as partial, open_inputs(path, partial) as inputs:
        reader = reader_for(inputs)
        files = reader.files(inputs)
        with closing(connection(memory_limit, threads)) as con:
            intake = Intake(con, partial, max_reject_share)
            stored = reader.read(inputs, intake, progress)
            source = _source(reader, inputs, stored, fingerprint(files), intake.window())
        (partial / SOURCE_FILE).write_text(source.as_json(), encoding="utf-8")
    return Store(folder, source)


def _source(
    reader: Reader,
    inputs: Inputs,
    stored: Mapping[str, Stored],
    digest: str,
    window: tuple[int, int],
) -> Source:
    about = reader.about(inputs)
    return Source(
        kind=reader.kind,
        path=inputs.shown,
        tz=about.tz,
        unit=about.unit,
        capabilities=frozenset(table for table, kept in stored.items() if kept.rows),
        fingerprint=digest,
        label=CALIBRATED_WORLD if inputs.generated() else about.label,
        rows={table: kept.rows for table, kept in stored.items()},
        rejects={table: kept.rejects for table, kept in stored.items() if kept.rejects},
        window=window,
        notes=tuple(f"{table}: {note}" for table, kept in stored.items() for note in kept.notes),
    )


def _check_target(path: Path, folder: Path) -> None:
    if folder.exists() and path.exists() and folder.samefile(path):
        raise UsageError(
            "the store would replace the logs it is made from",
            str(folder),
            "a folder other than the one that is read",
            "name another folder for the store",
        )
    blocked = folder.is_file() or (
        folder.is_dir() and any(folder.iterdir()) and not (folder / SOURCE_FILE).is_file()
    )
    if blocked:
        raise UsageError(
            "something that is not a store is already there",
            str(folder),
            "a new or empty folder, or an older store, which is replaced",
            "name another folder, or move this one away",
        )


@contextmanager
def _half_written(folder: Path) -> Iterator[Path]:
    """Give a folder nearby to write to, which becomes ``folder`` only if nothing is raised."""
    # Beside the target, or above it while the folders between do not exist yet.
    place = next(parent for parent in folder.parents if parent.exists())
    partial = place / f".{folder.name}.{uuid.uuid4().hex}.partial"
    try:
        partial.mkdir()
        yield partial
        _replace(partial, folder)
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        told = error.strerror if isinstance(error, OSError) else None
        reason = told or str(error).splitlines()[0]
        raise UsageError(
            f"the store cannot be written: {reason}",
            str(folder),
            "a place with room and permission to write, and memory within the limit",
            "free some space, name another folder, or raise the memory limit",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace(partial: Path, folder: Path) -> None:
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.replace(folder)
        return
    older = partial.with_suffix(".older")
    folder.replace(older)
    partial.replace(folder)
    shutil.rmtree(older, ignore_errors=True)
