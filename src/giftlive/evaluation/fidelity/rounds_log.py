"""A rounds world as a log of contacts and gifts, so that the facts can measure it.

In rounds there is no clock and no platform: a contact is an entry, a round is an instant, and the
room of a streamer is another one in every round. Users are shown a room at random, which favours
nobody; a policy would choose what is measured. Only what does not depend on time may be read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from giftlive.logs.template import arrow_schema
from giftlive.rng import stream
from giftlive.types import Decisions, Observation
from giftlive.world import Outcome, World, make_arena

_ABOUT = """tz = "{tz}"
unit = "platform unit"
label = "calibrated world"
gift_times = "entry"
"""

_AMOUNTS = (
    *(f"amount_{x}" for x in ("p50", "p75", "p90", "p95", "p99", "mean", "sd", "max")),
    "amount_share_eq_1",
    *(f"amount_share_le_{x}" for x in (2, 5, 10, 20)),
)
_CONCENTRATION = tuple(
    f"{whose}_{what}"
    for whose in ("user", "streamer")
    for what in ("gini", "top1_share", "top5_share", "top10_share")
)
IN_ROUNDS = frozenset(
    {
        "gift_rows_per_click",
        *_AMOUNTS,
        *_CONCENTRATION,
        "gifts_per_gifting_pair",
        "gifting_pairs_repeat_share",
        *(f"watch_{x}_s" for x in ("p50", "p90", "p99", "mean")),
        "click_share_watch_lt5_5to30_30to300_gt300",
        "revenue_share_watch_lt5_5to30_30to300_gt300",
    }
)
"""Targets that a world without a clock has: no days, no sessions, nothing that was skipped, and
nothing that grows with the time observed."""


def play_at_random(world: World, seed: int) -> Outcome:
    """Play all rounds, every user shown a room drawn uniformly; equal seeds, equal outcomes."""
    arena, rng = make_arena(world, seed), stream(seed, "rooms at random", world.seed)
    observation = arena.reset()
    while observation is not None:
        _, observation = arena.step(_at_random(observation, rng))
    return arena.outcome()


def _at_random(observation: Observation, rng: np.random.Generator) -> Decisions:
    n, m = observation.rooms.shape
    return Decisions(np.asarray(rng.integers(0, m, n)), np.full((n, m), 1.0 / m))


def write_rounds_log(world: World, outcome: Outcome, folder: Path) -> None:
    """Write the contacts of ``outcome`` as the documented tables ``click`` and ``gift``.

    Amounts are rounded to whole units, as a log has them, at least 1.
    """
    folder.mkdir(parents=True)
    about = _ABOUT.format(tz=world.scenario.calendar.tz)
    (folder / "source.toml").write_text(about, encoding="utf-8")
    seen = outcome.clicked
    rows: dict[str, Any] = {
        "user_id": world.user_ids[outcome.user],
        "live_id": outcome.visit * len(world.streamer_ids) + outcome.streamer,
        "streamer_id": world.streamer_ids[outcome.streamer],
        "ts": outcome.ts,
        "watch_ms": outcome.watch_ms,
        "amount": np.maximum(np.rint(outcome.amount), 1.0).astype(np.int64),
    }
    _write(folder, "click", {name: column[seen] for name, column in rows.items()})
    paid = seen & (outcome.amount > 0)
    _write(folder, "gift", {name: column[paid] for name, column in rows.items()})


def _write(folder: Path, table: str, columns: dict[str, Any]) -> None:
    fields = [f for f in arrow_schema(table) if f.name in columns]
    found = pa.table({f.name: columns[f.name] for f in fields}, schema=pa.schema(fields))
    pq.write_table(found, folder / f"{table}.parquet")
