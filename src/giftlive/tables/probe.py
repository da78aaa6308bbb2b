"""The declared features at any (user, streamer, time): the vectors behind a score."""

from __future__ import annotations

from typing import Any

import numpy as np

from giftlive.errors import UsageError
from giftlive.logs.store import Store
from giftlive.tables.build import features_of
from giftlive.tables.features.declare import Feature
from giftlive.tables.features.ordinal import stage_codes
from giftlive.tables.features.query import features_sql
from giftlive.tables.local_time import SLOT_MS, SLOT_OF, stage_local_time
from giftlive.tables.options import TableOptions
from giftlive.types import Floats, Ints


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

    The same SQL as :func:`giftlive.tables.build_tables`, with the probes in place of the
    samples: a probe at a sample's user, streamer, room and time returns the sample's features.

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
    con = store.connect(options.memory_limit, options.threads)
    try:
        stage_local_time(con, times - times % SLOT_MS, store.source.tz)
        stage_codes(con, features)
        _stage_probes(con, users, streamers, lives, times)
        columns = con.execute(
            f"select * from ({features_sql(features, 'probe')}) f order by sample_id"
        ).fetchnumpy()
    finally:
        con.close()
    X = np.empty((len(users), len(features)), dtype=np.float64)
    for j, feature in enumerate(features):
        X[:, j] = columns[feature.name]
    return X


def _wanted(declared: tuple[Feature, ...], names: tuple[str, ...] | None) -> tuple[Feature, ...]:
    by_name = {f.name: f for f in declared if f.group != "planted"}
    for name in names or ():
        if name not in by_name:
            raise UsageError(f"no feature {name!r}", "names", f"one of {', '.join(by_name)}")
    return tuple(by_name[name] for name in (by_name if names is None else names))


def _require_lengths(n: int, *columns: Ints) -> None:
    lengths = [n, *(len(column) for column in columns)]
    if len(set(lengths)) > 1:
        raise UsageError(f"lengths {lengths}", "features_at", "one entry per probe")


def _stage_probes(con: Any, users: Ints, streamers: Ints, lives: Ints, times: Ints) -> None:
    import pyarrow as pa

    rows = pa.table(
        {
            "sample_id": np.arange(len(users), dtype=np.int64),
            "user_id": users,
            "live_id": np.asarray(lives, dtype=np.int64),
            "streamer_id": np.asarray(streamers, dtype=np.int64),
            "ts": np.ascontiguousarray(times),
        }
    )
    con.register("probe_rows", rows)
    con.execute(
        "create table probe as select p.*, c.hour, c.weekday from probe_rows p"
        f" join local_time c on c.slot_ts = {SLOT_OF.replace('ts', 'p.ts')}"
    )
    con.unregister("probe_rows")
