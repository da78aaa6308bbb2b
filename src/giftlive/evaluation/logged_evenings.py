"""Decision logs of a world to try off-policy evaluation on: a named policy on several evenings.

Every evening is a file of its own: a user's visits of two evenings overlap in time, and a file is
in order of time. Users are the same in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.config import parse_value
from giftlive.errors import ConfigError
from giftlive.evaluation.arena_value import TrueValuer
from giftlive.evaluation.decisions import LoggedEvening
from giftlive.evaluation.evening import Evening
from giftlive.evaluation.rollout import Valuer
from giftlive.logs.decisions import open_decisions
from giftlive.policies import ExplorationFloor, Policy, is_oracle, make_policy
from giftlive.rng import derive
from giftlive.types import Progress, silent

_PRICED = ("dual_price",)


@dataclass(frozen=True)
class LoggingPolicy:
    """The policy that writes a log.

    Attributes
    ----------
    name : in the registry. options : of it, as text.
    explore : share of the decisions that are drawn among all candidates alike.

    Raises
    ------
    ConfigError
        There is no such policy or option.
    """

    name: str
    options: Mapping[str, str]
    explore: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.explore <= 1.0:
            raise ConfigError(f"{self.explore:g}", "--explore", "a share in [0, 1]")
        make_policy(self.name, **self._given)

    @property
    def _given(self) -> dict[str, Any]:
        return {key: parse_value(text) for key, text in self.options.items()}

    def made(self, evening: Evening) -> Policy[Any]:
        """Return the policy for ``evening``, with the prices that its logs gave where it asks."""
        given = self._given
        if self.name.removeprefix("oracle_") in _PRICED:
            prices = evening.true_prices if is_oracle(self.name) else evening.prices
            given = {"prices": prices, **given}
        policy = make_policy(self.name, **given)
        if self.explore == 0.0:
            return policy
        return ExplorationFloor(policy, self.explore, f"{self.name} exploring {self.explore:g}")

    def valuer(self, evening: Evening) -> Valuer:
        """Return what the policy sees: estimates, or the truth for an oracle."""
        return TrueValuer(evening.world) if is_oracle(self.name) else evening.estimated_valuer


@dataclass(frozen=True)
class Written:
    """What was logged.

    Attributes
    ----------
    files : in order. decisions, users : behind the means.
    gifts, amount : mean per decision, as they happened to come.
    """

    files: tuple[Path, ...]
    decisions: int
    users: int
    gifts: float
    amount: float


def log_evenings(
    evening: Evening,
    policy: LoggingPolicy,
    evenings: int,
    seed: int,
    folder: Path,
    progress: Progress = silent,
) -> Written:
    """Play ``policy`` on several evenings and write a decision log of each into ``folder``.

    Parameters
    ----------
    seed : names the evenings; evening k is the same for every policy.
    """
    made, valuer = policy.made(evening), policy.valuer(evening)
    files = []
    for k in range(evenings):
        files.append(
            folder / ("decision.parquet" if evenings == 1 else f"decision-{k + 1}.parquet")
        )
        LoggedEvening(evening.world, made, valuer, derive(seed, "logged evening", k)).write(
            files[k]
        )
        progress(k + 1, evenings)
    return _summary(tuple(files))


def _summary(files: tuple[Path, ...]) -> Written:
    decisions, users, gifts, amount = 0, np.zeros(0, dtype=np.int64), 0, 0.0
    for path in files:
        for log in open_decisions(path).batches():
            decisions += len(log)
            users = np.union1d(users, log.user_id)
            gifts += int((log.reward > 0.0).sum())
            amount += float(log.reward.sum())
    per = max(decisions, 1)
    return Written(files, decisions, len(users), gifts / per, amount / per)
