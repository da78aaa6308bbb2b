"""A world whose truth is known: one law of behaviour for the twin, the arena and bandit logs.

``load_scenario`` names every coefficient, ``build_world`` grows it into entities, ``write_twin``
runs the platform's own ranking and writes what a log would show, ``make_arena`` puts a policy in
the loop, ``true_value`` and ``true_seat_seconds`` say what nobody inside could know.
"""

from giftlive.world.arena import Arena
from giftlive.world.build import build_world
from giftlive.world.demand import potential_arrivals
from giftlive.world.entities import World
from giftlive.world.history import require_clock
from giftlive.world.load import load_scenario, presets
from giftlive.world.outcome import Outcome
from giftlive.world.rounds import RoundsArena, make_arena
from giftlive.world.rounds_greedy import play_oracle_greedy
from giftlive.world.scenario import Scenario
from giftlive.world.truth import (
    Responses,
    RoomState,
    UserState,
    respond,
    true_seat_seconds,
    true_value,
)
from giftlive.world.twin import TwinSummary, write_twin

__all__ = [
    "Arena",
    "Outcome",
    "Responses",
    "RoomState",
    "RoundsArena",
    "Scenario",
    "TwinSummary",
    "UserState",
    "World",
    "build_world",
    "load_scenario",
    "make_arena",
    "play_oracle_greedy",
    "potential_arrivals",
    "presets",
    "require_clock",
    "respond",
    "true_seat_seconds",
    "true_value",
    "write_twin",
]
