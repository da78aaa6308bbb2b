"""Policies of a comparison, and what one rollout of each is measured by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive import metrics
from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollout import play, summarise
from giftlive.evaluation.rollouts.market import Market
from giftlive.policies.base import Policy
from giftlive.policies.registry import make_policy
from giftlive.types import UNLIMITED_SEATS, Ints
from giftlive.world.outcome import Outcome

ORACLE = "oracle_"
"""Before the name of a contestant that is given the true values."""


@dataclass(frozen=True)
class Contestant:
    """A policy under a name.

    Attributes
    ----------
    name : in tables; with ``oracle_`` before it, it sees true values, else estimated ones.
    policy : as in the registry. options : of it.
    """

    name: str
    policy: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def whose(self) -> str:
        """Return whose values it sees, ``true`` or ``estimated``."""
        return "true" if self.name.startswith(ORACLE) else "estimated"

    def oracle(self) -> Contestant:
        """Return the same policy with true values."""
        return Contestant(f"{ORACLE}{self.name}", self.policy, self.options)


@dataclass(frozen=True)
class Played:
    """One rollout: its truth, and how many decisions were not for the best estimate."""

    outcome: Outcome
    displaced: int


def played(market: Market, contestant: Contestant, policy: Policy[Any] | None = None) -> Played:
    """Play ``contestant`` through all rounds of ``market``; ``policy`` stands for a named one."""
    policy = policy or make_policy(contestant.policy, **contestant.options)
    valuer = market.valuer(contestant.whose)
    return Played(*play(market.arena(), policy, valuer, market.seats, market.seed))


def measured(name: str, table: str, found: Played, seats: Ints, per_round: int) -> Iterator[Number]:
    """Yield the measures that every study of policies prints of a rollout.

    expected, realised
        Σ E[amount | shown, admitted] under the truth, and Σ amounts drawn.
    income Gini, exposure Gini
        of expected income and of exposures over *all* streamers, shown or not.
    overload
        share of (room, round) with more demand, admitted or refused, than seats.
    refused, declined, displaced
        shares of the decisions: no free seat, nothing shown, not the best estimate shown.
    """
    short = summarise(name, 0, found.outcome, found.displaced)
    n = max(short.decisions, 1)
    for column, value in (
        ("expected", short.expected_revenue),
        ("realised", short.revenue),
        ("income Gini", metrics.gini(short.income)),
        ("exposure Gini", metrics.gini(short.exposure)),
        ("overload", overload(found.outcome, seats, per_round)),
        ("refused", short.refused / n),
        ("declined", short.declined / n),
        ("displaced", short.displaced / n),
    ):
        yield Number(table, name, column, float(value))


def overload(outcome: Outcome, seats: Ints, per_round: int) -> float:
    """Compute the share of (room, round) whose demand exceeds the seats; 0 without limits."""
    limited = seats < UNLIMITED_SEATS
    if not limited.any():
        return 0.0
    rounds = -(-outcome.decisions // per_round)
    asked = outcome.streamer >= 0
    cell = (np.arange(outcome.decisions) // per_round) * len(seats) + outcome.streamer
    demand = np.bincount(cell[asked], minlength=rounds * len(seats)).reshape(rounds, len(seats))
    return float((demand > seats)[:, limited].mean())


def differs(one: Played, other: Played) -> float:
    """Return 1 where two rollouts differ in any bit of who got what, else 0."""
    pairs = (
        (one.outcome.room, other.outcome.room),
        (one.outcome.expected_amount, other.outcome.expected_amount),
        (one.outcome.amount, other.outcome.amount),
    )
    return float(not all(np.array_equal(a, b) for a, b in pairs))
