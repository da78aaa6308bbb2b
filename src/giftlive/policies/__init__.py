"""Policies: who is shown which room, given estimates of value and seat time.

Every policy is a frozen configuration with three functions: ``init(seats) -> state``,
``decide(state, batch, rng) -> Decisions`` (a choice and the propensity of every candidate) and
``update(state, feedback) -> state``. The state is an argument and never changes in place, so a
policy can be replayed, compared with itself, and given the truth as values (an ``oracle_``).
"""

from giftlive.policies.base import Memoryless, Policy, hear
from giftlive.policies.batch_optimal import BatchOptimal
from giftlive.policies.concave import Concave
from giftlive.policies.devanur_jain import DevanurJain
from giftlive.policies.dual_price import DualPrice, PriceState
from giftlive.policies.ecosystem_guard import EcosystemGuard
from giftlive.policies.epsilon_greedy import EpsilonGreedy
from giftlive.policies.exploring import ExplorationFloor, RandomBucket
from giftlive.policies.greedy import Greedy, GreedyWithCap
from giftlive.policies.guards import CapacityGuard, Eligibility, FatigueBudget, FrequencyCap
from giftlive.policies.last_layer import LastLayer
from giftlive.policies.lin_ucb import LinUCB
from giftlive.policies.multi_objective import MultiObjective
from giftlive.policies.preference_floor import PreferenceFloor
from giftlive.policies.registry import POLICIES, WRAPPERS, is_oracle, make_policy
from giftlive.policies.retrieval import Retriever
from giftlive.policies.risk import Risk, cvar, lcb, ucb
from giftlive.policies.room_ucb import RoomUCB
from giftlive.policies.rules import GreedyWithRules
from giftlive.policies.signals import ByPair, ByStreamer, ByUser, ShareOfValue, Signal
from giftlive.policies.slate import Slate, Slates
from giftlive.policies.softmax import Softmax
from giftlive.policies.thompson import RoomThompson, Thompson
from giftlive.policies.tie_exploration import TieExploration
from giftlive.policies.turns import Popularity, RoundRobin
from giftlive.policies.uniform import Uniform
from giftlive.policies.whale_tier import WhaleTier

__all__ = [
    "POLICIES",
    "WRAPPERS",
    "BatchOptimal",
    "ByPair",
    "ByStreamer",
    "ByUser",
    "CapacityGuard",
    "Concave",
    "DevanurJain",
    "DualPrice",
    "EcosystemGuard",
    "Eligibility",
    "EpsilonGreedy",
    "ExplorationFloor",
    "FatigueBudget",
    "FrequencyCap",
    "Greedy",
    "GreedyWithCap",
    "GreedyWithRules",
    "LastLayer",
    "LinUCB",
    "Memoryless",
    "MultiObjective",
    "Policy",
    "Popularity",
    "PreferenceFloor",
    "PriceState",
    "RandomBucket",
    "Retriever",
    "Risk",
    "RoomThompson",
    "RoomUCB",
    "RoundRobin",
    "ShareOfValue",
    "Signal",
    "Slate",
    "Slates",
    "Softmax",
    "Thompson",
    "TieExploration",
    "Uniform",
    "WhaleTier",
    "cvar",
    "hear",
    "is_oracle",
    "lcb",
    "make_policy",
    "ucb",
]
