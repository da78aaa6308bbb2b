"""From a store to labels, samples with features, the gift balance and the data dictionary."""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from giftlive.errors import IdentityError
from giftlive.logs.source import Source
from giftlive.logs.store import Store
from giftlive.tables.engine.protocol import Engine
from giftlive.tables.engine.registry import open_engine
from giftlive.tables.features.declare import Feature, declared_features
from giftlive.tables.features.ordinal import Codes
from giftlive.tables.features.seam import write_features
from giftlive.tables.labels import Attribution, attribution
from giftlive.tables.options import TableOptions
from giftlive.tables.samples import SAMPLE_COLUMNS
from giftlive.tables.staging import stage_decisions
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
    try:
        engine = open_engine(store, options, partial)
        try:
            codes = stage_decisions(engine, store.source, options, features)
            progress(1, _STEPS)
            balance = attribution(engine, unit, options)
            progress(2, _STEPS)
            engine.write(f"select {_LABEL_COLUMNS} from label order by row_id", partial / LABELS)
            write_features(engine, features, options, partial / SAMPLES)
            progress(3, _STEPS)
            tables = _summary(engine, folder, partial, unit, features, balance)
        finally:
            engine.close()
        _write_json(partial / ATTRIBUTION, {"unit": unit, **balance.as_dict()})
        _write_json(
            partial / DICTIONARY, data_dictionary(store.source, options, tables, features, codes)
        )
        for name in (LABELS, SAMPLES, ATTRIBUTION, DICTIONARY):
            (partial / name).replace(folder / name)
    finally:
        shutil.rmtree(partial)
    progress(_STEPS, _STEPS)
    return tables


def features_of(source: Source, options: TableOptions) -> tuple[Feature, ...]:
    """Return the features that ``options`` ask of ``source``."""
    return declared_features(
        source.capabilities,
        strict=options.strict,
        planted_leak=options.planted_leak,
        first_window=options.dwell_seconds > 0,
    )


def _summary(
    engine: Engine,
    folder: Path,
    partial: Path,
    unit: str,
    features: tuple[Feature, ...],
    balance: Attribution,
) -> Tables:
    import pyarrow.parquet as pq

    expected = engine.rows("select count(*) from sample")[0][0]
    columns = pq.read_table(partial / SAMPLES, columns=["label_amount", "matured"])
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
