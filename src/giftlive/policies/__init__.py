"""Policies: who is shown which room, given estimates of value and seat time.

Every policy is a frozen configuration with three functions: ``init(seats) -> state``,
``decide(state, batch, rng) -> Decisions`` (a choice and the propensity of every candidate) and
``update(state, feedback) -> state``. The state is an argument and never changes in place, so a
policy can be replayed, compared with itself, and given the truth as values (an ``oracle_``).
"""

from giftlive.policies.base import Memoryless, Policy
from giftlive.policies.dual_price import DualPrice, PriceState
from giftlive.policies.greedy import Greedy, GreedyWithCap
from giftlive.policies.registry import POLICIES, make_policy
from giftlive.policies.softmax import Softmax
from giftlive.policies.uniform import Uniform

__all__ = [
    "POLICIES",
    "DualPrice",
    "Greedy",
    "GreedyWithCap",
    "Memoryless",
    "Policy",
    "PriceState",
    "Softmax",
    "Uniform",
    "make_policy",
]
