"""Every study once on a world of 200 users, and evenings whose estimates are the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from giftlive.allocation import Prices
from giftlive.config import load_config
from giftlive.evaluation.evening import Evening, evening_world
from giftlive.evaluation.results import StudyResult
from giftlive.logs import Store
from giftlive.studies.context import Context
from giftlive.studies.registry import STUDIES
from giftlive.world.payoff import with_payoff
from giftlive.world.truth import true_seat_seconds, true_value

SEED = 11
TINY = {"sizes.users": "200", "sizes.streamers": "8", "calendar.history_days": "10"}
SMALL = {
    "seed": SEED,
    "jobs": 1,
    "models.names": ("user_past_spend", "pair_past_spend", "ridge"),
    "arena.seeds": 2,
    "off_policy.replications": 60,
    "off_policy.decisions": 150,
    "off_policy.evenings": 0,
    "fidelity.scale": "0.003",
    "fidelity.seeds": 2,
    "fidelity.overrides": {"calendar.history_days": "4"},
}
ONE_HOUR = f"[{', '.join('01'[hour == 20] for hour in range(24))}]"

Oracle = Callable[[dict[str, str]], Evening]
Prepare = Callable[[Path, dict[str, str], int], tuple[Store, Evening]]


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory, prepare: Prepare) -> Context:
    """A prepared evening of a tiny scarce world, as a run prepares it."""
    folder = tmp_path_factory.mktemp("studies")
    store, evening = prepare(folder, TINY, SEED)
    return Context(load_config(overrides=SMALL), store, folder / "tables", "tests", evening)


@pytest.fixture(scope="session")
def results(context: Context) -> dict[str, StudyResult]:
    return {study.name: study.run(context) for study in STUDIES}


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """Return a maker of one-hour evenings with exact values and an oracle's prices."""

    def make(overrides: dict[str, str]) -> Evening:
        settings = {"calendar.history_days": "1", "visits.diurnal": ONE_HOUR, **overrides}
        world = evening_world("scarce", None, settings, SEED)
        rooms = np.flatnonzero(world.room_start >= world.room_start.max())
        rooms = rooms[np.argsort(world.room_streamer[rooms])][None, :]
        user, ts = np.arange(len(world.user_ids))[:, None], world.room_start[rooms]
        counting = with_payoff(world, np.ones(len(world.scene.law.prices)))
        evening = Evening(
            world=world,
            preset="scarce",
            values=true_value(world, user, rooms, ts),
            gift_probability=true_value(counting, user, rooms, ts),
            seat_seconds=true_seat_seconds(world, user, rooms, ts),
            prices=Prices(np.zeros((1, 1)), 0, 1, np.ones(1)),
            loss={"r2_log": 1.0},
            card={},
            cap=100.0,
        )
        return replace(evening, prices=evening.true_prices)

    return make
