"""A rounds world with the values of everyone who comes, true and estimated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from giftlive.errors import UsageError
from giftlive.evaluation.rollout import TableValuer
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.value_errors import ErrorLaw, estimated
from giftlive.types import Floats, Ints
from giftlive.world import World, build_world, load_scenario
from giftlive.world.rounds import RoundsArena, rounds_seed, users_of_round
from giftlive.world.truth import true_value

_PAIRS_AT_ONCE = 1 << 15  # whose columns stay in a core's cache


def in_empty_rooms(
    expectation: Callable[..., Floats], world: World, users: Ints | None = None
) -> Floats:
    """Return [n, S] an ``expectation`` of ``world.truth`` of users with every streamer.

    Parameters
    ----------
    users : [n]; None: all of the world.
    """
    users = np.arange(len(world.user_ids)) if users is None else users
    streamers = np.arange(len(world.streamer_ids))
    found = np.empty((len(users), len(streamers)))
    few = max(1, _PAIRS_AT_ONCE // len(streamers))
    for first in range(0, len(users), few):
        some = users[first : first + few, None]
        found[first : first + few] = expectation(world, some, streamers, world.origin_ms)
    return found


class Truth:
    """Exact values E[amount | shown, empty room] of the pairs of a world, each evaluated once."""

    def __init__(self, world: World) -> None:
        """Know nothing yet."""
        self._world = world
        self._values = np.zeros((len(world.user_ids), len(world.streamer_ids)))
        self._known = np.zeros(len(world.user_ids), dtype=np.bool_)

    def of(self, users: Ints) -> Floats:
        """Return [n, S] the values of users, evaluating those that nobody asked for before."""
        new = np.unique(users[~self._known[users]])
        self._values[new] = in_empty_rooms(true_value, self._world, new)
        self._known[new] = True
        return self._values[users]


@dataclass(frozen=True)
class Market:
    """One seed of a rounds scenario.

    Attributes
    ----------
    world : in rounds mode. seed : of the users of every round, the draws, the errors.
    truth : of the world's pairs; markets of the same people and rooms may share it.
    """

    world: World
    seed: int
    law: ErrorLaw
    truth: Truth = field(compare=False)

    @classmethod
    def of(cls, cell: Cell, law: ErrorLaw, truth: Truth | None = None) -> Market:
        """Return the market of a cell.

        Parameters
        ----------
        truth : of a world with the same users, streamers and law of an empty room, such as this one
            at another load; None: nothing is known yet.

        Raises
        ------
        UsageError
            The scenario has a clock.
        """
        scenario = load_scenario(cell.preset, cell.scale, dict(cell.overrides))
        if scenario.mode != "rounds":
            raise UsageError(f"preset {cell.preset}", "rollouts", "a scenario in rounds mode")
        world = build_world(scenario, cell.seed)
        return cls(world, cell.seed, law, truth or Truth(world))

    def arena(self) -> RoundsArena:
        """Return the arena; every policy meets the same users and the same draws in it."""
        return RoundsArena(self.world, self.seed)

    @property
    def seats(self) -> Ints:
        """[S] seats of every room."""
        return self.arena().seats

    @cached_property
    def rounds(self) -> Ints:
        """[rounds, n] who comes, in the order in which they are served."""
        run = rounds_seed(self.world, self.seed, None)
        many = self.world.scenario.rounds.rounds
        return np.stack([users_of_round(self.world, run, r) for r in range(many)])

    @cached_property
    def true(self) -> Floats:
        """[U, S] exact E[amount | shown, empty room]; 0 for users who never come."""
        values = np.zeros((len(self.world.user_ids), len(self.world.streamer_ids)))
        come = np.unique(self.rounds)
        values[come] = self.truth.of(come)
        return values

    @cached_property
    def estimated(self) -> Floats:
        """[U, S] what a value model with errors of ``law`` says of them."""
        said = np.zeros_like(self.true)
        come = np.unique(self.rounds)
        said[come] = estimated(self.true[come], self.law, self.seed)
        return said

    def values(self, whose: str) -> Floats:
        """Return the ``true`` or the ``estimated`` values."""
        return self.true if whose == "true" else self.estimated

    def valuer(self, whose: str) -> TableValuer:
        """Return the lookup of one of both tables; a seat is held for one round, one second."""
        values = self.values(whose)
        return TableValuer(values, np.broadcast_to(1.0, values.shape))

    def whales(self, share: float) -> Any:
        """Return [U] who belongs to the ``share`` of largest wealth: an oracle's list."""
        wealth = self.world.scene.users.wealth
        return wealth > np.quantile(wealth, 1.0 - share)
