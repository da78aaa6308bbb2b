"""One portable SQL text for all features: what to stage, and the SELECT over it.

A feature is an expression over state columns; this module finds the columns that the wanted
features read and asks only for those. Running state comes from
:mod:`giftlive.tables.features.windows`, what stands still for a day from
:mod:`giftlive.tables.features.daily`, codes from :mod:`giftlive.tables.features.entities`.
The same columns come by another route from :mod:`giftlive.tables.features.direct`. All of them
use only what DuckDB and Spark SQL share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from giftlive.tables.features.daily import daily_parts
from giftlive.tables.features.declare import Feature
from giftlive.tables.features.direct import direct_parts
from giftlive.tables.features.entities import profile_part
from giftlive.tables.features.ordinal import PROFILES
from giftlive.tables.features.part import Part, Stage
from giftlive.tables.features.state import DAILY, HALF_LIVES_MS, HISTORY, KEYS
from giftlive.tables.features.windows import fade_sql, history_parts

_WEIGHT_AT_ONCE = 4
"""Streams whose joins run at once: each holds up to a row per probe in memory."""


@dataclass(frozen=True)
class Plan:
    """SQL in the order it runs.

    Attributes
    ----------
    stages : (table, SELECT) to stage one after the other; a later one may read an earlier.
    select : yields ``sample_id`` and one column per feature, one row per probe.
    """

    stages: tuple[Stage, ...]
    select: str


def plan_features(features: Iterable[Feature], probe: str = "sample", by_row: bool = False) -> Plan:
    """Return the SQL that computes ``features`` for every row of the table ``probe``.

    Parameters
    ----------
    features : declarations; columns come in this order after ``sample_id``.
    probe : table with sample_id (unique), user_id, live_id, streamer_id, category, as_of_ts,
        day, day_start_ts and what context features read; id or category -1 = unknown, its
        history is empty.
    by_row : join each probe with its earlier events instead of running windows; the same
        result by an independent route, quadratic, for the audit of a few rows.

    Examples
    --------
    >>> from giftlive.tables.features.declare import FEATURES
    >>> plan = plan_features([f for f in FEATURES if f.name == "pair_gift_sum"])
    >>> [name for name, _ in plan.stages][-1]
    'pair_gift_running'
    """
    features = tuple(features)
    read = dict.fromkeys(c for f in features if f.group not in PROFILES for c in f.value.reads)
    history, daily = _by_group(HISTORY, read), _by_group(DAILY, read)
    form = direct_parts if by_row else window_parts
    parts = [*form(history, daily, probe), *_profile_parts(features, probe)]
    brought = {name for part in parts for name in part.columns}
    source = _base_sql(probe, [column for column in read if column not in brought])
    stages = [stage for part in parts for stage in part.stages]
    *early, last = _bunches(parts)
    for number, bunch in enumerate(early):
        stages.append((f"state_{number}", _joined_sql(source, bunch)))
        source = f"select * from state_{number}"
    values = "".join(
        f",\n       {f.name if f.group in PROFILES else f.value.sql()} as {f.name}"
        for f in features
    )
    return Plan(tuple(stages), f"select sample_id{values}\nfrom ({_joined_sql(source, last)}) s")


def window_parts(
    history: Mapping[str, Set[str]], daily: Mapping[str, Set[str]], probe: str
) -> tuple[Part, ...]:
    """Return the parts that bring these columns (by group, without prefix)."""
    return *history_parts(history, probe), *daily_parts(daily, probe)


def _base_sql(probe: str, read: Iterable[str]) -> str:
    """Return the probe: its keys, what is read of it, and 2^(-age of its day / half-life)."""
    keys = [key for columns in KEYS.values() for key in columns]
    columns = dict.fromkeys(["sample_id", *keys, "day", "as_of_ts", *read])
    fades = [
        f"{fade_sql('day_start_ts', 'as_of_ts', ms)} as fade_{name}"
        for name, ms in HALF_LIVES_MS.items()
    ]
    return f"select {', '.join((*columns, *fades))} from {probe}"


def _joined_sql(source: str, parts: Iterable[Part]) -> str:
    """Return ``source`` widened by the columns of ``parts``."""
    columns = "".join(f",\n       {s} as {n}" for part in parts for n, s in part.columns.items())
    return f"select p.*{columns}\nfrom ({source}) p{''.join(part.joins for part in parts)}"


def _bunches(parts: Iterable[Part]) -> list[list[Part]]:
    """Return the parts in bunches that are joined at once, so that no join starves of memory."""
    bunches: list[list[Part]] = [[]]
    for part in parts:
        if sum(p.weight for p in (*bunches[-1], part)) > _WEIGHT_AT_ONCE:
            bunches.append([])
        bunches[-1].append(part)
    return bunches


def _by_group(declared: Mapping[str, tuple[str, ...]], read: Iterable[str]) -> dict[str, Set[str]]:
    """Return which columns of each group are read, without their prefix."""
    wanted = set(read)
    found = {g: {c for c in columns if f"{g}_{c}" in wanted} for g, columns in declared.items()}
    return {g: columns for g, columns in found.items() if columns}


def _profile_parts(features: tuple[Feature, ...], probe: str) -> Iterator[Part]:
    for group in PROFILES:
        members = [feature for feature in features if feature.group == group]
        if members:
            yield profile_part(group, members, probe)


def _faded(probe: str) -> str:
    """Return the probe with what is left of a term from the start of its day."""
    fades = ", ".join(
        f"{fade_sql('day_start_ts', 'as_of_ts', ms)} as fade_{name}"
        for name, ms in HALF_LIVES_MS.items()
    )
    return f"select *, {fades} from {probe}"
