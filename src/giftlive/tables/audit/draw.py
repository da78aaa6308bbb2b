"""Which rows are tried: rows of every day, and rows whose future lies at a cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.tables.engine.duck import DuckEngine
from giftlive.types import Ints

CUTS = (0.25, 0.5, 0.95)
"""Quantiles of the decisions at which the future begins."""
NEAR_ROWS = 60
"""Rows tried at each cut, the latest first: half of them still open, those with a gift first,
half of a user or streamer of whom another viewing is still open."""
SPREAD_ROWS = 160
"""Rows replayed, the same number of each day; those before a cut are tried there too."""

_NEAR = """with still_open as (
  select user_id, streamer_id from click where ts < {cut} and known_ts >= {cut}
), open_row as (
  select sample_id from {samples} where as_of_ts <= {cut}
  order by label_known_ts < {cut}, label_amount = 0, sample_id desc limit {rows}
), beside as (
  select sample_id from {samples} where as_of_ts <= {cut} and (
    user_id in (select user_id from still_open)
    or streamer_id in (select streamer_id from still_open)
  ) order by sample_id desc limit {rows}
)
select sample_id from open_row union select sample_id from beside"""
_SCRAMBLE, _PRIME = 48_271, 2_147_483_647


@dataclass(frozen=True)
class Drawn:
    """Rows of a trial by sample id, sorted; everything known from ``cut`` (ms) on is changed."""

    cut: int
    rows: Ints


def draw_rows(
    engine: DuckEngine, samples: str, rng: np.random.Generator
) -> tuple[Ints, list[Drawn]]:
    """Return the rows that are tried, by sample id, and those of every cut.

    Parameters
    ----------
    samples : SQL of the sample table. rng : decides which rows of a day.
    """
    spread = _spread(engine, samples, rng)
    ids, trials = spread["sample_id"], []
    for cut in _cuts(engine, samples):
        near = engine.columns(_NEAR.format(samples=samples, cut=cut, rows=NEAR_ROWS // 2))
        trials.append(Drawn(cut, np.union1d(near["sample_id"], ids[spread["as_of_ts"] <= cut])))
    return np.unique(np.concatenate([ids, *(drawn.rows for drawn in trials)])), trials


def _cuts(engine: DuckEngine, samples: str) -> list[int]:
    """Return times of rows at which something is stamped and not known: there a leak would show.

    Best is a row whose streamer has a gift that is not known yet, then a row with a gift of its
    own, then any row.
    """
    cuts = ", ".join(
        f"coalesce(quantile_disc(as_of_ts, {share}) filter (where beside),"
        f" quantile_disc(as_of_ts, {share}) filter (where label_amount > 0),"
        f" quantile_disc(as_of_ts, {share}))"
        for share in CUTS
    )
    beside = f"""select s.sample_id from {samples} s join gift g on g.streamer_id = s.streamer_id
      and g.ts < s.as_of_ts and g.known_ts >= s.as_of_ts"""
    rows = f"select *, sample_id in ({beside}) as beside from {samples}"
    return sorted(
        {int(ts) for ts in engine.rows(f"select {cuts} from ({rows}) r")[0] if ts is not None}
    )


def _spread(engine: DuckEngine, samples: str, rng: np.random.Generator) -> dict[str, Ints]:
    """Return about SPREAD_ROWS rows, as many of each day; half with a gift, where there are any."""
    days = engine.rows(f"select count(distinct day) from {samples}")[0][0]
    each = max(1, -(-SPREAD_ROWS // (2 * max(1, days))))
    draw = f"(sample_id % {_PRIME} * {_SCRAMBLE} + {int(rng.integers(_PRIME))}) % {_PRIME}"
    return engine.columns(
        f"select sample_id, as_of_ts from {samples} where sample_id in ("
        f"select unnest(min_by(sample_id, {draw}, {each})) from {samples}"
        " group by day, label_amount > 0) order by sample_id"
    )
