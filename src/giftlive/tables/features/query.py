"""One portable SQL text for all features: what to stage, and the SELECTs over it.

A feature is an expression over state columns; this module finds the columns that the wanted
features read and asks only for those. Running state comes from
:mod:`giftlive.tables.features.windows`, what stands still for a day from
:mod:`giftlive.tables.features.daily`, codes from :mod:`giftlive.tables.features.entities`.
The same columns come by another route from :mod:`giftlive.tables.features.direct`. All of them
use only what DuckDB and Spark SQL share.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from giftlive.tables.features.daily import daily_parts
from giftlive.tables.features.declare import Feature
from giftlive.tables.features.direct import direct_parts
from giftlive.tables.features.entities import profile_part
from giftlive.tables.features.events import DATED_STAGE
from giftlive.tables.features.ordinal import PROFILES
from giftlive.tables.features.part import Columns, Part, Piece, Stage
from giftlive.tables.features.state import DAILY, HALF_LIVES_MS, HISTORY, KEYS
from giftlive.tables.features.windows import fade_sql, history_parts

IN_SQL = (*PROFILES, "planted")
"""Groups whose features only SQL can compute; all others are expressions over columns too."""


@dataclass(frozen=True)
class Plan:
    """SQL in the order it runs.

    Attributes
    ----------
    stages : (table, SELECT) to stage one after the other; a later one may read an earlier.
    select : yields ``sample_id``, what is carried and one column per feature, one row per probe:
        for few probes or few features, because everything is joined at once.
    slices : tables to stage instead, each with ``sample_id`` and some columns of every probe,
        ordered by ``sample_id``: side by side they hold every column that a feature outside
        :data:`IN_SQL` reads, and the features in it, but for those that ``derived`` makes of
        ``pieces``. Narrow, and of few joins, so that none starves of memory.
    pieces : further tables to stage then, with rows of some of the probes.
    """

    stages: tuple[Stage, ...]
    select: str
    slices: tuple[Stage, ...] = ()
    pieces: tuple[Piece, ...] = ()
    derivations: tuple[Callable[[Columns], Columns], ...] = ()

    def derived(self, rows: Columns) -> Columns:
        """Return the columns of slices and pieces with those that are made of them."""
        made = dict(rows)
        for derive in self.derivations:
            made |= derive(rows)
        return made

    def steps(self, *, sliced: bool) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield (table, SELECT, tables that nothing reads any more), for ``select`` or ``slices``.

        A slice is staged as soon as what it reads is there, so that this can be given back.
        """
        order = self._with_slices() if sliced else self.stages
        read = [_words(select) for _, select in order]
        kept = {name for name, _ in self._sliced()} if sliced else _words(self.select)
        alive: set[str] = set()
        for i, (name, select) in enumerate(order):
            alive.add(name)
            spent = alive - kept - set().union(*read[i + 1 :])
            yield name, select, tuple(sorted(spent))
            alive -= spent

    def _sliced(self) -> tuple[Stage, ...]:
        return *self.slices, *((piece.name, piece.select) for piece in self.pieces)

    def _with_slices(self) -> tuple[Stage, ...]:
        place = {name: i for i, (name, _) in enumerate(self.stages)}
        after: dict[int, list[Stage]] = {}
        for name, select in self._sliced():
            needs = [place[word] for word in _words(select) if word in place]
            after.setdefault(max(needs, default=-1), []).append((name, select))
        order = list(after.get(-1, ()))
        for i, stage in enumerate(self.stages):
            order += [stage, *after.get(i, ())]
        return tuple(order)


def plan_features(
    features: Iterable[Feature],
    probe: str = "sample",
    by_row: bool = False,
    carry: Sequence[str] = (),
    narrow: Set[str] = frozenset(),
) -> Plan:
    """Return the SQL that computes ``features`` for every row of the table ``probe``.

    Parameters
    ----------
    features : declarations; columns come in this order after ``sample_id``.
    probe : table with sample_id (unique), user_id, live_id, streamer_id, category, as_of_ts,
        day, day_start_ts, and what context features read; id or category -1 = unknown, its
        history is empty.
    by_row : join each probe with its earlier events instead of running windows; the same
        result by an independent route, quadratic, for the audit of a few rows.
    carry : further columns of the probe that come along; a feature of the same name does not.
    narrow : keys (user_id, ...) whose values in ``probe`` fit in 32 bits: windows sort them faster.

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
    parts = [
        *(direct_parts(history, daily, probe) if by_row else ()),
        *(() if by_row else window_parts(history, daily, probe, narrow)),
        *_profile_parts(features, probe),
    ]
    brought = {name for part in parts for name in part.columns}
    beside = [column for column in read if column not in brought]
    first = ", ".join((*dict.fromkeys(("sample_id", *carry, *beside)), *_fades_sql()))
    slices = {"probe": f"select {first} from {probe} order by sample_id"}
    slices |= {name: _slice_sql(probe, bunch) for name, bunch in _bunches(parts).items()}
    slices |= {f.name: _planted_sql(probe, f, parts) for f in features if f.group == "planted"}
    return Plan(
        tuple(stage for part in parts for stage in part.stages),
        _select_sql(probe, features, beside, parts, carry),
        tuple((f"slice_{name}", select) for name, select in slices.items()),
        tuple(piece for part in parts for piece in part.pieces),
        tuple(part.derived for part in parts if part.pieces),
    )


def window_parts(
    history: Mapping[str, Set[str]],
    daily: Mapping[str, Set[str]],
    probe: str,
    narrow: Set[str] = frozenset(),
) -> tuple[Part, ...]:
    """Return the parts that bring these columns (by group, without prefix)."""
    dated = (Part((DATED_STAGE,), "", {}),) if history or daily else ()
    return *dated, *history_parts(history, probe, narrow), *daily_parts(daily, probe)


def _select_sql(
    probe: str,
    features: Iterable[Feature],
    beside: Iterable[str],
    parts: Iterable[Part],
    carry: Sequence[str] = (),
) -> str:
    """Return the SELECT of the features over the probe, all parts joined."""
    along = [name for name in carry if name != "sample_id"]
    values = "".join(f", {name}" for name in along) + "".join(
        f",\n       {f.name if f.group in PROFILES else f.value.sql()} as {f.name}"
        for f in features
        if f.name not in along
    )
    columns = "".join(f",\n       {s} as {n}" for part in parts for n, s in part.columns.items())
    joins = "".join(part.joins for part in parts)
    rows = f"select p.*{columns}\nfrom ({_base_sql(probe, (*beside, *along))}) p{joins}"
    return f"select sample_id{values}\nfrom ({rows}) s"


def _slice_sql(probe: str, parts: Iterable[Part]) -> str:
    """Return the SELECT of the columns of ``parts``, in the order of the probes."""
    columns = "".join(f",\n       {s} as {n}" for part in parts for n, s in part.columns.items())
    joins = "".join(part.joins for part in parts)
    return f"select p.sample_id{columns}\nfrom ({_base_sql(probe)}) p{joins}\norder by p.sample_id"


def _planted_sql(probe: str, feature: Feature, parts: Iterable[Part]) -> str:
    """Return the slice of a planted leak, with the parts that bring what it reads."""
    wanted = set(feature.value.reads)
    needed = [part for part in parts if wanted & part.columns.keys()]
    brought = {name for part in needed for name in part.columns}
    beside = [column for column in feature.value.reads if column not in brought]
    return f"{_select_sql(probe, (feature,), beside, needed)}\norder by sample_id"


def _base_sql(probe: str, read: Iterable[str] = ()) -> str:
    """Return the probe: its keys, what is read of it, and 2^(-age of its day / half-life)."""
    keys = [key for columns in KEYS.values() for key in columns]
    columns = dict.fromkeys(["sample_id", *keys, "day", "day_start_ts", "as_of_ts", *read])
    return f"select {', '.join((*columns, *_fades_sql()))} from {probe}"


def _fades_sql() -> Iterator[str]:
    for name, ms in HALF_LIVES_MS.items():
        yield f"{fade_sql('day_start_ts', 'as_of_ts', ms)} as fade_{name}"


def _bunches(parts: Iterable[Part]) -> dict[str, list[Part]]:
    """Return the parts that bring columns, by the slice they belong to."""
    bunches: dict[str, list[Part]] = {}
    for part in parts:
        if part.columns and not part.pieces:
            bunches.setdefault(part.slice, []).append(part)
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


def _words(sql: str) -> set[str]:
    return set(re.findall(r"\w+", sql))
