"""Policies by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from giftlive.errors import ConfigError
from giftlive.policies.base import Policy
from giftlive.policies.batch_optimal import BatchOptimal
from giftlive.policies.concave import Concave
from giftlive.policies.devanur_jain import DevanurJain
from giftlive.policies.dual_price import DualPrice
from giftlive.policies.ecosystem_guard import EcosystemGuard
from giftlive.policies.epsilon_greedy import EpsilonGreedy
from giftlive.policies.exploring import ExplorationFloor, RandomBucket
from giftlive.policies.greedy import Greedy, GreedyWithCap
from giftlive.policies.guards import CapacityGuard, Eligibility, FatigueBudget, FrequencyCap
from giftlive.policies.last_layer import LastLayer
from giftlive.policies.lin_ucb import LinUCB
from giftlive.policies.multi_objective import MultiObjective
from giftlive.policies.preference_floor import PreferenceFloor
from giftlive.policies.risk import cvar, lcb, ucb
from giftlive.policies.room_ucb import RoomUCB
from giftlive.policies.rules import GreedyWithRules
from giftlive.policies.slate import Slate
from giftlive.policies.softmax import Softmax
from giftlive.policies.thompson import RoomThompson, Thompson
from giftlive.policies.tie_exploration import TieExploration
from giftlive.policies.turns import Popularity, RoundRobin
from giftlive.policies.uniform import Uniform
from giftlive.policies.whale_tier import WhaleTier

POLICIES: dict[str, Callable[..., Policy[Any]]] = {
    "uniform": Uniform,
    "round_robin": RoundRobin,
    "popularity": Popularity,
    "greedy": Greedy,
    "greedy_with_cap": GreedyWithCap,
    "greedy_with_rules": GreedyWithRules,
    "softmax": Softmax,
    "epsilon_greedy": EpsilonGreedy,
    "thompson": Thompson,
    "room_thompson": RoomThompson,
    "room_ucb": RoomUCB,
    "lin_ucb": LinUCB,
    "last_layer": LastLayer,
    "ucb": ucb,
    "lcb": lcb,
    "cvar": cvar,
    "concave": Concave,
    "devanur_jain": DevanurJain,
    "dual_price": DualPrice,
    "whale_tier": WhaleTier,
    "batch_optimal": BatchOptimal,
    "multi_objective": MultiObjective,
}
"""Policies that stand on their own."""

WRAPPERS: dict[str, Callable[..., Policy[Any]]] = {
    "exploration_floor": ExplorationFloor,
    "random_bucket": RandomBucket,
    "tie_exploration": TieExploration,
    "eligibility": Eligibility,
    "capacity_guard": CapacityGuard,
    "frequency_cap": FrequencyCap,
    "fatigue_budget": FatigueBudget,
    "ecosystem_guard": EcosystemGuard,
    "preference_floor": PreferenceFloor,
    "slate": Slate,
}
"""Policies around another one, their option ``policy``; by default around ``greedy``."""

ORACLE = "oracle_"
"""Before the name of a policy that is given the truth as values."""


def make_policy(name: str, /, **options: Any) -> Policy[Any]:
    """Return the policy called ``name`` with its ``options``.

    ``oracle_<name>`` is the same policy under that name: what makes it an oracle are the true
    values and seat times it must be given (``is_oracle`` tells who plays it).

    Examples
    --------
    >>> make_policy("softmax", temperature=0.1).name
    'softmax'
    >>> make_policy("capacity_guard", policy=make_policy("oracle_thompson")).policy.name
    'oracle_thompson'
    """
    known = POLICIES | WRAPPERS
    plain = name.removeprefix(ORACLE)
    if plain not in known:
        raise ConfigError(
            f"no policy is called {name!r}", "policy", f"one of {', '.join(known)}", _near(plain)
        )
    if is_oracle(name):
        options = {"name": name, **options}
    try:
        return known[plain](**options)
    except TypeError as error:
        raise ConfigError(str(error), f"policy {name}", "options of this policy") from error


def is_oracle(name: str) -> bool:
    """Return whether the policy of this name must be given true values.

    Examples
    --------
    >>> is_oracle("oracle_greedy"), is_oracle("greedy")
    (True, False)
    """
    return name.startswith(ORACLE)


def _near(name: str) -> str:
    near = difflib.get_close_matches(name, POLICIES | WRAPPERS, n=1)
    return f"did you mean {near[0]!r}?" if near else ""
