"""From a store to labels, samples with features, the gift balance and the data dictionary."""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from giftlive.errors import IdentityError
from giftlive.logs.source import Source
from giftlive.logs.store import Store, literal_path, quoted
from giftlive.tables.features.declare import Feature, declared_features
from giftlive.tables.features.ordinal import Codes, stage_codes
from giftlive.tables.features.query import features_sql
from giftlive.tables.labels import Attribution, attribution, stage_labels
from giftlive.tables.options import TableOptions
from giftlive.tables.samples import SAMPLE_COLUMNS, stage_samples
from giftlive.types import Progress, silent

LABELS, SAMPLES = "labels.parquet", "samples.parquet"
ATTRIBUTION, DICTIONARY = "attribution.json", "dictionary.json"
_STEPS = 4

_LABEL_COLUMNS = "row_id, user_id, live_id, streamer_id, ts, known_ts, label_amount, label_count"


@dataclass(frozen=True)
class Tables:
    """What :func:`build_tables` wrote.

    Attributes
    ----------
    folder : where. unit : what one row is. rows, positives, unmatured : samples in all, with a
    gift, and with a label that could still change. features : names in column order.
    """

    folder: Path
    unit: str
    rows: int
    positives: int
    unmatured: int
    features: tuple[str, ...]
    attribution: Attribution


def build_tables(
    store: Store,
    folder: Path,
    options: TableOptions = TableOptions(),  # noqa: B008  (frozen)
    progress: Progress = silent,
) -> Tables:
    """Derive labels and point-in-time features from ``store`` and write them into ``folder``.

    Writes ``labels.parquet`` (one row per click), ``samples.parquet`` (one row per unit, ordered
    by ``sample_id``), ``attribution.json`` and ``dictionary.json``. Nothing half-written appears
    in ``folder``: the files are moved there when all are complete, the dictionary last.

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
    """
    unit = options.unit_of(store.source)
    features = features_of(store.source, options)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".partial-{uuid.uuid4().hex}"
    partial.mkdir()
    con = store.connect(options.memory_limit, options.threads)
    try:
        stage_labels(con, unit, options)
        balance = attribution(con, unit, options)
        progress(1, _STEPS)
        stage_samples(con, unit, options, store.source.tz, store.source.window[1])
        codes = stage_codes(con, features)
        progress(2, _STEPS)
        _write_parquet(con, features, partial)
        progress(3, _STEPS)
        tables = _summary(con, folder, partial, unit, features, balance)
        _write_json(partial / ATTRIBUTION, {"unit": unit, **balance.as_dict()})
        _write_json(
            partial / DICTIONARY, data_dictionary(store.source, options, tables, features, codes)
        )
        for name in (LABELS, SAMPLES, ATTRIBUTION, DICTIONARY):
            (partial / name).replace(folder / name)
    finally:
        con.close()
        shutil.rmtree(partial)
    progress(_STEPS, _STEPS)
    return tables


def features_of(source: Source, options: TableOptions) -> tuple[Feature, ...]:
    """Return the features that ``options`` ask of ``source``."""
    return declared_features(
        source.capabilities, strict=options.strict, planted_leak=options.planted_leak
    )


def samples_sql(features: tuple[Feature, ...]) -> str:
    """Return the SELECT behind ``samples.parquet``: the sample columns, then the features."""
    extra = "".join(f", f.{f.name}" for f in features if f.name not in SAMPLE_COLUMNS)
    fixed = ", ".join(f"s.{name}" for name in SAMPLE_COLUMNS)
    return (
        f"select {fixed}{extra}\nfrom sample s\n"
        f"join (\n{features_sql(features)}\n) f on f.sample_id = s.sample_id\norder by s.sample_id"
    )


def _write_parquet(con: Any, features: tuple[Feature, ...], folder: Path) -> None:
    labels = f"select {_LABEL_COLUMNS} from label order by row_id"
    for name, sql in ((LABELS, labels), (SAMPLES, samples_sql(features))):
        con.execute(f"copy ({sql}) to {quoted((folder / name).absolute())} (format parquet)")


def _summary(
    con: Any,
    folder: Path,
    partial: Path,
    unit: str,
    features: tuple[Feature, ...],
    balance: Attribution,
) -> Tables:
    expected = con.execute("select count(*), sum(label_amount) from sample").fetchone()
    rows, amount, positives, unmatured = con.execute(
        "select count(*), sum(label_amount), count(*) filter (where label_amount > 0),"
        " count(*) filter (where not matured)"
        f" from read_parquet({literal_path((partial / SAMPLES).absolute())})"
    ).fetchone()
    if (rows, amount or 0) != (expected[0], balance.labels.amount):
        raise IdentityError(
            f"{rows} feature rows worth {amount}",
            SAMPLES,
            f"{expected[0]} samples worth {balance.labels.amount}",
        )
    names = tuple(feature.name for feature in features)
    return Tables(folder, unit, rows, positives, unmatured, names, balance)


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
        "options": {
            name: value
            for name, value in asdict(options).items()
            if name not in ("memory_limit", "threads")
        },
        "columns": fixed,
        "features": [asdict(feature) for feature in features],
        "codes": codes,
    }


def _write_json(file: Path, plain: dict[str, Any]) -> None:
    text = json.dumps(plain, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
