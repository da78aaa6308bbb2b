"""Target policies that a decision log alone can play: by name, or as a file of probabilities.

By name a policy sees what the log holds of a decision: its candidates and their logged values. A
policy that asks for more (free seats, prices it has learnt) cannot be asked afterwards what it
would have done; its probabilities can be computed where these are known, and given as a file.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from giftlive.config import parse_value
from giftlive.errors import ConfigError, MissingCapabilityError
from giftlive.evaluation.decision_logs import DecisionLogs, together
from giftlive.logs.decisions import DecisionFile, DecisionLog
from giftlive.policies import POLICIES, Policy, make_policy
from giftlive.rng import stream
from giftlive.stats.cluster_sums import cluster_sums, merge, no_sums
from giftlive.types import UNLIMITED_SEATS, DecisionBatch, Floats, Observation

EPSILON_GREEDY = "epsilon_greedy"
_EPSILON = 0.1

PLAYABLE = ("uniform", "greedy", "softmax", EPSILON_GREEDY)
"""Names of the policies whose answer for a decision needs its candidates and values alone."""


class TargetPolicy(Protocol):
    """Says how likely it would have shown each candidate of a logged decision."""

    @property
    def name(self) -> str:
        """Name with its options, as printed."""

    def probabilities(self, log: DecisionLog, first: int, /) -> Floats:
        """Return [n, m] for the rows from ``first`` on: 0 at padding, rows sum to 1.

        Of several logs ``first`` counts the rows of those before.
        Where nothing is shown a row sums to 0. What it says of a row depends on that row alone.
        """


@dataclass(frozen=True)
class Played:
    """A policy that is asked again, batch by batch, with the logged values.

    Attributes
    ----------
    name : as printed. policy : one whose answer for a row depends on that row alone.
    mixed, share : where ``share`` > 0, that share of the decisions is left to ``mixed``.
    """

    name: str
    policy: Policy[Any]
    mixed: Policy[Any] | None = None
    share: float = 0.0

    def probabilities(self, log: DecisionLog, first: int, /) -> Floats:
        """Return [n, m] the policy's probabilities of the candidates."""
        found = _asked(self.policy, log)
        if self.mixed is None:
            return found
        return (1.0 - self.share) * found + self.share * _asked(self.mixed, log)


def named_target(
    name: str, options: Mapping[str, str], log: DecisionFile | DecisionLogs
) -> TargetPolicy:
    """Return the policy called ``name``, ready to judge the decisions of ``log``.

    Softmax without a ``scale`` takes the mean absolute value of all candidates of the logs, not of
    a batch, so that cutting the log otherwise changes nothing.

    Parameters
    ----------
    options : of the policy, as text: temperature, floor, scale; epsilon of ``epsilon_greedy``.

    Raises
    ------
    ConfigError
        There is no such policy or option.
    MissingCapabilityError
        The policy needs what a decision log does not hold.
    """
    if name not in PLAYABLE:
        raise _unplayable(name)
    given = {key: parse_value(text) for key, text in options.items()}
    if given.get("respect_seats"):
        raise _without_state(f"{name} with respect_seats")
    printed = f"{name}({', '.join(f'{k}={v}' for k, v in options.items())})" if options else name
    if name == EPSILON_GREEDY:
        return _epsilon_greedy(printed, given)
    if name == "softmax" and given.get("scale") is None:
        given["scale"] = mean_value(log) or 1.0
    return Played(printed, make_policy(name, **given))


def mean_value(log: DecisionFile | DecisionLogs) -> float:
    """Compute the mean absolute logged value of all candidates; 0 without candidates."""
    state = no_sums(2)
    for rows in (rows for file in together(log).files for rows in file.batches()):
        sizes = np.abs(rows.values).sum(axis=1)
        terms = np.column_stack([sizes, rows.available.sum(axis=1)])
        state = merge(state, cluster_sums(np.zeros(len(rows), dtype=np.int64), terms))
    total, count = state.values.sum(axis=0)
    return float(total / count) if count else 0.0


def _epsilon_greedy(printed: str, given: dict[str, Any]) -> Played:
    epsilon = given.pop("epsilon", _EPSILON)
    if given:
        what = f"no option {next(iter(given))!r}"
        raise ConfigError(what, f"policy {EPSILON_GREEDY}", "epsilon")
    if not (isinstance(epsilon, int | float) and 0.0 <= epsilon <= 1.0):
        raise ConfigError(f"{epsilon}", f"{EPSILON_GREEDY}.epsilon", "a share in [0, 1]")
    return Played(printed, make_policy("greedy"), make_policy("uniform"), float(epsilon))


def _asked(policy: Policy[Any], log: DecisionLog) -> Floats:
    """Return a policy's probabilities of the logged candidates, all seats free."""
    n = len(log)
    seen = Observation(
        ts=log.ts,
        user=np.arange(n),
        visit=np.zeros(n, dtype=np.int64),
        slot=log.slot,
        rooms=log.candidates,
        streamers=log.candidates,
        seats_left=np.full(log.candidates.shape, UNLIMITED_SEATS),
    )
    batch = DecisionBatch(seen, log.values, np.zeros_like(log.values))
    state = policy.init(np.zeros(0, dtype=np.int64))
    return policy.decide(state, batch, stream(0, "target policy")).propensities


def _unplayable(name: str) -> ConfigError | MissingCapabilityError:
    if name in POLICIES:
        return _without_state(name)
    near = difflib.get_close_matches(name, PLAYABLE, n=1)
    return ConfigError(
        f"{name!r} is no policy and no file",
        "--policy",
        f"one of {', '.join(PLAYABLE)}, or a Parquet file of probabilities",
        f"did you mean {near[0]!r}?" if near else "see docs/off-policy.md for the file",
    )


def _without_state(name: str) -> MissingCapabilityError:
    return MissingCapabilityError(
        f"{name} looks at free seats, learnt prices or earlier decisions, which a decision log does"
        " not hold",
        "--policy",
        f"one of {', '.join(PLAYABLE)}",
        "compute its probabilities where it runs and give them as a Parquet file",
    )
