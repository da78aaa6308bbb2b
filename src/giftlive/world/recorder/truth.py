"""What the log hides, for ``truth/``: no reader of logs opens it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.types import Ints
from giftlive.world.entities import World
from giftlive.world.recorder.marks import Gifts
from giftlive.world.recorder.survey import Survey
from giftlive.world.recorder.tables import Table, event_columns
from giftlive.world.state import Log
from giftlive.world.truth import true_click_probability

_STAMPS = np.array(["entry", "own", "leaving"])


def true_gifts(world: World, log: Log, gifts: Gifts) -> Table:
    """Return every gift of the kept users, and what the recorder did to it.

    ``timestamp`` is the entry on the recorder's grid, the other times are exact ms.
    """
    row = gifts.row
    return event_columns(world, log, row, log.ts[row]) | {
        "entry_ts": log.ts[row],
        "gift_ts": gifts.given,
        "leaving_ts": log.ts[row] + log.watch_ms[row],
        "arrival_ts": gifts.arrival,
        "amount": np.rint(log.amount[row]).astype(np.int64),
        "presses": gifts.presses,
        "stamp": _STAMPS[gifts.stamp],
        "click_lost": gifts.orphan,
        "recorded": gifts.recorded,
    }


def true_decisions(world: World, log: Log, rows: Ints) -> Table:
    """Return what the decisions behind written rows were worth, row by row as they are written.

    ``expected_shown`` = E[amount | shown, admitted, state then], ``click_probability`` in an
    empty room, ``propensity`` of the platform's choice.
    """
    chance = true_click_probability(world, log.user[rows], log.room[rows], log.ts[rows])
    return event_columns(world, log, rows, log.ts[rows]) | {
        "expected_shown": log.expected[rows],
        "expected_amount": log.expected[rows] / chance,
        "click_probability": chance,
        "propensity": log.propensity[rows],
    }


def latents(world: World, found: Survey) -> dict[str, Table]:
    """Return the latent parameters of the kept users and streamers."""
    scene = world.scene
    return {
        "users": _latents(world.user_ids, scene.users._asdict(), found.users),
        "streamers": _latents(world.streamer_ids, scene.streamers._asdict(), found.streamers),
    }


def _latents(ids: Ints, columns: dict[str, NDArray[Any]], which: Ints) -> Table:
    table: Table = {"id": ids[which]}
    for name, column in columns.items():
        if column.ndim == 1:
            table[name] = column[which]
        else:
            table |= {f"{name}_{k:02d}": column[which, k] for k in range(column.shape[1])}
    return table
