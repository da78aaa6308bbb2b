"""A rounds world with the values of everyone who comes, true and estimated."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Market:
    """One seed of a rounds scenario.

    Attributes
    ----------
    world : in rounds mode. seed : of the users of every round, the draws, the errors.
    """

    world: World
    seed: int
    law: ErrorLaw

    @classmethod
    def of(cls, cell: Cell, law: ErrorLaw) -> Market:
        """Return the market of a cell.

        Raises
        ------
        UsageError
            The scenario has a clock.
        """
        scenario = load_scenario(cell.preset, cell.scale, dict(cell.overrides))
        if scenario.mode != "rounds":
            raise UsageError(f"preset {cell.preset}", "rollouts", "a scenario in rounds mode")
        return cls(build_world(scenario, cell.seed), cell.seed, law)

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
        users, streamers = len(self.world.user_ids), len(self.world.streamer_ids)
        values = np.zeros((users, streamers))
        come = np.unique(self.rounds)
        values[come] = true_value(
            self.world, come[:, None], np.arange(streamers), self.world.origin_ms
        )
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
