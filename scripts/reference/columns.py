"""The data dictionary: columns of the event tables, and every feature with its as-of rule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from scripts.reference.markdown import page, table

from giftlive.logs.schema import TABLES, Column, TableSchema
from giftlive.tables.features.declare import (
    FEATURES,
    FIRST_WINDOW_FEATURES,
    SNAPSHOT_FEATURES,
    Feature,
)

PATH = "docs/reference/data-dictionary.md"


def render() -> str:
    """Return the page."""
    intro = (
        "Two kinds of columns. *Event tables* are what a reader stores: any platform can write "
        "them "
        "([sources](../sources.md#any-other-platform)). *Features* are derived point in time "
        "([tables](../tables.md)). Ids and times are 64-bit integers, times are Unix ms UTC, "
        "money is "
        "whole numbers of the source's unit. `known_ts` is the first instant at which a platform "
        "could have known the row; a feature uses events with `known_ts` strictly before the row."
    )
    return page(
        "Data dictionary",
        intro,
        "## Event tables",
        *(_table(schema) for schema in TABLES.values()),
        "## Features",
        *_features(FEATURES),
        "### after some seconds (`tables.dwell_seconds`)",
        _feature_table(FIRST_WINDOW_FEATURES),
        "### snapshot columns (never among the features of a run; study `first_window` asks "
        "what they add)",
        _feature_table(SNAPSHOT_FEATURES),
    )


def _table(schema: TableSchema) -> str:
    kind = "events" if schema.event else "rows"
    rows = [(f"`{c.name}`", c.type, c.unit, _range(c)) for c in schema.columns]
    head = ["column", "type", "unit or meaning", "range"]
    return f"### {schema.name}\n\nOne row per {kind[:-1]}; content order: " + (
        f"{', '.join(f'`{name}`' for name in schema.order[:6])}"
        f"{' …' if len(schema.order) > 6 else ''}.\n\n{table(head, rows)}"
    )


def _range(column: Column) -> str:
    if column.minimum is None and column.maximum is None:
        return "may be absent" if column.nullable else "–"
    low = "" if column.minimum is None else f"≥ {column.minimum}"
    high = "" if column.maximum is None else f"≤ {column.maximum}"
    return ", ".join(part for part in (low, high, "may be absent" * column.nullable) if part)


def _features(features: tuple[Feature, ...]) -> Iterator[str]:
    for group, found in groupby(sorted(features, key=lambda f: f.group), lambda f: f.group):
        yield f"### {group}"
        yield _feature_table(tuple(found))


def _feature_table(features: tuple[Feature, ...]) -> str:
    rows = [
        (f"`{f.name}`", f.definition, f.unit, f.as_of, ", ".join(f.needs) or "–") for f in features
    ]
    return table(["feature", "definition", "unit", "as of", "needs any of"], rows)
