"""The declared features at any (user, streamer, time): the vectors behind a score."""

from __future__ import annotations

import numpy as np

from giftlive.errors import UsageError
from giftlive.logs.store import Store
from giftlive.tables.build import features_of
from giftlive.tables.engine.protocol import Engine
from giftlive.tables.engine.registry import open_engine
from giftlive.tables.features.declare import Feature
from giftlive.tables.features.ordinal import stage_codes, stage_room_category
from giftlive.tables.features.seam import probe_features
from giftlive.tables.local_time import slot_of, stage_local_time
from giftlive.tables.options import TableOptions
from giftlive.tables.staging import ROOMS_MET
from giftlive.types import Floats, Ints

_PROBE = """with placed as (
  select a.sample_id, a.user_id, a.live_id, a.streamer_id, a.ts, {as_of} as as_of_ts,
         c.day, c.day_start_ts, c.hour, c.weekday
  from asked a join local_time c on c.slot_ts = {slot}
)
select p.*, coalesce(r.category, cast(-1 as bigint)) as category,
       case when r.start_ts < p.as_of_ts then r.start_ts else cast(-1 as bigint) end
         as room_start_ts
from placed p left join room_category r on r.live_id = p.live_id"""

_ROW_ONLY = ("planted", "first_window")


def features_at(
    store: Store,
    users: Ints,
    streamers: Ints,
    ts: int | Ints,
    names: tuple[str, ...] | None = None,
    *,
    lives: Ints | None = None,
    options: TableOptions = TableOptions(),  # noqa: B008  (frozen)
) -> Floats:
    """Return the features of ``n`` probes as known strictly before ``ts``.

    The same features as in :func:`giftlive.tables.build_tables`, with the probes in place of the
    samples: a probe at a sample's user, streamer, room and time returns the sample's features.
    Features of the first window belong to a viewing, not to a time: a probe has none.

    Parameters
    ----------
    users, streamers : [n] ids; -1 = unknown (that history is empty, the profile unknown).
    ts : as-of time in ms UTC, one for all probes or [n].
    names : features wanted, in this order; None = all that the source supports.
    lives : [n] room ids for the features of the room; None = rooms unknown (-1).

    Returns
    -------
    Floats
        [n, p], rows in the order of the probes.

    Raises
    ------
    UsageError
        Unequal lengths, or a name that is not a feature of this source.
    """
    users = np.asarray(users, dtype=np.int64)
    lives = np.full(len(users), -1, dtype=np.int64) if lives is None else lives
    times = np.broadcast_to(np.asarray(ts, dtype=np.int64), users.shape)
    _require_lengths(len(users), streamers, lives)
    features = _wanted(features_of(store.source, options), names)
    engine = open_engine(store, options)
    try:
        _put_probes(engine, users, streamers, lives, times)
        _stage_probes(engine, store.source.tz, features, options)
        X = np.empty((len(users), len(features)), dtype=np.float64)
        for columns in probe_features(engine, features, options):
            for j, feature in enumerate(features):
                X[columns["sample_id"], j] = columns[feature.name]
    finally:
        engine.close()
    return X


def _wanted(declared: tuple[Feature, ...], names: tuple[str, ...] | None) -> tuple[Feature, ...]:
    by_name = {f.name: f for f in declared if f.group not in _ROW_ONLY}
    for name in names or ():
        if name not in by_name:
            raise UsageError(f"no feature {name!r}", "names", f"one of {', '.join(by_name)}")
    return tuple(by_name[name] for name in (by_name if names is None else names))


def _require_lengths(n: int, *columns: Ints) -> None:
    lengths = [n, *(len(column) for column in columns)]
    if len(set(lengths)) > 1:
        raise UsageError(f"lengths {lengths}", "features_at", "one entry per probe")


def _put_probes(engine: Engine, users: Ints, streamers: Ints, lives: Ints, times: Ints) -> None:
    import pyarrow as pa

    columns = {
        "sample_id": np.arange(len(users), dtype=np.int64),
        "user_id": users,
        "live_id": np.asarray(lives, dtype=np.int64),
        "streamer_id": np.asarray(streamers, dtype=np.int64),
        "ts": np.ascontiguousarray(times),
    }
    engine.put("asked", pa.table(columns))


def _stage_probes(
    engine: Engine, tz: str, features: tuple[Feature, ...], options: TableOptions
) -> None:
    """Create ``probe`` from ``asked``, and what features need besides."""
    stage_local_time(engine, tz, ["select ts from asked"])
    stage_codes(engine, features)
    stage_room_category(engine, *ROOMS_MET, "asked")
    as_of = "c.day_start_ts" if options.as_of == "day" else "a.ts"
    engine.stage("probe", _PROBE.format(slot=slot_of("a.ts"), as_of=as_of))
