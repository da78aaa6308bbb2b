"""A very small evening, prepared from its own logs as a run prepares it, and one with the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from giftlive.allocation import Prices
from giftlive.evaluation.evening import Evening, evening_world
from giftlive.logs import Store
from giftlive.world.truth import true_seat_seconds, true_value

SEED = 7
TINY = {"sizes.users": "200", "sizes.streamers": "8", "calendar.history_days": "4"}
ONE_HOUR = {"visits.diurnal": f"[{', '.join('01'[h == 20] for h in range(24))}]"}

Oracle = Callable[..., Evening]
Prepare = Callable[[Path, dict[str, str], int], tuple[Store, Evening]]


@dataclass(frozen=True)
class Prepared:
    """An evening with what it was prepared from."""

    store: Store
    tables: Path
    folder: Path
    evening: Evening


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, prepare: Prepare) -> Prepared:
    folder = tmp_path_factory.mktemp("evening")
    store, evening = prepare(folder, TINY, SEED)
    return Prepared(store, folder / "tables", folder / "evening", evening)


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """Return a maker of evenings whose estimates are the truth and whose prices are an oracle's."""

    def make(**overrides: str) -> Evening:
        changed = {name.replace("__", "."): value for name, value in overrides.items()}
        settings = {**TINY, "calendar.history_days": "1", **ONE_HOUR, **changed}
        world = evening_world("scarce", None, settings, SEED)
        rooms = np.flatnonzero(world.room_start >= world.room_start.max())
        rooms = rooms[np.argsort(world.room_streamer[rooms])][None, :]
        user, ts = np.arange(len(world.user_ids))[:, None], world.room_start[rooms]
        values = true_value(world, user, rooms, ts)
        seconds = true_seat_seconds(world, user, rooms, ts)
        nothing = Prices(np.zeros((1, 1)), 0, 1, np.ones(1))
        loss = {"r2_log": 1.0}
        evening = Evening(world, "scarce", values, values, seconds, nothing, loss, {})
        return replace(evening, prices=evening.true_prices)

    return make
