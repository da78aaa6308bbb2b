"""From a store to labels, samples with features, the gift balance and the data dictionary."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from giftlive.errors import GiftLiveError, IdentityError, InputError, UsageError
from giftlive.logs.source import Source
from giftlive.logs.store import Store
from giftlive.tables.append import Kept
from giftlive.tables.engine.registry import open_engine
from giftlive.tables.features.declare import Feature, declared_features
from giftlive.tables.features.ordinal import Codes
from giftlive.tables.features.seam import write_features
from giftlive.tables.labels import Attribution, attribution
from giftlive.tables.options import TableOptions
from giftlive.tables.parts import PARTS_FILE, SAMPLES, STATE, Parts, sample_files
from giftlive.tables.samples import SAMPLE_COLUMNS
from giftlive.tables.staging import stage_decisions, staged_for_samples
from giftlive.types import Progress, silent

LABELS = "labels.parquet"
ATTRIBUTION, DICTIONARY = "attribution.json", "dictionary.json"
HALF_MADE = ".half-made"
"""What an interrupted build leaves in its folder, to go on from."""
_HALVES = (HALF_MADE, f"{HALF_MADE}-before")
_WRITTEN = (SAMPLES, STATE, PARTS_FILE, LABELS, ATTRIBUTION, DICTIONARY)
_STEPS = 4

_LABEL_COLUMNS = "row_id, user_id, live_id, streamer_id, ts, known_ts, label_amount, label_count"


@dataclass(frozen=True)
class Tables:
    """What :func:`build_tables` wrote.

    Attributes
    ----------
    folder : where. unit : what one row is. rows, positives, unmatured : samples in all, with a
    gift, and with a label that could still change. features : names in column order.
    kept : rows whose features stood already. because : why not, where there was a build to go on
    from ("" otherwise).
    """

    folder: Path
    unit: str
    rows: int
    positives: int
    unmatured: int
    features: tuple[str, ...]
    attribution: Attribution
    kept: int = 0
    because: str = ""


def build_tables(
    store: Store,
    folder: Path,
    options: TableOptions = TableOptions(),  # noqa: B008  (frozen)
    progress: Progress = silent,
    *,
    previous: Path | None = None,
) -> Tables:
    """Derive labels and point-in-time features from ``store`` and write them into ``folder``.

    Writes ``labels.parquet`` (one row per click), ``samples/`` (parts of one row per unit, ordered
    by ``sample_id``), ``attribution.json`` and ``dictionary.json``; in the native form also
    ``state/``, from which a later build or the service goes on. Nothing half-written appears in
    ``folder``: the files are moved there when all are complete, the dictionary last. A killed
    build, or one that failed for want of memory or space, goes on where its last part ended when
    it is called again.

    Parameters
    ----------
    previous : folder of tables built from the same logs when they were shorter (it may be
        ``folder`` itself): rows that nothing new can change are kept (native form).
    progress : told how much is done; the unit changes on the way, the share only grows.

    Returns
    -------
    Tables
        Counts and the gift balance.

    Raises
    ------
    MissingCapabilityError
        The source lacks the table the unit is made of.
    ConservationError
        Labels and orphan gifts do not add up to the gifts.
    IdentityError
        The feature table has not one row per sample.
    UsageError
        Another build is writing ``folder``.
    """
    options.unit_of(store.source)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder):
        partial, earlier = _half_made(folder, previous)
        try:
            return _build(store, folder, options, progress, partial, earlier)
        except BaseException as error:
            refused = isinstance(error, GiftLiveError)
            if refused or not _has_parts(partial):
                shutil.rmtree(partial)
            if refused:  # whatever it went on from is not to be gone on from again
                shutil.rmtree(folder / _HALVES[1], ignore_errors=True)
            raise


def _build(
    store: Store,
    folder: Path,
    options: TableOptions,
    progress: Progress,
    partial: Path,
    earlier: Path | None,
) -> Tables:
    unit = options.unit_of(store.source)
    features = features_of(store.source, options)
    engine = open_engine(store, options, partial)
    try:
        codes = stage_decisions(engine, store.source, options, features)
        progress(1, _STEPS)
        balance = attribution(engine, unit, options)
        engine.write(f"select {_LABEL_COLUMNS} from label order by row_id", partial / LABELS)
        expected = int(engine.rows("select count(*) from sample")[0][0])
        for spent in staged_for_samples(unit):
            engine.drop(spent)
        progress(2, _STEPS)
        kept = write_features(engine, features, options, partial, earlier, _within(progress))
        progress(3, _STEPS)
        tables = _summary(expected, folder, partial, unit, features, balance, kept)
    finally:
        engine.close()
    _write_json(partial / ATTRIBUTION, {"unit": unit, **balance.as_dict()})
    _write_json(
        partial / DICTIONARY, data_dictionary(store.source, options, tables, features, codes)
    )
    _put_in_place(partial, folder)
    progress(_STEPS, _STEPS)
    return tables


def _within(progress: Progress) -> Progress:
    """Return a listener of rows that moves the bar from the second to the third of four steps."""

    def heard(done: int, total: int) -> None:
        progress(2 * total + done, _STEPS * total)

    return heard


def can_go_on(folder: Path) -> bool:
    """Return whether an interrupted build left finished rows in ``folder``."""
    return any((folder / half / PARTS_FILE).is_file() for half in _HALVES)


def is_unfinished(folder: Path) -> bool:
    """Return whether ``folder`` holds a build that was killed, and nothing but what it wrote."""
    if not folder.is_dir():
        return False
    begun = can_go_on(folder) or (folder / PARTS_FILE).is_file()
    return begun and {path.name for path in folder.iterdir()} <= {*_HALVES, *_WRITTEN}


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder itself, so that no lock file is left; the system lets go when killed."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system that cannot lock a folder keeps nobody out
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(
                    f"another build is writing {folder}",
                    hint="wait until it is done, or choose another folder with --out",
                ) from None
        yield
    finally:
        os.close(opened)


def _has_parts(partial: Path) -> bool:
    try:
        found = Parts.listed(partial)
    except InputError:
        return False
    return found is not None and bool(found.parts)


def _furthest(*places: Path) -> Path | None:
    """Return the place with the most finished parts, else one with harmed ones, which tell why."""
    done: dict[Path, int] = {}
    for place in places:
        try:
            parts = Parts.read(place)
        except InputError:
            done[place] = 0
        else:
            if parts is not None:
                done[place] = parts.until_ts
    return max(done, key=lambda place: done[place]) if done else None


def _half_made(folder: Path, previous: Path | None) -> tuple[Path, Path | None]:
    """Return an empty folder to work in, and the build to go on from: the one that got further.

    What a killed build left stands in one of two folders: in the second while the rows of the
    first are being looked through.
    """
    first, second = (folder / half for half in _HALVES)
    earlier = _furthest(*(place for place in (first, second, previous) if place))
    if earlier == first:
        shutil.rmtree(second, ignore_errors=True)
        first.rename(second)
        earlier = second
    shutil.rmtree(first, ignore_errors=True)
    first.mkdir()
    Parts({}, "", 0, ()).write(first)  # from now on the folder is known as ours
    return first, earlier


def _put_in_place(partial: Path, folder: Path) -> None:
    """Move the finished files into ``folder``, the dictionary last: without it there are none."""
    (folder / DICTIONARY).unlink(missing_ok=True)
    if not (partial / STATE).is_dir():  # nothing can go on from the portable form
        (partial / PARTS_FILE).unlink()
    (folder / PARTS_FILE).unlink(missing_ok=True)
    for name in (SAMPLES, STATE):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in _WRITTEN:
        if (partial / name).exists():
            (partial / name).replace(folder / name)
    shutil.rmtree(partial)
    shutil.rmtree(folder / _HALVES[1], ignore_errors=True)


def features_of(source: Source, options: TableOptions) -> tuple[Feature, ...]:
    """Return the features that ``options`` ask of ``source``."""
    return declared_features(
        source.capabilities,
        strict=options.strict,
        planted_leak=options.planted_leak,
        first_window=options.dwell_seconds > 0,
    )


def _summary(
    expected: int,
    folder: Path,
    partial: Path,
    unit: str,
    features: tuple[Feature, ...],
    balance: Attribution,
    kept: Kept,
) -> Tables:
    import pyarrow.parquet as pq

    columns = pq.read_table(sample_files(partial), columns=["label_amount", "matured"])
    amount = columns["label_amount"].to_numpy()
    rows, total = len(amount), int(amount.sum())
    if (rows, total) != (expected, balance.labels.amount):
        raise IdentityError(
            f"{rows} feature rows worth {total}",
            SAMPLES,
            f"{expected} samples worth {balance.labels.amount}",
        )
    positives = int((amount > 0).sum())
    unmatured = int((~columns["matured"].to_numpy()).sum())
    names = tuple(feature.name for feature in features)
    return Tables(
        *(folder, unit, rows, positives, unmatured, names, balance), kept.rows, kept.because
    )


def data_dictionary(
    source: Source,
    options: TableOptions,
    tables: Tables,
    features: tuple[Feature, ...],
    codes: Codes,
) -> dict[str, Any]:
    """Return what every column means, where it came from, and how its words were coded."""
    fixed = [
        {"name": name, "group": "sample", "definition": text, "unit": unit}
        for name, (text, unit) in SAMPLE_COLUMNS.items()
    ]
    return {
        "unit": tables.unit,
        "rows": tables.rows,
        "positives": tables.positives,
        "unmatured": tables.unmatured,
        "source": {
            "fingerprint": source.fingerprint,
            "label": source.label,
            "tz": source.tz,
            "amount": source.unit,
        },
        "options": options.decisive(),
        "columns": fixed,
        "features": [_described(feature) for feature in features],
        "codes": codes,
    }


def _described(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "group": feature.group,
        "definition": feature.definition,
        "unit": feature.unit,
        "as_of": feature.as_of,
        "formula": feature.value.sql(),
        "needs": list(feature.needs),
    }


def _write_json(file: Path, plain: dict[str, Any]) -> None:
    text = json.dumps(plain, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
