from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from giftlive.rng import stream
from giftlive.types import Decide, Decisions, Observation
from giftlive.world import Arena, Outcome, World, build_world, load_scenario, write_twin
from giftlive.world.history import History
from giftlive.world.state import Log, joined
from giftlive.world.twin import TwinSummary


@pytest.fixture(scope="session")
def evening() -> World:
    """A small `scarce` world: 200 users, 10 streamers, 3 days of history."""
    return build_world(load_scenario("scarce", "tiny", {"calendar.history_days": "3"}), 7)


@pytest.fixture(scope="session")
def clocked() -> World:
    """A very small `kuailive` world: several exposures a visit, rooms that come and go."""
    return build_world(load_scenario("kuailive", "0.001", {"calendar.history_days": "5"}), 7)


@pytest.fixture(scope="session")
def uniform_decide() -> Callable[[int], Decide]:
    def make(seed: int) -> Decide:
        rng = stream(seed, "uniform")

        def decide(observation: Observation) -> Decisions:
            there = observation.rooms >= 0
            chances = there / np.maximum(there.sum(axis=1, keepdims=True), 1)
            score = np.where(there, rng.random(there.shape), -1.0)
            choice = np.where(there.any(axis=1), score.argmax(axis=1), -1)
            return Decisions(choice.astype(np.int64), chances)

        return decide

    return make


@pytest.fixture(scope="session")
def play() -> Callable[[Arena, Decide], Outcome]:
    def run(arena: Arena, decide: Decide) -> Outcome:
        observation = arena.reset()
        while observation is not None:
            _, observation = arena.step(decide(observation))
        return arena.outcome()

    return run


@pytest.fixture(scope="session")
def twin(clocked: World, tmp_path_factory: pytest.TempPathFactory) -> TwinSummary:
    return write_twin(clocked, tmp_path_factory.mktemp("twin") / "data")


@pytest.fixture(scope="session")
def history(clocked: World) -> Log:
    return joined(list(History(clocked).chunks()))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data"
